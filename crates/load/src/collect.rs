//! From the threads to one picture: every second each hands over what it recorded and takes an empty record in exchange.
//!
//! Nothing is shared while requests are under way, so nothing is locked.

use crate::clock::{Nanos, SECOND};
use crate::metric::Metric;
use crate::record::Record;
use crate::run::Run;
use crate::start::Began;
use stats::hist::{Bound, Censored};
use std::sync::mpsc::{Receiver, Sender, channel};

/// The state of a thread at the end of a second.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Live {
    pub(crate) in_flight: usize,
    /// Arrivals that are due and not sent.
    pub(crate) waiting: u64,
}

impl Live {
    /// Adds what is under way elsewhere.
    pub(crate) fn add(&mut self, other: Self) {
        self.in_flight = self.in_flight.saturating_add(other.in_flight);
        self.waiting = self.waiting.saturating_add(other.waiting);
    }
}

/// What a thread hands over.
pub(crate) struct Parcel {
    pub(crate) record: Box<Record>,
    pub(crate) at: Nanos,
    pub(crate) live: Live,
    /// Whether the thread sends no more.
    pub(crate) last: bool,
}

/// A thread's end.
pub(crate) struct Mailbox {
    thread: usize,
    parcels: Sender<(usize, Parcel)>,
    empties: Receiver<Box<Record>>,
}

impl Mailbox {
    pub(crate) fn empty(&self) -> Option<Box<Record>> {
        self.empties.try_recv().ok()
    }

    pub(crate) fn send(&self, parcel: Parcel) {
        // Nobody listens any more only when the run is being given up.
        let _ = self.parcels.send((self.thread, parcel));
    }
}

/// The collector's end.
pub(crate) struct Post {
    pub(crate) parcels: Receiver<(usize, Parcel)>,
    empties: Vec<Sender<Box<Record>>>,
}

/// Mailboxes for so many threads.
pub(crate) fn post(threads: usize) -> (Vec<Mailbox>, Post) {
    let (parcels_in, parcels) = channel();
    let (mailboxes, empties) = (0..threads)
        .map(|thread| {
            let (empties_in, empties) = channel();
            // Its memory is touched now rather than in the loop.
            let mut spare: Box<Record> = Box::default();
            spare.response.saturating_record(1);
            spare.clear();
            let _ = empties_in.send(spare);
            let mailbox = Mailbox {
                thread,
                parcels: parcels_in.clone(),
                empties,
            };
            (mailbox, empties_in)
        })
        .unzip();
    (mailboxes, Post { parcels, empties })
}

/// One second of the series.
#[derive(Clone, Debug, Default)]
pub struct CollectedSecond {
    /// Its end, in seconds since the start.
    pub at_s: f64,
    /// Requests written.
    pub sent: u64,
    /// Requests answered well.
    pub completed: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Attempts to connect that failed.
    pub connects_failed: u64,
    /// Bytes received.
    pub bytes: u64,
    /// Of the times that come first in the report (response time; in a closed loop, service time) in this second, those of requests
    /// that were given up among them: the mean, in µs. None of a second without any, as are the others.
    pub mean_us: Option<f64>,
    /// The median.
    pub p50_us: Option<f64>,
    /// The 99th percentile.
    pub p99_us: Option<f64>,
    /// The 99.9th percentile.
    pub p99_9_us: Option<f64>,
    /// The maximum.
    pub max_us: Option<f64>,
    /// Which of these are lower bounds, because requests were given up: `mean`, `p50`, `p99`, `p99.9`, `max`.
    pub at_least: Vec<&'static str>,
    /// Requests under way at its end.
    pub in_flight: usize,
    /// Arrivals due and not sent at its end.
    pub waiting: u64,
}

/// Somebody who wants to see the run second by second.
pub trait Observer {
    /// The run has begun.
    fn began(&mut self, _began: &Began) {}

