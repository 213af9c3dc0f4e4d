//! What a connection needs from the first byte of a request to the last byte of its answer.

use std::ops::Range;

use crate::h1::body::Body;
use crate::h1::scan::Scan;
use crate::semantics::conditional::Conditions;
use crate::semantics::target::Target;
use crate::semantics::verdict::Verdict;

/// Most memory in bytes that each buffer of an exchange may keep from one request for the next.
/// Ordinary requests fit; one that did not must not leave its size behind in every entry of the
/// pool.
pub(crate) const MAX_SPARE_BUFFER: usize = 2048;

/// One request and its answer. Lent by a [`Scratch`](crate::Scratch) and given back, so that its
/// buffers serve again.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    /// The bytes of a head that came cut, as far as they have come.
    pub(crate) head: Vec<u8>,
    /// How far the end of that head has been looked for.
    pub(crate) scan: Scan,
    pub(crate) target: Target,
    pub(crate) conditions: Conditions,
    /// The body that is being dropped.
    pub(crate) body: Option<Body>,
    /// What to do once the request is whole. `None`: its head is not.
    pub(crate) verdict: Option<Verdict>,
    /// The ranges that the answer consists of; empty: the whole file.
    pub(crate) parts: Vec<Range<u64>>,
    /// Which of them is under way.
    pub(crate) part: usize,
    /// What stands between the parts of a multipart answer.
    pub(crate) boundary: Vec<u8>,
}

impl Exchange {
    /// Makes it as good as new, apart from the memory it holds.
    pub(crate) fn clear(&mut self) {
        self.forget_head();
        reuse(&mut self.parts);
        reuse(&mut self.boundary);
        self.target.clear();
        if self.target.capacity() > MAX_SPARE_BUFFER {
            self.target = Target::default();
        }
        self.conditions.clear();
        if self.conditions.capacity() > MAX_SPARE_BUFFER {
            self.conditions = Conditions::default();
        }
        self.scan = Scan::default();
        self.body = None;
        self.verdict = None;
        self.part = 0;
    }

    /// The memory that its buffers hold on to, in bytes.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        let parts = self.parts.capacity() * size_of::<Range<u64>>();
        let buffers = self.head.capacity() + self.boundary.capacity() + parts;
        buffers + self.target.capacity() + self.conditions.capacity()
    }

    /// The head has been read: a long answer must not hold on to a long head.
    pub(crate) fn forget_head(&mut self) {
        reuse(&mut self.head);
    }
}

/// Empties a buffer, and gives its memory up if it is more than ordinary.
fn reuse<T>(buffer: &mut Vec<T>) {
    buffer.clear();
    if buffer.capacity() * size_of::<T>() > MAX_SPARE_BUFFER {
        *buffer = Vec::new();
    }
}
