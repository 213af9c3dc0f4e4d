//! Load curves: one simulation for each load, and a curve for each number of processors.

use std::time::Duration;

use flux::Compiled;
use flux::profile::Profile;

use crate::model::{Model, Settings};
use crate::outcome::Curve;
use crate::run::{Load, Run, run};

/// Loads of a curve that says no rates, by the share of what the machine can do at most.
const TO_CAPACITY: [f64; 10] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95];

/// When flows begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Arrivals {
    /// At random, whoever sends them knowing nothing of the others.
    #[default]
    Poisson,
    /// Evenly spaced.
    Constant,
}

impl Arrivals {
    /// So many a second.
    pub fn at(self, rate: f64) -> Load {
        match self {
            Self::Poisson => Load::Poisson(rate),
            Self::Constant => Load::Constant(rate),
        }
    }
}

/// The loads of a curve.
#[derive(Debug, Clone, PartialEq)]
pub enum Loads {
    /// Flows a second.
    Rates(Arrivals, Vec<f64>),
    /// Flows a second, from a tenth of what the machine can do to nearly all of it.
    ToCapacity(Arrivals),
    /// Clients, each of which thinks for so long between its flows.
    Clients(Vec<u32>, Duration),
}

/// Simulates a program on a machine with so many processors, load by load.
///
/// # Errors
/// What is not known of the program, and how to say it.
pub fn curve(
    compiled: &Compiled,
    profile: Option<&Profile>,
    settings: &Settings,
    loads: &Loads,
    how: Run,
) -> Result<Curve, String> {
    let model = Model::new(compiled, profile, settings)?;
    let is_closed = matches!(loads, Loads::Clients(..));
    if model.has_sessions() && model.sessions.is_none() && !is_closed {
        return Err(
            "a constraint holds among the flows of a session: say --sessions, to how many flows belong"
                .into(),
        );
    }
    let capacity = model.capacity_per_s(model.sessions.unwrap_or(1));
    let loads: Vec<Load> = match loads {
        Loads::Rates(arrivals, rates) => rates.iter().map(|rate| arrivals.at(*rate)).collect(),
        Loads::Clients(clients, think) => clients
            .iter()
            .map(|clients| Load::Closed(*clients, *think))
            .collect(),
        Loads::ToCapacity(_) if !capacity.is_finite() => {
            return Err(
                "no station limits how many flows it serves: say --rate, or times that are not 0"
                    .into(),
            );
        }
        Loads::ToCapacity(arrivals) => TO_CAPACITY
            .iter()
            .map(|share| arrivals.at(share * capacity))
            .collect(),
    };
    let sessions = loads.first().map_or(1, |load| model.sessions_of(*load));
    Ok(Curve {
        processors: settings.processors,
        capacity_per_s: model.capacity_per_s(sessions),
        outcomes: loads.iter().map(|load| run(&model, *load, how)).collect(),
    })
}
