//! Records (RFC 8446, section 5) of either end: bytes in, bytes out, by a connection of rustls's that does no I/O and holds no buffer.

use rustls::Error;
use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, UnbufferedStatus,
};

/// The longest plaintext of a record, in bytes.
pub const RECORD: usize = 16 << 10;
/// What a record takes beside its plaintext, at the most; and what an alert or a change of keys takes, of which two may come between.
const OVERHEAD: usize = 64;

/// No more may be encrypted with the keys that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted;

/// One end of a connection.
pub trait End {
    /// What rustls holds of this end.
    type Data;

    /// Looks at what has come, up to the next thing that is to be done.
    fn process<'c, 'i>(
        &'c mut self,
        incoming: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, Self::Data>;

    /// Whether there is a record to be sent.
    fn has_record(&self) -> bool;
}

impl End for UnbufferedServerConnection {
    type Data = rustls::server::ServerConnectionData;

    fn process<'c, 'i>(
        &'c mut self,
        incoming: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(incoming)
    }

    fn has_record(&self) -> bool {
        self.wants_write()
    }
}

impl End for UnbufferedClientConnection {
    type Data = rustls::client::ClientConnectionData;

    fn process<'c, 'i>(
        &'c mut self,
        incoming: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(incoming)
    }

    fn has_record(&self) -> bool {
        self.wants_write()
    }
}

/// Takes the records of `incoming` that are whole, hands over what is in them, and adds to `outgoing` what is to be said of them. How
/// many bytes are used up, the others being for the next call; and whether the other end has said that it sends no more.
///
/// # Errors
/// Why nothing more can come of the connection; the alert that says so is in `outgoing`.
pub fn read<C: End>(
    connection: &mut C,
    incoming: &mut [u8],
    outgoing: &mut Vec<u8>,
    mut deliver: impl FnMut(&[u8]),
) -> (usize, Result<bool, Error>) {
    let (mut used, mut is_ended) = (0, false);
    loop {
        let UnbufferedStatus { mut discard, state } = connection.process(&mut incoming[used..]);
        let mut is_through = false;
        match state {
            Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                while let Some(Ok(record)) = traffic.next_record() {
                    discard += record.discard;
                    deliver(record.payload);
                }
            }
            Ok(ConnectionState::EncodeTlsData(data)) => encode(data, outgoing),
            // What was encoded is sent in its turn.
            Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
            Ok(ConnectionState::PeerClosed) => is_ended = true,
            Ok(_) => is_through = true,
            Err(error) => {
                used += discard;
                take_alert(connection, &mut incoming[used..], outgoing);
                return (used, Err(error));
            }
        }
        used += discard;
        if is_through {
            return (used, Ok(is_ended));
        }
    }
}

/// What is to be said of an error; nothing that has come is looked at again, which rustls does not bear.
fn take_alert<C: End>(connection: &mut C, incoming: &mut [u8], outgoing: &mut Vec<u8>) {
    while connection.has_record() {
        match connection.process(incoming).state {
            Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                while traffic.next_record().is_some() {}
            }
            Ok(ConnectionState::EncodeTlsData(data)) => encode(data, outgoing),
            _ => return,
        }
    }
}

/// Encrypts `parts`, and the end of all if it `is_last`, into `buffer`, behind what `outgoing` holds; returns how much of `buffer`
/// that fills. `incoming`: what [`read`] has left.
///
/// # Errors
/// Where no more may be encrypted, or nothing yet.
pub fn write<C: End>(
    connection: &mut C,
    incoming: &mut [u8],
    outgoing: &mut Vec<u8>,
    parts: [&[u8]; 2],
    is_last: bool,
    buffer: &mut Vec<u8>,
) -> Result<usize, Exhausted> {
    loop {
        match connection.process(incoming).state {
            Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                let plain = parts[0].len() + parts[1].len();
                let records = plain.div_ceil(RECORD) + 4;
                let length = outgoing.len() + plain + records * OVERHEAD;
                if buffer.len() < length {
                    buffer.resize(length, 0);
                }
                let mut end = outgoing.len();
                buffer[..end].copy_from_slice(outgoing);
                *outgoing = Vec::new();
                for part in parts {
                    put(buffer, &mut end, |buffer| traffic.encrypt(part, buffer))?;
                }
                if is_last {
                    put(buffer, &mut end, |buffer| {
                        traffic.queue_close_notify(buffer)
                    })?;
                }
                return Ok(end);
            }
            Ok(ConnectionState::EncodeTlsData(data)) => encode(data, outgoing),
            Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
            Ok(ConnectionState::PeerClosed) => {}
            _ => return Err(Exhausted),
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
