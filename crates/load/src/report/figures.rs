//! The figures of a run, as every report and objective uses them.

use crate::clock::seconds;
use crate::measure::Outcome;
use crate::record::Record;
use crate::run::Run;
use hdrhistogram::Histogram;
use stats::hist::Censored;

/// A time that is measured for each request (or connection, or session).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Last byte − intended; in a closed loop, the service time.
    Response,
    /// Last byte − written.
    Service,
    /// Connection free − intended.
    Wait,
    /// Written − both of these.
    Lag,
    /// First byte − written.
    FirstByte,
    /// From asking for a connection to having it.
    Connect,
    /// From the intended start of a session to its end.
    Session,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Response,
        Self::Service,
        Self::Wait,
        Self::Lag,
        Self::FirstByte,
        Self::Connect,
        Self::Session,
    ];
    /// Their names on the command line.
    pub const NAMES: [&'static str; 7] = [
        "response",
        "service",
        "wait",
        "lag",
        "first_byte",
        "connect",
        "session",
    ];

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        let at = Self::NAMES.iter().position(|known| *known == name)?;
        Some(Self::ALL[at])
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// Its histogram in a record.
    pub fn of(self, record: &Record, closed_loop: bool) -> Option<&Histogram<u64>> {
        Some(match self {
            Self::Response if closed_loop => &record.service,
            Self::Response => &record.response,
            Self::Service => &record.service,
            Self::Wait => &record.wait,
            Self::Lag => &record.lag,
            Self::FirstByte => &record.first_byte,
            Self::Connect => &record.connect,
            Self::Session => &record.session,
        })
    }

    /// Its values of requests that were given up.
    fn censored(self, record: &Record, closed_loop: bool) -> Option<&Histogram<u64>> {
        match self {
            Self::Response if !closed_loop => Some(&record.censored_response),
            Self::Response | Self::Service => Some(&record.censored_service),
            _ => None,
        }
    }
}

/// The figures of one run.
#[derive(Debug)]
pub struct Figures<'a> {
    outcome: &'a Outcome,
    warmup_s: f64,
    times: Vec<Option<Censored>>,
}

impl<'a> Figures<'a> {
    /// Puts answered and given-up requests together.
    pub fn new(run: &Run, outcome: &'a Outcome) -> Self {
        let closed_loop = run.is_closed_loop();
        let none = Histogram::new(3).ok();
        let times = Metric::ALL
            .iter()
            .map(|metric| {
                let answered = metric.of(&outcome.record, closed_loop)?;
                let given_up = metric
                    .censored(&outcome.record, closed_loop)
                    .or(none.as_ref())?;
                Censored::new(answered, given_up).ok()
            })
            .collect();
        Self {
            outcome,
            warmup_s: seconds(run.warmup),
            times,
        }
    }

    /// The times of a kind.
    pub fn times(&self, metric: Metric) -> Option<&Censored> {
        self.times[metric as usize].as_ref()
    }

    /// Failures of all classes, timeouts included.
    pub fn errors(&self) -> u64 {
        self.outcome.record.counts.failed()
    }

    /// Requests without an answer: timed out, under way at the end, or never sent.
    pub fn censored(&self) -> u64 {
        let record = &self.outcome.record;
        let closed_loop = record.response.is_empty() && record.censored_response.is_empty();
        if closed_loop {
            record.censored_service.len()
        } else {
            record.censored_response.len()
        }
    }

    /// The share of requests that failed.
    pub fn error_share(&self) -> f64 {
        let outcome = self.outcome;
        let all =
            outcome.record.counts.completed + self.errors() + outcome.unfinished + outcome.unsent;
        self.errors() as f64 / all.max(1) as f64
    }

    /// The length of the window that throughput is counted in.
    pub fn window_s(&self) -> f64 {
        (seconds(self.outcome.window) - self.warmup_s).max(1e-9)
    }

    /// Good answers within the window, per second.
    pub fn requests_per_s(&self) -> f64 {
        self.outcome.record.counts.in_window as f64 / self.window_s()
    }

    /// Bytes received within the window, per second.
    pub fn bytes_per_s(&self) -> f64 {
        self.outcome.record.counts.bytes as f64 / self.window_s()
    }
}
