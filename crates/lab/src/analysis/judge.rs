//! What became of expectations, from repeats.

use contracts::Unknown;
use results::{Judged, Outcome, Run, Trial};
use stats::{Interval, sample, typical};
use workload::objective::Operator;

use crate::spec::Expect;
use crate::spec::expression::{CellName, Estimate, Expression};

/// The level of all intervals.
pub const LEVEL: f64 = 0.95;

/// Holds a run against what was expected of it.
pub fn expectations(run: &Run, expect: &[Expect]) -> Vec<Judged> {
    expect
        .iter()
        .map(|expect| judge(run, &expect.text, &expect.ratio.0))
        .collect()
}

/// The ratio is taken within each repeat, whose trials share a block and a seed; the estimate is the median over repeats.
fn judge(run: &Run, text: &str, expression: &Expression) -> Judged {
    let named = expression.value.cells();
    let is_named = |trial: &Trial| named.iter().any(|name| name.matches(&trial.factors));
    let found: Vec<Estimate> = (1..=run.manifest.repeats)
        .filter_map(|repeat| {
            expression.value.evaluate(&|figure, name: &CellName| {
                let trial = run.trials.iter().find(|trial| {
                    trial.repeat == repeat && trial.counts() && name.matches(&trial.factors)
                })?;
                let (value, at_least) = crate::analysis::values::bounded(run, trial, figure)?;
                Some(match at_least {
                    true => Estimate::at_least(value),
                    false => Estimate::exact(value),
                })
            })
        })
        .collect();
    let ratios: Vec<f64> = found.iter().map(|ratio| ratio.read).collect();
    let (operator, bound) = (expression.operator, expression.bound);
    let is_open =
        |ratio: &Estimate| operator.holds(ratio.low, bound) != operator.holds(ratio.high, bound);
    let mut notes = Vec::new();
    if ratios.len() < run.manifest.repeats {
        notes.push(format!(
            "{} of {} repeats count",
            ratios.len(),
            run.manifest.repeats
        ));
    }
    let suspects = run.trials.iter().filter(|trial| is_named(trial));
    let suspects = suspects
        .filter(|trial| trial.verdict == results::Validity::Suspect)
        .count();
    if suspects > 0 {
        let are = if suspects == 1 { "is" } else { "are" };
        notes.push(format!("{suspects} of its trials {are} SUSPECT"));
    }
    let unlimited = run.trials.iter().any(|trial| {
        is_named(trial)
            && trial
                .memory_limit
                .as_deref()
                .is_some_and(|how| how.starts_with("skipped"))
    });
    let interval = interval(&ratios);
    let outcome = if unlimited {
        notes.push("memory could not be limited here, so it was not tested".into());
        Outcome::Undecided
    } else if found.iter().any(is_open) {
        notes.push("requests were given up, so that figures are lower bounds, and it hangs on what they would have been".into());
        Outcome::Undecided
    } else {
        outcome(interval.as_ref(), operator, bound)
    };
    if interval.is_none() {
        notes.push("an interval takes at least two repeats".into());
    }
    Judged {
        text: text.into(),
        ratio: expression.text.clone(),
        outcome,
        estimate: (!ratios.is_empty()).then(|| sample::median(&mut ratios.clone())),
        low: interval.map(|interval| interval.low),
        high: interval.map(|interval| interval.high),
        level: LEVEL,
        note: (!notes.is_empty()).then(|| notes.join("; ")),
        unknown: Unknown::new(),
    }
}

/// The median over repeats with its interval; none of fewer than two.
pub fn interval(values: &[f64]) -> Option<Interval> {
    typical(values, LEVEL).ok()
}

/// Met or missed if the whole interval is on one side of the bound.
pub fn outcome(interval: Option<&Interval>, operator: Operator, bound: f64) -> Outcome {
    let Some(interval) = interval else {
        return Outcome::Undecided;
    };
    match (
        operator.holds(interval.low, bound),
        operator.holds(interval.high, bound),
    ) {
        (true, true) => Outcome::Met,
        (false, false) => Outcome::Missed,
        _ => Outcome::Undecided,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Text;
    use results::fixture::Fixture;

    fn judged(ratio: &str) -> Judged {
        let home = tempfile::tempdir().unwrap();
        let fixture = Fixture {
            models: ["sped", "amped"].map(Into::into).to_vec(),
            rates: vec![1000.0],
            connections: vec![16.0],
            seconds: 1,
            mishaps: false,
            ..Fixture::default()
        };
        let run = fixture.write(&home.path().join("run")).unwrap();
        let expect = Expect {
            text: "it is so".into(),
            ratio: Text(ratio.parse().unwrap()),
        };
        expectations(&run, &[expect]).remove(0)
    }

    #[test]
    fn a_bound_is_met_missed_or_within_the_interval() {
        let of = |bound: &str| judged(&format!("amped@load=closed / sped@load=closed {bound}"));
        let met = of("<= 1.0");
        assert_eq!(met.outcome, Outcome::Met, "{met:?}");
        assert!((met.estimate.unwrap() - 0.9).abs() < 0.05, "{met:?}");
        assert!(met.low < met.estimate && met.estimate < met.high);
        assert_eq!(of(">= 1.2").outcome, Outcome::Missed);
        assert_eq!(of(">= 0.9").outcome, Outcome::Undecided);
    }

    #[test]
    fn what_hangs_on_requests_that_were_given_up_is_left_open() {
        let home = tempfile::tempdir().unwrap();
        let fixture = Fixture {
            models: ["sped", "amped"].map(Into::into).to_vec(),
            rates: vec![1000.0],
            connections: vec![],
            seconds: 1,
            mishaps: false,
            ..Fixture::default()
        };
        let mut run = fixture.write(&home.path().join("run")).unwrap();
        let given_up = |trial: &&mut Trial| trial.factors["model"].to_string() == "sped";
        for trial in run.trials.iter_mut().filter(given_up) {
            let load = trial.load.as_mut().unwrap();
            let times = load.response_time_us.as_mut().unwrap();
            times.at_least = vec!["p99".into()];
        }
        let of = |ratio: &str| judge(&run, "it is so", &ratio.parse().unwrap());
        assert_eq!(of("p99(sped) / p99(amped) >= 0.001").outcome, Outcome::Met);
        assert_eq!(
            of("p99(sped) / p99(amped) < 0.001").outcome,
            Outcome::Missed
        );
        let open = of("p99(sped) / p99(amped) < 1000");
        assert_eq!(open.outcome, Outcome::Undecided);
        assert!(open.note.unwrap().contains("given up"));
        assert_eq!(
            of("p99(amped) / p99(sped) >= 0.001").outcome,
            Outcome::Undecided
        );
        assert_eq!(of("p50(sped) / p50(amped) < 1000").outcome, Outcome::Met);
    }

    #[test]
    fn cells_that_are_not_there_leave_it_open() {
        let judged = judged("mt@load=closed / sped@load=closed < 1");
        assert_eq!(judged.outcome, Outcome::Undecided);
        assert!(judged.note.unwrap().contains("0 of 3 repeats"));
    }
}
