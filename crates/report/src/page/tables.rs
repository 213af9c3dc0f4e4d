//! The figures as numbers, with their intervals.

use crate::estimate::{Estimate, named};
use crate::figures::sweep;
use crate::html::escape;
use crate::study::{Panel, Study};
use command::quantity::{Unit, count, percent};
use results::{Cell, Figure};
use results::{Statistic, TimeFigure};
use std::fmt::Write;

/// Columns: a title, its unit, the figure.
const COLUMNS: &[(&str, Unit, Figure)] = &[
    ("Requests/s", Unit::Plain, Figure::Throughput),
    (
        "Mean",
        Unit::Seconds,
        Figure::Time(TimeFigure::Latency, Statistic::Mean),
    ),
    (
        "Median",
        Unit::Seconds,
        Figure::Time(TimeFigure::Latency, Statistic::Percentile(50.0)),
    ),
    (
        "p99",
        Unit::Seconds,
        Figure::Time(TimeFigure::Latency, Statistic::Percentile(99.0)),
    ),
    (
        "p99.9",
        Unit::Seconds,
        Figure::Time(TimeFigure::Latency, Statistic::Percentile(99.9)),
    ),
    (
        "Max",
        Unit::Seconds,
        Figure::Time(TimeFigure::Latency, Statistic::Max),
    ),
    ("Errors", Unit::Share, Figure::ErrorPercent),
    ("Available, requests", Unit::Share, Figure::Availability),
    ("Available, seconds", Unit::Share, Figure::AvailableSeconds),
    ("CPU/request", Unit::Seconds, Figure::CpuPerRequest),
    ("Requests/CPU s", Unit::Plain, Figure::RequestsPerCpuSecond),
    (
        "Memory/connection",
        Unit::Bytes,
        Figure::MemoryPerConnection,
    ),
    ("Switches/request", Unit::Plain, Figure::SwitchesPerRequest),
    ("Wake-ups/request", Unit::Plain, Figure::WakeUpsPerRequest),
    (
        "Hand-overs/request",
        Unit::Plain,
        Figure::HandOversPerRequest,
    ),
];

pub(crate) fn section(study: &Study<'_>) -> String {
    let mut out = String::from(
        "<section id=\"tables\">\n<h2>Tables</h2>\n<p>Of each figure the median over the repeats that count, below it its 95\u{a0}% interval (Student's, on logarithms); of a single \
         repeat, how well its run knows it (±), which says nothing of how much repeats would differ. \
         ≥ marks lower bounds: requests were given up. † comes from invalid trials alone, and is not to be believed. The same numbers, a row for each trial, are in \
         <code>trials.csv</code>.</p>\n",
    );
    for panel in &study.panels {
        table(&mut out, panel);
    }
    out + "</section>\n"
}

fn table(out: &mut String, panel: &Panel<'_>) {
    if !panel.name.is_empty() {
        let _ = writeln!(out, "<h3>{}</h3>", escape(&panel.name));
    }
    let axis = panel.x.map(|x| sweep::axis(x, &panel.levels()));
    let cells = || panel.lines.iter().flat_map(|line| &line.cells);
    let has = |figure: Figure| cells().any(|(_, cell)| named(cell, figure).is_some());
    let columns: Vec<_> = COLUMNS.iter().filter(|(.., figure)| has(*figure)).collect();
    out.push_str("<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr><th>Model</th>");
    if let Some(axis) = &axis {
        let _ = write!(out, "<th class=\"n\">{}</th>", escape(&axis.name));
    }
    for (title, ..) in &columns {
        let _ = write!(out, "<th class=\"n\">{title}</th>");
    }
    out.push_str("<th class=\"n\">Repeats</th></tr></thead>\n<tbody>\n");
    for line in &panel.lines {
        for (place, (x, cell)) in line.cells.iter().enumerate() {
            out.push_str("<tr>");
            if place == 0 {
                let _ = write!(
                    out,
                    "<th scope=\"rowgroup\" rowspan=\"{}\">{}</th>",
                    line.cells.len(),
                    escape(&line.model)
                );
            }
            if let Some(axis) = &axis {
                let _ = write!(out, "<td class=\"n\">{}</td>", axis.unit.axis(*x));
            }
            for (_, unit, figure) in &columns {
                let _ = write!(
                    out,
                    "<td class=\"n\">{}</td>",
                    estimate(named(cell, *figure), *unit)
                );
            }
            let _ = writeln!(out, "<td class=\"n\">{}</td></tr>", repeats(cell));
        }
    }
    out.push_str("</tbody>\n</table></div>\n");
}

fn estimate(estimate: Option<Estimate>, unit: Unit) -> String {
    let Some(estimate) = estimate else {
        return "–".into();
    };
    let bound = if estimate.at_least { "≥ " } else { "" };
    let mut text = format!("{bound}{}", unit.show(estimate.value));
    if estimate.invalid {
        text = format!("<span class=\"invalid\">{text} †</span>");
    }
    // An interval without width says nothing.
    if let Some((low, high)) = estimate
        .range
        .filter(|(low, high)| unit.show(*low) != unit.show(*high))
    {
        let _ = write!(text, "<small>{}</small>", unit.range((low, high)));
    }
    if let Some(within) = estimate.within_run {
        let _ = write!(text, "<small>±{}</small>", percent(within));
    }
    text
}

fn repeats(cell: &Cell<'_>) -> String {
    let counted = cell.trials.iter().filter(|trial| trial.counts()).count();
    if counted == cell.trials.len() {
        count(counted as u64)
    } else {
        format!("{counted} of {}", cell.trials.len())
    }
}
