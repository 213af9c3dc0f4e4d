//! What the fields of a response say about where its body ends, and whether the connection goes on.

use super::error::Error;
use crate::semantics::syntax::{decimal, elements};

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

/// What the fields said so far about framing and the connection.
#[derive(Default)]
pub(super) struct Said {
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

/// A name that decides where the body ends.
pub(super) fn is_of_framing(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"content-length") || name.eq_ignore_ascii_case(b"transfer-encoding")
}

impl Said {
    /// One more field. Its value may be folded (RFC 9112, section 5.2).
    #[inline]
    pub(super) fn read(&mut self, name: &[u8], value: &[u8]) -> Result<(), Error> {
        match name.len() {
            10 if name.eq_ignore_ascii_case(b"connection") => self.read_connection(value),
            14 if name.eq_ignore_ascii_case(b"content-length") => self.read_length(value)?,
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => self.read_coding(value)?,
            _ => {}
        }
        Ok(())
    }

    fn read_connection(&mut self, value: &[u8]) {
        for option in unfolded(value) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    fn read_length(&mut self, value: &[u8]) -> Result<(), Error> {
        for element in unfolded(value) {
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
        for coding in unfolded(value).filter(|coding| !coding.is_empty()) {
            some = true;
            // The name that HTTP/1.1 once had for no coding at all (RFC 2616, section 3.6).
            if coding.eq_ignore_ascii_case(b"identity") {
                continue;
            }
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

    /// How the body ends (RFC 9112, section 6.3).
    pub(super) fn framing(&self, version_1_1: bool) -> Result<Framing, Error> {
        match (self.transfer_coding, self.length) {
            (Some(_), Some(_)) => Err(Error::ConflictingFraming),
            (Some(_), None) if !version_1_1 => Err(Error::BadTransferCoding),
            (Some(Coding::Chunked), None) => Ok(Framing::Chunked),
            (Some(Coding::Other), None) | (None, None) => Ok(Framing::UntilClose),
            (None, Some(length)) => Ok(Framing::Length(length)),
        }
    }

    /// Whether the connection may carry another request (RFC 9112, section 9.3).
    pub(super) fn keep_alive(&self, version_1_1: bool) -> bool {
        !self.close && (version_1_1 || self.keep_alive)
    }
}

/// The elements of a list, whose lines may be folded.
fn unfolded(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    elements(value).map(<[u8]>::trim_ascii)
}
