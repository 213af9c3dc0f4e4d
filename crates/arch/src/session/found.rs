//! Files that were found, and what is known of them without asking the kernel.

use std::time::Instant;

use files::Delivery;
use http::Entity;

use super::work::Body;
use crate::document::{Entry, Files};

/// What we know of files without asking the kernel, at a time: for whoever has what lies there done at once.
#[derive(Debug, Clone, Copy)]
pub struct Caches<'a> {
    /// Whose caches.
    pub files: &'a Files,
    /// When.
    pub now: Instant,
}

impl Caches<'_> {
    #[inline]
    pub(super) fn find(&self, path: &[u8], directory: bool) -> Option<Document> {
        let entry = self.files.try_find(as_path(path, directory), self.now)?;
        Some(Document::new(entry, self.files))
    }

    #[inline]
    pub(super) fn load(&self, entry: &Entry, delivery: Delivery) -> Option<Body> {
        match (self.files.kept(entry)?, delivery) {
            (files::Body::File, Delivery::Memory) => None,
            (body, _) => Some(body.into()),
        }
    }
}

/// A file that was found, and what the protocol has to know of it.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) entry: Entry,
    /// Without a header cache.
    pub(super) fresh: Option<Box<Entity>>,
}

impl Document {
    #[inline]
    pub(super) fn new(entry: Entry, files: &Files) -> Self {
        let fresh = match files.header(&entry) {
            files::Header::Cached(_) => None,
            files::Header::Fresh(entity) => Some(Box::new(entity)),
        };
        Self { entry, fresh }
    }

    pub(super) fn entity(&self) -> &Entity {
        let cached = || self.entry.cached_header();
        self.fresh
            .as_deref()
            .or_else(cached)
            .expect("a document is described when it is found")
    }
}

pub(super) fn as_path(bytes: &[u8], directory: bool) -> files::Path<'_> {
    files::Path { bytes, directory }
}
