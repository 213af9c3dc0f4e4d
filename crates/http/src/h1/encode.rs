//! Renders answers into [`Scratch::out`] (RFC 9110, sections 8, 14 and 15).

use std::ops::Range;

use crate::h1::scratch::Scratch;
use crate::semantics::date;
use crate::semantics::entity::Entity;
use crate::semantics::status::Status;
use crate::semantics::target::Target;

const ALLOW: &[u8] = b"Allow: GET, HEAD, OPTIONS\r\n";
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

/// How an answer differs from another with the same status.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) persistence: Persistence,
    /// The answer to a HEAD: the same head, no body.
    pub(crate) head_only: bool,
}

impl Scratch {
    /// The head of a 200 with the whole file.
    pub(crate) fn whole(&mut self, entity: &Entity, persistence: Persistence) {
        self.open(Status::Ok, persistence);
        self.entity_fields(entity, entity.whole());
    }

    /// The head of a 206 with one range (RFC 9110, 15.3.7.1).
    pub(crate) fn part(&mut self, entity: &Entity, range: &Range<u64>, persistence: Persistence) {
        self.open(Status::PartialContent, persistence);
        self.entity_fields(entity, entity.up_to_type());
        self.content_range(range, entity.len());
        self.content_length(range.end - range.start);
        self.put(b"\r\n");
    }

    /// The head of a 206 with several ranges (RFC 9110, 15.3.7.2). Leaves what is to stand between
    /// them in `boundary`.
    ///
    /// The boundary is the entity tag without its quotes, so that every server of the same file
    /// sends the same bytes. A file could contain it, if its owner sets its times on purpose. The
    /// parts of the answer that he could so forge are parts of the very file that he can fill as he
    /// likes, sent under its name; it gains him nothing.
    pub(crate) fn parts(
        &mut self,
        entity: &Entity,
        ranges: &[Range<u64>],
        boundary: &mut Vec<u8>,
        persistence: Persistence,
    ) {
        boundary.clear();
        boundary.extend(entity.etag().iter().filter(|&&byte| byte != b'"'));
        let length = self.parts_length(entity, ranges, boundary);
        self.open(Status::PartialContent, persistence);
        self.entity_fields(entity, entity.up_to_ranges());
        self.put(b"Content-Type: multipart/byteranges; boundary=");
        self.put(boundary);
        self.put(b"\r\n");
        self.content_length(length);
        self.put(b"\r\n");
    }

    /// The head of one part, the delimiter before it included.
    pub(crate) fn part_head(&mut self, entity: &Entity, range: &Range<u64>, boundary: &[u8]) {
        self.put(b"\r\n--");
        self.put(boundary);
        self.put(b"\r\n");
        self.put(entity.type_line());
        self.content_range(range, entity.len());
        self.put(b"\r\n");
    }

    /// The delimiter after the last part.
    pub(crate) fn parts_end(&mut self, boundary: &[u8]) {
        self.put(b"\r\n--");
        self.put(boundary);
        self.put(b"--\r\n");
    }

    /// Length in bytes of a multipart body: measured on the very bytes that will be sent.
    fn parts_length(&mut self, entity: &Entity, ranges: &[Range<u64>], boundary: &[u8]) -> u64 {
        let mark = self.out.len();
        for range in ranges {
            self.part_head(entity, range, boundary);
        }
        self.parts_end(boundary);
        let around = self.out.len() - mark;
        self.out.truncate(mark);
        ranges.iter().fold(around as u64, |length, range| {
            length.saturating_add(range.end - range.start)
        })
    }

    /// 304: what a 200 would have said of the kind that updates a cache, and that its client does
    /// not know already (RFC 9110, 15.4.5). With an entity tag at hand, Last-Modified is not of
    /// that kind.
    pub(crate) fn not_modified(&mut self, entity: &Entity, persistence: Persistence) {
        self.open(Status::NotModified, persistence);
        self.put(entity.etag_line());
        self.put(b"\r\n");
    }

