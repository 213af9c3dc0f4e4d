//! Predicted beside measured: a load curve, and what a simulation says of the same loads.

use std::fmt;

use command::quantity::{Unit, significant, trimmed};
use contracts::Document;
use flux::Compiled;
use flux::profile::Profile;
use serde::{Deserialize, Serialize};

use crate::curve::{Loads, curve};
use crate::measured::Measured;
use crate::model::Settings;
use crate::outcome::Curve;
use crate::run::Run;

/// Up to this share of what the machine can do at most, a prediction is held to its bounds.
pub const HELD_UP_TO: f64 = 0.8;

/// By how much a prediction may differ from what was measured, as a share of it.
pub const BOUNDS: [(Quantity, f64); 3] = [
    (Quantity::Throughput, 0.10),
    (Quantity::Mean, 0.10),
    (Quantity::P99, 0.25),
];

/// What is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Flows a second.
    Throughput,
    /// The mean response time.
    Mean,
    /// The 99th percentile of response times.
    P99,
}

/// A prediction, as programs read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// [`Document::SCHEMA`].
    pub schema: String,
    /// Requests a second that the machine serves at most, by the simulation.
    pub capacity_per_s: f64,
    /// Load by load.
    pub loads: Vec<Compared>,
}

impl Document for Prediction {
    const SCHEMA: &'static str = "archbench.flux-prediction/1";
}

/// One load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// Flows a second that were offered.
    pub offered_per_s: f64,
    /// Whether the prediction is held to its bounds.
    pub is_held: bool,
    /// Throughput a second, mean and 99th percentile in seconds.
    pub figures: Vec<Pair>,
}

/// What was predicted and what was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// Of what.
    pub quantity: Quantity,
    /// What the simulation says.
    pub predicted: f64,
    /// What was measured.
    pub measured: f64,
    /// How well that is known, where it is told: half an interval, as a share of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_to: Option<f64>,
}

impl Pair {
    /// By how much the prediction is more than what was measured, as a share of that.
    pub fn error(&self) -> f64 {
        self.predicted / self.measured - 1.0
    }

    /// By how much it may be more or less.
    pub fn bound(&self) -> f64 {
        let bound = BOUNDS
            .iter()
            .find(|(quantity, _)| *quantity == self.quantity);
        bound.map_or(0.0, |(_, bound)| *bound)
    }

    /// Whether that is within its bounds.
    pub fn is_within(&self) -> bool {
        self.error().abs() <= self.bound()
    }
}

impl Prediction {
    /// Whether all figures that are held to their bounds are within them.
    pub fn holds(&self) -> bool {
        let held = self.loads.iter().filter(|load| load.is_held);
        held.flat_map(|load| &load.figures).all(Pair::is_within)
    }
}

/// Simulates the loads that were measured.
///
/// # Errors
/// What is not known of the program, and how to say it.
pub fn predict(
    compiled: &Compiled,
    profile: &Profile,
    settings: &Settings,
    measured: &[Measured],
    how: Run,
) -> Result<(Prediction, Curve), String> {
    let mut outcomes = Vec::new();
    let mut loads = Vec::new();
    let mut capacity = f64::INFINITY;
    for one in measured {
        let load = Loads::Rates(one.arrivals, vec![one.offered_per_s]);
        let simulated = curve(compiled, Some(profile), settings, &load, how)?;
        capacity = simulated.capacity_per_s;
        for outcome in simulated.outcomes {
            let pair = |quantity, predicted, measured, known_to| Pair {
                quantity,
                predicted,
                measured,
                known_to,
            };
            let (mean_known_to, p99_known_to) = one.known_to;
            let response = &outcome.response_s;
            loads.push(Compared {
                offered_per_s: one.offered_per_s,
                is_held: one.offered_per_s <= HELD_UP_TO * capacity,
                figures: vec![
                    pair(
                        Quantity::Throughput,
                        outcome.throughput_per_s,
                        one.throughput_per_s,
                        None,
                    ),
                    pair(Quantity::Mean, response.mean, one.mean_s, mean_known_to),
                    pair(Quantity::P99, response.p99, one.p99_s, p99_known_to),
                ],
            });
            outcomes.push(outcome);
        }
    }
    let prediction = Prediction {
        schema: Prediction::SCHEMA.into(),
        capacity_per_s: capacity,
        loads,
    };
    let curve = Curve {
        processors: settings.processors,
        capacity_per_s: capacity,
        outcomes,
    };
    Ok((prediction, curve))
}

impl fmt::Display for Prediction {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "predicted, simulated on a machine that can do {} requests/s, beside measured\n",
            significant(self.capacity_per_s, 3)
        )?;
        writeln!(
            out,
            "  {:>10}  {:>5}  {:<10}  {:>10}  {:>10}  {:>8}  {:>5}  {:>12}",
            "offered/s", "load", "figure", "predicted", "measured", "known to", "ratio", "bounds"
        )?;
        for load in &self.loads {
            for pair in &load.figures {
                let verdict = match (load.is_held, pair.is_within()) {
                    (false, _) => "not held to them",
                    (true, true) => "met",
                    (true, false) => "MISSED",
                };
                let known_to = pair
                    .known_to
                    .map_or_else(String::new, |share| format!("±{:.0} %", share * 100.0));
                writeln!(
                    out,
                    "  {:>10}  {:>5.2}  {:<10}  {:>10}  {:>10}  {known_to:>8}  {:>5.2}  {:.2} to {:.2}  {verdict}",
                    trimmed(load.offered_per_s, 1),
                    load.offered_per_s / self.capacity_per_s,
                    pair.quantity.name(),
                    pair.quantity.show(pair.predicted),
                    pair.quantity.show(pair.measured),
                    1.0 + pair.error(),
                    1.0 - pair.bound(),
                    1.0 + pair.bound(),
                )?;
            }
        }
        let held = if self.holds() { "is" } else { "is NOT" };
        write!(
            out,
            "\nup to {HELD_UP_TO} of what the machine can do, the prediction {held} within its bounds"
        )
    }
}

impl Quantity {
    fn name(self) -> &'static str {
        match self {
            Self::Throughput => "throughput",
            Self::Mean => "mean",
            Self::P99 => "p99",
        }
    }

    fn show(self, value: f64) -> String {
        match self {
            Self::Throughput => significant(value, 3),
            Self::Mean | Self::P99 => Unit::Seconds.show(value),
        }
    }
}
