//! Renders the heads of responses as HTTP/2 carries them (RFC 9113, section 8.3.2): the same fields in the same order as HTTP/1.1.

use crate::h1::stamp::{SERVER, Stamp};
use crate::h2::hpack::encode::{indexed, literal, named};
use crate::h2::hpack::statics::index;
use crate::semantics::entity::Entity;
use crate::semantics::location;
use crate::semantics::method::ALLOWED;
use crate::semantics::multipart;
use crate::semantics::response::{Body, CHALLENGE, Content, Fields, RETRY_AFTER, Response};
use crate::semantics::status::Status;

/// Appends the header block of a response to `out`. `text` is a buffer to write values in.
pub(crate) fn encode(
    response: &Response<'_>,
    stamp: &Stamp,
    text: &mut Vec<u8>,
    out: &mut Vec<u8>,
) {
    // Room for all heads but those with the longest names in them: one growth, if any.
    out.reserve(256);
    status(response.status, out);
    named(index::SERVER, SERVER, out);
    let date = stamp.date();
    if !date.is_empty() {
        named(index::DATE, date, out);
    }
    let mut encoder = Encoder { out, text };
    encoder.fields(response, stamp);
    encoder.body(response);
}

fn status(status: Status, out: &mut Vec<u8>) {
    let known = match status {
        Status::Ok => 8,
        Status::NoContent => 9,
        Status::PartialContent => 10,
        Status::NotModified => 11,
        Status::BadRequest => 12,
        Status::NotFound => 13,
        Status::InternalServerError => 14,
        _ => return named(index::STATUS, &status.text()[..3], out),
    };
    indexed(known, out);
}

struct Encoder<'a> {
    out: &'a mut Vec<u8>,
    text: &'a mut Vec<u8>,
}

impl Encoder<'_> {
    fn fields(&mut self, response: &Response<'_>, stamp: &Stamp) {
        match response.fields {
            Fields::None => {}
            Fields::Allow => named(index::ALLOW, ALLOWED, self.out),
            Fields::Challenge => named(index::WWW_AUTHENTICATE, CHALLENGE, self.out),
            Fields::RetryAfter => named(index::RETRY_AFTER, RETRY_AFTER, self.out),
            Fields::Location(target) => {
                self.text.clear();
                location::write(target, self.text);
                named(index::LOCATION, self.text, self.out);
            }
            Fields::CompleteLength(length) => {
                self.text.clear();
                self.text.extend_from_slice(b"bytes */");
                multipart::number(length, self.text);
                named(index::CONTENT_RANGE, self.text, self.out);
            }
            Fields::EntityTag(entity) => named(index::ETAG, entity.etag(), self.out),
            Fields::Representation(entity) => {
                if let Some(modified) = entity.last_modified() {
                    // One in the future gives way to Date (RFC 9110, 8.8.2.1).
                    let is_late = entity.is_from_the_future(stamp.now());
                    let modified = if is_late { stamp.date() } else { modified };
                    named(index::LAST_MODIFIED, modified, self.out);
                }
                named(index::ETAG, entity.etag(), self.out);
                named(index::ACCEPT_RANGES, b"bytes", self.out);
                if !matches!(response.body, Body::File(_, Content::Parts(_))) {
                    self.content_type(entity);
                }
            }
        }
    }

    /// The content type, with what belongs to it.
    fn content_type(&mut self, entity: &Entity) {
        for line in entity.type_line().split(|&byte| byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let Some(colon) = memchr::memchr(b':', line) else {
                continue;
            };
            let (name, value) = (&line[..colon], &line[(colon + 2).min(line.len())..]);
            match name {
                b"Content-Type" => named(index::CONTENT_TYPE, value, self.out),
                b"Content-Encoding" => named(index::CONTENT_ENCODING, value, self.out),
                _ => literal(&name.to_ascii_lowercase(), value, self.out),
            }
        }
    }

    /// The fields that follow from the body.
    fn body(&mut self, response: &Response<'_>) {
        let length = match &response.body {
            Body::Empty => return,
            Body::Page => {
                named(index::CONTENT_TYPE, b"text/plain", self.out);
                response.status.page().len() as u64
            }
            Body::File(entity, Content::Whole) => entity.len(),
            Body::File(entity, Content::Part(range)) => {
                self.text.clear();
                multipart::write_range(range, entity.len(), self.text);
                named(index::CONTENT_RANGE, self.text, self.out);
                range.end - range.start
            }
            Body::File(entity, Content::Parts(parts)) => {
                let length = multipart::length(entity, parts.clone());
                self.text.clear();
                self.text
                    .extend_from_slice(b"multipart/byteranges; boundary=");
                self.text.extend_from_slice(entity.boundary());
                named(index::CONTENT_TYPE, self.text, self.out);
                length
            }
        };
        named(
            index::CONTENT_LENGTH,
            itoa::Buffer::new().format(length).as_bytes(),
            self.out,
        );
    }
}
