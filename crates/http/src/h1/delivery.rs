//! How far an answer with bytes of a file has come.

use std::ops::Range;

use crate::buffer::reuse;
use crate::h1::encode::{self, Manner};
use crate::h1::stamp::Stamp;
use crate::semantics::entity::Entity;
use crate::semantics::multipart;
use crate::semantics::request::Request;
use crate::semantics::response::{Body, Content, Fields, Response};
use crate::semantics::status::Status;

/// What is kept of a [`Response`] while the driver brings the bytes: the file that it speaks of is
/// the driver's.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    shape: Shape,
    /// The client has the fields of the file.
    known: bool,
    /// The head of the answer has been handed over.
    begun: bool,
    /// The head of the present part has been handed over.
    opened: bool,
    /// What stands between the parts of a multipart answer.
    boundary: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Shape {
    #[default]
    Whole,
    Part,
    Parts {
        /// Bytes of the Range field that tell of the parts after the present one.
        left: usize,
        /// Size of the file in bytes.
        len: u64,
    },
    /// Another server's, with this status.
    Relayed {
        status: u16,
        extent: Extent,
    },
}

/// How the end of a body is told that another server gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// By its length.
    Length,
    /// By chunks (RFC 9112, 7.1).
    Chunks,
    /// By the end of the connection.
    UntilClose,
}

impl Delivery {
    /// Whether the head of the answer has been handed over.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun
    }

    /// The status code of the answer.
    pub(crate) fn status(&self) -> u16 {
        match self.shape {
            Shape::Whole => Status::Ok.code(),
            Shape::Part | Shape::Parts { .. } => Status::PartialContent.code(),
            Shape::Relayed { status, .. } => status,
        }
    }

    /// Takes another server's answer on, whose head has been handed over.
    pub(crate) fn relay(&mut self, status: u16, extent: Extent) {
        self.begun = true;
        self.shape = Shape::Relayed { status, extent };
    }

    /// How the end of its body is told, if it is another server's answer.
    pub(crate) fn relayed(&self) -> Option<Extent> {
        match self.shape {
            Shape::Relayed { extent, .. } => Some(extent),
            _ => None,
        }
    }

    /// Takes an answer on. Returns the bytes of the file that come first. `None`: it has none.
    #[inline]
    pub(crate) fn take_on(&mut self, response: &Response<'_>) -> Option<Range<u64>> {
        let Body::File(entity, content) = &response.body else {
            return None;
        };
        self.known = matches!(response.fields, Fields::EntityTag(_));
        match content {
            Content::Whole => (entity.len() > 0).then(|| 0..entity.len()),
            Content::Part(range) => {
                self.shape = Shape::Part;
                Some(range.clone())
            }
            Content::Parts(parts) => {
                let mut parts = parts.clone();
                let first = parts.next();
                let (left, len) = (parts.left(), entity.len());
                self.shape = Shape::Parts { left, len };
                first
            }
        }
    }

    /// Appends to `out` what comes before the bytes of `part`, unless that was done.
    #[inline]
    pub(crate) fn open(
        &mut self,
        part: &Range<u64>,
        request: &Request,
        entity: &Entity,
        (manner, stamp): (Manner, &Stamp),
        out: &mut Vec<u8>,
    ) {
        if self.opened {
            return;
        }
        self.opened = true;
        if !self.begun {
            self.begun = true;
            let response = self.response(part, request, entity);
            encode::encode(&response, manner, stamp, out);
        }
        if let Shape::Parts { .. } = self.shape {
            self.boundary.clear();
            self.boundary.extend_from_slice(entity.boundary());
            multipart::part_head(entity, part, out);
        }
    }

    /// As [`open`](Delivery::open), for whoever frames head and body apart: the head as a value, unless it was handed over, and what
    /// else comes before the bytes to `text`.
    pub(crate) fn open_apart<'a>(
        &mut self,
        part: &Range<u64>,
        request: &'a Request,
        entity: &'a Entity,
        text: &mut Vec<u8>,
    ) -> Option<Response<'a>> {
        if std::mem::replace(&mut self.opened, true) {
            return None;
        }
        let is_first = !std::mem::replace(&mut self.begun, true);
        let response = is_first.then(|| self.response(part, request, entity));
        if let Shape::Parts { .. } = self.shape {
            self.boundary.clear();
            self.boundary.extend_from_slice(entity.boundary());
            multipart::part_head(entity, part, text);
        }
        response
    }

    /// Whether something comes after the bytes of the present part.
    pub(crate) fn has_more(&self) -> bool {
        matches!(self.shape, Shape::Parts { .. })
    }

    /// The answer that was taken on; `part` is the first that it has.
    #[inline]
    fn response<'a>(
        &self,
        part: &Range<u64>,
        request: &'a Request,
        entity: &'a Entity,
    ) -> Response<'a> {
        let content = match self.shape {
            Shape::Whole => return Response::whole(entity),
            Shape::Part | Shape::Relayed { .. } => None,
            Shape::Parts { len, .. } => request.parts(len),
        };
        let content = content.map_or(Content::Part(part.clone()), Content::Parts);
        Response::part(entity, content, self.known)
    }

    /// The present part has been sent: which is next? After the last, what ends them is appended to
    /// `out`.
    #[inline]
    pub(crate) fn next(&mut self, request: &Request, out: &mut Vec<u8>) -> Option<Range<u64>> {
        let Shape::Parts { left, len } = &mut self.shape else {
            return None;
        };
        let next = request.parts(*len).and_then(|mut parts| {
            parts.skip_to(*left);
            let next = parts.next();
            *left = parts.left();
            next
        });
        match next {
            Some(_) => self.opened = false,
            None => multipart::end(&self.boundary, out),
        }
        next
    }

    /// Makes it as good as new, apart from the memory that it holds.
    pub(crate) fn clear(&mut self) {
        self.shape = Shape::Whole;
        self.known = false;
        self.begun = false;
        self.opened = false;
        reuse(&mut self.boundary);
    }

    /// The memory that its buffer holds on to, in bytes.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.boundary.capacity()
    }
}
