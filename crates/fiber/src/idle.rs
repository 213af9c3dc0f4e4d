//! Workers that have nothing to run, and how each is woken.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::Thread;

/// How an idle worker waits.
#[derive(Debug, Clone)]
pub(crate) enum Waits {
    /// For news of the poller's.
    AtPoller,
    /// For another to unpark its thread.
    Parked(Thread),
}

/// Those who wait.
///
/// A worker that is about to wait says so first, and then looks once more whether there is something to run; whoever puts something
/// into a queue does that first, and then looks whether anybody waits. So one of the two sees the other.
#[derive(Debug, Default)]
pub(crate) struct Idle {
    count: AtomicUsize,
    waiting: Mutex<Vec<(usize, Waits)>>,
}

impl Idle {
    pub(crate) fn add(&self, worker: usize, waits: Waits) {
        self.waiting().push((worker, waits));
        self.count.fetch_add(1, SeqCst);
    }

    /// A worker does not wait any more, if nobody has taken it to be woken.
    pub(crate) fn remove(&self, worker: usize) {
        self.take(|(number, _)| *number == worker);
    }

    /// Whether anybody waits.
    #[inline]
    pub(crate) fn is_any(&self) -> bool {
        self.count.load(SeqCst) > 0
    }

    /// One to be woken: who is parked rather than who waits at the poller, where somebody has to.
    pub(crate) fn take_one(&self) -> Option<Waits> {
        let parked = self.take(|(_, waits)| matches!(waits, Waits::Parked(_)));
        parked.or_else(|| self.take(|_| true))
    }

    /// Who waits at the poller, to be woken.
    pub(crate) fn take_from_poller(&self) -> Option<Waits> {
        self.take(|(_, waits)| matches!(waits, Waits::AtPoller))
    }

    /// Whether somebody waits and nobody at the poller.
    pub(crate) fn leaves_poller_alone(&self) -> bool {
        let waiting = self.waiting();
        let at_poller = |(_, waits): &(usize, Waits)| matches!(waits, Waits::AtPoller);
        !waiting.is_empty() && !waiting.iter().any(at_poller)
    }

    fn take(&self, who: impl Fn(&(usize, Waits)) -> bool) -> Option<Waits> {
        let mut waiting = self.waiting();
        let place = waiting.iter().position(who)?;
        self.count.fetch_sub(1, SeqCst);
        Some(waiting.swap_remove(place).1)
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<(usize, Waits)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
