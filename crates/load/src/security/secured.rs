//! The client's end of TLS on one connection: records in, records out.

use super::HTTP2;
use crate::clock::Nanos;
use rustls::HandshakeKind;
use rustls::client::UnbufferedClientConnection;
use std::io::{self, Error, ErrorKind, Read, Write};
use tls::records::{self, RECORD};

/// Where the records of handshakes come, and what is in them.
pub(crate) struct Shaking {
    came: Vec<u8>,
    plain: Vec<u8>,
}

impl Default for Shaking {
    fn default() -> Self {
        Self {
            came: vec![0; RECORD],
            plain: vec![0; 3 * RECORD],
        }
    }
}

/// TLS of a connection.
pub(crate) struct Secured {
    connection: UnbufferedClientConnection,
    /// What has come of a record that is not whole.
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    buffer: Vec<u8>,
    /// What the server said with its last word of the handshake.
    early: Vec<u8>,
    wants_http2: bool,
    /// When its handshake began.
    pub(crate) since: Nanos,
    /// The server has said that it sends no more.
    pub(crate) is_ended: bool,
}

impl Secured {
    /// The client's end of a connection on which nothing has been sent.
    pub(super) fn new(
        connection: UnbufferedClientConnection,
        wants_http2: bool,
        since: Nanos,
    ) -> Self {
        Self {
            connection,
            incoming: Vec::new(),
            outgoing: Vec::new(),
            buffer: Vec::new(),
            early: Vec::new(),
            wants_http2,
            since,
            is_ended: false,
        }
    }

    /// Whether it has taken up a session from before.
    pub(crate) fn is_resumed(&self) -> bool {
        self.connection.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// Goes on with the handshake over `stream`. False: there is more of it, and nothing can be read or written now.
    ///
    /// # Errors
    /// Why there is no connection: the socket failed, or the server is not to be spoken with.
    pub(crate) fn shake_hands(
        &mut self,
        stream: &mut (impl Read + Write),
        shaking: &mut Shaking,
    ) -> io::Result<bool> {
        let Shaking { came, plain } = shaking;
        self.read(&mut [], plain)?;
        loop {
            // What is to be said goes first: nothing comes before.
            if !self.send_outgoing(stream)? {
                return Ok(false);
            }
            if !self.connection.is_handshaking() {
                return self.check_protocol().map(|()| true);
            }
            let read = match stream.read(came) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                read => self.read(&mut came[..read?], plain),
            };
            match read {
                Ok(filled) => self.early.extend_from_slice(&plain[..filled]),
                Err(error) => {
                    // The alert says why; whether it arrives makes no difference here.
                    let _ = self.send_outgoing(stream);
                    return Err(error);
                }
            }
        }
    }

    /// Whether all that TLS has to say could be sent.
    fn send_outgoing(&mut self, stream: &mut impl Write) -> io::Result<bool> {
        while !self.outgoing.is_empty() {
            match stream.write(&self.outgoing) {
                Ok(written) => drop(self.outgoing.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// HTTP/2 is spoken only where the server has chosen it (RFC 9113, section 3.3).
    fn check_protocol(&self) -> io::Result<()> {
        let chosen = self.connection.alpn_protocol();
        match self.wants_http2 && chosen != Some(HTTP2) {
            true => Err(Error::other(rustls::Error::NoApplicationProtocol)),
            false => Ok(()),
        }
    }

    /// What the server said before it was asked anything.
    pub(crate) fn take_early(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.early)
    }

    /// Decrypts what came into `plain`, and returns how much of that is filled. `plain` has room for what came and another record.
    pub(crate) fn read(&mut self, came: &mut [u8], plain: &mut [u8]) -> io::Result<usize> {
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

    /// Adds `bytes` to `out`, encrypted.
    pub(crate) fn write(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
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
