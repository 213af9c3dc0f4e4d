//! The arms in real time: what is asked for now is answered when they are done.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::arms::{Arms, Model, Place, Work};
use crate::delay_pool::DelayPool;
use crate::tally::{Counts, mean};

/// Where requests wait.
pub(crate) struct Queue {
    epoch: Instant,
    metadata_seek: bool,
    ledger: Mutex<Ledger>,
    delay_pool: DelayPool,
}

struct Ledger {
    arms: Arms,
    model: Model,
    counts: Counts,
}

impl Queue {
    pub(crate) fn new(model: Model, metadata_seek: bool) -> io::Result<Self> {
        Ok(Self {
            epoch: Instant::now(),
            metadata_seek,
            ledger: Mutex::new(Ledger {
                arms: Arms::new(model),
                model,
                counts: Counts::default(),
            }),
            delay_pool: DelayPool::start()?,
        })
    }

    /// What has been done so far.
    pub(crate) fn counts(&self) -> Counts {
        let ledger = self.ledger();
        let lateness = self.delay_pool.lateness();
        let elapsed = self.epoch.elapsed();
        let possible = elapsed.as_secs_f64() * ledger.model.arms.max(1) as f64;
        Counts {
            elapsed,
            utilisation: ledger.arms.busy(elapsed).as_secs_f64() / possible.max(f64::MIN_POSITIVE),
            mean_lateness: mean(lateness.total, lateness.jobs),
            max_lateness: lateness.max,
            ..ledger.counts
        }
    }

    /// Has `answer` done when an arm has read `bytes` from `place` on.
    pub(crate) fn read(&self, place: Place, bytes: u64, answer: impl FnOnce() + Send + 'static) {
        let mut ledger = self.ledger();
        let slot = ledger
            .arms
            .serve(self.epoch.elapsed(), Work::Read { place, bytes });
        ledger.counts.reads.add(&slot);
        ledger.counts.bytes += bytes;
        drop(ledger);
        self.delay_pool.at(self.instant(slot.done), answer);
    }

    /// Has `answer` done when an arm has found a name or the like.
    pub(crate) fn look_up(&self, answer: impl FnOnce() + Send + 'static) {
        let mut ledger = self.ledger();
        let now = self.epoch.elapsed();
        let done = if self.metadata_seek {
            let slot = ledger.arms.serve(now, Work::Seek);
            ledger.counts.metadata.add(&slot);
            slot.done
        } else {
            ledger.counts.metadata.count += 1;
            now
        };
        drop(ledger);
        self.delay_pool.at(self.instant(done), answer);
    }

    /// Counts what no disk would be asked for.
    pub(crate) fn count_free(&self) {
        self.ledger().counts.free += 1;
    }

    fn instant(&self, since_epoch: Duration) -> Instant {
        // A seek takes a minute at most, so overflowing takes a backlog of ages.
        self.epoch
            .checked_add(since_epoch)
            .unwrap_or_else(Instant::now)
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