    /// 416, with the length that would have been right (RFC 9110, 15.5.17).
    pub(crate) fn unsatisfiable(&mut self, entity: &Entity, manner: Manner) {
        self.open(Status::RangeNotSatisfiable, manner.persistence);
        self.put(b"Content-Range: bytes */");
        self.number(entity.len());
        self.put(b"\r\n");
        self.page_body(Status::RangeNotSatisfiable, manner);
    }

    /// 301 to the same path with a slash at its end.
    pub(crate) fn redirect(&mut self, target: &Target, manner: Manner) {
        self.open(Status::MovedPermanently, manner.persistence);
        // The path is normalised: it does not begin with a slash. So this does not begin with two,
        // which would send the client to another host.
        self.put(b"Location: /");
        if !target.path().is_empty() {
            self.encoded(target.path(), is_path_byte);
            self.put(b"/");
        }
        self.encoded(target.query(), is_query_byte);
        self.put(b"\r\n");
        self.page_body(Status::MovedPermanently, manner);
    }

    /// 204, the answer to OPTIONS (RFC 9110, 9.3.7).
    pub(crate) fn options(&mut self, persistence: Persistence) {
        self.open(Status::NoContent, persistence);
        self.put(ALLOW);
        self.put(b"\r\n");
    }

    /// An answer that has nothing more to say than its status.
    pub(crate) fn page(&mut self, status: Status, manner: Manner) {
        self.open(status, manner.persistence);
        match status {
            Status::MethodNotAllowed => self.put(ALLOW),
            Status::ServiceUnavailable => self.put(RETRY_AFTER),
            _ => {}
        }
        self.page_body(status, manner);
    }

    fn page_body(&mut self, status: Status, manner: Manner) {
        let page = status.page();
        self.put(b"Content-Type: text/plain\r\n");
        self.content_length(page.len() as u64);
        self.put(b"\r\n");
        if !manner.head_only {
            self.put(page);
        }
    }

    fn open(&mut self, status: Status, persistence: Persistence) {
        let Scratch { out, stamp, .. } = self;
        // Room for all heads but those with the longest names in them: one growth, if any.
        out.reserve(512);
        if status == Status::Ok {
            out.extend_from_slice(stamp.ok_opening());
        } else {
            out.extend_from_slice(status.line());
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
        let Scratch { out, stamp, .. } = self;
        if entity.is_from_the_future(stamp.now()) {
            let (name, rest) = fields.split_at(entity.date_position());
            out.extend_from_slice(name);
            out.extend_from_slice(stamp.date());
            out.extend_from_slice(&rest[date::LEN..]);
        } else {
            out.extend_from_slice(fields);
        }
    }

    fn content_range(&mut self, range: &Range<u64>, len: u64) {
        self.put(b"Content-Range: bytes ");
        self.number(range.start);
        self.put(b"-");
        self.number(range.end.saturating_sub(1));
        self.put(b"/");
        self.number(len);
        self.put(b"\r\n");
    }

    fn content_length(&mut self, length: u64) {
        self.put(b"Content-Length: ");
        self.number(length);
        self.put(b"\r\n");
    }

    /// Percent-encodes every byte of `text` that is not plain (RFC 3986, 2.1).
    fn encoded(&mut self, text: &[u8], is_plain: fn(u8) -> bool) {
        const HEX: &[u8; 16] = b"0123456789ABCDEF";
        for &byte in text {
            if is_plain(byte) {
                self.out.push(byte);
            } else {
                let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
                self.out.extend_from_slice(&[b'%', high, low]);
            }
        }
    }

    fn number(&mut self, number: u64) {
        self.out
            .extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }

    fn put(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }
}

/// `pchar` and the slash, unescaped (RFC 3986, 3.3).
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte)
}

/// What a query holds (RFC 3986, 3.4), its leading `?` and the escapes that it came with included.
fn is_query_byte(byte: u8) -> bool {
    is_path_byte(byte) || matches!(byte, b'?' | b'%')
}
