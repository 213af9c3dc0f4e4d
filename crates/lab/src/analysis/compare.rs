//! What differs between two runs, cell by cell.

use contracts::Unknown;
use contracts::compare::{Change, ComparedFigure};
use results::{Better, Cell, Factors, Figure, Run};
use stats::compare::{Comparison, Difference, holm, independent};

use super::judge::LEVEL;
use super::values;
use crate::table::label;

/// Every figure of every cell that both have.
pub fn compare(a: &Run, b: &Run, figures: &[Figure], margin: f64) -> Vec<ComparedFigure> {
    let swept = a.swept();
    let others = b.cells();
    let mut all = Vec::new();
    for cell in a.cells() {
        let Some(other) = others.iter().find(|other| other.factors == cell.factors) else {
            continue;
        };
        let counts = |cell: &Cell<'_>| cell.trials.iter().any(|trial| trial.counts());
        let has_figures = counts(&cell) || counts(other);
        for figure in figures {
            let [a, b] = [side(a, &cell, *figure), side(b, other, *figure)];
            // Not every server tells every figure. Where no trial counts, that is to be seen.
            if !(has_figures && a.values.is_empty() && b.values.is_empty()) {
                all.push((cell.factors, *figure, [a, b]));
            }
        }
    }
    let found: Vec<_> = all
        .iter()
        .map(|(.., [a, b])| independent(&a.values, &b.values, LEVEL).ok())
        .collect();
    let p: Vec<f64> = found.iter().flatten().map(|found| found.p).collect();
    let mut of_all = holm(&p).into_iter();
    let judged = found
        .into_iter()
        .map(|found| Some((found?, of_all.next()?)));
    all.into_iter()
        .zip(judged)
        .map(|((factors, figure, sides), found)| ComparedFigure {
            cell: label(factors, &swept),
            factors: factors.clone(),
            ..describe(figure, &sides, found, margin)
        })
        .collect()
}

/// A figure of a cell, of the trials that count.
struct Side {
    values: Vec<f64>,
    at_least: bool,
}

fn side(run: &Run, cell: &Cell<'_>, figure: Figure) -> Side {
    let counted = cell.trials.iter().filter(|trial| trial.counts());
    let found = counted.filter_map(|trial| values::bounded(run, trial, figure));
    let (values, bounds): (_, Vec<bool>) = found.unzip();
    Side {
        values,
        at_least: bounds.contains(&true),
    }
}

/// All but which cell it is of.
fn describe(
    figure: Figure,
    sides: &[Side; 2],
    found: Option<(Comparison, f64)>,
    margin: f64,
) -> ComparedFigure {
    let median = |side: &Side| {
        (!side.values.is_empty()).then(|| stats::sample::median(&mut side.values.clone()))
    };
    let ratio = found.map(|(comparison, _)| comparison.ratio);
    let at_least = sides.each_ref().map(|side| side.at_least);
    ComparedFigure {
        cell: String::new(),
        factors: Factors::new(),
        figure: figure.to_string(),
        unit: figure.unit().into(),
        medians: sides.each_ref().map(median),
        at_least,
        ratio: ratio.map(|ratio| ratio.estimate),
        low: ratio.map(|ratio| ratio.low),
        high: ratio.map(|ratio| ratio.high),
        p: found.map(|(comparison, _)| comparison.p),
        p_of_all: found.map(|(_, p)| p),
        verdict: found.map_or(Change::TooFewRepeats, |(comparison, p)| {
            change(figure, comparison.verdict_by(p, margin), at_least)
        }),
        unknown: Unknown::new(),
    }
}

fn change(figure: Figure, difference: Difference, [a, b]: [bool; 2]) -> Change {
    let is_speed = matches!(
        figure,
        Figure::Time(..) | Figure::Throughput | Figure::Bandwidth | Figure::CpuPerRequest
    );
    match (difference, figure.better(), is_speed) {
        (Difference::None, ..) if a || b => Change::Undecided,
        (Difference::Higher, ..) if a => Change::Undecided,
        (Difference::Lower, ..) if b => Change::Undecided,
        (Difference::None, ..) => Change::None,
        (Difference::Higher, _, false) => Change::More,
        (Difference::Lower, _, false) => Change::Less,
        (Difference::Higher, Better::Higher, _) | (Difference::Lower, Better::Lower, _) => {
            Change::Faster
        }
        _ => Change::Slower,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use results::fixture::Fixture;

    fn fixture(seed: u64, models: &[&str]) -> (tempfile::TempDir, Run) {
        let home = tempfile::tempdir().unwrap();
        let fixture = Fixture {
            models: models.iter().map(|model| (*model).to_owned()).collect(),
            rates: vec![],
            connections: vec![16.0],
            repeats: 5,
            seconds: 1,
            seed,
            mishaps: false,
            ..Fixture::default()
        };
        let run = fixture.write(&home.path().join("run")).unwrap();
        (home, run)
    }

    #[test]
    fn the_same_twice_is_no_difference_and_a_slower_one_is_found() {
        let figures = [Figure::Throughput, "p50".parse().unwrap()];
        let (_a, a) = fixture(1, &["sped"]);
        let (_b, b) = fixture(2, &["sped"]);
        for one in compare(&a, &b, &figures, 0.02) {
            assert_eq!(one.verdict, Change::None, "{one:?}");
        }
        // The second of a fixture is a tenth slower than the first.
        let (_c, c) = fixture(3, &["amped", "sped"]);
        let compared = compare(&a, &c, &figures, 0.02);
        assert_eq!(
            compared.iter().map(|one| one.verdict).collect::<Vec<_>>(),
            [Change::Slower, Change::Slower]
        );
        assert!((compared[0].ratio.unwrap() - 0.9).abs() < 0.05);
        let (_d, d) = fixture(3, &["mt"]);
        assert!(compare(&a, &d, &figures, 0.02).is_empty());
        // What counts in neither is not passed over.
        let mut invalid = a.clone();
        for trial in &mut invalid.trials {
            trial.verdict = results::Validity::Invalid;
        }
        for one in compare(&invalid, &invalid, &figures, 0.02) {
            assert_eq!(
                (one.medians, one.verdict),
                ([None, None], Change::TooFewRepeats)
            );
        }
        assert_eq!(compare(&invalid, &invalid, &figures, 0.02).len(), 2);
    }

    #[test]
    fn nothing_is_said_that_hangs_on_requests_that_were_given_up() {
        let p99 = "p99".parse().unwrap();
        let said = |found, bounds| change(p99, found, bounds);
        for found in [Difference::Higher, Difference::Lower, Difference::None] {
            assert_eq!(said(found, [true, true]), Change::Undecided);
        }
        assert_eq!(said(Difference::Higher, [false, true]), Change::Slower);
        assert_eq!(said(Difference::Higher, [true, false]), Change::Undecided);
        assert_eq!(said(Difference::Lower, [true, false]), Change::Faster);
        assert_eq!(said(Difference::None, [true, false]), Change::Undecided);
        assert_eq!(said(Difference::None, [false, false]), Change::None);
    }
}
