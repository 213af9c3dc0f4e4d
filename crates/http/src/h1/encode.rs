//! Renders responses as HTTP/1.1 carries them (RFC 9112).

use crate::h1::stamp::Stamp;
use crate::semantics::date;
use crate::semantics::entity::Entity;
use crate::semantics::location;
use crate::semantics::method::ALLOWED;
use crate::semantics::multipart;
use crate::semantics::response::{Body, CHALLENGE, Content, Fields, RETRY_AFTER, Response};
use crate::semantics::status::Status;
use crate::semantics::target::Target;

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
/// after it; if they are several parts, each after its [`multipart::part_head`], and [`multipart::end`] at last.
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

struct Encoder<'a> {
    out: &'a mut Vec<u8>,
    stamp: &'a Stamp,
}

impl Encoder<'_> {
    fn fields(&mut self, fields: Fields<'_>, body: &Body<'_>) {
        match fields {
            Fields::None => {}
            Fields::Allow => self.field(b"Allow: ", ALLOWED),
            Fields::Challenge => self.field(b"WWW-Authenticate: ", CHALLENGE),
            Fields::RetryAfter => self.field(b"Retry-After: ", RETRY_AFTER),
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
                multipart::content_range(range, entity.len(), self.out);
                self.content_length(range.end - range.start);
            }
            Body::File(entity, Content::Parts(parts)) => {
                let length = multipart::length(entity, parts.clone());
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
        location::write(target, self.out);
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

    fn field(&mut self, name: &[u8], value: &[u8]) {
        self.put(name);
        self.put(value);
        self.put(b"\r\n");
    }

    fn number(&mut self, value: u64) {
        multipart::number(value, self.out);
    }

    fn put(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }
}