    /// A second is over. `second` holds what was recorded in it, `total` everything so far.
    fn second(&mut self, row: &CollectedSecond, second: &Record, total: &Record);
}

/// Puts the parcels together.
pub(crate) struct Collector {
    pub(crate) total: Record,
    pub(crate) seconds: Vec<CollectedSecond>,
    current: Record,
    /// The second that `current` is of, counted from 0, and its end as the last parcel had it.
    index: u64,
    end: Nanos,
    live: Vec<Live>,
    /// Up to which second each thread has handed over what it has.
    reached: Vec<u64>,
    /// The end of the schedule, as far as time decides it.
    run_end: Nanos,
    closed_loop: bool,
}

impl Collector {
    pub(crate) fn new(run: &Run) -> Self {
        Self::over(run.threads, run.window_end(), run.is_closed_loop())
    }

    fn over(threads: usize, run_end: Nanos, closed_loop: bool) -> Self {
        Self {
            total: Record::default(),
            seconds: Vec::new(),
            current: Record::default(),
            index: 0,
            end: 0,
            live: vec![Live::default(); threads],
            reached: vec![0; threads],
            run_end,
            closed_loop,
        }
    }

    /// Takes what a thread recorded and gives the record back to it, empty.
    pub(crate) fn take(
        &mut self,
        (thread, mut parcel): (usize, Parcel),
        post: &Post,
        observer: &mut dyn Observer,
    ) {
        // Parcels are sent right after a second's end, and a last one at any time: less than half a second counts to the one before.
        let index = parcel.at.saturating_sub(SECOND / 2) / SECOND;
        if index > self.index {
            self.finish(observer);
            self.index = index;
        }
        self.end = self.end.max(parcel.at);
        self.live[thread] = parcel.live;
        self.current.merge(&parcel.record);
        parcel.record.clear();
        // A thread that has ended takes no more.
        let _ = post.empties[thread].send(parcel.record);
        self.reached[thread] = if parcel.last { u64::MAX } else { index + 1 };
        // Towards the end of the run a last parcel may be to come that counts to the second before it.
        let goes_on = parcel.at.saturating_add(SECOND / 2) < self.run_end;
        if goes_on && self.reached.iter().all(|reached| *reached > index) {
            self.finish(observer);
            self.index = index + 1;
        }
    }

    /// The present second is over.
    pub(crate) fn finish(&mut self, observer: &mut dyn Observer) {
        if self.end == 0 {
            return;
        }
        let row = self.row();
        self.total.merge(&self.current);
        observer.second(&row, &self.current, &self.total);
        self.seconds.push(row);
        self.current.clear();
        self.end = 0;
    }

    fn row(&self) -> CollectedSecond {
        let mut live = Live::default();
        self.live.iter().for_each(|thread| live.add(*thread));
        CollectedSecond::of(&self.current, self.end, live, self.closed_loop)
    }
}

impl CollectedSecond {
    /// That in which `record` was recorded, which left `live` at its end.
    pub(crate) fn of(record: &Record, end: Nanos, live: Live, closed_loop: bool) -> Self {
        let times = Metric::Response.times(record, closed_loop);
        let times = times.filter(|times| !times.is_empty());
        let mut at_least = Vec::new();
        let mut us = |name, of: &dyn Fn(&Censored) -> (f64, bool)| {
            let (nanos, is_bound) = of(times.as_ref()?);
            at_least.extend(is_bound.then_some(name));
            Some(nanos / 1e3)
        };
        let exact = |bound: Bound| (bound.value as f64, bound.at_least);
        Self {
            at_s: (crate::clock::seconds(end) * 1e3).round() / 1e3,
            sent: record.counts.sent,
            completed: record.counts.completed,
            failed: record.counts.failed(),
            connects_failed: record.counts.connects_failed(),
            bytes: record.counts.bytes,
            mean_us: us("mean", &Censored::mean),
            p50_us: us("p50", &|times| exact(times.quantile(0.5))),
            p99_us: us("p99", &|times| exact(times.quantile(0.99))),
            p99_9_us: us("p99.9", &|times| exact(times.quantile(0.999))),
            max_us: us("max", &|times| exact(times.max())),
            at_least,
            in_flight: live.in_flight,
            waiting: live.waiting,
        }
    }

