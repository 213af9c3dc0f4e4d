//! How models stand to each other under the same circumstances: who leads, and who can be told from whom.

use crate::estimate::{Estimate, LEVEL, named};
use crate::figure::{Look, Unit};
use crate::page::levels::telling_level;
use crate::study::{Panel, Study};
use results::{Better, Cell, Figure, Level, Statistic, TimeFigure, Trial};
use stats::Interval;
use stats::compare::{Difference, holm, paired};

/// The share of the offered load that has to be answered for a server to bear it.
const BORNE: f64 = 0.95;

/// By which figure models are held against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Criterion {
    /// Good answers each second: what a closed loop is for, and an open one that is more than some can bear.
    Throughput,
    /// The 99th percentile of the response time: what users feel of a load that all can bear.
    Tail,
    /// Processor time of the server for each request.
    Cost,
}

impl Criterion {
    pub(crate) const ALL: [Self; 3] = [Self::Throughput, Self::Tail, Self::Cost];

    /// As people call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Throughput => "throughput",
            Self::Tail => "99th percentile",
            Self::Cost => "processor time",
        }
    }

    pub(crate) fn figure(self) -> Figure {
        match self {
            Self::Throughput => Figure::Throughput,
            Self::Tail => Figure::Time(TimeFigure::Latency, Statistic::Percentile(99.0)),
            Self::Cost => Figure::CpuPerRequest,
        }
    }

    pub(crate) fn unit(self) -> Unit {
        match self {
            Self::Throughput => Unit::PerSecond,
            Self::Tail | Self::Cost => Unit::Seconds,
        }
    }

    /// The one that says most of a panel at a level.
    fn telling(panel: &Panel<'_>, level: f64) -> Self {
        let borne = |cell: &Cell<'_>| {
            let rates = cell.factors.iter().filter(|(name, _)| *name == "rate");
            let mut rates = rates.filter_map(|(_, rate)| Level::number(rate));
            let answered = named(cell, Figure::Throughput);
            let answered = answered.filter(|answered| !answered.invalid);
            match (rates.next(), answered) {
                (Some(rate), Some(answered)) => answered.value >= BORNE * rate,
                _ => true,
            }
        };
        let mut cells = panel.lines.iter().filter_map(|line| line.at(level));
        match panel.is_open() && cells.all(borne) {
            true => Self::Tail,
            false => Self::Throughput,
        }
    }
}

/// The models of a panel at one level, by one figure.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// Under which circumstances, in words; may be empty.
    pub(crate) circumstances: String,
    pub(crate) criterion: Criterion,
    /// Those of which something counts, from the best on.
    pub(crate) ranked: Vec<Ranked>,
    /// Those of which nothing does.
    pub(crate) uncounted: Vec<Uncounted>,
    /// The most repeats that count of any.
    pub(crate) repeats: usize,
}

/// A model that has a place.
#[derive(Debug, Clone)]
pub(crate) struct Ranked {
    pub(crate) model: String,
    pub(crate) look: Look,
    pub(crate) estimate: Estimate,
    /// The leader's figure over this one's, where the repeats show that the leader's is better; None of the leader itself, and of whoever cannot
    /// be told from it.
    pub(crate) behind: Option<Interval>,
}

/// A model without a trial that counts.
#[derive(Debug, Clone)]
pub(crate) struct Uncounted {
    pub(crate) model: String,
    pub(crate) look: Look,
    /// What its trials say all the same.
    pub(crate) estimate: Option<Estimate>,
}

/// The figure of each repeat that counts.
type Repeats = Vec<(usize, f64)>;

impl Standing {
    /// By the criterion that says most, at the level that does.
    pub(crate) fn telling(panel: &Panel<'_>) -> Self {
        let level = telling_level(panel);
        Self::of(panel, level, Criterion::telling(panel, level))
    }

