//! Objectives, held against the repeats of each cell.

use contracts::Unknown;
use results::{Cell, JudgedSlo, Outcome, Run};

use super::{judge, values};
use crate::spec::Objective;

/// Every objective in every cell, cell by cell.
pub fn matrix(run: &Run, objectives: &[Objective]) -> Vec<JudgedSlo> {
    let cells = run.cells();
    let pairs = cells
        .iter()
        .flat_map(|cell| objectives.iter().map(move |slo| (cell, slo)));
    pairs
        .map(|(cell, objective)| judge_cell(run, cell, objective))
        .collect()
}

fn judge_cell(run: &Run, cell: &Cell<'_>, objective: &Objective) -> JudgedSlo {
    let counted: Vec<_> = cell.trials.iter().filter(|trial| trial.counts()).collect();
    let found = counted
        .iter()
        .filter_map(|trial| values::bounded(run, trial, objective.figure));
    let (values, bounds): (Vec<f64>, Vec<bool>) = found.unzip();
    // A repeat without a value has one beyond all that was answered.
    let at_least = values.len() < counted.len() || bounds.contains(&true);
    let interval = judge::interval(&values);
    let mut outcome = judge::outcome(interval.as_ref(), objective.operator, objective.limit);
    if at_least && objective.operator.is_upper() && outcome == Outcome::Met {
        // Below the limit by a lower bound only.
        outcome = Outcome::Undecided;
    }
    let estimate = interval
        .map(|interval| interval.estimate)
        .or(values.first().copied());
    JudgedSlo {
        cell: cell.number,
        factors: cell.factors.clone(),
        slo: objective.to_string(),
        outcome,
        estimate,
        low: interval.map(|interval| interval.low),
        high: interval.map(|interval| interval.high),
        limit: objective.limit,
        unit: objective.figure.unit().into(),
        at_least,
        margin: estimate.and_then(|estimate| {
            objective
                .operator
                .margin_of_bound((estimate, at_least), objective.limit)
        }),
        unknown: Unknown::new(),
    }
}
