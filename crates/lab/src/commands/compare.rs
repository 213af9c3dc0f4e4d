//! `archbench compare`: what differs between two runs, cell by cell.

use std::path::PathBuf;

use command::output;
use results::{Better, Cell, Figure, Run};
use serde::Serialize;
use stats::compare::{Comparison, Difference, holm, independent};

use command::quantity::counted;

use crate::analysis::judge::LEVEL;
use crate::table::{Table, label, show};
use crate::{Failure, Status};

/// Compare two results folders, cell by cell
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
B is held against A: for each cell that both have, the ratio B / A with its 95 % interval over repeats (Welch's, on logarithms),
and 'faster', 'slower' or 'no difference'. A difference is one whose whole interval is on one side of 1, that is larger than the
margin, and that stands among so many: of twenty figures that are the same one looks different by chance, so p-values are raised
(Holm's method) until the chance that any of a table is called different, though none is, is 5 %. Each interval is by itself.
A and B are medians over repeats and B / A is of geometric means, so they may disagree a little. ≥ marks a lower bound, where
requests were given up: what hangs on how much more it would have been is 'undecided'.

Examples:
  archbench compare results/before results/after
  archbench compare results/a results/b --figure 'p(99.9)' --figure cpu_per_request --margin 5%")]
pub struct Args {
    /// The folder that is compared with
    #[arg(value_name = "A")]
    pub a: PathBuf,
    /// The folder that is compared
    #[arg(value_name = "B")]
    pub b: PathBuf,
    /// A figure to compare; repeatable: throughput, p(99), service:mean, cpu_per_request, …
    #[arg(long, value_name = "FIGURE", default_values = ["throughput", "p(50)", "p(99)", "cpu_per_request"])]
    pub figure: Vec<Figure>,
    /// Differences up to this do not matter
    #[arg(long, value_name = "PERCENT", default_value = "2%", value_parser = percent)]
    pub margin: f64,
    /// Print JSON in place of a table
    #[arg(long)]
    pub json: bool,
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('%').trim().parse::<f64>().ok();
    number
        .filter(|number| (0.0..=1000.0).contains(number))
        .map(|number| number / 100.0)
        .ok_or_else(|| format!("'{text}' is no percentage, like 2%"))
}

/// What is said of a figure of a cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    /// The cell, in words.
    pub cell: String,
    /// Which figure.
    pub figure: String,
    /// Its median in A and B, where they have it.
    pub medians: [Option<f64>; 2],
    /// Whether those are lower bounds, because requests were given up.
    pub at_least: [bool; 2],
    /// B over A, of geometric means.
    pub ratio: Option<f64>,
    /// The interval of the ratio.
    pub low: Option<f64>,
    /// The interval of the ratio.
    pub high: Option<f64>,
    /// The probability of such a ratio if there is no difference.
    pub p: Option<f64>,
    /// The same, raised for how many figures were compared.
    pub p_of_all: Option<f64>,
    /// `faster`, `slower`, `more`, `less`, `no difference`, `undecided` or `too few repeats`.
    pub verdict: &'static str,
}

/// Runs it.
///
/// # Errors
/// When a folder cannot be read, or they have no cell in common.
pub fn run(args: Args) -> Result<Status, Failure> {
    let (a, b) = (results::read(&args.a)?, results::read(&args.b)?);
    for run in [&a, &b] {
        crate::analysis::values::check(run, args.figure.iter().copied())?;
    }
    let compared = compare(&a, &b, &args.figure, args.margin);
    if compared.is_empty() {
        return Err(format!(
            "{} and {} have no cell in common; compare runs of the same experiment",
            args.a.display(),
            args.b.display()
        )
        .into());
    }
    if args.json {
        output::print(serde_json::to_string_pretty(&compared)?);
    } else {
        output::print(text(&compared));
    }
    Ok(0)
}

/// Every figure of every cell that both have.
pub fn compare(a: &Run, b: &Run, figures: &[Figure], margin: f64) -> Vec<Compared> {
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
                all.push((label(cell.factors, &swept), *figure, [a, b]));
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
        .map(|((cell, figure, sides), found)| describe(cell, figure, &sides, found, margin))
        .collect()
}

/// A figure of a cell, of the trials that count.
struct Side {
    values: Vec<f64>,
    at_least: bool,
}

fn side(run: &Run, cell: &Cell<'_>, figure: Figure) -> Side {
    let counted = cell.trials.iter().filter(|trial| trial.counts());
    let found = counted.filter_map(|trial| crate::analysis::values::bounded(run, trial, figure));
    let (values, bounds): (_, Vec<bool>) = found.unzip();
    Side {
        values,
        at_least: bounds.contains(&true),
    }
}

fn describe(
    cell: String,
    figure: Figure,
    sides: &[Side; 2],
    found: Option<(Comparison, f64)>,
    margin: f64,
) -> Compared {
    let median = |side: &Side| {
        (!side.values.is_empty()).then(|| stats::sample::median(&mut side.values.clone()))
    };
    let ratio = found.map(|(comparison, _)| comparison.ratio);
    let at_least = sides.each_ref().map(|side| side.at_least);
    Compared {
        cell,
        figure: figure.to_string(),
        medians: sides.each_ref().map(median),
        at_least,
        ratio: ratio.map(|ratio| ratio.estimate),
        low: ratio.map(|ratio| ratio.low),
        high: ratio.map(|ratio| ratio.high),
        p: found.map(|(comparison, _)| comparison.p),
        p_of_all: found.map(|(_, p)| p),
        verdict: found.map_or("too few repeats", |(comparison, p)| {
            verdict(figure, comparison.verdict_by(p, margin), at_least)
        }),
    }
}

fn verdict(figure: Figure, verdict: Difference, [a, b]: [bool; 2]) -> &'static str {
    let is_speed = matches!(
        figure,
        Figure::Time(..) | Figure::Throughput | Figure::Bandwidth | Figure::CpuPerRequest
    );
    match (verdict, figure.better(), is_speed) {
        (Difference::None, ..) if a || b => "undecided",
        (Difference::Higher, ..) if a => "undecided",
        (Difference::Lower, ..) if b => "undecided",
        (Difference::None, ..) => "no difference",
        (Difference::Higher, _, false) => "more",
        (Difference::Lower, _, false) => "less",
        (Difference::Higher, Better::Higher, _) | (Difference::Lower, Better::Lower, _) => "faster",
        _ => "slower",
    }
}

