//! What a request needs while it is worked on.

use std::ops::Range;
use std::sync::Arc;

use http::Config;

use crate::session::Scratch;

/// Bytes read at a time; every request that one packet can hold fits.
const INPUT: usize = 16 << 10;
/// Buffers for input that nobody could take yet which are kept for the next such input.
const SPARE: usize = 64;

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
    /// Buffers, all of them empty.
    spare: Vec<Vec<u8>>,
}

impl RequestBuffers {
    pub(crate) fn new(config: Arc<Config>) -> Self {
        Self {
            input: vec![0; INPUT].into(),
            rest: 0..0,
            scratch: Scratch::new(config),
            spare: Vec::new(),
        }
    }

    /// An empty buffer for input that cannot be taken yet: it came while the kernel still had the answer before it.
    pub(crate) fn spare(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    /// Takes such a buffer back.
    pub(crate) fn give_back(&mut self, mut buffer: Vec<u8>) {
        if self.spare.len() < SPARE && buffer.capacity() <= INPUT {
            buffer.clear();
            self.spare.push(buffer);
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
