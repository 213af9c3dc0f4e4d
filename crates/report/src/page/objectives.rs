//! Which cell meets which objective.

use super::verdicts::badge;
use crate::html::escape;
use crate::study::level;
use command::quantity::{Unit, significant};
use results::{JudgedSlo, Level, Run};
use std::fmt::Write;

/// A row for each cell, a column for each objective.
pub(crate) fn table(run: &Run, judged: &[JudgedSlo]) -> String {
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
        "<h3>Objectives</h3>\n<div class=\"scroll\" tabindex=\"0\"><table class=\"judged\">\n<thead><tr><th>Cell</th>",
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
            escape(&here().next().map_or(String::new(), |slo| name(run, slo)))
        );
        for objective in &objectives {
            let slo = here().find(|slo| slo.slo == *objective);
            let _ = write!(out, "<td>{}</td>", slo.map_or("–".into(), outcome));
        }
        out.push_str("</tr>\n");
    }
    out + "</tbody>\n</table></div>\n"
}

/// What sets a cell apart from the others.
fn name(run: &Run, slo: &JudgedSlo) -> String {
    let swept = run.swept().into_iter().filter_map(|factor| {
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
    // Times come in microseconds.
    let time = matches!(slo.unit.as_str(), "us" | "µs");
    let show = |value: f64| match time {
        true => Unit::Seconds.show(value * 1e-6),
        false => format!("{} {}", significant(value, 3), escape(&slo.unit))
            .trim_end()
            .to_owned(),
    };
    let bound = if slo.at_least { "≥ " } else { "" };
    let _ = write!(text, "{bound}{}", show(estimate));
    if let (Some(low), Some(high)) = (slo.low, slo.high) {
        let range = match time {
            true => Unit::Seconds.range((low * 1e-6, high * 1e-6)),
            false => format!("{} to {}", significant(low, 3), significant(high, 3)),
        };
        let _ = write!(text, "<small>{range}</small>");
    }
    if let Some(margin) = slo.margin {
        let _ = write!(
            text,
            "<small>margin {}{} %</small>",
            if slo.at_least { "≤ " } else { "" },
            significant(margin * 100.0, 2)
        );
    }
    text
}
