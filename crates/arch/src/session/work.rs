//! Work that may keep a thread busy or waiting: an architecture decides who does it.

mod calls;
mod message;

use std::fmt;
use std::io;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use files::{Delivery, Missing};
use http::Request;

use super::answer::{Answer, FileAnswer};
use super::found::{Caches, Document, as_path};
use super::secured::Layer;
use crate::document::{Entry, Files};
pub use calls::Calls;
pub use message::Left;

/// One of the paper's boxes (Flash, figure 1), for whoever gives each to somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Know which file is meant.
    Find,
    /// Have the bytes of the file at hand.
    Load,
    /// Compute what a handshake of TLS takes: no box of the paper's, which knew of none, but as a box it is drawn.
    Handshake,
}

/// Something to be done for a session by whoever may wait for it.
///
/// | who | calls | which |
/// | --- | --- | --- |
/// | whoever may wait | [`run`](Self::run) | waits for the disk |
/// | whoever may not | [`try_run`](Self::try_run) | asks the kernel, and gives the work back where it would have to wait |
/// | its helper | [`prepare`](Self::prepare), [`fetch`](Self::fetch) | waits for the disk, so that `try_run` need not |
/// | whoever has calls made for it | [`begin`](Self::begin) | says which calls it takes, one after the other |
pub struct Work {
    /// Which of the session's requests it is for.
    stream: u32,
    operation: Operation,
    /// How often its bytes were made resident.
    prepared: u8,
}

/// How often bytes that were in memory and are gone again before they could be sent are made resident anew, before they are sent
/// from wherever they are.
const MOST_PREPARED: u8 = 4;

/// A file operation, or a handshake.
enum Operation {
    Find {
        path: Vec<u8>,
        directory: bool,
    },
    Load {
        entry: Entry,
        range: Range<u64>,
        delivery: Delivery,
    },
    /// Whatever it takes to answer this: what requests are where they are handed over as values.
    Answer(Arc<Request>),
    Handshake(Box<Layer>),
    /// Whoever prepared it knows all that there is to know.
    Ready(Outcome),
}

/// What came of a work.
#[derive(Debug)]
pub struct Done {
    pub(super) stream: u32,
    pub(super) outcome: Outcome,
    /// The path that was looked for: its buffer goes back.
    pub(super) path: Vec<u8>,
}

#[derive(Debug)]
pub(super) enum Outcome {
    Found(Result<Document, Missing>),
    Loaded(io::Result<Body>),
    /// An answer to a request that was handed over.
    Answered(Answer),
    /// Whether the client has said that it sends no more, or why nothing comes of it.
    Handshake(Box<Layer>, Result<bool, rustls::Error>),
    /// There was too much to do.
    Refused,
    /// The code that did it has a defect.
    Defect,
}

/// The bytes of a body.
#[derive(Debug)]
pub enum Body {
    /// In memory: those of the file from `start` on.
    Memory {
        /// As many as there are.
        bytes: Arc<[u8]>,
        /// Where in the file the first of them is.
        start: u64,
    },
    /// In the file, to be sent from there.
    File,
    /// They come in pieces, from the first that is wanted on.
    Source(Box<dyn Source>),
}

/// Where the pieces of a body come from that is not a file's.
pub trait Source: Send + fmt::Debug {
    /// The next piece; as many bytes as it likes.
    fn next(&mut self) -> Piece;
}

/// What a source says.
#[derive(Debug)]
pub enum Piece {
    /// Bytes.
    Ready(Arc<[u8]>),
    /// There are none yet. Whoever brings them has the session asked again.
    NotYet,
    /// There will be none, for all have come: the end of a body whose length nobody knew.
    End,
    /// There will be none.
    Failed,
}

impl From<files::Body> for Body {
    fn from(body: files::Body) -> Self {
        match body {
            files::Body::Memory { bytes, start } => Self::Memory { bytes, start },
            files::Body::File => Self::File,
        }
    }
}

