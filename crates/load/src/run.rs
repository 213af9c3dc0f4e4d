//! A run as values: each choice is one field, and none depends on how another is made.

use crate::address::Address;
use crate::clock::{Nanos, nanos};
use crate::fidelity::Fidelity;
use crate::precision::Wanted;
use crate::schedule::{self, Due, Origin, Think};
use crate::security::Security;
use crate::share::{Part, StartAt, divided};
use crate::statuses::Statuses;
use crate::target::Targets;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// Who asks, and when.
#[derive(Clone, Debug)]
pub enum Model {
    /// Clients that ask, wait for the answer, think, and ask again.
    Closed,
    /// Requests that come by a schedule, whatever becomes of those before.
    Open(Arrivals),
    /// Sessions that come by a schedule; the requests of each follow each other, or come all at once.
    PartlyOpen(Arrivals, u32),
}

/// When requests or sessions come.
#[derive(Clone, Debug)]
pub struct Arrivals {
    /// The stream.
    pub times: workload::Schedule,
    /// The rates it has, and whether it is a Poisson process. None for a trace.
    pub asked: Option<(workload::RateStages, bool)>,
}

/// A fault built in on purpose, to show that the checks would find it.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// None.
    #[default]
    None,
    /// Response times counted from the moment of sending.
    CoordinatedOmission,
    /// A sample made up for every `interval` that a response took.
    InventedSamples {
        /// In nanoseconds.
        interval: Nanos,
    },
    /// The host's clock is ahead of the true time, as its time service knows.
    ClockAhead {
        /// By so much.
        by: Duration,
    },
}

/// A whole run.
#[derive(Debug)]
pub struct Run {
    /// The model.
    pub model: Model,
    /// Which part of a larger run this is; the whole of one if it is none. Clients, connections, and a closed loop's number of requests
    /// are the part's own; the stream of arrivals and its number of requests are the whole's, of which it takes those that are its own.
    pub part: Option<Part>,
    /// When it begins; as soon as it is connected, if nothing is said.
    pub start_at: Option<StartAt>,
    /// Where to: connections go to each in turn. Never empty.
    pub addresses: Vec<Address>,
    /// What for.
    pub targets: Targets,
    /// Clients (closed loop), or connections at the start.
    pub clients: usize,
    /// The most connections (open loop).
    pub max_connections: usize,
    /// Connections beside those, on which nothing is ever asked.
    pub idle: usize,
    /// Newcomers of each storm, who connect all at once and ask for nothing.
    pub storm: usize,
    /// How many loops.
    pub threads: usize,
    /// Cores to run them on, in turn; empty: wherever.
    pub cores: Vec<usize>,
    /// Whether HTTP/2 is spoken, of which servers are taken to know.
    pub http2: bool,
    /// Requests outstanding on a connection at most.
    pub depth: usize,
    /// After so many requests a connection is replaced.
    pub requests_per_connection: u64,
    /// The schedule ends there.
    pub duration: Option<Duration>,
    /// Or after so many requests.
    pub requests: Option<u64>,
    /// How well figures are to be known for it to end earlier.
    pub precision: Option<Wanted>,
    /// What is intended before then is not measured. Nanoseconds.
    pub warmup: Nanos,
    /// How long an answer is waited for. Nanoseconds.
    pub timeout: Nanos,
    /// Think time.
    pub think: Think,
    /// Whether the requests of a session are all due at its beginning.
    pub session_at_once: bool,
    /// The seed of everything.
    pub seed: u64,
    /// Which status codes are good answers.
    pub expect: Statuses,
    /// Whether bodies are compared.
    pub verify: bool,
    /// Whether a request that met the end of a used connection before any of its answer is sent again.
    pub retry: bool,
    /// How long before a due time the loop may begin to spin. Nanoseconds.
    pub most_spin: Nanos,
    /// What connections are secured with; none in the clear.
    pub security: Option<Security>,
    /// For tests.
    #[doc(hidden)]
    pub fault: Fault,
}

impl Run {
    /// Whether there are no intended times.
    pub fn is_closed_loop(&self) -> bool {
        matches!(self.model, Model::Closed)
    }

    fn arrivals(&self) -> Option<&Arrivals> {
        match &self.model {
            Model::Closed => None,
            Model::Open(arrivals) | Model::PartlyOpen(arrivals, _) => Some(arrivals),
        }
    }

    /// The end of the schedule, as far as time decides it.
    pub(crate) fn window_end(&self) -> Nanos {
        self.duration.map_or(Nanos::MAX, nanos)
    }

    /// When the arrivals of an open loop have been offered: a number of them fills as many gaps, the last of which ends when another would
    /// be due. A recording says nothing of the gap behind its last arrival, which is taken to be as long as the others. None where only time or
    /// answers decide it. Costs as much as the arrivals until then.
    pub(crate) fn offered_until(&self) -> Option<Nanos> {
        let arrivals = self.arrivals()?;
        let behind = |number| arrivals.times.clone().split(number, 1).next();
        let next = self.requests.map(|requests| self.arrivals_of(requests));
        let is_recording = arrivals.asked.is_none();
        let offered = next.and_then(behind).or_else(|| match is_recording {
            true => gap_behind(arrivals.times.clone()),
            false => None,
        });
        let until = offered.unwrap_or(Nanos::MAX).min(self.window_end());
        (until < Nanos::MAX).then_some(until)
    }

    /// How many arrivals bring so many requests.
    fn arrivals_of(&self, requests: u64) -> usize {
        let each = match self.model {
            Model::PartlyOpen(_, requests) => u64::from(requests),
            Model::Open(_) | Model::Closed => 1,
        };
        usize::try_from(requests.div_ceil(each)).unwrap_or(usize::MAX)
    }

