//! The head of a response: where it ends, and what it says about the body.

use super::error::Error;
use crate::semantics::syntax::{decimal, elements};

/// The longest head that is accepted, status line and empty line included.
pub const MAX_HEAD_BYTES: usize = 64 * 1024;
/// The most field lines that are accepted.
const MAX_FIELDS: usize = 128;

/// What a response's head says, as far as a load generator cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The status code, 200 to 999.
    pub status: u16,
    /// How the body ends.
    pub framing: Framing,
    /// Whether the connection may carry another request afterwards.
    pub keep_alive: bool,
}

/// How the end of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// After so many bytes.
    Length(u64),
    /// By its chunks.
    Chunked,
    /// By the end of the connection.
    UntilClose,
}

const PREFIX: &[u8] = b"HTTP/1.";

/// Where the head at the start of `input` ends, its empty line included. None: not in these bytes.
#[inline]
pub(super) fn find_end(input: &[u8]) -> Result<Option<usize>, Error> {
    check_prefix(input)?;
    let mut line_start = 0;
    for newline in memchr::memchr_iter(b'\n', input) {
        let line = &input[line_start..newline];
        if (line.is_empty() || line == b"\r") && line_start > 0 {
            check_size(newline + 1)?;
            return Ok(Some(newline + 1));
        }
        line_start = newline + 1;
        if line_start > MAX_HEAD_BYTES {
            break;
        }
    }
    check_size(input.len())?;
    Ok(None)
}

/// Whether these bytes, up to and including a newline, end a head.
pub(super) fn ends_with_empty_line(head: &[u8]) -> bool {
    head.ends_with(b"\n\r\n") || head.ends_with(b"\n\n")
}

pub(super) fn check_size(length: usize) -> Result<(), Error> {
    if length > MAX_HEAD_BYTES {
        return Err(Error::HeadTooLarge);
    }
    Ok(())
}

/// Whether these bytes may still become a head.
pub(super) fn check_unfinished(bytes: &[u8]) -> Result<(), Error> {
    check_prefix(bytes)?;
    check_size(bytes.len())
}

/// A server that speaks something else is found out at once, not by a timeout, and before anything else is wrong with what it says.
fn check_prefix(bytes: &[u8]) -> Result<(), Error> {
    let compared = bytes.len().min(PREFIX.len());
    if bytes[..compared] != PREFIX[..compared] {
        return Err(Error::NotHttp);
    }
    Ok(())
}

/// Reads a whole head.
pub(super) fn parse(bytes: &[u8]) -> Result<Head, Error> {
    let mut fields = [const { std::mem::MaybeUninit::uninit() }; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut []);
    let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
        &mut response,
        bytes,
        &mut fields,
    );
    match parsed {
        Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
        Ok(_) => return Err(Error::BadField),
        Err(httparse::Error::TooManyHeaders) => return Err(Error::TooManyFields),
        Err(httparse::Error::Version | httparse::Error::Token) => return Err(Error::NotHttp),
        Err(httparse::Error::Status) => return Err(Error::BadStatus),
        Err(_) => return Err(Error::BadField),
    }
    let status = match response.code {
        Some(status @ 100..=999) => status,
        _ => return Err(Error::BadStatus),
    };
    let version_1_1 = response.version == Some(1);
    let mut said = Said::default();
    for field in response.headers.iter() {
        said.read(field.name, field.value)?;
    }
    Ok(Head {
        status,
        framing: said.framing(version_1_1)?,
        keep_alive: !said.close && (version_1_1 || said.keep_alive),
    })
}

/// What the fields said so far about framing and the connection.
#[derive(Default)]
struct Said {
    length: Option<u64>,
    transfer_coding: Option<Coding>,
    close: bool,
    keep_alive: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    Chunked,
    Other,
}

impl Said {
    #[inline]
    fn read(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        match name.len() {
            10 if name.eq_ignore_ascii_case("connection") => self.read_connection(value),
            14 if name.eq_ignore_ascii_case("content-length") => self.read_length(value)?,
            17 if name.eq_ignore_ascii_case("transfer-encoding") => self.read_coding(value)?,
            _ => {}
        }
        Ok(())
    }

    fn read_connection(&mut self, value: &[u8]) {
        for option in elements(value) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    fn read_length(&mut self, value: &[u8]) -> Result<(), Error> {
        for element in elements(value) {
            let length = decimal(element).ok_or(Error::BadLength)?;
            if self.length.is_some_and(|before| before != length) {
                return Err(Error::BadLength);
            }
            self.length = Some(length);
        }
        Ok(())
    }

    fn read_coding(&mut self, value: &[u8]) -> Result<(), Error> {
        let mut some = false;
        for coding in elements(value).filter(|coding| !coding.is_empty()) {
            some = true;
            let chunked = coding.eq_ignore_ascii_case(b"chunked");
            if chunked && self.transfer_coding == Some(Coding::Chunked) {
                return Err(Error::BadTransferCoding);
            }
            self.transfer_coding = Some(if chunked {
                Coding::Chunked
            } else {
                Coding::Other
            });
        }
        if !some {
            return Err(Error::BadTransferCoding);
        }
        Ok(())
    }

    fn framing(&self, version_1_1: bool) -> Result<Framing, Error> {
        match (self.transfer_coding, self.length) {
            (Some(_), Some(_)) => Err(Error::ConflictingFraming),
            (Some(_), None) if !version_1_1 => Err(Error::BadTransferCoding),
            (Some(Coding::Chunked), None) => Ok(Framing::Chunked),
            (Some(Coding::Other), None) | (None, None) => Ok(Framing::UntilClose),
            (None, Some(length)) => Ok(Framing::Length(length)),
        }
    }
}
