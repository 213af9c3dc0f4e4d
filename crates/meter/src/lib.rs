//! Counters and server-side latencies in a page that all processes share, and histogram formats.
//!
//! A server counts where it works: every thread has a [`Counters`], whose counters are its own or shared with few
//! others, so that counting costs a few uncontended atomic additions for each request. Threads and forked
//! processes write to the same mapping; whoever holds the [`Meter`] reads it at any time, as a [`Snapshot`]. A
//! process that is killed takes nothing with it.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`Event`], [`Gauge`] | what is counted |
//! | [`latency`] | the buckets of the latency histogram |
//! | [`stages`] | what rooms that are made of stages tell of each |
//! | [`formats`] | histograms as files that other tools open |

mod event;
pub mod formats;
pub mod latency;
pub mod stages;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use hdrhistogram::Histogram;

pub use event::{Event, Gauge};
pub use stages::{StageCounters, StageLook, StageSnapshot};

/// [`Counters`] beyond this many share their counters with an earlier one.
const SLOTS: usize = 64;
/// The most loops whose connections are counted apart.
pub const MOST_LOOPS: usize = SLOTS;
/// Counters at the start of a slot; a multiple of a cache line's eight.
const EVENTS: usize = 40;
const SLOT: usize = EVENTS + latency::BUCKETS;
/// Counters before the first slot: the next slot to hand out, and the gauges.
const HEADER: usize = 8;
/// Where the number of loops is.
const LOOPS: usize = 5;
/// Where what belongs to stages begins.
const STAGES_START: usize = HEADER + SLOTS * SLOT;

/// The page that all threads and processes of a server count in.
#[derive(Debug, Clone, Copy)]
pub struct Meter {
    page: &'static [AtomicU64],
}

impl Meter {
    /// A new page, all zero; processes forked from now on share it.
    ///
    /// # Errors
    /// Where the kernel has no memory for the mapping.
    pub fn new() -> io::Result<Self> {
        let page = sys::shared::counters(STAGES_START + stages::WORDS)?;
        Ok(Self { page })
    }

    /// Counters for one thread.
    pub fn counters(&self) -> Counters {
        self.counters_in(self.page[0].fetch_add(1, Relaxed) as usize)
    }

    fn counters_in(&self, slot: usize) -> Counters {
        let start = HEADER + slot % SLOTS * SLOT;
        Counters {
            slot: &self.page[start..start + SLOT],
        }
    }

    /// Has the connections of each of so many loops counted apart. To be called before anybody has counters.
    ///
    /// # Errors
    /// With more of them than there is room for.
    pub fn loops(&self, count: usize) -> io::Result<()> {
        if count > MOST_LOOPS {
            return Err(io::Error::other(format!(
                "{count} loops cannot be told apart: at the most {MOST_LOOPS}"
            )));
        }
        self.page[LOOPS].store(count as u64, Relaxed);
        // What others count is no loop's.
        self.page[0].store(count as u64, Relaxed);
        Ok(())
    }

    /// Counters for one of several loops, also for one that takes the place of another.
    pub fn counters_of_loop(&self, number: usize) -> Counters {
        self.counters_in(number)
    }

    /// There is one more of `gauge`.
    pub fn rise(&self, gauge: Gauge) {
        let (now, peak) = self.gauge(gauge);
        peak.fetch_max(now.fetch_add(1, Relaxed) + 1, Relaxed);
    }

    /// There is one fewer of `gauge`; never fewer than none, for who takes off a process that was killed cannot know whether it
    /// had come to count itself.
    pub fn fall(&self, gauge: Gauge) {
        let now = self.gauge(gauge).0;
        let _ = now.fetch_update(Relaxed, Relaxed, |now| now.checked_sub(1));
    }

    fn gauge(&self, gauge: Gauge) -> (&AtomicU64, &AtomicU64) {
        let now = 1 + 2 * gauge as usize;
        (&self.page[now], &self.page[now + 1])
    }

    /// Counters for stages with these names.
    ///
    /// # Errors
    /// With more of them than there is room for.
    pub fn stages<const N: usize>(&self, names: [&str; N]) -> io::Result<[StageCounters; N]> {
        self.all_stages().name(names)
    }

    /// Remembers how the stages are now, some time after they were named. Only one thread does so.
    pub fn look_at_stages(&self, at: Duration) {
        self.all_stages().remember(at);
    }

    fn all_stages(&self) -> stages::Stages {
        stages::Stages {
            words: &self.page[STAGES_START..],
        }
    }

