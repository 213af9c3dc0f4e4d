//! The report for people.

use super::Report;
use crate::failure::Failure;
use crate::metric::Metric;
use crate::record::Counts;
use crate::slo::JudgedObjective;
use command::quantity::{Unit, count, percent, significant};
use contracts::{PERCENTILES, Statistic};
use stats::hist::{Bound, Censored};
use std::fmt::Write;

const COLUMN: usize = 13;
const PRECISION: usize = 10;
/// In place of a figure that there is none of.
const NONE: &str = "–";

/// The whole report.
pub fn render(report: &Report<'_>) -> String {
    let mut out = format!("{}\n\n", report.title);
    // Writing to a string cannot fail.
    let _ = times(report, &mut out);
    let _ = counts(report, &mut out);
    let _ = super::parts::table(&report.parts, &mut out);
    let _ = objectives(&report.slos, &mut out);
    let _ = verdict(report, &mut out);
    out
}

/// The metrics that are shown, each under its name.
fn columns(report: &Report<'_>) -> Vec<(&'static str, Metric)> {
    let mut columns = vec![
        ("response", Metric::Response),
        ("service", Metric::Service),
        ("conn. wait", Metric::Wait),
        ("gen. lag", Metric::Lag),
    ];
    if report.run.is_closed_loop() {
        columns.remove(0);
    }
    for (name, metric) in [
        ("session", Metric::Session),
        ("connect", Metric::Connect),
        ("handshake", Metric::Handshake),
    ] {
        if report
            .figures
            .times(metric)
            .is_some_and(|times| !times.is_empty())
        {
            columns.push((name, metric));
        }
    }
    columns
}

fn times(report: &Report<'_>, out: &mut String) -> std::fmt::Result {
    let columns = columns(report);
    let unsteady = report.trend.is_some_and(|trend| !trend.steady);
    // What comes first has its precision beside it.
    let first = columns[0].1;
    let mut row = |name: &str, of: Statistic, cell: &dyn Fn(Metric) -> Option<(f64, bool)>| {
        write!(out, "  {name:<8}")?;
        for (_, metric) in &columns {
            let text = match cell(*metric) {
                Some((nanos, at_least)) => {
                    format!(
                        "{}{}",
                        if at_least { "≥ " } else { "" },
                        Unit::Seconds.show(nanos * 1e-9)
                    )
                }
                None => NONE.to_owned(),
            };
            write!(out, "{text:>COLUMN$}")?;
            if *metric == first {
                let known = report.precision.as_ref().filter(|_| text != NONE);
                let known = known.and_then(|precision| precision.within(of)?.relative);
                let known = known.map_or(String::new(), |known| format!("±{}", percent(known)));
                write!(out, "{known:>PRECISION$}")?;
            }
        }
        writeln!(out)
    };
    let times = |metric| {
        let times = report.figures.times(metric);
        times.filter(|times| !times.is_empty())
    };
    let exact = |bound: Bound| (bound.value as f64, bound.at_least);
    row("mean", Statistic::Mean, &|metric| {
        times(metric).map(|times| times.mean())
    })?;
    for percentile in PERCENTILES.map(Statistic::Percentile) {
        let Some(quantile) = percentile.quantile() else {
            continue;
        };
        let name = percentile.to_string();
        row(&name, percentile, &|metric| {
            let grows = matches!(metric, Metric::Response | Metric::Wait | Metric::Session);
            if unsteady && grows && quantile > 0.5 {
                return None;
            }
            // A quantile takes at least one value beyond it to say anything.
            let enough = |times: &&Censored| times.len() as f64 * (1.0 - quantile) >= 1.0;
            let times = times(metric).filter(enough);
            times.map(|times| exact(times.quantile(quantile)))
        })?;
    }
    row("max", Statistic::Max, &|metric| {
        times(metric).map(|times| exact(times.max()))
    })?;
    let mut head = format!("  {:<8}", "");
    for (name, metric) in &columns {
        head.push_str(&format!("{name:>COLUMN$}"));
        if *metric == first {
            let level = report.precision.as_ref().map(|_| "± (95 %)");
            head.push_str(&format!("{:>PRECISION$}", level.unwrap_or_default()));
        }
    }
    let at = out.find("\n\n").map_or(0, |at| at + 2);
    out.insert_str(at, &format!("{}\n", head.trim_end()));
    writeln!(out)
}

fn counts(report: &Report<'_>, out: &mut String) -> std::fmt::Result {
    let (outcome, figures) = (report.outcome, &report.figures);
    let counts = &outcome.record.counts;
    requests(report, out)?;
    writeln!(
        out,
        "  throughput  {} requests/s, {}, over {}",
        significant(figures.requests_per_s(), 3),
        Unit::Traffic.show(figures.bytes_per_s()),
        Unit::Seconds.show(figures.window_s())
    )?;
    connections(report, out)?;
    if let Some(fair) = figures.fairness().filter(|fair| fair.clients > 1) {
        writeln!(
            out,
            "  fairness    Jain {:.3} over {} clients (fewest {}, most {} requests)",
            fair.jain,
            count(fair.clients as u64),
            count(fair.fewest),
            count(fair.most)
        )?;
    }
    if counts.verified > 0 {
        writeln!(
            out,
            "  verified    {} {}, {} wrong",
            count(counts.verified),
            if counts.verified == 1 {
                "body"
            } else {
                "bodies"
            },
            count(counts.of(Failure::Mismatch))
        )?;
    }
    writeln!(
        out,
        "  generator   {} of its core busy, {} of processor time for each request",
        percent(outcome.busy),
        Unit::Seconds.show(figures.cpu_s_per_request())
    )?;
    let of_requests = classes(counts, |class| !Failure::is_of_connecting(class));
    if !of_requests.is_empty() {
        writeln!(out, "  errors      {of_requests}")?;
    }
    for example in &outcome.record.examples {
        writeln!(out, "              {}", example.words)?;
    }
    writeln!(out)
}

