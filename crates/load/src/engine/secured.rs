//! The client's end of TLS on one connection: records in, records out.

use crate::clock::Nanos;
use rustls::HandshakeKind;
use rustls::client::UnbufferedClientConnection;
use std::io::{Error, ErrorKind};
use tls::records;

/// TLS of a connection.
pub(super) struct Secured {
    connection: UnbufferedClientConnection,
    /// What has come of a record that is not whole.
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    buffer: Vec<u8>,
    /// When its handshake began.
    pub(super) since: Nanos,
    /// The server has said that it sends no more.
    pub(super) is_ended: bool,
}

impl Secured {
    pub(super) fn new(connection: UnbufferedClientConnection, since: Nanos) -> Self {
        Self {
            connection,
            incoming: Vec::new(),
            outgoing: Vec::new(),
            buffer: Vec::new(),
            since,
            is_ended: false,
        }
    }

    /// Whether the handshake has yet to come to its end.
    pub(super) fn is_shaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Whether it has taken up a session from before.
    pub(super) fn is_resumed(&self) -> bool {
        self.connection.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// Decrypts what came into `plain`, and returns how much of that is filled. `plain` has room for what came and another record.
    pub(super) fn read(&mut self, came: &mut [u8], plain: &mut [u8]) -> std::io::Result<usize> {
        let mut filled = 0;
        let deliver = |payload: &[u8]| {
            plain[filled..filled + payload.len()].copy_from_slice(payload);
            filled += payload.len();
        };
        let read = if self.incoming.is_empty() {
            let (used, read) =
                records::read(&mut self.connection, came, &mut self.outgoing, deliver);
            self.incoming.extend_from_slice(&came[used..]);
            read
        } else {
            self.incoming.extend_from_slice(came);
            let incoming = &mut self.incoming;
            let (used, read) =
                records::read(&mut self.connection, incoming, &mut self.outgoing, deliver);
            self.incoming.drain(..used);
            read
        };
        self.is_ended |= read.map_err(|why| Error::new(ErrorKind::InvalidData, why))?;
        Ok(filled)
    }

    /// Adds to `out` what TLS has to say of its own.
    pub(super) fn take_outgoing(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.outgoing);
    }

    /// Adds `bytes` to `out`, encrypted.
    pub(super) fn write(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> std::io::Result<()> {
        let end = records::write(
            &mut self.connection,
            &mut self.incoming,
            &mut self.outgoing,
            [bytes, &[]],
            false,
            &mut self.buffer,
        )
        .map_err(|_| Error::other("no more may be encrypted with the keys of this connection"))?;
        out.extend_from_slice(&self.buffer[..end]);
        Ok(())
    }
}

impl std::fmt::Debug for Secured {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Secured").finish_non_exhaustive()
    }
}
