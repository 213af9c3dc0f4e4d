//! What queueing theory says of an architecture, from its capacity and the service times of its least loaded cell.

use crate::estimate::named;
use crate::figure::{Look, Point, Series};
use crate::study::{Line, Study};
use hdrhistogram::Histogram;
use results::{Cell, Factors, Level};
use stats::queueing::{Mg1, lecture_delay};

/// Points of a curve.
const POINTS: i32 = 120;
/// Factors in which cells may differ, and it is the same server all the same.
const OF_THE_LOAD: [&str; 5] = ["load", "connections", "rate", "session_requests", "think"];

/// A single server, as theory sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Server {
    /// Requests a second at most.
    pub(crate) capacity: f64,
    /// The variance of service times as a multiple of their squared mean.
    variability: Option<f64>,
}

impl Server {
    /// The most that the server of a line was seen to do: in a closed loop, which drives it to its limit; otherwise in any cell, or what
    /// its processor time for a request would allow on one core, if that is more.
    pub(crate) fn of(study: &Study<'_>, line: &Line<'_>) -> Option<Self> {
        let (_, here) = line.cells.first()?;
        let mut cells = Vec::new();
        for panel in &study.panels {
            for (x, cell) in panel.lines.iter().flat_map(|line| &line.cells) {
                if is_of_the_same_server(here.factors, cell.factors) {
                    cells.push((panel.is_open(), *x, cell));
                }
            }
        }
        let most = |open: bool| {
            let cells = cells.iter().filter(|(is_open, ..)| *is_open == open);
            let rates = cells.filter_map(|(.., cell)| named(cell, results::Figure::Throughput));
            rates
                .filter(|rate| !rate.invalid)
                .map(|rate| rate.value)
                .fold(0.0, f64::max)
        };
        let open = cells.iter().filter(|(is_open, ..)| *is_open);
        let busy = open
            .clone()
            .filter_map(|(.., cell)| named(cell, results::Figure::CpuPerRequest));
        let by_processor = busy
            .map(|cpu| cpu.value)
            .filter(|cpu| *cpu > 0.0)
            .map(|cpu| 1.0 / cpu)
            .fold(0.0, f64::max);
        let closed = most(false);
        let capacity = if closed > 0.0 {
            closed
        } else {
            most(true).max(by_processor)
        };
        let variability = open
            .min_by(|one, other| one.1.total_cmp(&other.1))
            .and_then(|(.., cell)| service(study, cell))
            .filter(|service| service.mean() > 0.0)
            .map(|service| (service.stdev() / service.mean()).powi(2));
        (capacity > 0.0).then_some(Self {
            capacity,
            variability,
        })
    }

    /// Both curves, as far as there are the data for them.
    pub(crate) fn curves(&self) -> Vec<Series> {
        let lecture = |load| lecture_delay(self.capacity, load).ok();
        let mut curves = vec![self.curve("1/(capacity − load)", Look::Theory(0), lecture)];
        if let Some(variability) = self.variability {
            let service = 1.0 / self.capacity;
            let second = (1.0 + variability) * service * service;
            let mg1 = |load| Some(Mg1::new(load, service, second).ok()?.mean_response());
            curves.push(self.curve("M/G/1", Look::Theory(1), mg1));
        }
        curves
    }

    fn curve(&self, label: &str, look: Look, of: impl Fn(f64) -> Option<f64>) -> Series {
        // Closer together towards capacity, where the curve is steep.
        let loads = (0..POINTS).map(|n| 1.0 - (1.0 - f64::from(n) / f64::from(POINTS)).powi(3));
        let loads = loads.map(|load| load * self.capacity);
        let points = loads.filter_map(|load| Some(Point::at(load, of(load)?)));
        Series {
            joined: true,
            label: label.into(),
            look,
            points: points.collect(),
        }
    }
}

/// The same model with the same options, files, memory and cores.
fn is_of_the_same_server(one: &Factors, other: &Factors) -> bool {
    let of_server = |(name, _): &(&String, &Level)| !OF_THE_LOAD.contains(&name.as_str());
    one.iter()
        .filter(of_server)
        .eq(other.iter().filter(of_server))
}

/// Service times of the first repeat that counts.
fn service(study: &Study<'_>, cell: &Cell<'_>) -> Option<Histogram<u64>> {
    let trial = cell.trials.iter().find(|trial| trial.counts())?;
    study
        .log(trial)?
        .answered(Some("service"))
        .filter(|times| !times.is_empty())
}
