//! What the disk was asked for, and how long that took.

use std::time::Duration;

use crate::Slot;

/// Requests of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// How long they waited for an arm, all together.
    pub wait: Duration,
    /// The longest that one of them waited.
    pub max_wait: Duration,
    /// How long the arms took for them, all together.
    pub service: Duration,
}

impl Tally {
    pub(crate) fn add(&mut self, slot: &Slot) {
        self.count += 1;
        self.wait = self.wait.saturating_add(slot.wait);
        self.max_wait = self.max_wait.max(slot.wait);
        self.service = self.service.saturating_add(slot.service);
    }

    /// The mean time that one waited for an arm.
    pub fn mean_wait(&self) -> Duration {
        mean(self.wait, self.count)
    }

    /// The mean time that an arm took for one.
    pub(crate) fn mean_service(&self) -> Duration {
        mean(self.service, self.count)
    }
}

/// What a disk has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counts {
    /// Reads of what was not in the kernel's page cache.
    pub reads: Tally,
    /// Their bytes.
    pub bytes: u64,
    /// Look-ups of names and attributes, and readings of directories, that the kernel did not know. Without seeks for
    /// metadata they are counted and take no time.
    pub metadata: Tally,
    /// Requests that no disk would be asked for: a first open, closing a directory, statistics.
    pub free: u64,
    /// The time since mounting.
    pub elapsed: Duration,
    /// The share of that time that the arms were busy, from 0 to 1.
    pub utilisation: f64,
    /// How much later than the model promised answers were begun, on average: the price of a busy processor.
    pub mean_lateness: Duration,
    /// The same, at worst.
    pub max_lateness: Duration,
}

pub(crate) fn mean(total: Duration, count: u64) -> Duration {
    let nanos = total.as_nanos() / u128::from(count.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}
