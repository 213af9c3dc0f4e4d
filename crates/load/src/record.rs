//! What is recorded of requests: histograms and counts, one set for each thread and second.

use crate::batches::Batches;
use crate::clock::Nanos;
use crate::failure::Failure;
use hdrhistogram::Histogram;

/// The longest time that is told apart: one hour.
pub const LONGEST: Nanos = 3600 * crate::clock::SECOND;
/// Failures of a kind that are kept in words.
const EXAMPLES: usize = 3;

/// A histogram of nanoseconds: three significant digits, up to one hour.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST, 3).expect("the bounds are constants and valid")
}

/// Everything that was recorded in some stretch of time.
///
/// It lies in cache lines of its own, which processors fetch in pairs: each thread writes to its own with every request, and those of
/// several threads are made one behind the other.
#[derive(Clone, Debug)]
#[repr(align(128))]
pub struct Record {
    /// From the intended time to the last byte. Empty in a closed loop, which has no intended times.
    pub response: Histogram<u64>,
    /// From writing to the last byte.
    pub service: Histogram<u64>,
    /// From the intended time until a connection was free.
    pub wait: Histogram<u64>,
    /// From when both were there, the time and the connection, to writing.
    pub lag: Histogram<u64>,
    /// From writing to the first byte.
    pub first_byte: Histogram<u64>,
    /// From asking for a connection to having it.
    pub connect: Histogram<u64>,
    /// Of that, from being connected to the end of the handshake of TLS.
    pub handshake: Histogram<u64>,
    /// From the intended start of a session to the last byte of its last request.
    pub session: Histogram<u64>,
    /// How long unanswered requests had been waited for since their intended times: responses took at least this.
    pub censored_response: Histogram<u64>,
    /// The same since writing.
    pub censored_service: Histogram<u64>,
    /// Counts.
    pub counts: Counts,
    /// Responses by status code; the last place is for those over 599.
    pub statuses: Vec<u64>,
    /// The first failures of each kind in words.
    pub examples: Vec<Example>,
    /// Mean response times of short stretches of the whole run.
    pub batches: Batches,
}

/// A failure in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Its class.
    pub of: Failure,
    /// The status code that made it one; 0 if none did.
    pub status: u16,
    /// The words.
    pub words: String,
}

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// Requests written, each as often as it was.
    pub sent: u64,
    /// Requests of the warm-up, which are not measured, sent or not.
    pub warming_up: u64,
    /// Requests answered well, whenever.
    pub completed: u64,
    /// Those answered within the window that throughput is counted in.
    pub in_window: u64,
    /// Bytes received within that window, heads included.
    pub bytes: u64,
    /// Requests that found no free connection when they were due.
    pub waited: u64,
    /// Requests that went out only after the end of the schedule, though they were due before it and a connection was free.
    pub behind: u64,
    /// Requests that were sent again because a connection that had been used before ended before any of their answers.
    pub retried: u64,
    /// Requests that were pipelined behind an answer that announced the end of the connection, and so became due again.
    pub behind_close: u64,
    /// Connections established.
    pub connected: u64,
    /// Those whose handshake of TLS took up a session from before.
    pub resumed: u64,
    /// Bodies that were verified.
    pub verified: u64,
    /// Failures by class.
    pub failures: [u64; Failure::CLASSES],
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            sent: 0,
            warming_up: 0,
            completed: 0,
            in_window: 0,
            bytes: 0,
            waited: 0,
            behind: 0,
            retried: 0,
            behind_close: 0,
            connected: 0,
            resumed: 0,
            verified: 0,
            failures: [0; Failure::CLASSES],
        }
    }
}