    /// Whether the schedule ends when its time is over, though nothing may be due in the last of it.
    pub(crate) fn ends_by_time(&self) -> bool {
        let has_rates = |arrivals: &Arrivals| arrivals.asked.is_some();
        self.duration.is_some() && self.requests.is_none() && self.arrivals().is_none_or(has_rates)
    }

    /// How many requests are to be measured, at most, where a number or a rate says so beforehand.
    pub(crate) fn planned(&self) -> Option<f64> {
        if let Some(requests) = self.requests_of_part() {
            return Some(requests as f64);
        }
        let (stages, _) = self.arrivals()?.asked.as_ref()?;
        let arrivals = stages.cumulative(self.window_end()) - stages.cumulative(self.warmup);
        let arrivals = arrivals / self.parts() as f64;
        let each = match self.model {
            Model::PartlyOpen(_, requests) => requests,
            Model::Open(_) | Model::Closed => 1,
        };
        Some(arrivals * f64::from(each))
    }

    /// When waiting for the last answers ends, if time decides it.
    pub(crate) fn drain_until(&self) -> Nanos {
        self.window_end().saturating_add(self.timeout)
    }

    /// Of how many parts this is one.
    fn parts(&self) -> u64 {
        self.part.map_or(1, |part| part.share.of.into())
    }

    /// How many requests this part makes, if a number ends it; of an open loop's, about as many.
    pub(crate) fn requests_of_part(&self) -> Option<u64> {
        let requests = self.requests?;
        Some(match self.model {
            Model::Closed => requests,
            Model::Open(_) | Model::PartlyOpen(..) => requests.div_ceil(self.parts()),
        })
    }

    /// What of `all` is `thread`'s, and how many belong to the threads before it.
    fn share(&self, all: u64, thread: usize) -> (u64, u64) {
        divided(all, thread as u64, self.threads as u64)
    }

    /// The clients or connections that `thread` begins with, and the most it may have.
    pub(crate) fn connections(&self, thread: usize) -> (usize, usize) {
        let (clients, _) = self.share(self.clients as u64, thread);
        let (most, _) = self.share(self.max_connections as u64, thread);
        (clients as usize, most.max(clients) as usize)
    }

    /// The schedule of `thread`.
    pub(crate) fn schedule(&self, thread: usize) -> schedule::Plan {
        let model = match &self.model {
            Model::Closed => {
                let (clients, first) = self.share(self.clients as u64, thread);
                let (before, all) = match self.part {
                    Some(part) => (part.clients_before, part.clients_of_all),
                    None => (0, self.clients),
                };
                schedule::Model::Closed {
                    clients: clients as u32,
                    first: before as u32 + first as u32,
                    of: all as u32,
                    depth: self.depth as u32,
                }
            }
            Model::Open(_) => schedule::Model::Open,
            Model::PartlyOpen(_, requests) => schedule::Model::PartlyOpen {
                requests: *requests,
                at_once: self.session_at_once,
            },
        };
        let limit = match (&self.model, self.requests) {
            (_, None) => u64::MAX,
            // Closed: any share will do. Open: the first of the whole stream.
            (Model::Closed, Some(requests)) => self.share(requests, thread).0,
            (_, Some(requests)) => self.arrivals_of(requests) as u64,
        };
        schedule::Plan {
            model,
            arrivals: self.arrivals().map(|arrivals| {
                let times = arrivals.times.clone();
                let own = match self.part {
                    Some(Part { share, .. }) => {
                        times.thin(share.number.into(), share.of.into(), self.seed)
                    }
                    None => times,
                };
                own.split(thread, self.threads)
            }),
            think: self.think,
            seed: self.seed,
            end: self.window_end(),
            limit,
            requests: self.requests.unwrap_or(u64::MAX),
        }
    }

    /// A test of the arrivals, if they have a distribution to be tested for.
    pub(crate) fn fidelity(&self) -> Option<Fidelity> {
        let (stages, poisson) = self.arrivals()?.asked.clone()?;
        Some(Fidelity::new(stages, poisson))
    }

    /// The number in the stream of arrivals, if the request is one by itself or the first of its session.
    #[inline]
    pub(crate) fn arrival_number(&self, due: &Due) -> Option<u64> {
        match (&self.model, due.origin) {
            (_, Origin::Arrival) => Some(due.number),
            (Model::PartlyOpen(_, each), Origin::Session(_)) => {
                let each = u64::from(*each);
                due.number.is_multiple_of(each).then(|| due.number / each)
            }
            _ => None,
        }
    }
}

/// The end of the gap behind the last of a recording's arrivals, if it is as long as the others are on average. None: there are no gaps.
fn gap_behind(mut times: workload::Schedule) -> Option<Nanos> {
    let first = times.next()?;
    let (last, gaps) = times.fold((first, 0), |(_, gaps), time| (time, gaps + 1));
    (gaps > 0).then(|| last + (last - first) / gaps)
}

/// How the outside interferes with a run.
#[derive(Debug, Default)]
pub struct Control {
    stops: AtomicU32,
    interrupted: AtomicBool,
}

impl Control {
    /// Ends the run: the first time after a short drain, the second time at once.
    pub fn stop(&self) {
        self.interrupted.store(true, Relaxed);
        self.stops.fetch_add(1, Relaxed);
    }

    /// Ends the run as if its time were over.
    pub fn end(&self) {
        self.stops.fetch_add(1, Relaxed);
    }

    /// Whether it was ended before its time.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Relaxed)
    }

    /// How often it was asked to end.
    #[inline]
    pub(crate) fn stop_requests(&self) -> u32 {
        self.stops.load(Relaxed)
    }
}
