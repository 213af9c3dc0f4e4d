//! Which cell meets which objective: a matrix to look at, and a table with all that is known.

use super::matrix::{Entry, Matrix};
use super::verdicts::{badge, sign};
use crate::html::escape;
use crate::study::{MODEL, level};
use command::quantity::{Unit, significant};
use results::{JudgedSlo, Level, Run};
use std::fmt::Write;

/// Both of them.
pub(crate) fn part(run: &Run, judged: &[JudgedSlo]) -> String {
    let mut matrix = Matrix::default();
    for slo in judged {
        let (model, circumstances) = (model(slo), name(run, slo, true));
        let entry = Entry {
            class: slo.outcome.name(),
            text: match slo.estimate {
                None => format!("{} –", sign(slo.outcome)),
                Some(estimate) => format!("{} {}", sign(slo.outcome), found(slo, estimate)),
            },
            hover: hover(run, slo),
        };
        matrix.put(&model, (&circumstances, &slo.slo), entry);
    }
    format!(
        "<h3>Objectives</h3>\n{}<details><summary>With intervals and margins</summary>\n{}</details>\n",
        matrix.html("Model"),
        table(run, judged)
    )
}

/// All that is known of it, in a line.
fn hover(run: &Run, slo: &JudgedSlo) -> String {
    let mut text = format!("{}, {}: {}", name(run, slo, false), slo.slo, slo.outcome);
    let Some(estimate) = slo.estimate else {
        return text + ", no figures";
    };
    let _ = write!(text, ", {}", found(slo, estimate));
    if let Some(range) = range(slo) {
        let _ = write!(text, " ({range})");
    }
    if let Some(margin) = margin(slo) {
        let _ = write!(text, ", {margin}");
    }
    text
}

/// A row for each cell, a column for each objective.
fn table(run: &Run, judged: &[JudgedSlo]) -> String {
    let mut objectives: Vec<&str> = Vec::new();
    let mut cells: Vec<usize> = Vec::new();
    for slo in judged {
        if !objectives.contains(&slo.slo.as_str()) {
            objectives.push(&slo.slo);
        }
        if !cells.contains(&slo.cell) {
            cells.push(slo.cell);
        }
    }
    let mut out = String::from(
        "<div class=\"scroll\" tabindex=\"0\"><table class=\"judged\">\n<thead><tr><th>Cell</th>",
    );
    for objective in &objectives {
        let _ = write!(out, "<th><code>{}</code></th>", escape(objective));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for cell in cells {
        let here = || judged.iter().filter(|slo| slo.cell == cell);
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{}</th>",
            escape(
                &here()
                    .next()
                    .map_or(String::new(), |slo| name(run, slo, false))
            )
        );
        for objective in &objectives {
            let slo = here().find(|slo| slo.slo == *objective);
            let _ = write!(out, "<td>{}</td>", slo.map_or("–".into(), outcome));
        }
        out.push_str("</tr>\n");
    }
    out + "</tbody>\n</table></div>\n"
}

fn model(slo: &JudgedSlo) -> String {
    let model = slo.factors.get(MODEL);
    model.map_or_else(|| "server".to_owned(), ToString::to_string)
}

/// What sets a cell apart from the others, with its model or `but` it.
fn name(run: &Run, slo: &JudgedSlo, but: bool) -> String {
    let swept = run.swept().into_iter();
    let swept = swept.filter(|factor| !but || factor.name != MODEL);
    let swept = swept.filter_map(|factor| {
        Some(match slo.factors.get(&factor.name)? {
            Level::Number(number) => level(factor, *number),
            Level::Text(text) => text.clone(),
        })
    });
    swept.collect::<Vec<_>>().join(", ")
}

fn outcome(slo: &JudgedSlo) -> String {
    let mut text = badge(slo.outcome);
    let Some(estimate) = slo.estimate else {
        return text + " no figures";
    };
    text.push_str(&escape(&found(slo, estimate)));
    for further in [range(slo), margin(slo)].into_iter().flatten() {
        let _ = write!(text, "<small>{}</small>", escape(&further));
    }
    text
}

/// Times come in microseconds.
fn is_time(slo: &JudgedSlo) -> bool {
    matches!(slo.unit.as_str(), "us" | "µs")
}

fn found(slo: &JudgedSlo, estimate: f64) -> String {
    let bound = if slo.at_least { "≥ " } else { "" };
    let text = match is_time(slo) {
        true => Unit::Seconds.show(estimate * 1e-6),
        false => format!("{} {}", significant(estimate, 3), slo.unit),
    };
    format!("{bound}{}", text.trim_end())
}

fn range(slo: &JudgedSlo) -> Option<String> {
    let (low, high) = (slo.low?, slo.high?);
    Some(match is_time(slo) {
        true => Unit::Seconds.range((low * 1e-6, high * 1e-6)),
        false => format!("{} to {}", significant(low, 3), significant(high, 3)),
    })
}

fn margin(slo: &JudgedSlo) -> Option<String> {
    let bound = if slo.at_least { "≤ " } else { "" };
    let margin = significant(slo.margin? * 100.0, 2);
    Some(format!("margin {bound}{margin} %"))
}