impl Work {
    #[inline]
    pub(super) fn find(stream: u32, path: Vec<u8>, directory: bool) -> Self {
        Self::new(stream, Operation::Find { path, directory })
    }

    #[inline]
    pub(super) fn load(stream: u32, entry: Entry, range: Range<u64>, delivery: Delivery) -> Self {
        let load = Operation::Load {
            entry,
            range,
            delivery,
        };
        Self::new(stream, load)
    }

    /// For a session that hands requests over as values.
    #[inline]
    pub(super) fn answer(stream: u32, request: Request) -> Self {
        Self::new(stream, Operation::Answer(Arc::new(request)))
    }

    /// The request that is to be answered, where the session hands requests over
    /// ([`ProcessContext::hand_over_requests`](crate::ProcessContext::hand_over_requests)) and this is one.
    pub fn request(&self) -> Option<&Arc<Request>> {
        match &self.operation {
            Operation::Answer(request) => Some(request),
            _ => None,
        }
    }

    /// Its request is answered.
    pub fn answered(self, answer: Answer) -> Done {
        Done::new(self.stream, Outcome::Answered(answer))
    }

    /// One that belongs to no request.
    pub(super) fn handshake(layer: Box<Layer>) -> Self {
        Self::new(0, Operation::Handshake(layer))
    }

    #[inline]
    fn new(stream: u32, operation: Operation) -> Self {
        Self {
            stream,
            operation,
            prepared: 0,
        }
    }

    /// Which of the paper's boxes it is; none where it is prepared and nothing is left to be done.
    #[inline]
    pub fn step(&self) -> Option<Step> {
        match self.operation {
            Operation::Find { .. } | Operation::Answer(_) => Some(Step::Find),
            Operation::Load { .. } => Some(Step::Load),
            Operation::Handshake(_) => Some(Step::Handshake),
            Operation::Ready(_) => None,
        }
    }

    /// Does it, and waits for the disk where it has to. Whoever may wait here may wait in `sendfile` as well: a large file is not
    /// read yet.
    #[inline]
    pub fn run(mut self, files: &Files, now: Instant) -> Done {
        match self.try_kept(files, now) {
            Some(done) => done,
            None => self.wait(files, now),
        }
    }

    /// Does it if that needs no waiting, for which the kernel may have to be asked.
    ///
    /// # Errors
    /// The work itself, for somebody who may wait.
    pub fn try_run(mut self, files: &Files, now: Instant) -> Result<Done, Self> {
        if let Some(done) = self.try_kept(files, now) {
            return Ok(done);
        }
        let body = match &self.operation {
            Operation::Find { .. } | Operation::Answer(_) | Operation::Handshake(_) => {
                return Err(self);
            }
            Operation::Load {
                entry,
                range,
                delivery,
            } => files.try_load(entry, range.clone(), *delivery),
            Operation::Ready(_) => return Ok(self.wait(files, now)),
        };
        match body {
            Some(body) => Ok(Done::loaded(self.stream, Ok(body.into()))),
            // Under memory pressure it may be gone again before it could be sent.
            None if self.prepared >= MOST_PREPARED => Ok(Done::loaded(self.stream, Ok(Body::File))),
            None => Err(self),
        }
    }

    /// Does it if what it takes is in our caches; costs no system call. Of a work that is done nothing is left.
    #[inline]
    pub(crate) fn try_kept(&mut self, files: &Files, now: Instant) -> Option<Done> {
        let caches = Caches { files, now };
        match &mut self.operation {
            Operation::Find { path, directory } => {
                let found = caches.find(path, *directory)?;
                let path = std::mem::take(path);
                Some(Done::found(self.stream, Ok(found), path))
            }
            Operation::Load {
                entry, delivery, ..
            } => {
                let body = caches.load(entry, *delivery)?;
                Some(Done::loaded(self.stream, Ok(body)))
            }
            Operation::Answer(_) | Operation::Handshake(_) | Operation::Ready(_) => None,
        }
    }

