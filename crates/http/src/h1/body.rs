//! Drops a request's body, which no method here has a use for, so that the next request can be
//! read.

use crate::h1::chunked::{Chunked, Dropped};

/// What is left of a body.
#[derive(Debug)]
pub(crate) enum Body {
    /// So many bytes.
    Length(u64),
    Chunked(Chunked),
}

impl Body {
    pub(crate) fn of_length(length: u64) -> Body {
        Body::Length(length)
    }

    /// A chunked body of at most `bound` bytes of content.
    pub(crate) fn chunked(bound: u64) -> Body {
        Body::Chunked(Chunked::new(bound))
    }

    /// Whether the head alone tells that the body is longer than `bound`.
    pub(crate) fn exceeds(&self, bound: u64) -> bool {
        matches!(self, Body::Length(length) if *length > bound)
    }

    pub(crate) fn drop_from(&mut self, input: &[u8]) -> Dropped {
        match self {
            Body::Length(left) => {
                let taken =
                    usize::try_from(*left).map_or(input.len(), |left| left.min(input.len()));
                *left -= taken as u64;
                if *left == 0 {
                    Dropped::Ended(taken)
                } else {
                    Dropped::All
                }
            }
            Body::Chunked(chunked) => chunked.drop_from(input),
        }
    }
}