/// What became of them.
fn requests(report: &Report<'_>, out: &mut String) -> std::fmt::Result {
    let figures = &report.figures;
    let counts = &report.outcome.record.counts;
    write!(
        out,
        "  requests    {} answered of {} due",
        count(counts.completed),
        count(figures.due())
    )?;
    if counts.warming_up > 0 {
        write!(out, " after the warm-up")?;
    }
    if figures.errors() > 0 {
        write!(
            out,
            ", {} failed ({})",
            count(figures.errors()),
            percent(figures.error_percent() / 100.0)
        )?;
    }
    if figures.censored() > 0 {
        write!(out, ", {} without answer (≥)", count(figures.censored()))?;
    }
    writeln!(out)?;
    if let Some(share) = availability(report) {
        writeln!(out, "  available   {share}")?;
    }
    if counts.retried + counts.behind_close > 0 {
        writeln!(out, "              {}", sent_again(counts))?;
    }
    Ok(())
}

fn connections(report: &Report<'_>, out: &mut String) -> std::fmt::Result {
    let outcome = report.outcome;
    let counts = &outcome.record.counts;
    write!(
        out,
        "  connections {} of at most {}",
        outcome.connections, report.run.max_connections
    )?;
    write!(out, ", {}", made(report))?;
    let of_connecting = classes(counts, Failure::is_of_connecting);
    if !of_connecting.is_empty() {
        write!(
            out,
            ", {} attempts failed ({of_connecting})",
            count(counts.connects_failed())
        )?;
    }
    writeln!(out)
}

/// The share of requests and of seconds with a good answer, where it is not all of them.
fn availability(report: &Report<'_>) -> Option<String> {
    let requests = report.figures.availability_percent()?;
    let seconds = report.figures.available_seconds_percent();
    let all = requests == 100.0 && seconds.is_none_or(|seconds| seconds == 100.0);
    let of_seconds = |share| format!(", {} of the seconds", percent(share / 100.0));
    (!all).then(|| {
        format!(
            "{} of the requests{}",
            percent(requests / 100.0),
            seconds.map_or(String::new(), of_seconds)
        )
    })
}

/// How many connections were made, and where to.
fn made(report: &Report<'_>) -> String {
    let counts = &report.outcome.record.counts;
    let resumed = match counts.resumed {
        0 => String::new(),
        resumed => format!(" ({} resumed)", count(resumed)),
    };
    let all = format!("{} made{resumed}", count(counts.connected));
    match report.run.addresses.as_slice() {
        [one] => format!("{all} to {one}"),
        several => {
            let each = several.iter().zip(&report.outcome.made);
            let each: Vec<_> = each
                .map(|(address, made)| format!("{} to {address}", count(*made)))
                .collect();
            format!("{all}: {}", each.join(", "))
        }
    }
}

/// Requests that were sent again, and why.
fn sent_again(counts: &Counts) -> String {
    let why = [
        (
            counts.retried,
            "their used connections ended before any answer",
        ),
        (counts.behind_close, "they stood behind an announced close"),
    ];
    let told = why.iter().filter(|(number, _)| *number > 0);
    let told: Vec<String> = told
        .map(|(number, why)| format!("{} sent again: {why}", count(*number)))
        .collect();
    told.join("; ")
}

/// Some classes of failures, and how many there were of each.
fn classes(counts: &Counts, which: impl Fn(usize) -> bool) -> String {
    let told = counts.by_class(which);
    let told: Vec<String> = told
        .map(|(name, number)| format!("{} {name}", count(number)))
        .collect();
    told.join(", ")
}

fn objectives(slos: &[JudgedObjective], out: &mut String) -> std::fmt::Result {
    if slos.is_empty() {
        return Ok(());
    }
    let width = slos
        .iter()
        .map(|slo| slo.slo.chars().count())
        .max()
        .unwrap_or(0);
    writeln!(
        out,
        "  {:<width$}  {:>12}  {:>12}  margin",
        "objective", "limit", "measured"
    )?;
    for slo in slos {
        let show = |value: f64| match slo.unit {
            "us" => Unit::Seconds.show(value * 1e-6),
            "%" => percent(value / 100.0),
            unit => format!("{}{unit}", significant(value, 3)),
        };
        let measured = slo.value.map_or("–".to_owned(), |value| {
            format!("{}{}", if slo.at_least { "≥ " } else { "" }, show(value))
        });
        let margin = slo.margin.map_or("–".to_owned(), |margin| {
            // What is at least so slow is at most so far on the right side.
            let most = if slo.at_least && margin < 0.0 {
                "≤ "
            } else {
                ""
            };
            match margin.abs() {
                less if less < 10.0 => format!("{most}{:+.1} %", margin * 100.0),
                _ => format!("{most}{margin:+.0} ×"),
            }
        });
        writeln!(
            out,
            "  {:<width$}  {:>12}  {measured:>12}  {margin:>8}  {}",
            slo.slo,
            show(slo.limit),
            if slo.met { "met" } else { "MISSED" }
        )?;
    }
    writeln!(out)
}

fn verdict(report: &Report<'_>, out: &mut String) -> std::fmt::Result {
    writeln!(out, "{}", report.level())?;
    for finding in &report.findings {
        writeln!(out, "  {}: {}", finding.level, finding.text)?;
    }
    for note in &report.notes {
        writeln!(out, "  note: {note}")?;
    }
    Ok(())
}