    #[cold]
    fn wait(self, files: &Files, now: Instant) -> Done {
        match self.operation {
            Operation::Find { path, directory } => {
                let found = files.find(as_path(&path, directory), now);
                let found = found.map(|entry| Document::new(entry, files));
                Done::found(self.stream, found, path)
            }
            Operation::Load {
                entry,
                range,
                delivery,
            } => {
                let body = files.load(&entry, range, delivery);
                Done::loaded(self.stream, body.map(Body::from))
            }
            // Whoever knows no better answers with the file that is meant.
            Operation::Answer(request) => {
                let found = Self::find_for(&request).wait(files, now);
                let answer = FileAnswer::found(request, found);
                Done::new(
                    self.stream,
                    Outcome::Answered(Answer::File(Box::new(answer))),
                )
            }
            Operation::Handshake(layer) => Done::shaken(self.stream, layer),
            Operation::Ready(outcome) => Done::new(self.stream, outcome),
        }
    }

    /// The finding of the file that a request means.
    pub(super) fn find_for(request: &Request) -> Self {
        let target = request.target();
        Self::find(0, target.path().to_vec(), target.is_directory())
    }

    /// Waits for the disk, so that whoever may not wait can do it by [`try_run`](Self::try_run). A defect on the way costs the
    /// answer, and not the thread.
    pub fn prepare(self, files: &Files) -> Self {
        let defect = self.defect();
        catch_unwind(AssertUnwindSafe(|| self.fetch(files))).unwrap_or(defect)
    }

    /// The same work, ruined: what its session is told where the code that did it had a defect, which is 500 if the answer has not
    /// begun. For whoever has [`fetch`](Self::fetch) do it.
    pub fn defect(&self) -> Self {
        Self::new(self.stream, Operation::Ready(Outcome::Defect))
    }

    /// As [`prepare`](Self::prepare), for whoever is to meet a defect itself: it panics.
    pub fn fetch(self, files: &Files) -> Self {
        let Operation::Load {
            entry,
            range,
            delivery,
        } = &self.operation
        else {
            let stream = self.stream;
            let done = self.wait(files, Instant::now());
            return Self::new(stream, Operation::Ready(done.outcome));
        };
        match files.make_resident(entry, range.clone(), *delivery) {
            // Whoever sends it asks the kernel once more: it may be gone by then.
            Ok(files::Body::File) => Self {
                prepared: self.prepared + 1,
                ..self
            },
            body => {
                let loaded = Outcome::Loaded(body.map(Body::from));
                Self::new(self.stream, Operation::Ready(loaded))
            }
        }
    }

    /// There is too much to do: 503 where the answer has not begun.
    pub fn refuse(self) -> Done {
        Done::new(self.stream, Outcome::Refused)
    }
}

impl Done {
    #[inline]
    pub(super) fn new(stream: u32, outcome: Outcome) -> Self {
        Self {
            stream,
            outcome,
            path: Vec::new(),
        }
    }

    #[inline]
    fn found(stream: u32, found: Result<Document, Missing>, path: Vec<u8>) -> Self {
        Self {
            stream,
            outcome: Outcome::Found(found),
            path,
        }
    }

    fn shaken(stream: u32, mut layer: Box<Layer>) -> Self {
        let shaken = layer.shake_hands();
        Self::new(stream, Outcome::Handshake(layer, shaken))
    }

    #[inline]
    fn loaded(stream: u32, body: io::Result<Body>) -> Self {
        Self::new(stream, Outcome::Loaded(body))
    }

    /// A body from a source, in place of the bytes that were to be loaded.
    pub fn from_source(work: &Work, source: Box<dyn Source>) -> Self {
        Self::loaded(work.stream, Ok(Body::Source(source)))
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work")
            .field("stream", &self.stream)
            .field("step", &self.step())
            .finish()
    }
}
