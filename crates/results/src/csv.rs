//! `trials.csv`: one row for each trial, one column for each factor and figure, as pandas and R read it.

use std::fmt::Write;

use crate::figure::Figure;
use crate::{Manifest, Trial};

/// The whole table. What is unknown is an empty field.
pub(crate) fn table(manifest: &Manifest, trials: &[Trial]) -> String {
    let figures = Figure::all();
    let mut columns: Vec<String> = ["id", "cell", "block", "repeat", "order"]
        .map(str::to_owned)
        .to_vec();
    columns.extend(manifest.factors.iter().map(|factor| factor.column.clone()));
    columns.extend(
        [
            "verdict",
            "reasons",
            "failure",
            "started_unix_s",
            "elapsed_s",
            "lower_bounds",
        ]
        .map(Into::into),
    );
    columns.extend(figures.iter().map(|figure| figure.column()));
    let mut text = line(&columns);
    for trial in trials {
        let mut fields = vec![
            trial.id.clone(),
            trial.cell.to_string(),
            trial.block.to_string(),
            trial.repeat.to_string(),
            trial.order.to_string(),
        ];
        fields.extend(
            manifest
                .factors
                .iter()
                .map(|factor| trial.level(&factor.name)),
        );
        let failure = trial.failure.as_ref();
        fields.extend([
            trial.verdict.to_string(),
            trial.reasons.join("; "),
            failure.map_or(String::new(), |failure| {
                format!("{}: {}", failure.step, failure.reason)
            }),
            format!("{:.3}", trial.started_unix_s),
            format!("{:.3}", trial.elapsed_s),
            lower_bounds(&figures, trial),
        ]);
        fields.extend(figures.iter().map(|figure| {
            figure
                .of(trial)
                .map_or(String::new(), |value| value.to_string())
        }));
        text.push_str(&line(&fields));
    }
    text
}

/// The columns that are only lower bounds in this row, because requests were given up.
fn lower_bounds(figures: &[Figure], trial: &Trial) -> String {
    let bounds = figures.iter().filter(|figure| figure.is_at_least(trial));
    let columns: Vec<_> = bounds.map(|figure| figure.column()).collect();
    columns.join(";")
}

/// Fields with commas, quotes or line ends are quoted (RFC 4180).
fn line(fields: &[String]) -> String {
    let mut line = String::new();
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            line.push(',');
        }
        if field.contains([',', '"', '\n', '\r']) {
            // Writing to a string does not fail.
            let _ = write!(line, "\"{}\"", field.replace('"', "\"\""));
        } else {
            line.push_str(field);
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_names_its_lower_bounds() {
        let home = tempfile::tempdir().unwrap();
        let fixture = crate::fixture::Fixture {
            models: vec!["sped".into()],
            rates: vec![1000.0],
            connections: vec![],
            repeats: 2,
            seconds: 1,
            mishaps: false,
            ..Default::default()
        };
        let mut run = fixture.write(&home.path().join("run")).unwrap();
        let load = run.trials[1].load.as_mut().unwrap();
        let bounds = ["p99.9", "max"].map(str::to_owned);
        load.response_time_us.as_mut().unwrap().at_least = bounds.into();
        let table = table(&run.manifest, &run.trials);
        let mut rows = table.lines().map(|row| row.split(',').collect::<Vec<_>>());
        let head = rows.next().unwrap();
        let at = head
            .iter()
            .position(|column| *column == "lower_bounds")
            .unwrap();
        let bounds: Vec<&str> = rows.map(|row| row[at]).collect();
        let named = "latency_max_us;latency_p99_9_us;response_max_us;response_p99_9_us";
        assert_eq!(bounds, ["", named]);
        assert!(
            named.split(';').all(|name| head.contains(&name)),
            "{head:?}"
        );
    }

    #[test]
    fn awkward_fields_are_quoted() {
        let fields = ["a", "b,c", "say \"so\"", "two\nlines", ""].map(str::to_owned);
        assert_eq!(
            line(&fields),
            "a,\"b,c\",\"say \"\"so\"\"\",\"two\nlines\",\n"
        );
    }
}
