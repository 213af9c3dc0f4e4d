//! How long a node runs.

use flux::profile;
use rand_distr::weighted::WeightedAliasIndex;
use rand_distr::{Distribution as _, Exp1, StandardUniform};
use rand_xoshiro::Xoshiro256PlusPlus;

/// What is made of the times that a profile has observed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ServiceTimes {
    /// Their distribution.
    #[default]
    Observed,
    /// Their mean, exponentially distributed, as the paper has it.
    Exponential,
    /// Their mean.
    Constant,
}

/// The distribution of a node's time, in nanoseconds.
#[derive(Debug, Clone)]
pub enum Times {
    /// Always the same.
    Constant(f64),
    /// Exponential, with this mean.
    Exponential(f64),
    /// As it was observed.
    Observed(Observed),
}

/// A histogram: a class by how often it was met, and within it each time alike.
#[derive(Debug, Clone)]
pub struct Observed {
    mean: f64,
    class: WeightedAliasIndex<f64>,
    /// The least time of each class, and how many there are above it.
    classes: Box<[(f64, f64)]>,
}

impl Times {
    /// Of what was observed; none where nothing was.
    pub fn of(observed: &profile::Times, kind: ServiceTimes) -> Option<Self> {
        let mean = observed.mean_ns()?;
        Some(match kind {
            ServiceTimes::Constant => Self::Constant(mean),
            ServiceTimes::Exponential => Self::Exponential(mean),
            ServiceTimes::Observed => {
                Observed::new(observed, mean).map_or(Self::Constant(mean), Self::Observed)
            }
        })
    }

    /// Of a mean of which nothing else is known.
    pub fn of_mean(mean: f64, kind: ServiceTimes) -> Self {
        match kind {
            ServiceTimes::Exponential => Self::Exponential(mean),
            ServiceTimes::Observed | ServiceTimes::Constant => Self::Constant(mean),
        }
    }

    /// Its mean, in nanoseconds.
    pub fn mean(&self) -> f64 {
        match self {
            Self::Constant(mean) | Self::Exponential(mean) => *mean,
            Self::Observed(observed) => observed.mean,
        }
    }

    /// One of them.
    pub(crate) fn draw(&self, random: &mut Xoshiro256PlusPlus) -> f64 {
        match self {
            Self::Constant(time) => *time,
            Self::Exponential(mean) => {
                let one: f64 = Exp1.sample(random);
                one * mean
            }
            Self::Observed(observed) => {
                let (least, width) = observed.classes[observed.class.sample(random)];
                let within: f64 = StandardUniform.sample(random);
                least + within * width
            }
        }
    }
}

impl Observed {
    fn new(observed: &profile::Times, mean: f64) -> Option<Self> {
        let weights: Vec<f64> = observed
            .classes
            .iter()
            .map(|(_, count)| *count as f64)
            .collect();
        let all: f64 = weights.iter().sum();
        let middle = |&(least, _): &(u64, u64)| least as f64 + width(least) / 2.0;
        let sum: f64 = observed
            .classes
            .iter()
            .zip(&weights)
            .map(|(class, weight)| middle(class) * weight)
            .sum();
        let class = WeightedAliasIndex::new(weights).ok()?;
        // Where in its class a time lies was not observed; the mean was.
        let scale = mean * all / sum;
        let scaled = |&(least, _): &(u64, u64)| (least as f64 * scale, width(least) * scale);
        Some(Self {
            mean,
            class,
            classes: observed.classes.iter().map(scaled).collect(),
        })
    }
}

/// How far it is from the least time of a class to that of the next: there are four for each power of two.
fn width(least: u64) -> f64 {
    (1_u64 << (least.max(4).ilog2() - 2)) as f64
}
