//! Finds the end of a head, however the head is cut (RFC 9112, section 2).
//!
//! The scan goes by line ends and never looks at a byte twice, so that a head which comes byte by
//! byte costs no more than one which comes whole. Each verdict hangs on a position in the input:
//! the first byte that settles it. Taking verdicts in the order of their positions is what makes
//! the answer independent of how the input is cut.

use std::ops::Range;

use memchr::memchr_iter;

use crate::config::Config;
use crate::h1::line::Line;
use crate::semantics::status::Status;
use crate::semantics::syntax::{is_tchar, is_token};

/// What method, version and separators may add to the longest target before its line counts as too
/// long: 414 without waiting for the line's end.
const LINE_MARGIN: usize = 64;

/// How much of an unfinished request line is looked at to see whether it is HTTP at all. All
/// methods that exist are shorter; a TLS hello or a line of noise is told apart within it.
const GLANCE: usize = 16;

/// How far the search for the end of a head has come. Positions count from the first byte after the
/// previous request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scan {
    /// Where the request line begins: 2 if an empty line was skipped.
    start: usize,
    /// Where the present line begins.
    line: usize,
    /// The first byte not looked at.
    next: usize,
    /// Where the first field line begins. 0: the request line is not whole.
    fields_start: usize,
    /// Field lines that are whole.
    fields: usize,
}

/// What a scan has come to.
#[derive(Clone, Debug)]
pub(crate) enum Scanned {
    /// The head goes on: all bytes are looked at.
    Partial,
    /// The head is whole.
    Whole(Layout),
    /// No continuation could make this a head that is served: answer, then close.
    Broken(Status),
}

/// Where the parts of a whole head are.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// The request line, without its line end.
    pub(crate) line: Range<usize>,
    /// The field lines, and the empty line after them.
    pub(crate) block: Range<usize>,
    /// Number of field lines.
    pub(crate) fields: usize,
}

impl Scan {
    /// Goes on with `bytes`, which are all bytes since the previous request: those already looked
    /// at, and more.
    pub(crate) fn advance(&mut self, bytes: &[u8], config: &Config) -> Scanned {
        let from = self.next.min(bytes.len());
        for newline in memchr_iter(b'\n', &bytes[from..]) {
            let newline = from + newline;
            let line = &bytes[self.line..newline];
            let is_last = match self.fields_start {
                0 => self.first_line(line, config).map(|()| false),
                _ => self.field_line(line, newline, config),
            };
            match is_last {
                Ok(false) => self.line = newline + 1,
                Ok(true) => return Scanned::Whole(self.layout(newline + 1)),
                Err(status) => return Scanned::Broken(status),
            }
        }
        self.next = bytes.len();
        match self.unfinished(bytes, config) {
            Ok(()) => Scanned::Partial,
            Err(status) => Scanned::Broken(status),
        }
    }

    /// Whether nothing of a request has come, an empty line apart.
    pub(crate) fn is_blank(&self) -> bool {
        self.next == self.start
    }

    /// `line` is everything up to the first LF: the empty line that may precede a request line, or
    /// the request line.
    fn first_line(&mut self, line: &[u8], config: &Config) -> Result<(), Status> {
        check_length(line, config)?;
        let [content @ .., b'\r'] = line else {
            return Err(Status::BadRequest);
        };
        let after = self.line + line.len() + 1;
        if content.is_empty() && self.start == 0 {
            self.start = after;
            return Ok(());
        }
        Line::parse(content, config.max_target)?;
        self.fields_start = after;
        Ok(())
    }

    /// `line` is a field line, or the empty line that ends the head; its LF is at `newline`.
    /// Returns whether it is the latter.
    fn field_line(&mut self, line: &[u8], newline: usize, config: &Config) -> Result<bool, Status> {
        if newline >= config.max_head {
            return Err(Status::HeaderFieldsTooLarge);
        }
        match line {
            [b'\r'] => return Ok(true),
            [.., b'\r'] => self.fields += 1,
            _ => return Err(Status::BadRequest),
        }
        if self.fields > config.max_fields {
            return Err(Status::HeaderFieldsTooLarge);
        }
        Ok(false)
    }

    /// The parts of a head that ends at `end`.
    fn layout(&self, end: usize) -> Layout {
        Layout {
            line: self.start..self.fields_start.saturating_sub(2),
            block: self.fields_start..end,
            fields: self.fields,
        }
    }

    /// What can be said of `bytes` although their last line is not whole.
    fn unfinished(&self, bytes: &[u8], config: &Config) -> Result<(), Status> {
        if self.fields_start > 0 {
            return if bytes.len() > config.max_head {
                Err(Status::HeaderFieldsTooLarge)
            } else {
                Ok(())
            };
        }
        let line = &bytes[self.line.min(bytes.len())..];
        if line.is_empty() || (line == b"\r" && self.start == 0) {
            return Ok(());
        }
        glance(line)?;
        check_length(line, config)
    }
}

/// Longest request line in bytes, its CR included. Always within the longest head, so that of the
/// two limits the same one is met first whether the line comes whole or in pieces.
pub(crate) fn longest_line(config: &Config) -> usize {
    let longest = config.max_target.saturating_add(LINE_MARGIN);
    longest.min(config.max_head.saturating_sub(4))
}

/// Refuses a request line of which more than the longest has come: the method is too long for any
/// that is known, or the target is (RFC 9112, 3).
fn check_length(line: &[u8], config: &Config) -> Result<(), Status> {
    let longest = longest_line(config);
    if line.len() <= longest {
        return Ok(());
    }
    glance(line)?;
    let seen = &line[..longest];
    let method = seen.split(|&byte| byte == b' ').next().unwrap_or(seen);
    Err(if method.len() < LINE_MARGIN {
        Status::UriTooLong
    } else if is_token(method) {
        Status::NotImplemented
    } else {
        Status::BadRequest
    })
}

/// Refuses a line that does not begin with a method.
fn glance(line: &[u8]) -> Result<(), Status> {
    let seen = &line[..line.len().min(GLANCE)];
    let method = seen.split(|&byte| byte == b' ').next().unwrap_or_default();
    if method.is_empty() || !method.iter().all(|&byte| is_tchar(byte)) {
        return Err(Status::BadRequest);
    }
    Ok(())
}

/// Whether a head that is not whole begins a HEAD request, whose answer has no body even if it is
/// an error.
pub(crate) fn begins_head_request(bytes: &[u8]) -> bool {
    bytes
        .strip_prefix(b"\r\n")
        .unwrap_or(bytes)
        .starts_with(b"HEAD ")
}