fn text(compared: &[Compared]) -> String {
    let mut table =
        Table::new(["cell", "figure", "A", "B", "B/A", "95 % interval", ""].map(str::to_owned));
    for one in compared {
        let figure: Option<Figure> = one.figure.parse().ok();
        let value = |side: usize| match (figure, one.medians[side]) {
            (Some(figure), Some(value)) if one.at_least[side] => {
                format!("≥ {}", show(figure, value))
            }
            (Some(figure), Some(value)) => show(figure, value),
            _ => "–".into(),
        };
        let interval = match (one.low, one.high) {
            (Some(low), Some(high)) => format!("{low:.3} … {high:.3}"),
            _ => "–".into(),
        };
        table.row(vec![
            one.cell.clone(),
            one.figure.clone(),
            value(0),
            value(1),
            one.ratio.map_or("–".into(), |ratio| format!("{ratio:.3}")),
            interval,
            one.verdict.into(),
        ]);
    }
    let differ = compared
        .iter()
        .filter(|one| {
            !matches!(
                one.verdict,
                "no difference" | "undecided" | "too few repeats"
            )
        })
        .count();
    let alone =
        |one: &&Compared| one.verdict == "no difference" && one.p.is_some_and(|p| p < 1.0 - LEVEL);
    let alone = match compared.iter().filter(alone).count() {
        0 => String::new(),
        count => format!("; {count} more would if nothing else had been compared"),
    };
    let all = counted(compared.len() as u64, "figure");
    format!("{table}\n{differ} of {all} differ{alone}")
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
            assert_eq!(one.verdict, "no difference", "{one:?}");
        }
        // The second of a fixture is a tenth slower than the first.
        let (_c, c) = fixture(3, &["amped", "sped"]);
        let compared = compare(&a, &c, &figures, 0.02);
        assert_eq!(
            compared.iter().map(|one| one.verdict).collect::<Vec<_>>(),
            ["slower", "slower"]
        );
        assert!((compared[0].ratio.unwrap() - 0.9).abs() < 0.05);
        let text = text(&compared);
        assert!(text.contains("2 of 2 figures differ"), "{text}");
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
                ([None, None], "too few repeats")
            );
        }
        assert_eq!(compare(&invalid, &invalid, &figures, 0.02).len(), 2);
    }

    #[test]
    fn nothing_is_said_that_hangs_on_requests_that_were_given_up() {
        let p99 = "p99".parse().unwrap();
        let said = |found, bounds| verdict(p99, found, bounds);
        for found in [Difference::Higher, Difference::Lower, Difference::None] {
            assert_eq!(said(found, [true, true]), "undecided");
        }
        assert_eq!(said(Difference::Higher, [false, true]), "slower");
        assert_eq!(said(Difference::Higher, [true, false]), "undecided");
        assert_eq!(said(Difference::Lower, [true, false]), "faster");
        assert_eq!(said(Difference::None, [true, false]), "undecided");
        assert_eq!(said(Difference::None, [false, false]), "no difference");
    }

    #[test]
    fn margins() {
        assert_eq!(percent("2%"), Ok(0.02));
        assert_eq!(percent("0"), Ok(0.0));
        assert!(percent("much").is_err() && percent("-1").is_err());
    }
}
