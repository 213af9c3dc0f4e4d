//! Which fiber is to run next: first in, first out.

use std::collections::VecDeque;

use crate::waiter::Suspended;

/// Fibers that can run, of one worker.
#[derive(Default)]
pub(crate) struct RunQueue(VecDeque<Suspended>);

impl RunQueue {
    #[inline]
    pub(crate) fn push(&mut self, fiber: Suspended) {
        self.0.push_back(fiber);
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Suspended> {
        self.0.pop_front()
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Half of them, those that have waited longest, for a worker that has none.
    pub(crate) fn split(&mut self) -> Self {
        let half = self.0.len().div_ceil(2);
        Self(self.0.drain(..half).collect())
    }

    /// Takes all of another's.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }
}
