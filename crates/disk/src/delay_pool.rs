//! Threads that do a job when it is due, so that who takes requests never waits.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Enough to read from memory while one of them is held up by the real disk.
const THREADS: usize = 4;

type Job = Box<dyn FnOnce() + Send>;

/// A queue of jobs with their times, and the threads that do them.
///
/// They end when this is dropped; what is not due by then is never done.
pub(crate) struct DelayPool {
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Queue {
    pending: Mutex<Pending>,
    changed: Condvar,
}

#[derive(Default)]
struct Pending {
    /// The first due on top; of equals, the first that came.
    due: BinaryHeap<Reverse<Due>>,
    came: u64,
    closed: bool,
    lateness: Lateness,
}

/// How much later than promised jobs were begun.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Lateness {
    pub(crate) jobs: u64,
    pub(crate) total: Duration,
    pub(crate) max: Duration,
}

impl DelayPool {
    pub(crate) fn start() -> io::Result<Self> {
        let delay_pool = Self {
            queue: Arc::default(),
        };
        for _ in 0..THREADS {
            let queue = Arc::clone(&delay_pool.queue);
            std::thread::Builder::new()
                .name("delay".into())
                .spawn(move || queue.work())?;
        }
        Ok(delay_pool)
    }

    /// Has `job` done at `at`.
    pub(crate) fn at(&self, at: Instant, job: impl FnOnce() + Send + 'static) {
        let mut pending = self.queue.pending();
        let order = pending.came;
        pending.came += 1;
        let job: Job = Box::new(job);
        pending.due.push(Reverse(Due { at, order, job }));
        drop(pending);
        self.queue.changed.notify_one();
    }

    pub(crate) fn lateness(&self) -> Lateness {
        self.queue.pending().lateness
    }
}

impl Drop for DelayPool {
    fn drop(&mut self) {
        let mut pending = self.queue.pending();
        pending.closed = true;
        // Dropped outside the lock: a job that is never done answers with an error.
        let undone = std::mem::take(&mut pending.due);
        drop(pending);
        self.queue.changed.notify_all();
        drop(undone);
    }
}

impl Queue {
    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        // By default the kernel may wake a sleeper 50 µs late. Without the right to change that, it does.
        let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
        while let Some(job) = self.next() {
            // A defect in one job costs that job and not the thread; its reply answers with an error when dropped.
            let _ = catch_unwind(AssertUnwindSafe(job));
        }
    }

    /// Waits for a job to be due; `None` when there will be no more.
    fn next(&self) -> Option<Job> {
        let mut pending = self.pending();
        loop {
            if pending.closed {
                return None;
            }
            let now = Instant::now();
            pending = match pending.due.peek().map(|Reverse(due)| due.at) {
                Some(at) if at <= now => {
                    let Reverse(due) = pending.due.pop()?;
                    pending.lateness.add(now - at);
                    // The next one may be due as well, and this thread is taken.
                    drop(pending);
                    self.changed.notify_one();
                    return Some(due.job);
                }
                Some(at) => {
                    let waited = self.changed.wait_timeout(pending, at - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let waited = self.changed.wait(pending);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }
}

impl Lateness {
    fn add(&mut self, late: Duration) {
        self.jobs += 1;
        self.total += late;
        self.max = self.max.max(late);
    }
}

struct Due {
    at: Instant,
    order: u64,
    job: Job,
}

impl Due {
    fn key(&self) -> (Instant, u64) {
        (self.at, self.order)
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn jobs_are_done_when_due_and_a_defect_costs_only_itself() {
        let delay_pool = DelayPool::start().unwrap();
        let (done, order) = mpsc::channel();
        let start = Instant::now();
        for after in [60, 20, 40] {
            let done = done.clone();
            let at = start + Duration::from_millis(after);
            delay_pool.at(at, move || {
                done.send((after, Instant::now() >= at)).unwrap()
            });
        }
        for _ in 0..2 * THREADS {
            delay_pool.at(start, || std::panic::resume_unwind(Box::new(())));
        }
        let order: Vec<_> = order.iter().take(3).collect();
        assert_eq!(order, [(20, true), (40, true), (60, true)]);
        assert_eq!(delay_pool.lateness().jobs, 3 + 2 * THREADS as u64);
    }

    #[test]
    fn what_is_not_due_at_the_end_is_dropped() {
        let delay_pool = DelayPool::start().unwrap();
        let (sender, receiver) = mpsc::channel::<()>();
        let never = Instant::now() + Duration::from_secs(3600);
        delay_pool.at(never, move || sender.send(()).unwrap());
        drop(delay_pool);
        assert!(receiver.recv().is_err());
    }
}
