//! `archbench compare`: what differs between two runs, cell by cell.

use std::path::PathBuf;

use command::quantity::counted;
use contracts::compare::{Change, ComparedFigure, ComparedRuns};
use contracts::{Document, Unknown};
use results::Figure;

use super::Shown;
use crate::analysis::compare::compare;
use crate::analysis::judge::LEVEL;
use crate::table::{Table, show};
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
    /// For whom it is printed
    #[command(flatten)]
    pub shown: Shown,
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('%').trim().parse::<f64>().ok();
    number
        .filter(|number| (0.0..=1000.0).contains(number))
        .map(|number| number / 100.0)
        .ok_or_else(|| format!("'{text}' is no percentage, like 2%"))
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
    let figures = compare(&a, &b, &args.figure, args.margin);
    if figures.is_empty() {
        return Err(format!(
            "{} and {} have no cell in common; compare runs of the same experiment",
            args.a.display(),
            args.b.display()
        )
        .into());
    }
    let compared = ComparedRuns {
        schema: ComparedRuns::SCHEMA.into(),
        a: args.a.display().to_string(),
        b: args.b.display().to_string(),
        margin: args.margin,
        level: LEVEL,
        figures,
        unknown: Unknown::new(),
    };
    args.shown
        .print(&compared, |compared| text(&compared.figures))?;
    Ok(0)
}

fn text(compared: &[ComparedFigure]) -> String {
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
            one.verdict.to_string(),
        ]);
    }
    let differ = compared
        .iter()
        .filter(|one| one.verdict.is_difference())
        .count();
    let alone = |one: &&ComparedFigure| {
        one.verdict == Change::None && one.p.is_some_and(|p| p < 1.0 - LEVEL)
    };
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
    use results::Factors;

    #[test]
    fn how_many_differ_is_said_and_how_many_would_by_themselves() {
        let figure = |verdict, p| ComparedFigure {
            cell: "sped".into(),
            factors: Factors::new(),
            figure: "p99".into(),
            unit: "µs".into(),
            medians: [Some(100.0), Some(200.0)],
            at_least: [false, true],
            ratio: Some(2.0),
            low: Some(1.5),
            high: Some(2.5),
            p: Some(p),
            p_of_all: Some(p * 3.0),
            verdict,
            unknown: Unknown::new(),
        };
        let figures = [
            (Change::Slower, 0.001),
            (Change::None, 0.04),
            (Change::None, 0.5),
        ];
        let text = text(&figures.map(|(verdict, p)| figure(verdict, p)));
        for part in [
            "≥ 200",
            "1.500 … 2.500",
            "  slower\n",
            "1 of 3 figures differ; 1 more would if nothing else",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn margins() {
        assert_eq!(percent("2%"), Ok(0.02));
        assert_eq!(percent("0"), Ok(0.0));
        assert!(percent("much").is_err() && percent("-1").is_err());
    }
}
