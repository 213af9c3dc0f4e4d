//! What all models did under all circumstances: the darker, the nearer to the best of the column.

use super::matrix::{Entry, Matrix};
use crate::estimate::named;
use crate::figures::sweep::words;
use crate::standing::Criterion;
use crate::study::Study;
use command::quantity::{Unit, significant};
use results::Better;
use std::fmt::Write;

/// Circumstances of which there is a picture for each anyway.
const FEW: usize = 2;
/// Circumstances that are shown; of more, the first.
const MOST: usize = 24;
/// Shades, from none on.
const SHADES: [&str; 5] = ["h0", "h1", "h2", "h3", "h4"];

/// None where it would say no more than the figures.
pub(crate) fn section(study: &Study<'_>) -> Option<String> {
    let places = || {
        let panels = study.panels.iter();
        panels.flat_map(|panel| panel.levels().into_iter().map(move |level| (panel, level)))
    };
    let several = study.panels.iter().any(|panel| panel.lines.len() > 1);
    if !several || places().count() <= FEW {
        return None;
    }
    let mut out = String::from("<section id=\"glance\">\n<h2>At a glance</h2>\n");
    let _ = writeln!(
        out,
        "<p>Every model under all circumstances: the darker, the nearer to the best of its column. Medians over repeats; † does not count.</p>"
    );
    for (criterion, title) in [
        (Criterion::Throughput, "Throughput, requests/s"),
        (Criterion::Tail, "Latency, 99th percentile"),
    ] {
        let mut matrix = Matrix::default();
        for (panel, level) in places().take(MOST) {
            let circumstances = panel.circumstances(level);
            let cells = panel.lines.iter();
            let cells = cells.filter_map(|line| {
                let estimate = named(line.at(level)?, criterion.figure())?;
                Some((line, estimate))
            });
            let cells: Vec<_> = cells.collect();
            let counted = cells.iter().filter(|(_, estimate)| !estimate.invalid);
            let values = counted.map(|(_, estimate)| estimate.value);
            let higher = criterion.figure().better() == Better::Higher;
            let best = match higher {
                true => values.fold(0.0, f64::max),
                false => values.fold(f64::INFINITY, f64::min),
            };
            for (line, estimate) in &cells {
                let share = match higher {
                    true => estimate.value / best,
                    false => best / estimate.value,
                };
                let number = match criterion.unit() {
                    Unit::PerSecond => significant(estimate.value, 3),
                    unit => unit.show(estimate.value),
                };
                let shown = words(estimate, criterion.unit());
                let entry = Entry {
                    class: match estimate.invalid {
                        true => "invalid",
                        false => shade(share),
                    },
                    text: if estimate.invalid {
                        number + " †"
                    } else {
                        number
                    },
                    hover: format!("{}, {circumstances}: {shown}", line.model),
                };
                matrix.put(&line.model, ("", &circumstances), entry);
            }
        }
        let _ = write!(out, "<h3>{title}</h3>\n{}", matrix.html("Model"));
    }
    if places().count() > MOST {
        let _ = writeln!(
            out,
            "<p>There are more circumstances than are shown here; all are in the <a href=\"#tables\">tables</a>.</p>"
        );
    }
    Some(out + "</section>\n")
}

/// Which shade a share of the best has.
fn shade(share: f64) -> &'static str {
    let bounds = [0.5, 0.7, 0.85, 0.95];
    SHADES[bounds.iter().filter(|bound| share >= **bound).count()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_is_the_darkest_and_what_is_no_number_has_no_shade() {
        assert_eq!(
            [1.0, 0.95, 0.9, 0.6, 0.1].map(shade),
            ["h4", "h4", "h3", "h1", "h0"]
        );
        assert_eq!(shade(f64::NAN), "h0");
    }
}
