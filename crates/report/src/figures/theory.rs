//! What queueing theory says of an architecture, from its capacity and the service times of its least loaded cell.

use crate::estimate::named;
use crate::figure::{Look, Point, Series};
use crate::study::Study;
use hdrhistogram::Histogram;
use results::Cell;
use stats::queueing::{Mg1, lecture_delay};

/// Points of a curve.
const POINTS: i32 = 120;

/// A single server, as theory sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Server {
    /// Requests a second at most.
    pub(crate) capacity: f64,
    /// The variance of service times as a multiple of their squared mean.
    variability: Option<f64>,
}

impl Server {
    /// The most that a model was seen to do: in a closed loop, which drives it to its limit; otherwise in any cell, or what its processor time for a
    /// request would allow on one core, if that is more.
    pub(crate) fn of(study: &Study<'_>, model: &str) -> Option<Self> {
        let lines = study
            .panels
            .iter()
            .flat_map(|panel| panel.lines.iter().map(move |line| (panel, line)));
        let lines: Vec<_> = lines.filter(|(_, line)| line.model == model).collect();
        let most = |open: bool| {
            let cells = lines
                .iter()
                .filter(|(panel, _)| panel.is_open() == open)
                .flat_map(|(_, line)| &line.cells);
            let rates = cells.filter_map(|(_, cell)| named(cell, results::Figure::Throughput));
            rates
                .filter(|rate| !rate.invalid)
                .map(|rate| rate.value)
                .fold(0.0, f64::max)
        };
        let open = lines
            .iter()
            .filter(|(panel, _)| panel.is_open())
            .flat_map(|(_, line)| &line.cells);
        let busy = open
            .clone()
            .filter_map(|(_, cell)| named(cell, results::Figure::CpuPerRequest));
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
            .min_by(|one, other| one.0.total_cmp(&other.0))
            .and_then(|(_, cell)| service(study, cell))
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

/// Service times of the first repeat that counts.
fn service(study: &Study<'_>, cell: &Cell<'_>) -> Option<Histogram<u64>> {
    let trial = cell.trials.iter().find(|trial| trial.counts())?;
    study
        .log(trial)?
        .merged(Some("service"))
        .filter(|times| !times.is_empty())
}
