//! Records (RFC 8446, section 5), and the messages of a handshake in them: bytes in, bytes out.

use std::fmt;

use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, UnbufferedStatus,
};

/// The longest plaintext of a record, in bytes.
pub(in crate::session) const RECORD: usize = 16 << 10;
/// The first byte of a record of a handshake's messages (RFC 8446, section 5.1).
pub(super) const HANDSHAKE: u8 = 22;
/// What a record takes beside its plaintext, at the most; and what an alert or a change of keys takes, of which two may come between.
const OVERHEAD: usize = 64;

/// The server's end of TLS on one connection, with what it holds of both directions.
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

/// No more may be encrypted with the keys that there are.
#[derive(Debug)]
pub(super) struct Exhausted;

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
            [kind, _, _, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                let is_wrong = kind != HANDSHAKE || length > RECORD;
                is_wrong || self.incoming.len() >= 5 + length
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
        let (taken, read) = self.read(&mut incoming, |layer, payload| {
            layer.extend_from_slice(payload);
        });
        incoming.drain(..taken);
        self.incoming = incoming;
        read
    }

    /// Decrypts the records that are whole, and hands over what is in them, with `plain`; how many bytes are used up, and whether the
    /// client has said that it sends no more.
    ///
    /// # Errors
    /// As [`shake_hands`](Self::shake_hands).
    pub(super) fn read(
        &mut self,
        incoming: &mut [u8],
        mut deliver: impl FnMut(&mut Vec<u8>, &[u8]),
    ) -> (usize, Result<bool, rustls::Error>) {
        let (mut used, mut is_ended) = (0, false);
        loop {
            let UnbufferedStatus { mut discard, state } =
                self.connection.process_tls_records(&mut incoming[used..]);
            let mut is_through = false;
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(Ok(record)) = traffic.next_record() {
                        discard += record.discard;
                        deliver(&mut self.plain, record.payload);
                    }
                }
                Ok(ConnectionState::EncodeTlsData(data)) => encode(data, &mut self.outgoing),
                // What was encoded is sent in its turn.
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed) => is_ended = true,
                Ok(_) => is_through = true,
                Err(error) => {
                    used += discard;
                    self.take_alert(&mut incoming[used..]);
                    return (used, Err(error));
                }
            }
            used += discard;
            if is_through {
                return (used, Ok(is_ended));
            }
        }
    }

    /// What is to be said of an error; nothing that has come is looked at again, which the library does not bear.
    fn take_alert(&mut self, incoming: &mut [u8]) {
        while self.connection.wants_write() {
            match self.connection.process_tls_records(incoming).state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while traffic.next_record().is_some() {}
                }
                Ok(ConnectionState::EncodeTlsData(data)) => encode(data, &mut self.outgoing),
                _ => return,
            }
        }
    }

    /// Encrypts `head` and `tail`, and the end of all if it `is_last`, into `buffer` behind what is to be sent before; returns how
    /// much of that is filled.
    pub(super) fn write(
        &mut self,
        (head, tail): (&[u8], &[u8]),
        is_last: bool,
        buffer: &mut Vec<u8>,
    ) -> Result<usize, Exhausted> {
        loop {
            let state = self
                .connection
                .process_tls_records(&mut self.incoming)
                .state;
            match state {
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    let plain = head.len() + tail.len();
                    let records = plain.div_ceil(RECORD) + 4;
                    let length = self.outgoing.len() + plain + records * OVERHEAD;
                    if buffer.len() < length {
                        buffer.resize(length, 0);
                    }
                    let mut end = self.outgoing.len();
                    buffer[..end].copy_from_slice(&self.outgoing);
                    self.outgoing = Vec::new();
                    put(buffer, &mut end, |buffer| traffic.encrypt(head, buffer))?;
                    put(buffer, &mut end, |buffer| traffic.encrypt(tail, buffer))?;
                    if is_last {
                        put(buffer, &mut end, |buffer| {
                            traffic.queue_close_notify(buffer)
                        })?;
                    }
                    return Ok(end);
                }
                Ok(ConnectionState::EncodeTlsData(data)) => encode(data, &mut self.outgoing),
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed) => {}
                _ => return Err(Exhausted),
            }
        }
    }
}

/// Adds a record to what is to be sent.
fn encode<Data>(mut data: EncodeTlsData<'_, Data>, outgoing: &mut Vec<u8>) {
    let start = outgoing.len();
    if let Err(EncodeError::InsufficientSize(needed)) = data.encode(&mut []) {
        outgoing.resize(start + needed.required_size, 0);
        let encoded = data.encode(&mut outgoing[start..]);
        debug_assert!(encoded.is_ok(), "there is as much room as was asked for");
    }
}

/// Has `write` fill `buffer` from `end` on, with as much room as it takes.
fn put(
    buffer: &mut Vec<u8>,
    end: &mut usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, EncryptError>,
) -> Result<(), Exhausted> {
    loop {
        match write(&mut buffer[*end..]) {
            Ok(written) => {
                *end += written;
                return Ok(());
            }
            Err(EncryptError::InsufficientSize(needed)) => {
                buffer.resize(*end + needed.required_size, 0);
            }
            Err(EncryptError::EncryptExhausted) => return Err(Exhausted),
        }
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
