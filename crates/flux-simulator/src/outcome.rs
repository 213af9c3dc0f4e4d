//! What came of a simulation.

use contracts::Document;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::run::Load;

/// What came of one load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Flows a second that were to begin; none in a closed loop.
    pub offered_per_s: Option<f64>,
    /// Clients of a closed loop.
    pub clients: Option<u32>,
    /// Flows that were looked at.
    pub flows: u64,
    /// Flows that ended, a second.
    pub throughput_per_s: f64,
    /// From a flow's beginning to its end, in seconds.
    pub response_s: Response,
    /// By how much each station was used.
    pub stations: Vec<Station>,
    /// The station that is used most.
    pub bottleneck: String,
    /// Whether more arrives than leaves: response times are those of a queue that grows, and mean nothing beyond that.
    pub is_saturated: bool,
    /// Events that were simulated.
    pub events: u64,
}

/// Response times, in seconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// The mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// Of a hundred, ninety took less.
    pub p90: f64,
    /// Of a hundred, ninety-nine took less.
    pub p99: f64,
    /// Of a thousand, 999 took less.
    pub p99_9: f64,
    /// The longest.
    pub max: f64,
}

/// Something of which there is only so much.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Station {
    /// Its name.
    pub name: String,
    /// The share of it that was in use, from 0 to 1.
    pub utilisation: f64,
}

/// A load curve, as programs read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`Document::SCHEMA`].
    pub schema: String,
    /// The program.
    pub program: String,
    /// That nothing of it was measured.
    pub is_simulated: bool,
    /// A curve for each number of processors.
    pub curves: Vec<Curve>,
}

impl Document for Report {
    const SCHEMA: &'static str = "archbench.flux-simulation/1";
}

/// Outcomes of one machine, load by load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Its processors.
    pub processors: u32,
    /// Flows a second that it serves at most, by what they ask of its stations.
    pub capacity_per_s: f64,
    /// From the least load to the highest.
    pub outcomes: Vec<Outcome>,
}

/// Counts while it is simulated.
#[derive(Debug)]
pub(crate) struct Recorder {
    warm_up: u64,
    flows: u64,
    ended: u64,
    since: f64,
    events: u64,
    sum_ns: f64,
    response_ns: Histogram<u64>,
}

/// The longest response time that is told from longer ones, in nanoseconds: a day.
const LONGEST_NS: u64 = 86_400_000_000_000;

/// Stations whose utilisation differs by less are used alike, and the first of them is what the others wait for: processors before
/// locks and threads, which are held by those who wait for processors.
const ALIKE: f64 = 0.02;

/// The share of flows that may still be under way in the end, where those that end keep up with those that begin.
const BEHIND: f64 = 0.02;

impl Recorder {
    pub(crate) fn new(warm_up: u64, flows: u64) -> Self {
        Self {
            warm_up,
            flows,
            ended: 0,
            since: 0.0,
            events: 0,
            sum_ns: 0.0,
            response_ns: Histogram::new_with_bounds(1, LONGEST_NS, 3)
                .expect("these bounds are in order, and three digits are allowed"),
        }
    }

    /// Whether more is to be seen.
    pub(crate) fn is_open(&self) -> bool {
        self.ended < self.planned()
    }

    /// How many flows are to end.
    pub(crate) fn planned(&self) -> u64 {
        self.warm_up.saturating_add(self.flows)
    }

    pub(crate) fn since(&self) -> f64 {
        self.since
    }

    pub(crate) fn count_event(&mut self) {
        self.events += 1;
    }

    /// A flow has ended after so many nanoseconds. Whether it is the last that does not count.
    pub(crate) fn record(&mut self, ns: f64) -> bool {
        self.ended += 1;
        if self.ended > self.warm_up {
            self.sum_ns += ns;
            self.response_ns.saturating_record(ns as u64);
        }
        self.ended == self.warm_up
    }

    pub(crate) fn restart(&mut self, now: f64) {
        self.since = now;
    }

    /// Of flows, so many have arrived, and so many of them are still under way.
    pub(crate) fn outcome(
        self,
        load: Load,
        stations: Vec<Station>,
        lasted_ns: f64,
        (arrived, under_way): (u64, u64),
    ) -> Outcome {
        let counted = self.response_ns.len();
        let at = |percent: f64| self.response_ns.value_at_percentile(percent) as f64 / 1e9;
        let throughput_per_s = if lasted_ns > 0.0 {
            counted as f64 / lasted_ns * 1e9
        } else {
            0.0
        };
        // More arrives than leaves: fewer end than begin, and those that have not are many.
        let falls_behind = |offered: f64| throughput_per_s < offered * (1.0 - BEHIND / 2.0);
        let is_saturated = load.offered_per_s().is_some_and(falls_behind)
            && under_way as f64 > BEHIND * arrived as f64;
        Outcome {
            offered_per_s: load.offered_per_s(),
            clients: match load {
                Load::Closed(clients, _) => Some(clients),
                Load::Poisson(_) | Load::Constant(_) => None,
            },
            flows: counted,
            throughput_per_s,
            response_s: Response {
                mean: self.sum_ns / counted.max(1) as f64 / 1e9,
                p50: at(50.0),
                p90: at(90.0),
                p99: at(99.0),
                p99_9: at(99.9),
                max: self.response_ns.max() as f64 / 1e9,
            },
            bottleneck: bottleneck(&stations),
            stations,
            is_saturated,
            events: self.events,
        }
    }
}

fn bottleneck(stations: &[Station]) -> String {
    let used = stations.iter().map(|station| station.utilisation);
    let most = used.fold(0.0, f64::max);
    let first = stations
        .iter()
        .find(|station| station.utilisation >= most - ALIKE);
    first.map_or_else(String::new, |station| station.name.clone())
}
