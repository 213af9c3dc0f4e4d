//! What sessions need only while they are worked on.

use std::sync::Arc;

use http::{Config, Finished};
use meter::Event;

use super::output::Parts;

/// Most buffers kept for later. Beyond it the allocator serves: so many outputs out at once have other costs.
const MOST_SPARE: usize = 1024;
/// The largest buffer kept, in bytes.
const LARGEST_SPARE: usize = 128 << 10;

/// What is collected to be sent, the time, and a store of buffers. One for each thread, or for each request that goes from thread
/// to thread.
#[derive(Debug)]
pub struct Scratch {
    /// Answers whose last byte the transport has taken, since whoever counts them last drained this.
    pub settled: Vec<Finished>,
    /// What went wrong, likewise.
    pub events: Vec<Event>,
    /// The protocol's.
    pub(super) http: http::Scratch,
    #[expect(
        clippy::vec_box,
        reason = "the box goes out as an output and comes back; taking it apart would allocate"
    )]
    spare: Vec<Box<Parts>>,
    /// The same for records.
    #[expect(clippy::vec_box, reason = "likewise")]
    spare_sealed: Vec<Box<Parts>>,
    /// Records as they came, while they are decrypted.
    pub(super) incoming: Vec<u8>,
    spare_path: Vec<u8>,
}

impl Scratch {
    /// Answers carry no Date before [`set_time`](Self::set_time).
    pub fn new(config: Arc<Config>) -> Self {
        Self {
            settled: Vec::new(),
            events: Vec::new(),
            http: http::Scratch::new(config),
            spare: Vec::new(),
            spare_sealed: Vec::new(),
            incoming: Vec::new(),
            spare_path: Vec::new(),
        }
    }

    /// Tells the time, in whole seconds since the epoch.
    #[inline]
    pub fn set_time(&mut self, unix_s: u64) {
        self.http.set_time(unix_s);
    }

    /// Collects a whole answer 503, for a connection that cannot be served at all.
    pub(crate) fn refusal(&mut self) -> &[u8] {
        http::refusal(&mut self.http);
        &self.http.out
    }

    /// Whether nothing is collected.
    #[inline]
    pub fn is_clear(&self) -> bool {
        self.http.out.is_empty()
    }

    /// How many bytes are collected.
    #[inline]
    pub(super) fn collected(&self) -> usize {
        self.http.out.len()
    }

    /// What is collected is not sent.
    pub(crate) fn clear(&mut self) {
        self.http.out.clear();
        self.http.finished.clear();
    }

    /// Answers whose last byte was not in what is collected have left.
    #[inline]
    pub(super) fn settle(&mut self) {
        if self.is_clear() {
            self.settled.append(&mut self.http.finished);
        }
    }

    /// What an output is made of, empty.
    #[inline]
    pub(super) fn spare_parts(&mut self) -> Box<Parts> {
        self.spare.pop().unwrap_or_default()
    }

    #[inline]
    pub(super) fn give_back(&mut self, mut parts: Box<Parts>) {
        if self.spare.len() < MOST_SPARE && parts.capacity() <= LARGEST_SPARE {
            parts.clear();
            if self.http.out.capacity() == 0 {
                // The next answer is collected where this one was, rather than in a buffer more.
                parts.swap_head(&mut self.http.out);
            }
            self.spare.push(parts);
        }
    }

    /// As [`spare_parts`](Self::spare_parts), for records: its head is as long as it was before.
    pub(super) fn spare_sealed(&mut self) -> Box<Parts> {
        self.spare_sealed.pop().unwrap_or_default()
    }

    pub(super) fn give_back_sealed(&mut self, mut parts: Box<Parts>) {
        if self.spare_sealed.len() < MOST_SPARE && parts.capacity() <= LARGEST_SPARE {
            parts.clear();
            self.spare_sealed.push(parts);
        }
    }

    /// A path with these bytes, in a buffer that comes back.
    #[inline]
    pub(super) fn path(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut path = std::mem::take(&mut self.spare_path);
        path.clear();
        path.extend_from_slice(bytes);
        path
    }

    #[inline]
    pub(super) fn give_back_path(&mut self, path: Vec<u8>) {
        self.spare_path = path;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::output::Output;

    #[test]
    fn answers_that_leave_one_after_the_other_take_one_buffer() {
        let mut scratch = Scratch::new(Arc::default());
        for _ in 0..3 {
            scratch.http.out.extend_from_slice(&[b'x'; 1000]);
            let output = Output::collect(&mut scratch, false);
            assert_eq!(output.head().len(), 1000);
            output.recycle(&mut scratch);
            assert!(scratch.is_clear());
        }
        let spare = scratch.spare.iter().map(|parts| parts.capacity());
        assert_eq!(spare.collect::<Vec<_>>(), [0]);
        assert!(scratch.http.out.capacity() >= 1000);
    }
}
