//! How long a request's body is (RFC 9112, section 6).
//!
//! Two parties that disagree on where a body ends disagree on where the next request begins, which
//! is how requests are smuggled. So this is the place to be strict: whatever has two readings is
//! refused.

use crate::config::Config;
use crate::h1::body::Body;
use crate::semantics::status::Status;
use crate::semantics::syntax::{decimal, elements, is_token, trim};

/// What the framing fields said, put together line by line.
#[derive(Debug, Default)]
pub(crate) struct Framing {
    length: Option<u64>,
    coded: bool,
    chunked: bool,
    unknown_coding: bool,
    broken: bool,
}

impl Framing {
    /// A Content-Length line. Repetitions of one value are one value, in one line or several (RFC
    /// 9112, 6.3); anything else is broken.
    pub(crate) fn content_length(&mut self, value: &[u8]) {
        for element in elements(value) {
            match decimal(element) {
                Some(length) if self.length.is_none_or(|known| known == length) => {
                    self.length = Some(length)
                }
                _ => self.broken = true,
            }
        }
    }

    /// A Transfer-Encoding line. Empty elements are broken here, although other lists may have
    /// them: nothing but an attack sends them.
    pub(crate) fn transfer_encoding(&mut self, value: &[u8]) {
        self.coded = true;
        for element in elements(value) {
            let name = element
                .split(|&byte| byte == b';')
                .next()
                .map_or(element, trim);
            if self.chunked || !is_token(name) {
                self.broken = true;
            } else if name.eq_ignore_ascii_case(b"chunked") {
                self.chunked = true;
                // It has no parameters (RFC 9112, 7.1).
                self.broken |= name.len() != element.len();
            } else {
                self.unknown_coding = true;
            }
        }
    }

    /// The body to come, `None` if there is none. `old`: the request is of HTTP/1.0, which knows no
    /// transfer codings.
    pub(crate) fn body(&self, old: bool, config: &Config) -> Result<Option<Body>, Status> {
        // With another coding last, nobody can tell where the body ends (RFC 9112, 6.3).
        let ambiguous = self.coded && (old || self.length.is_some() || !self.chunked);
        if self.broken || ambiguous {
            return Err(Status::BadRequest);
        }
        if self.unknown_coding {
            return Err(Status::NotImplemented);
        }
        if self.chunked {
            return Ok(Some(Body::chunked(config.max_body)));
        }
        Ok(self
            .length
            .filter(|&length| length > 0)
            .map(Body::of_length))
    }
}