impl Counts {
    /// Adds others.
    pub(crate) fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.warming_up += other.warming_up;
        self.completed += other.completed;
        self.in_window += other.in_window;
        self.bytes += other.bytes;
        self.waited += other.waited;
        self.behind += other.behind;
        self.retried += other.retried;
        self.behind_close += other.behind_close;
        self.connected += other.connected;
        self.resumed += other.resumed;
        self.verified += other.verified;
        for (mine, theirs) in self.failures.iter_mut().zip(other.failures) {
            *mine += theirs;
        }
    }

    /// The classes of which there were failures, by name, and how many.
    pub fn by_class(
        &self,
        which: impl Fn(usize) -> bool,
    ) -> impl Iterator<Item = (&'static str, u64)> {
        let there = (0..Failure::CLASSES).filter(move |class| which(*class));
        let counted = there.map(|class| (Failure::name(class), self.failures[class]));
        counted.filter(|(_, count)| *count > 0)
    }

    /// Requests written, those that were sent again once.
    pub fn asked(&self) -> u64 {
        self.sent.saturating_sub(self.retried + self.behind_close)
    }

    /// Requests that failed.
    pub fn failed(&self) -> u64 {
        self.sum(Failure::is_of_request)
    }

    /// Attempts to connect that failed.
    pub fn connects_failed(&self) -> u64 {
        self.sum(Failure::is_of_connecting)
    }

    fn sum(&self, counts: impl Fn(usize) -> bool) -> u64 {
        let classes = (0..Failure::CLASSES).filter(|class| counts(*class));
        classes.map(|class| self.failures[class]).sum()
    }

    /// Failures of one class.
    pub fn of(&self, failure: Failure) -> u64 {
        self.failures[failure.index()]
    }
}

impl Default for Record {
    fn default() -> Self {
        Self {
            response: histogram(),
            service: histogram(),
            wait: histogram(),
            lag: histogram(),
            first_byte: histogram(),
            connect: histogram(),
            handshake: histogram(),
            session: histogram(),
            censored_response: histogram(),
            censored_service: histogram(),
            counts: Counts::default(),
            statuses: vec![0; 601],
            examples: Vec::new(),
            batches: Batches::default(),
        }
    }
}

impl Record {
    /// All histograms, in the order of the fields.
    pub(crate) fn times(&self) -> [&Histogram<u64>; 10] {
        [
            &self.response,
            &self.service,
            &self.wait,
            &self.lag,
            &self.first_byte,
            &self.connect,
            &self.handshake,
            &self.session,
            &self.censored_response,
            &self.censored_service,
        ]
    }

    /// The same to be changed.
    pub(crate) fn times_mut(&mut self) -> [&mut Histogram<u64>; 10] {
        [
            &mut self.response,
            &mut self.service,
            &mut self.wait,
            &mut self.lag,
            &mut self.first_byte,
            &mut self.connect,
            &mut self.handshake,
            &mut self.session,
            &mut self.censored_response,
            &mut self.censored_service,
        ]
    }

    /// Adds what another thread, or another second, recorded.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.times_mut().into_iter().zip(other.times()) {
            if !theirs.is_empty() {
                *mine += theirs;
            }
        }
        self.counts.add(&other.counts);
        for (mine, theirs) in self.statuses.iter_mut().zip(&other.statuses) {
            *mine += theirs;
        }
        for Example { of, status, words } in &other.examples {
            self.example((*of, *status), || words.clone());
        }
        self.batches.merge(&other.batches);
    }

    /// As new, without giving memory back.
    pub fn clear(&mut self) {
        for histogram in self.times_mut() {
            if !histogram.is_empty() {
                histogram.reset();
            }
        }
        self.counts = Counts::default();
        self.statuses.fill(0);
        self.examples.clear();
        self.batches.clear();
    }

    /// Counts a failure.
    #[cold]
    pub fn fail(&mut self, failure: Failure) {
        self.counts.failures[failure.index()] += 1;
    }

    /// Counts a status code.
    #[inline]
    pub fn status(&mut self, status: u16) {
        let last = self.statuses.len() - 1;
        self.statuses[usize::from(status).min(last)] += 1;
    }

    /// Keeps a request whose answer had a status that makes it a failure. A server may answer all requests so: after the first few nothing is done any more.
    pub(crate) fn example_of_status(&mut self, failure: Failure, status: u16, url: &str) {
        let last = self.statuses.len() - 1;
        if self.statuses[usize::from(status).min(last)] <= EXAMPLES as u64 {
            self.example((failure, status), || format!("{url}: status {status}"));
        }
    }

    /// Keeps a failure in words, if there are not enough of its class and status code (0 if that is not what was wrong) yet.
    pub fn example(&mut self, (of, status): (Failure, u16), words: impl FnOnce() -> String) {
        let alike = |example: &&Example| (example.of, example.status) == (of, status);
        if self.examples.iter().filter(alike).count() < EXAMPLES {
            let words = words();
            let example = Example { of, status, words };
            if !self.examples.contains(&example) {
                self.examples.push(example);
            }
        }
    }
}
