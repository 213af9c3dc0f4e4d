//! What a request lies on while it is worked on.

use std::ops::Range;
use std::sync::Arc;

use http::{Config, Scratch};

/// Bytes read at a time; every request that one packet can hold fits.
const INPUT: usize = 16 << 10;

/// The bytes that came and are not used up, the answers to go, and the buffers of the protocol: what a session needs
/// from the first byte of a request to the last of its answer, and not while it is idle.
///
/// A thread that serves requests to their ends has one on its [`Worker`](crate::Worker) for good. Where a request goes from
/// thread to thread, it has a buffers of its own and takes it along ([`Worker::exchange`](crate::Worker::exchange)): so nothing
/// is copied between two workers, and nothing is left on one for the next client.
#[derive(Debug)]
pub struct RequestBuffers {
    /// What was read last.
    pub(crate) input: Box<[u8]>,
    /// What of `input` the protocol has not received yet.
    pub(crate) rest: Range<usize>,
    pub(crate) scratch: Scratch,
}

impl RequestBuffers {
    pub(crate) fn new(config: Arc<Config>) -> Self {
        Self {
            input: vec![0; INPUT].into(),
            rest: 0..0,
            scratch: Scratch::new(config),
        }
    }

    /// Nothing lies on it that has to be sent.
    pub(crate) fn is_clear(&self) -> bool {
        self.scratch.out.is_empty() && self.scratch.finished.is_empty()
    }

    /// Whatever lies on it is not sent.
    pub fn clear(&mut self) {
        self.rest = 0..0;
        self.scratch.out.clear();
        self.scratch.finished.clear();
    }
}
