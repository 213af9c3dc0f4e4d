//! The figures of a run at a glance.

use results::{Figure, Run, Validity};

use super::judge;
use crate::spec::expression::Expression;
use crate::table::{Table, label, show, spread};

/// What every run shows: figures, and what their columns are called.
const SHOWN: [(&str, &str); 5] = [
    ("throughput", "requests/s"),
    ("p50", "p50"),
    ("p99", "p99"),
    ("p99.9", "p99.9"),
    ("cpu_per_request", "CPU/request"),
];

/// The figures of every cell: medians over repeats, with their intervals; those too that something is expected of.
pub fn summary(run: &Run) -> String {
    let swept = run.swept();
    let always = SHOWN.map(|(figure, head)| (figure.parse().ok(), head.to_owned()));
    let mut figures: Vec<(Option<Figure>, String)> = always.to_vec();
    for expected in &run.manifest.expect {
        let Ok(expression) = expected.ratio.parse::<Expression>() else {
            continue;
        };
        for figure in expression.value.figures() {
            if !figures.iter().any(|(shown, _)| *shown == Some(figure)) {
                figures.push((Some(figure), figure.to_string()));
            }
        }
    }
    let heads = figures.iter().map(|(_, head)| head.clone());
    let heads = std::iter::once("cell".to_owned()).chain(heads);
    let mut table = Table::new(heads.chain(["verdicts".to_owned()]));
    for cell in run.cells() {
        let mut row = vec![label(cell.factors, &swept)];
        for &(figure, _) in &figures {
            let shown = figure.map(|figure| {
                let values = cell.values(figure);
                let bound = cell
                    .trials
                    .iter()
                    .any(|trial| trial.counts() && figure.is_at_least(trial));
                let sign = if bound { "≥ " } else { "" };
                match values.as_slice() {
                    [] => "–".to_owned(),
                    [one] => format!("{sign}{}", show(figure, *one)),
                    _ => judge::interval(&values).map_or("–".into(), |interval| {
                        format!("{sign}{}", spread(figure, &interval))
                    }),
                }
            });
            row.push(shown.unwrap_or_default());
        }
        row.push(verdicts(&cell));
        table.row(row);
    }
    table.to_string()
}

fn verdicts(cell: &results::Cell<'_>) -> String {
    use Validity::{Failed, Invalid, Suspect, Valid};
    let counts = [Valid, Suspect, Invalid, Failed].map(|verdict| {
        let count = cell
            .trials
            .iter()
            .filter(|trial| trial.verdict == verdict)
            .count();
        (count, verdict)
    });
    let shown: Vec<_> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, verdict)| format!("{count} {}", verdict.name()))
        .collect();
    shown.join(", ")
}
