//! Answers made elsewhere, to requests that a session has handed over as values.

use std::sync::Arc;

use http::relay::RelayedHead;
use http::{Method, Request, Status, respond};

use super::found::Document;
use super::http1::translate;
use super::protocol::piece_of;
use super::work::{Body, Done, Outcome, Source, Work};
use files::{Delivery, Missing};

/// What becomes of a request that was handed over.
#[derive(Debug)]
pub enum Answer {
    /// What there is to be said of the file that it means.
    File(Box<FileAnswer>),
    /// A status, and nothing more than that.
    Page(Status),
    /// Another server's answer. The body is asked for pieces unless the head, or a HEAD, says that there is none.
    Relayed(Box<RelayedHead>, Box<dyn Source>),
}

/// A file in memory, as it was when it was found.
#[derive(Debug, Clone)]
pub struct KeptFile {
    document: Document,
    bytes: Arc<[u8]>,
    now_s: u64,
    max_ranges: usize,
}

impl KeptFile {
    /// Size of the file in bytes.
    #[expect(
        clippy::len_without_is_empty,
        reason = "a number of bytes, not a collection"
    )]
    pub fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The answer to another request for it, as of when it was kept; nothing is left to be done for it.
    pub fn answer(&self, request: Arc<Request>) -> FileAnswer {
        let found = Outcome::Found(Ok(self.document.clone()));
        let (bytes, start) = (Arc::clone(&self.bytes), 0);
        let loaded = Outcome::Loaded(Ok(Body::Memory { bytes, start }));
        FileAnswer {
            found: Some(Done::new(0, found)),
            loaded: Some(Done::new(0, loaded)),
            ..FileAnswer::new(request, self.now_s, self.max_ranges, Delivery::Memory)
        }
    }
}

/// Answering with a file, step by step: each [`next`](Self::next) is for somebody who may wait, and comes back by
/// [`done`](Self::done).
#[derive(Debug)]
pub struct FileAnswer {
    request: Arc<Request>,
    /// In seconds since the epoch, and the most ranges: what else [`respond`] asks for.
    now_s: u64,
    max_ranges: usize,
    /// Where its bytes have to be.
    delivery: Delivery,
    found: Option<Done>,
    loaded: Option<Done>,
}

impl FileAnswer {
    /// For a request that is answered at `now_s`, in seconds since the epoch, with at most so many ranges, from where its session has
    /// the bytes of files.
    pub fn new(request: Arc<Request>, now_s: u64, max_ranges: usize, delivery: Delivery) -> Self {
        Self {
            now_s,
            max_ranges,
            delivery,
            found: None,
            loaded: None,
            request,
        }
    }

    /// With the file that was found already, of which nothing is at hand yet.
    pub(super) fn found(request: Arc<Request>, found: Done) -> Self {
        Self {
            found: Some(found),
            ..Self::new(request, 0, 0, Delivery::PageCache)
        }
    }

    /// What is to be done next: finding the file, and having at hand what comes first of it. None: all is.
    pub fn next(&self) -> Option<Work> {
        let Some(found) = &self.found else {
            return Some(Work::find_for(&self.request));
        };
        let Outcome::Found(Ok(document)) = &found.outcome else {
            return None;
        };
        if self.loaded.is_some() || self.request.method() != Method::Get {
            return None;
        }
        let range = self.response(Ok(document)).first_range()?;
        let piece = range.start..range.end.min(range.start + piece_of(self.delivery));
        let entry = Arc::clone(&document.entry);
        Some(Work::load(0, entry, piece, self.delivery))
    }

    /// What was next is done.
    pub fn done(&mut self, done: Done) {
        match self.found {
            None => self.found = Some(done),
            Some(_) => self.loaded = Some(done),
        }
    }

    /// The status of the answer; 500 as long as nothing is known.
    pub fn status(&self) -> u16 {
        if let Some(Outcome::Loaded(Err(_)) | Outcome::Defect) =
            self.loaded.as_ref().map(|done| &done.outcome)
        {
            return Status::InternalServerError.code();
        }
        match self.found.as_ref().map(|done| &done.outcome) {
            Some(Outcome::Found(Ok(document))) => self.response(Ok(document)).status.code(),
            Some(Outcome::Found(Err(missing))) => self.response(Err(*missing)).status.code(),
            _ => Status::InternalServerError.code(),
        }
    }

    /// The file, if all of it is in memory and is the answer: it can be kept, for others who ask the same.
    pub fn keep(&self) -> Option<KeptFile> {
        let found = &self.found.as_ref()?.outcome;
        let loaded = &self.loaded.as_ref()?.outcome;
        let (Outcome::Found(Ok(document)), Outcome::Loaded(Ok(Body::Memory { bytes, start: 0 }))) =
            (found, loaded)
        else {
            return None;
        };
        let is_whole = bytes.len() as u64 == document.entity().len();
        (is_whole && self.status() == Status::Ok.code()).then(|| KeptFile {
            document: document.clone(),
            bytes: Arc::clone(bytes),
            now_s: self.now_s,
            max_ranges: self.max_ranges,
        })
    }

    fn response<'a>(&'a self, found: Result<&'a Document, Missing>) -> http::Response<'a> {
        let found = found.map(Document::entity).map_err(translate);
        respond(&self.request, found, Some(self.now_s), self.max_ranges)
    }

    /// Everything that came of it, for its session.
    pub(super) fn into_outcomes(self) -> (Arc<Request>, impl Iterator<Item = Outcome>) {
        let done = [self.found, self.loaded].into_iter().flatten();
        (self.request, done.map(|done| done.outcome))
    }
}
