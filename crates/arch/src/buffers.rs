//! What a request needs while it is worked on.

use std::ops::Range;
use std::sync::Arc;

use http::Config;

use crate::session::Scratch;

/// Bytes read at a time; every request that one packet can hold fits.
const INPUT: usize = 16 << 10;

/// The bytes that came and are not used up, and a session's scratch: what is needed from the first byte of a request to the last
/// of its answer, and not while a connection is idle.
///
/// A thread that serves requests to their ends has them in its [`Worker`](crate::Worker) for good. Where a request goes from
/// thread to thread, it has buffers of its own and takes them along ([`Worker::exchange`](crate::Worker::exchange)): so nothing
/// is copied between two threads, and nothing is left with one for the next client.
#[derive(Debug)]
pub struct RequestBuffers {
    /// What was read last.
    pub(crate) input: Box<[u8]>,
    /// What of `input` the session has not received yet.
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

    /// Whether something was received that the session has not taken yet.
    pub fn has_rest(&self) -> bool {
        !self.rest.is_empty()
    }

    /// Whatever is in them is given up.
    pub fn clear(&mut self) {
        self.rest = 0..0;
        self.scratch.clear();
    }
}
