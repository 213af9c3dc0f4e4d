//! Renders responses as HTTP/1.1 carries them (RFC 9112).

use std::ops::Range;

use crate::h1::stamp::Stamp;
use crate::semantics::date;
use crate::semantics::entity::Entity;
use crate::semantics::response::{Body, Content, Fields, Response};
use crate::semantics::status::Status;
use crate::semantics::target::Target;

const ALLOW: &[u8] = b"Allow: GET, HEAD, OPTIONS\r\n";
const CHALLENGE: &[u8] = b"WWW-Authenticate: Basic realm=\"archbench\", charset=\"UTF-8\"\r\n";
const RETRY_AFTER: &[u8] = b"Retry-After: 1\r\n";

/// What the answer tells about the connection (RFC 9112, 9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Persistence {
    /// It is kept, as goes without saying.
    Kept,
    /// It is kept because an HTTP/1.0 client asked, and must be told.
    Granted,
    /// It is closed after this answer.
    Closed,
}

/// How the same response differs from one request to another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) persistence: Persistence,
    /// The answer to a HEAD: the same head, no body.
    pub(crate) head_only: bool,
}

/// Appends the head of a response to `out`, and its page if it has one. The bytes of a file come
/// after it; if they are several parts, each after its [`part_head`], and [`parts_end`] at last.
#[inline]
pub(crate) fn encode(response: &Response<'_>, manner: Manner, stamp: &Stamp, out: &mut Vec<u8>) {
    let mut encoder = Encoder { out, stamp };
    encoder.open(response.status, manner.persistence);
    match (&response.fields, &response.body) {
        (Fields::Representation(_), Body::File(entity, Content::Whole)) => {
            encoder.entity_fields(entity, entity.whole());
        }
        (fields, body) => {
            encoder.fields(*fields, body);
            encoder.body(response.status, body, manner.head_only);
        }
    }
}

/// What [`part_head`] writes beside the boundary, the type and three numbers.
const PART_HEAD_BYTES: u64 = "\r\n--\r\nContent-Range: bytes -/\r\n\r\n".len() as u64;
/// What [`parts_end`] writes beside the boundary.
const PARTS_END_BYTES: u64 = "\r\n----\r\n".len() as u64;

/// The head of one part, the delimiter before it included.
pub(crate) fn part_head(entity: &Entity, range: &Range<u64>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\r\n--");
    out.extend_from_slice(entity.boundary());
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(entity.type_line());
    content_range(range, entity.len(), out);
    out.extend_from_slice(b"\r\n");
}

/// The delimiter after the last part.
pub(crate) fn parts_end(boundary: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"\r\n--");
    out.extend_from_slice(boundary);
    out.extend_from_slice(b"--\r\n");
}

/// Length in bytes of a multipart body.
fn parts_length(entity: &Entity, parts: impl Iterator<Item = Range<u64>>) -> u64 {
    let boundary = entity.boundary().len() as u64;
    let around = PART_HEAD_BYTES + boundary + entity.type_line().len() as u64;
    let around = around + digits(entity.len());
    parts.fold(PARTS_END_BYTES + boundary, |length, range| {
        let numbers = digits(range.start) + digits(range.end - 1);
        length
            .saturating_add(range.end - range.start)
            .saturating_add(around + numbers)
    })
}

/// How many bytes the number takes.
fn digits(number: u64) -> u64 {
    number.checked_ilog10().map_or(1, |log| u64::from(log) + 1)
}

struct Encoder<'a> {
    out: &'a mut Vec<u8>,
    stamp: &'a Stamp,
}

impl Encoder<'_> {
    fn fields(&mut self, fields: Fields<'_>, body: &Body<'_>) {
        match fields {
            Fields::None => {}
            Fields::Allow => self.put(ALLOW),
            Fields::Challenge => self.put(CHALLENGE),
            Fields::RetryAfter => self.put(RETRY_AFTER),
            Fields::Location(target) => self.location(target),
            Fields::CompleteLength(length) => {
                self.put(b"Content-Range: bytes */");
                self.number(length);
                self.put(b"\r\n");
            }
            Fields::EntityTag(entity) => self.put(entity.etag_line()),
            Fields::Representation(entity) => {
                // The parts have the type; the whole of them has another.
                let fields = match body {
                    Body::File(_, Content::Parts(_)) => entity.up_to_ranges(),
                    _ => entity.up_to_type(),
                };
                self.entity_fields(entity, fields);
            }
        }
    }

    /// The fields that follow from the body, the empty line, and the body if it is a page.
    fn body(&mut self, status: Status, body: &Body<'_>, head_only: bool) {
        let mut page = &b""[..];
        match body {
            Body::Empty => {}
            Body::Page => {
                page = status.page();
                self.put(b"Content-Type: text/plain\r\n");
                self.content_length(page.len() as u64);
            }
            Body::File(entity, Content::Whole) => self.content_length(entity.len()),
            Body::File(entity, Content::Part(range)) => {
                content_range(range, entity.len(), self.out);
                self.content_length(range.end - range.start);
            }
            Body::File(entity, Content::Parts(parts)) => {
                let length = parts_length(entity, parts.clone());
                self.put(b"Content-Type: multipart/byteranges; boundary=");
                self.put(entity.boundary());
                self.put(b"\r\n");
                self.content_length(length);
            }
        }
        self.put(b"\r\n");
        if !head_only {
            self.put(page);
        }
    }

    fn location(&mut self, target: &Target) {
        self.put(b"Location: ");
        // The path is normalised: it does not begin with a slash. So this does not begin with two,
        // which would send the client to another host.
        target.write_path(self.out);
        if !target.path().is_empty() && !target.is_directory() {
            self.put(b"/");
        }
        target.write_query(self.out);
        self.put(b"\r\n");
    }

    fn open(&mut self, status: Status, persistence: Persistence) {
        let Encoder { out, stamp } = self;
        // Room for all heads but those with the longest names in them: one growth, if any.
        out.reserve(512);
        if status == Status::Ok {
            out.extend_from_slice(stamp.ok_opening());
        } else {
            out.extend_from_slice(b"HTTP/1.1 ");
            out.extend_from_slice(status.text());
            out.extend_from_slice(b"\r\n");
            out.extend_from_slice(stamp.fields());
        }
        match persistence {
            Persistence::Kept => {}
            Persistence::Granted => out.extend_from_slice(b"Connection: keep-alive\r\n"),
            Persistence::Closed => out.extend_from_slice(b"Connection: close\r\n"),
        }
    }

    /// `fields`, which are the first of `entity`'s. A Last-Modified in the future gives way to Date
    /// (RFC 9110, 8.8.2.1).
    fn entity_fields(&mut self, entity: &Entity, fields: &[u8]) {
        let Encoder { out, stamp } = self;
        if entity.is_from_the_future(stamp.now()) {
            let (name, rest) = fields.split_at(entity.date_position());
            out.extend_from_slice(name);
            out.extend_from_slice(stamp.date());
            out.extend_from_slice(&rest[date::LEN..]);
        } else {
            out.extend_from_slice(fields);
        }
    }

    fn content_length(&mut self, length: u64) {
        self.put(b"Content-Length: ");
        self.number(length);
        self.put(b"\r\n");
    }

    fn number(&mut self, value: u64) {
        number(value, self.out);
    }

    fn put(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }
}

fn content_range(range: &Range<u64>, len: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"Content-Range: bytes ");
    number(range.start, out);
    out.extend_from_slice(b"-");
    number(range.end.saturating_sub(1), out);
    out.extend_from_slice(b"/");
    number(len, out);
    out.extend_from_slice(b"\r\n");
}

fn number(value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}