    /// Everywhere: of each panel at its telling level, by each criterion.
    pub(crate) fn all(study: &Study<'_>) -> Vec<Self> {
        let of_panel = |panel: &Panel<'_>| {
            let level = telling_level(panel);
            Criterion::ALL.map(|criterion| Self::of(panel, level, criterion))
        };
        study.panels.iter().flat_map(of_panel).collect()
    }

    fn of(panel: &Panel<'_>, level: f64, criterion: Criterion) -> Self {
        let figure = criterion.figure();
        let mut found: Vec<(Ranked, Repeats)> = Vec::new();
        let mut uncounted = Vec::new();
        for line in &panel.lines {
            let Some(cell) = line.at(level) else {
                continue;
            };
            let (model, look) = (line.model.clone(), line.look);
            match named(cell, figure) {
                Some(estimate) if !estimate.invalid => found.push((
                    Ranked {
                        model,
                        look,
                        estimate,
                        behind: None,
                    },
                    repeats(cell, figure),
                )),
                estimate => uncounted.push(Uncounted {
                    model,
                    look,
                    estimate,
                }),
            }
        }
        let higher = figure.better() == Better::Higher;
        // What is only a lower bound of a time leads nobody. Of equals the first by name, whatever the catalogue: page and terminal say the same.
        found.sort_by(|(one, _), (other, _)| {
            let (mut a, mut b) = (one.estimate.value, other.estimate.value);
            if higher {
                (a, b) = (b, a);
            }
            let bounds = one.estimate.at_least.cmp(&other.estimate.at_least);
            let values = bounds.then(a.total_cmp(&b));
            values.then_with(|| one.model.cmp(&other.model))
        });
        let most = found.iter().map(|(_, repeats)| repeats.len()).max();
        Self {
            circumstances: panel.circumstances(level),
            criterion,
            ranked: told_apart(found, higher),
            uncounted,
            repeats: most.unwrap_or(0),
        }
    }

    /// The best, and whoever cannot be told from it.
    pub(crate) fn leaders(&self) -> impl Iterator<Item = &Ranked> {
        self.ranked.iter().filter(|ranked| ranked.behind.is_none())
    }
}

fn repeats(cell: &Cell<'_>, figure: Figure) -> Repeats {
    let mut repeats = Repeats::new();
    for trial in cell.trials.iter().filter(|trial: &&&Trial| trial.counts()) {
        if let Some(value) = figure.of(trial)
            && repeats.iter().all(|(repeat, _)| *repeat != trial.repeat)
        {
            repeats.push((trial.repeat, value));
        }
    }
    repeats
}

/// Holds each against the first, within the repeats that both have: trials of one repeat share a block and a seed. A difference counts if it would among as many
/// comparisons as there are (Holm).
fn told_apart(found: Vec<(Ranked, Repeats)>, higher: bool) -> Vec<Ranked> {
    let (mut ranked, repeats): (Vec<Ranked>, Vec<Repeats>) = found.into_iter().unzip();
    let Some((first, others)) = repeats.split_first() else {
        return ranked;
    };
    // Where the first is a lower bound itself, so are all.
    if ranked[0].estimate.at_least {
        return ranked;
    }
    let compared = others.iter().map(|other| {
        let both = other.iter().filter_map(|(repeat, value)| {
            let same = first.iter().find(|(other, _)| other == repeat)?;
            Some((*value, same.1))
        });
        let (theirs, leaders): (Vec<f64>, Vec<f64>) = both.unzip();
        paired(&theirs, &leaders, LEVEL).ok()
    });
    let compared: Vec<_> = compared.collect();
    let p: Vec<f64> = compared.iter().flatten().map(|found| found.p).collect();
    let mut raised = holm(&p).into_iter();
    let better = match higher {
        true => Difference::Higher,
        false => Difference::Lower,
    };
    for (ranked, compared) in ranked.iter_mut().skip(1).zip(compared) {
        let Some((compared, p)) = compared.and_then(|found| Some((found, raised.next()?))) else {
            continue;
        };
        if compared.verdict_by(p, 0.0) == better {
            ranked.behind = Some(compared.ratio);
        }
    }
    ranked
}
