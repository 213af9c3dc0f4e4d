//! A mailbox: a bounded queue of messages, and those who wait for a place in it.
//!
//! Nobody ever sleeps for a place: a message that finds none goes back to its sender, who may leave its name here and is told
//! when there is one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// Somebody who has left its name at a full mailbox.
pub(crate) trait Waiter: Send + Sync {
    /// There is a place.
    fn has_room(self: Arc<Self>);
}

/// The messages of one actor, or of several that are alike.
pub(crate) struct Mailbox<M> {
    messages: VecDeque<M>,
    places: usize,
    waiters: VecDeque<Arc<dyn Waiter>>,
    kind: Arc<Kind>,
}

impl<M> Mailbox<M> {
    /// With so many places; it takes memory as it fills.
    pub(crate) fn new(places: usize, kind: Arc<Kind>) -> Self {
        Self {
            messages: VecDeque::new(),
            places,
            waiters: VecDeque::new(),
            kind,
        }
    }

    /// Puts a message behind the others.
    ///
    /// # Errors
    /// The message, where there is no place; its sender is told when there is one, if it says who it is.
    pub(crate) fn put(&mut self, message: M, sender: Option<Arc<dyn Waiter>>) -> Result<(), M> {
        if self.messages.len() >= self.places {
            self.kind.counters.rejected(1);
            self.waiters.extend(sender);
            return Err(message);
        }
        self.put_expected(message);
        Ok(())
    }

    /// Puts a message that is there because of what the owner of the mailbox has done itself, which bounds how many there are:
    /// what it asked for, or the end of somebody whom it has started.
    pub(crate) fn put_expected(&mut self, message: M) {
        self.messages.push_back(message);
        self.kind.count_waiting(1);
    }

    /// Takes the message that has waited the longest, and finds out who is to be told of the place that it leaves.
    pub(crate) fn take(&mut self) -> Option<(M, Option<Arc<dyn Waiter>>)> {
        let message = self.messages.pop_front()?;
        self.kind.count_waiting(-1);
        let has_room = self.messages.len() < self.places;
        let waiter = if has_room {
            self.waiters.pop_front()
        } else {
            None
        };
        Some((message, waiter))
    }

    /// Everybody who has left its name: whoever was told of a place may not have wanted it any more.
    pub(crate) fn take_waiters(&mut self) -> VecDeque<Arc<dyn Waiter>> {
        std::mem::take(&mut self.waiters)
    }
}

impl<M> Drop for Mailbox<M> {
    fn drop(&mut self) {
        while self.take().is_some() {}
    }
}

/// What is known of all actors of one kind, for the summary: a stage, whose queue is what waits in all of their mailboxes.
pub(crate) struct Kind {
    pub(crate) counters: meter::StageCounters,
    waiting: AtomicUsize,
}

impl Kind {
    /// Of which so many may run at a time.
    pub(crate) fn new(counters: meter::StageCounters, threads: usize) -> Arc<Self> {
        counters.threads(threads);
        counters.batch(1);
        Arc::new(Self {
            counters,
            waiting: AtomicUsize::new(0),
        })
    }

    /// One of them has worked on so many messages for so long.
    pub(crate) fn count_handled(&self, messages: usize, busy: Duration) {
        self.counters.handled(messages, busy);
    }

    fn count_waiting(&self, more: isize) {
        let before = self.waiting.fetch_add(more as usize, Relaxed);
        self.counters.queue(before.wrapping_add_signed(more));
    }
}