    /// Whether the figure of this name is a lower bound.
    pub fn is_at_least(&self, name: &str) -> bool {
        self.at_least.contains(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Rows(Vec<u64>);

    impl Observer for Rows {
        fn second(&mut self, row: &CollectedSecond, _: &Record, _: &Record) {
            self.0.push(row.sent);
        }
    }

    #[test]
    fn records_of_two_threads_share_no_cache_line() {
        const LINE: usize = 64;
        let (mailboxes, _post) = post(2);
        let records: Vec<_> = mailboxes.iter().filter_map(Mailbox::empty).collect();
        let lines = |record: &Record| {
            let start = std::ptr::from_ref(record).addr();
            (start / LINE, (start + size_of::<Record>() - 1) / LINE)
        };
        let [first, second] = [0, 1].map(|thread: usize| lines(&records[thread]));
        assert!(first.1 < second.0 || second.1 < first.0);
        let record = align_of::<Record>();
        assert!(
            record >= 2 * LINE,
            "{record}: two lines are fetched at once"
        );
    }

    #[test]
    fn a_second_without_an_answer_has_no_times_and_one_of_given_up_requests_lower_bounds() {
        for closed_loop in [false, true] {
            let mut collector = Collector::over(1, SECOND, closed_loop);
            let row = collector.row();
            let figures = [
                row.mean_us,
                row.p50_us,
                row.p99_us,
                row.p99_9_us,
                row.max_us,
            ];
            assert_eq!((figures, row.at_least.len()), ([None; 5], 0));
            let record = &mut collector.current;
            let (answered, given_up) = match closed_loop {
                true => (&mut record.service, &mut record.censored_service),
                false => (&mut record.response, &mut record.censored_response),
            };
            answered.saturating_record_n(SECOND / 1000, 9);
            given_up.saturating_record(2 * SECOND);
            let row = collector.row();
            assert_eq!(row.at_least, ["mean", "p99", "p99.9", "max"]);
            assert!(
                row.p50_us.is_some_and(|us| (us - 1e3).abs() < 1.0),
                "{row:?}"
            );
            for figure in [row.p99_us, row.p99_9_us, row.max_us] {
                assert!(figure.is_some_and(|us| us >= 2e6), "{row:?}");
            }
        }
    }

    #[test]
    fn a_second_is_told_when_every_thread_has_handed_it_over() {
        let (_mailboxes, post) = post(2);
        let mut collector = Collector::over(2, 3 * SECOND, false);
        let mut rows = Rows::default();
        let mut take = |thread, at, last| {
            let mut record: Box<Record> = Box::default();
            record.counts.sent = 1;
            let live = Live::default();
            let parcel = Parcel {
                record,
                at,
                live,
                last,
            };
            collector.take((thread, parcel), &post, &mut rows);
            rows.0.clone()
        };
        let ms = SECOND / 1000;
        assert_eq!(take(0, SECOND, false).len(), 0);
        assert_eq!(take(1, SECOND + ms, false), [2]);
        // One that could not hand over in time does so later.
        assert_eq!(take(0, 2 * SECOND, false), [2]);
        assert_eq!(take(0, 3 * SECOND, false), [2, 1]);
        // What comes right after the end belongs to the last second.
        assert_eq!(take(0, 3 * SECOND + 20 * ms, true), [2, 1]);
        assert_eq!(take(1, 3 * SECOND + 30 * ms, true), [2, 1]);
        collector.finish(&mut rows);
        assert_eq!(rows.0, [2, 1, 3]);
    }
}
