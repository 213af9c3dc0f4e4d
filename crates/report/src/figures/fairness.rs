//! Whether all clients got the same.

use super::sweep::{Quantity, figures};
use crate::estimate::estimate;
use crate::figure::{Axis, Content, Figure, Kind, Unit};
use crate::study::Study;
use results::Trial;

pub(crate) fn of(study: &Study<'_>) -> Vec<Figure> {
    let quantity = Quantity {
        id: "fairness",
        title: "Fairness between clients",
        about: "Jain's index of the answers that each client got: 1 if all got the same, 1/n if one of n got everything. A few starved among many hardly \
                move it, so look at the tail of the latency too.",
        axis: "Jain's fairness index",
        unit: Unit::Plain,
        kind: Kind::Linear,
    };
    let mut figures = figures(study, &quantity, |cell| {
        let mut estimate = estimate(cell, 1.0, index)?;
        estimate.range = estimate.range.map(|(low, high)| (low, high.min(1.0)));
        Some(estimate)
    });
    for figure in &mut figures {
        let whole = |axis: &mut Axis| axis.limits = Some((0.0, 1.02));
        match &mut figure.content {
            Content::Chart(chart) => whole(&mut chart.y),
            Content::Rows(rows) => whole(&mut rows.x),
        }
    }
    figures
}

/// What the generator says it is, or what follows from the answers of each client.
fn index(trial: &Trial) -> Option<f64> {
    let fairness = trial.load.as_ref()?.fairness.as_ref()?;
    let computed = || stats::fairness::jain(&fairness.answers).ok();
    fairness.jain.or_else(computed)
}
