//! What a session hands out to be sent: owned, so that whoever sends it may keep it for as long as that takes.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use meter::Event;

use super::scratch::Scratch;
use crate::document::Entry;
use http::Finished;
use http::h2::{Frames, FramesSent};

/// Bytes to be put on the wire: a head, and what comes behind it. It is handed on as a pointer.
#[derive(Debug)]
pub struct Output(Box<Parts>);

/// What an output is made of, in a box that serves again.
#[derive(Debug, Default)]
pub(super) struct Parts {
    head: Vec<u8>,
    /// Where in the head what has not left begins.
    start: usize,
    /// Where in it what is to be sent ends.
    end: usize,
    /// The answers that have left whole when the head has.
    finished: Vec<Finished>,
    tail: Tail,
    /// How many bytes of a tail are in the head, encrypted.
    sealed: u64,
    is_last: bool,
    /// The head says how long the tail is.
    is_announced: bool,
    /// How the tail is cut into frames, where there are several.
    frames: Option<Frames>,
    kind: Kind,
}

/// Which buffer the head is in.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// One that serves again.
    #[default]
    Collected,
    /// One of its size, for what was left of another.
    Rest,
    /// One that serves again for records, and stays as long as it once was: nobody fills it with zeros each time.
    Sealed,
}

/// What comes behind a head.
#[derive(Debug, Clone, Default)]
pub enum Tail {
    /// Nothing.
    #[default]
    None,
    /// These bytes of a body in memory.
    Memory(Arc<[u8]>, Range<usize>),
    /// These bytes of a file, to be sent from where they are. Whoever finds the file shorter says [`SendError::Truncated`].
    File(Entry, Range<u64>),
}

impl Output {
    /// What is collected.
    #[inline]
    pub(super) fn collect(scratch: &mut Scratch, is_last: bool) -> Self {
        let mut parts = scratch.spare_parts();
        std::mem::swap(&mut parts.head, &mut scratch.http.out);
        std::mem::swap(&mut parts.finished, &mut scratch.http.finished);
        parts.end = parts.head.len();
        parts.is_last = is_last;
        Self(parts)
    }

    /// These bytes.
    pub(super) fn of_bytes(bytes: &[u8], is_last: bool, scratch: &mut Scratch) -> Self {
        let mut parts = scratch.spare_parts();
        parts.head.extend_from_slice(bytes);
        parts.end = parts.head.len();
        parts.is_last = is_last;
        Self(parts)
    }

    /// The same, encrypted: `seal` is given head and tail and a buffer that it may enlarge, and tells how much of that it has filled;
    /// nothing where it cannot.
    pub(super) fn seal(
        mut self,
        scratch: &mut Scratch,
        seal: impl FnOnce([&[u8]; 2], &mut Vec<u8>) -> Option<usize>,
    ) -> Option<Self> {
        debug_assert!(
            !matches!(self.0.tail, Tail::File(..)),
            "what is encrypted is in memory"
        );
        let mut parts = scratch.spare_sealed();
        let tail = self.tail_in_memory();
        let end = seal([self.head(), tail], &mut parts.head);
        parts.sealed = tail.len() as u64;
        parts.end = end.unwrap_or(0);
        parts.is_last = self.0.is_last;
        parts.kind = Kind::Sealed;
        std::mem::swap(&mut parts.finished, &mut self.0.finished);
        self.recycle(scratch);
        end.map(|_| Self(parts))
    }

    /// What is collected, and `tail`.
    pub(super) fn collect_before(
        tail: Tail,
        frames: Option<Frames>,
        is_announced: bool,
        scratch: &mut Scratch,
    ) -> Self {
        let mut output = Self::collect(scratch, false);
        output.0.tail = tail;
        output.0.frames = frames;
        output.0.is_announced = is_announced;
        output
    }

    /// What is left of the header of a frame, the rest of which has left.
    pub(super) fn of_header(rest: &[u8]) -> Self {
        Self(Box::new(Parts {
            head: rest.to_vec(),
            end: rest.len(),
            kind: Kind::Rest,
            ..Parts::default()
        }))
    }

    /// Whether nothing of it has left.
    pub(super) fn is_whole(&self) -> bool {
        self.0.start == 0
    }

    /// Without its tail, and without so many bytes at the end of its head.
    pub(super) fn without_tail(mut self, void: usize) -> Self {
        self.0.end = self.0.end.saturating_sub(void);
        self.0.head.truncate(self.0.end);
        self.0.tail = Tail::None;
        self.0.frames = None;
        self
    }

    /// What of the head has not left.
    #[inline]
    pub fn head(&self) -> &[u8] {
        &self.0.head[self.0.start..self.0.end]
    }

