//! What comes, taken apart into whole frames however it is cut.

use crate::buffer::reuse;
use crate::h2::frame::{FrameHeader, HEADER_BYTES};

/// What is kept of a frame that came cut; DATA is not, for nobody wants it.
#[derive(Debug, Default)]
pub(crate) struct Input {
    partial: Vec<u8>,
}

/// What the input begins with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken<'a> {
    /// More has to come; all that was there is kept.
    More,
    /// A whole frame.
    Frame(FrameHeader, &'a [u8]),
    /// A frame with a longer payload than is allowed.
    TooLong(FrameHeader),
}

/// The same, with what is kept left where it is.
pub(crate) enum Found<'b> {
    More,
    /// It lies in the input.
    Here(FrameHeader, &'b [u8]),
    /// It is kept, since it came cut.
    Kept(FrameHeader),
    TooLong(FrameHeader),
}

impl Input {
    /// Takes a frame off the front of `input`, of at most `most` bytes of payload. What it returns may lie in itself: it is to be
    /// [dropped](Input::drop_frame) when the frame has been dealt with.
    #[inline]
    pub(crate) fn take<'a, 'b: 'a>(&'a mut self, input: &mut &'b [u8], most: u32) -> Taken<'a> {
        match self.find(input, most) {
            Found::More => Taken::More,
            Found::TooLong(header) => Taken::TooLong(header),
            Found::Here(header, payload) => Taken::Frame(header, payload),
            Found::Kept(header) => Taken::Frame(header, self.kept()),
        }
    }

    /// The same, for whoever looks at a payload that is kept [here](Input::kept) later.
    #[inline]
    pub(crate) fn find<'b>(&mut self, input: &mut &'b [u8], most: u32) -> Found<'b> {
        if self.partial.is_empty() {
            let Some(header) = FrameHeader::read(input) else {
                return self.keep(input);
            };
            if header.length > most {
                return Found::TooLong(header);
            }
            let end = HEADER_BYTES + header.length as usize;
            let Some((frame, rest)) = input.split_at_checked(end) else {
                return self.keep(input);
            };
            *input = rest;
            return Found::Here(header, &frame[HEADER_BYTES..]);
        }
        self.fill(HEADER_BYTES, input);
        let Some(header) = FrameHeader::read(&self.partial) else {
            return Found::More;
        };
        if header.length > most {
            return Found::TooLong(header);
        }
        let end = HEADER_BYTES + header.length as usize;
        self.fill(end, input);
        match self.partial.len() < end {
            true => Found::More,
            false => Found::Kept(header),
        }
    }

    /// The payload of the frame that is kept.
    pub(crate) fn kept(&self) -> &[u8] {
        self.partial.get(HEADER_BYTES..).unwrap_or_default()
    }

    fn keep<'b>(&mut self, input: &mut &[u8]) -> Found<'b> {
        self.partial.extend_from_slice(input);
        *input = &[];
        Found::More
    }

    /// Moves bytes from `input` until so many are kept, if there are as many.
    fn fill(&mut self, len: usize, input: &mut &[u8]) {
        let missing = len.saturating_sub(self.partial.len());
        let (taken, rest) = input.split_at(missing.min(input.len()));
        self.partial.extend_from_slice(taken);
        *input = rest;
    }

    /// The frame that was taken has been dealt with.
    #[inline]
    pub(crate) fn drop_frame(&mut self) {
        if !self.partial.is_empty() {
            reuse(&mut self.partial);
        }
    }

    /// The frame that has begun to come.
    pub(crate) fn begun(&self) -> Option<FrameHeader> {
        FrameHeader::read(&self.partial)
    }

    /// The memory that it holds on to, in bytes.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.partial.capacity()
    }
}
