//! Drops a request's body, which no method here has a use for, so that the next request can be
//! read.

use crate::h1::chunked::Chunked;

/// What is left of a body.
#[derive(Debug)]
pub(crate) enum Body {
    /// So many bytes.
    Length(u64),
    Chunked(Chunked),
}

/// What became of some input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dropped {
    /// All of it belonged to the body, and more is to come.
    All,
    /// The body ended after so many bytes.
    Ended(usize),
    /// The framing is broken.
    Broken,
    /// The body is longer than the bound.
    TooLarge,
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