    /// What comes behind the head.
    #[inline]
    pub fn tail(&self) -> &Tail {
        &self.0.tail
    }

    /// The tail where it lies in memory; nothing for another.
    pub fn tail_in_memory(&self) -> &[u8] {
        match &self.0.tail {
            Tail::Memory(bytes, range) => &bytes[range.clone()],
            Tail::None | Tail::File(..) => &[],
        }
    }

    /// Whether the sending half ends behind it, so that its last packet need not leave yet.
    #[inline]
    pub fn is_last(&self) -> bool {
        self.0.is_last
    }

    /// Whether its head says how long its tail is: nothing of it may leave unless all of the tail is there.
    #[inline]
    pub fn announces_its_tail(&self) -> bool {
        self.0.is_announced && !self.head().is_empty()
    }

    /// How its tail is cut into frames, whose headers, but for the first, are to be put in between. None: it leaves as it is.
    ///
    /// For whoever has them [gathered](http::Config::gather_frames), and for nobody else.
    #[inline]
    pub fn frames(&self) -> Option<&Frames> {
        self.0.frames.as_ref()
    }

    /// How many bytes have not left, the headers of frames included.
    pub fn len(&self) -> u64 {
        let tail = match (&self.0.frames, &self.0.tail) {
            (_, Tail::None) => 0,
            (Some(frames), _) => frames.bytes(),
            (None, Tail::Memory(_, range)) => range.len() as u64,
            (None, Tail::File(_, range)) => range.end - range.start,
        };
        self.head().len() as u64 + tail
    }

    /// Whether all has left.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// So many bytes have left; returns how many of them are the tail's.
    #[inline]
    pub(super) fn advance(&mut self, bytes: usize) -> u64 {
        let head = bytes.min(self.head().len());
        self.0.start += head;
        (bytes - head) as u64
    }

    /// What that means where so many bytes have left behind the head.
    #[inline]
    pub(super) fn tail_sent(&self, bytes: u64) -> FramesSent {
        match &self.0.frames {
            Some(frames) => frames.after(bytes),
            None => FramesSent::payload(bytes + self.0.sealed),
        }
    }

    #[inline]
    pub(super) fn is_head_sent(&self) -> bool {
        self.0.start == self.0.end
    }

    /// The answers in its head have left whole, and its buffers go back.
    #[inline]
    pub(super) fn settle(mut self, scratch: &mut Scratch) {
        scratch.settled.append(&mut self.0.finished);
        self.recycle(scratch);
    }

    /// Gives its buffers back.
    #[inline]
    pub(super) fn recycle(self, scratch: &mut Scratch) {
        match self.0.kind {
            Kind::Collected => scratch.give_back(self.0),
            Kind::Sealed => scratch.give_back_sealed(self.0),
            Kind::Rest => {}
        }
    }

    /// What is left of the head, in a buffer of its own: whoever waits for a slow client holds no more than that. The tail is
    /// asked for anew.
    pub(super) fn rest(mut self, scratch: &mut Scratch) -> Self {
        if self.0.kind == Kind::Rest {
            return self;
        }
        let rest = Parts {
            head: self.head().to_vec(),
            end: self.head().len(),
            finished: self.0.finished.drain(..).collect(),
            sealed: self.0.sealed,
            kind: Kind::Rest,
            ..Parts::default()
        };
        self.recycle(scratch);
        Self(Box::new(rest))
    }
}

impl Parts {
    /// Makes them as good as new, apart from the memory that they hold.
    #[inline]
    pub(super) fn clear(&mut self) {
        if self.kind == Kind::Collected {
            self.head.clear();
        }
        (self.start, self.end, self.sealed) = (0, 0, 0);
        self.finished.clear();
        self.tail = Tail::None;
        self.is_announced = false;
        self.frames = None;
    }

    /// The memory that the head holds on to, in bytes.
    #[inline]
    pub(super) fn capacity(&self) -> usize {
        self.head.capacity()
    }

    /// Gives the buffer of the head for another one.
    pub(super) fn swap_head(&mut self, other: &mut Vec<u8>) {
        std::mem::swap(&mut self.head, other);
    }
}

/// Why an output could not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendError {
    /// The client is gone.
    Broken,
    /// The file ends before what was to be sent of it.
    Truncated,
    /// The file cannot be read.
    Unreadable,
}

impl SendError {
    /// What it is counted as.
    pub(super) fn event(self) -> Event {
        match self {
            Self::Broken => Event::Broken,
            Self::Truncated => Event::Truncated,
            Self::Unreadable => Event::Unreadable,
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Broken => "the connection is broken",
            Self::Truncated => "the file became shorter",
            Self::Unreadable => "the file cannot be read",
        })
    }
}

impl std::error::Error for SendError {}