    /// What has been counted so far, over all threads and processes.
    pub fn snapshot(&self) -> Snapshot {
        let slots = || self.page[HEADER..STAGES_START].chunks_exact(SLOT);
        let mut events = [0; EVENTS];
        let mut latency = latency::empty();
        for slot in slots() {
            let (counts, buckets) = slot.split_at(EVENTS);
            for (sum, count) in events.iter_mut().zip(counts) {
                *sum += count.load(Relaxed);
            }
            latency::merge(&mut latency, buckets);
        }
        let loops = self.page[LOOPS].load(Relaxed) as usize;
        let connections = slots().map(|slot| slot[Event::Connection as usize].load(Relaxed));
        Snapshot {
            events,
            connections_by_loop: connections.take(loops).collect(),
            peak_threads: self.gauge(Gauge::Threads).1.load(Relaxed),
            peak_processes: self.gauge(Gauge::Processes).1.load(Relaxed),
            latency_ns: latency,
            stages: self.all_stages().snapshot(),
        }
    }
}

/// One thread's counters.
#[derive(Debug)]
pub struct Counters {
    slot: &'static [AtomicU64],
}

impl Counters {
    /// `event` happened `times` times.
    pub fn count(&self, event: Event, times: u64) {
        self.slot[event as usize].fetch_add(times, Relaxed);
    }

    /// An answer with `status` was sent whole, `latency` after its request was readable.
    pub fn answered(&self, status: u16, latency: Duration) {
        self.count(Event::answer(status), 1);
        let nanoseconds = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.slot[EVENTS + latency::bucket(nanoseconds)].fetch_add(1, Relaxed);
    }
}

/// What a [`Meter`] held at one time.
#[derive(Debug, Clone)]
pub struct Snapshot {
    events: [u64; EVENTS],
    /// The connections that each of several loops has accepted; none where there are no several.
    pub connections_by_loop: Vec<u64>,
    /// The most threads that ever served at a time, over all processes.
    pub peak_threads: u64,
    /// The most processes that ever served at a time.
    pub peak_processes: u64,
    /// From the request being readable to its answer being sent, in nanoseconds, to 1 % or better.
    pub latency_ns: Histogram<u64>,
    /// The stages that the room is made of, if it is.
    pub stages: Vec<StageSnapshot>,
}

impl Snapshot {
    /// How often `event` happened.
    pub fn count(&self, event: Event) -> u64 {
        self.events[event as usize]
    }

    /// Requests answered, whatever the status.
    pub fn requests(&self) -> u64 {
        [
            Event::Success,
            Event::Redirection,
            Event::ClientError,
            Event::ServerError,
        ]
        .into_iter()
        .map(|event| self.count(event))
        .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_was_killed_before_it_counted_may_be_taken_off() {
        let meter = Meter::new().unwrap();
        meter.fall(Gauge::Threads);
        meter.rise(Gauge::Threads);
        assert_eq!(meter.gauge(Gauge::Threads).1.load(Relaxed), 1);
    }

    #[test]
    fn what_threads_count_adds_up() {
        let meter = Meter::new().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..SLOTS + 10 {
                scope.spawn(|| {
                    let counters = meter.counters();
                    for _ in 0..1000 {
                        counters.answered(200, Duration::from_micros(5));
                        counters.count(Event::Byte, 3);
                    }
                    counters.answered(404, Duration::from_micros(500));
                });
            }
        });
        let threads = (SLOTS + 10) as u64;
        let snapshot = meter.snapshot();
        assert_eq!(snapshot.requests(), threads * 1001);
        assert_eq!(snapshot.count(Event::Success), threads * 1000);
        assert_eq!(snapshot.count(Event::ClientError), threads);
        assert_eq!(snapshot.count(Event::Byte), threads * 3000);
        assert_eq!(snapshot.latency_ns.len(), threads * 1001);
        let median = snapshot.latency_ns.value_at_quantile(0.5);
        assert!(median.abs_diff(5_000) < 50, "{median}");
    }

    #[test]
    fn a_gauge_remembers_its_peak() {
        let meter = Meter::new().unwrap();
        meter.rise(Gauge::Threads);
        meter.rise(Gauge::Threads);
        meter.fall(Gauge::Threads);
        meter.rise(Gauge::Processes);
        let snapshot = meter.snapshot();
        assert_eq!((snapshot.peak_threads, snapshot.peak_processes), (2, 1));
    }

    #[test]
    fn every_event_has_its_counter() {
        assert!((Event::EndedWithoutClose as usize) < EVENTS);
        assert!(2 + 2 * (Gauge::Processes as usize) < LOOPS);
    }

    #[test]
    fn each_loop_has_its_connections_whoever_serves_in_it() {
        let meter = Meter::new().unwrap();
        meter.loops(3).unwrap();
        for number in [0, 2, 2] {
            meter.counters_of_loop(number).count(Event::Connection, 1);
        }
        // Of nobody's loop.
        meter.counters().count(Event::Replaced, 1);
        let snapshot = meter.snapshot();
        assert_eq!(snapshot.connections_by_loop, [1, 0, 2]);
        assert_eq!(snapshot.count(Event::Connection), 3);
        assert!(meter.loops(MOST_LOOPS + 1).is_err());
        assert!(
            Meter::new()
                .unwrap()
                .snapshot()
                .connections_by_loop
                .is_empty()
        );
    }
}
