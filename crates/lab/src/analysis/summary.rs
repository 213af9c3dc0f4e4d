//! The figures of a run at a glance.

use results::{Figure, Run, Validity};

use super::judge;
use crate::table::{Table, label, show, spread};

/// The figures of every cell: medians over repeats, with their intervals.
pub fn summary(run: &Run) -> String {
    let swept = run.swept();
    let figures = ["throughput", "p50", "p99", "p99.9", "cpu_per_request"];
    let heads = [
        "cell",
        "requests/s",
        "p50",
        "p99",
        "p99.9",
        "CPU/request",
        "verdicts",
    ];
    let mut table = Table::new(heads.map(str::to_owned));
    for cell in run.cells() {
        let mut row = vec![label(cell.factors, &swept)];
        for name in figures {
            let shown = name.parse().ok().map(|figure: Figure| {
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
