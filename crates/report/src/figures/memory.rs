//! Memory of the server for each connection.

use super::sweep::{Quantity, figures};
use crate::estimate::estimate;
use crate::figure::{Figure, Kind, Unit};
use crate::study::Study;
use results::{Level, Trial};

pub(crate) fn of(study: &Study<'_>) -> Vec<Figure> {
    let quantity = Quantity {
        id: "memory",
        title: "Memory for each connection",
        about: "The most resident memory of all processes of the server, what they share counted for each, divided by the connections: a fixed cost weighs less \
                the more connections there are.",
        axis: "Resident memory for each connection",
        unit: Unit::Bytes,
        kind: Kind::Log,
    };
    figures(study, &quantity, |cell| estimate(cell, 1.0, for_each))
}

fn for_each(trial: &Trial) -> Option<f64> {
    let made = trial
        .load
        .as_ref()
        .and_then(|load| load.generator.connections);
    let connections = made
        .map(|connections| connections as f64)
        .or_else(|| trial.factors.get("connections").and_then(Level::number))
        .filter(|connections| *connections >= 1.0)?;
    Some(results::Figure::PeakResident.of(trial)? / connections)
}
