//! The server's end of TLS on one connection, with what it holds of both directions.

use std::fmt;

use rustls::server::UnbufferedServerConnection;
use tls::records::{self, Exhausted, RECORD};

/// The first byte of a record of a handshake's messages (RFC 8446, section 5.1).
pub(super) const HANDSHAKE: u8 = 22;

/// The server's end of TLS on one connection.
pub(in crate::session) struct Layer {
    pub(super) connection: UnbufferedServerConnection,
    /// What has come of a record, or of a message in several, that is not whole.
    pub(super) incoming: Vec<u8>,
    /// Records of TLS's own that are to be sent.
    pub(super) outgoing: Vec<u8>,
    /// What was decrypted and no protocol has taken.
    pub(super) plain: Vec<u8>,
    /// How much of `plain` has been taken.
    pub(super) taken: usize,
}

impl Layer {
    pub(super) fn new(connection: UnbufferedServerConnection) -> Self {
        Self {
            connection,
            incoming: Vec::new(),
            outgoing: Vec::new(),
            plain: Vec::new(),
            taken: 0,
        }
    }

    /// Whether what has come holds a record that is whole, or cannot become one: before, there is nothing to compute.
    pub(super) fn has_record(&self) -> bool {
        match self.incoming[..] {
            // What follows such a byte need not come for it to be wrong.
            [kind, ..] if kind != HANDSHAKE => true,
            [_, _, _, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                length > RECORD || self.incoming.len() >= 5 + length
            }
            _ => false,
        }
    }

    /// Does what a handshake takes with what has come; whether the client has said that it sends no more.
    ///
    /// # Errors
    /// Why nothing can come of it; what is to be said to the client is in `outgoing`.
    pub(in crate::session) fn shake_hands(&mut self) -> Result<bool, rustls::Error> {
        let mut incoming = std::mem::take(&mut self.incoming);
        let (taken, read) = self.read(&mut incoming, |plain, payload| {
            plain.extend_from_slice(payload);
        });
        incoming.drain(..taken);
        self.incoming = incoming;
        read
    }

    /// Decrypts the records that are whole, and hands over what is in them, with `plain`: as [`records::read`].
    pub(super) fn read(
        &mut self,
        incoming: &mut [u8],
        mut deliver: impl FnMut(&mut Vec<u8>, &[u8]),
    ) -> (usize, Result<bool, rustls::Error>) {
        let plain = &mut self.plain;
        records::read(
            &mut self.connection,
            incoming,
            &mut self.outgoing,
            |payload| deliver(plain, payload),
        )
    }

    /// Encrypts `parts`, behind what is to be sent before: as [`records::write`].
    pub(super) fn write(
        &mut self,
        parts: [&[u8]; 2],
        is_last: bool,
        buffer: &mut Vec<u8>,
    ) -> Result<usize, Exhausted> {
        records::write(
            &mut self.connection,
            &mut self.incoming,
            &mut self.outgoing,
            parts,
            is_last,
            buffer,
        )
    }
}

impl fmt::Debug for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut layer = formatter.debug_struct("Layer");
        layer.field("incoming", &self.incoming.len());
        layer.field("outgoing", &self.outgoing.len());
        layer.field("plain", &(self.plain.len() - self.taken));
        layer.finish_non_exhaustive()
    }
}
