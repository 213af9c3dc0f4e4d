//! Figures of one quantity of each cell, a row each.

use super::sweep::{Quantity, figures};
use crate::estimate::{Estimate, estimate, named};
use crate::figure::{Content, Figure, ScaleKind, Unit};
use crate::study::Study;
use results::{Better, Cell, Trial};

/// A quantity, and how it is found.
pub(crate) struct CellFigure {
    quantity: Quantity,
    of: fn(&Cell<'_>) -> Option<Estimate>,
    /// Where its axis begins and ends, if that does not follow from the values.
    limits: Option<(f64, f64)>,
}

/// Processor time of the server for each request.
pub(crate) const CPU: CellFigure = CellFigure {
    quantity: Quantity {
        id: "cpu",
        title: "Processor time for each request",
        about: "Time that all processes of the server spent on a processor, in user mode and in the kernel, for each request answered.",
        axis: "Processor time for each request",
        unit: Unit::Seconds,
        kind: ScaleKind::Linear,
        better: Better::Lower,
    },
    of: |cell| named(cell, results::Figure::CpuPerRequest),
    limits: None,
};

/// Context switches of the server for each request.
pub(crate) const SWITCHES: CellFigure = CellFigure {
    quantity: Quantity {
        id: "switches",
        title: "Context switches for each request",
        about: "Voluntary and involuntary ones of all threads of the server, for each request answered.",
        axis: "Context switches for each request",
        unit: Unit::Plain,
        kind: ScaleKind::Linear,
        better: Better::Lower,
    },
    of: |cell| named(cell, results::Figure::SwitchesPerRequest),
    limits: None,
};

/// Memory of the server for each connection.
pub(crate) const MEMORY: CellFigure = CellFigure {
    quantity: Quantity {
        id: "memory",
        title: "Memory for each connection",
        about: "The most resident memory of all processes of the server, what they share counted for each, divided by the connections: a fixed cost weighs less \
                the more connections there are.",
        axis: "Resident memory for each connection",
        unit: Unit::Bytes,
        kind: ScaleKind::Log,
        better: Better::Lower,
    },
    of: |cell| named(cell, results::Figure::MemoryPerConnection),
    limits: None,
};

/// Whether all clients got the same.
pub(crate) const FAIRNESS: CellFigure = CellFigure {
    quantity: Quantity {
        id: "fairness",
        title: "Fairness between clients",
        about: "Jain's index of the answers that each client got: 1 if all got the same, 1/n if one of n got everything. A few starved among many hardly \
                move it, so look at the tail of the latency too.",
        axis: "Jain's fairness index",
        unit: Unit::Plain,
        kind: ScaleKind::Linear,
        better: Better::Higher,
    },
    of: |cell| {
        let mut estimate = estimate(cell, 1.0, fairness)?;
        estimate.range = estimate.range.map(|(low, high)| (low, high.min(1.0)));
        Some(estimate)
    },
    limits: Some((0.0, 1.02)),
};

impl CellFigure {
    /// Its figures, as [`figures`] arranges them.
    pub(crate) fn figures(&self, study: &Study<'_>) -> Vec<Figure> {
        let mut figures = figures(study, &self.quantity, self.of);
        for figure in &mut figures {
            match &mut figure.content {
                Content::Chart(chart) => chart.y.limits = self.limits.or(chart.y.limits),
                Content::Rows(rows) => rows.x.limits = self.limits.or(rows.x.limits),
                Content::Graph(_) => {}
            }
        }
        figures
    }
}

/// What the generator says it is, or what follows from the answers of each client.
fn fairness(trial: &Trial) -> Option<f64> {
    let fairness = trial.load.as_ref()?.fairness.as_ref()?;
    let computed = || stats::fairness::jain(&fairness.answers).ok();
    fairness.jain.or_else(computed)
}
