//! The processes that make a run together, as they are shown.

use super::{Report, json};
use crate::clock::seconds;
use crate::metric::Metric;
use crate::run::Run;
use command::quantity::{Unit, count};
use contracts::Unknown;
use contracts::load::{Part, PartStart, PartState};
use std::fmt::Write;

/// This process, if it is a part of a run.
pub(super) fn own(run: &Run, report: &Report<'_>) -> Option<Part> {
    let outcome = report.outcome;
    let times = |metric| report.figures.times(metric).and_then(json::distribution);
    Some(Part {
        share: run.part?.share.to_string(),
        state: PartState::Whole,
        host: Some(report.host.name.clone()),
        verdict: Some(report.level()),
        start: outcome.start.as_ref().map(|start| start.document()),
        reached_s: Some(seconds(outcome.elapsed)),
        scheduled: Some(outcome.scheduled),
        completed: Some(outcome.record.counts.completed),
        requests_per_s: Some(report.figures.requests_per_s()),
        response_time_us: times(Metric::Response),
        generator_lag_us: times(Metric::Lag),
        unknown: Unknown::new(),
    })
}

/// By how many seconds the part that began farthest from the agreed time was off; none where no time was agreed.
pub(super) fn start_skew_s(parts: &[Part]) -> Option<f64> {
    let starts = parts.iter().filter_map(|part| part.start.as_ref());
    let off = starts.filter_map(PartStart::late_s).map(f64::abs);
    off.max_by(f64::total_cmp)
}

/// A table of them.
pub(super) fn table(parts: &[Part], out: &mut String) -> std::fmt::Result {
    if parts.len() < 2 {
        return Ok(());
    }
    writeln!(
        out,
        "  {:<9} {:<16} {:<10} {:>11} {:>10} {:>10} {:>10} {:>11}",
        "part", "host", "verdict", "answered", "p50", "p99", "lag p99", "began"
    )?;
    for part in parts {
        let us = |us: Option<f64>| us.map_or("–".to_owned(), |us| Unit::Seconds.show(us * 1e-6));
        let response = part.response_time_us.as_ref();
        let verdict = match (part.state, part.verdict) {
            (PartState::Missing, _) => "missing",
            (PartState::NotBegun, _) => "not begun",
            (PartState::CutShort, _) => "cut short",
            (PartState::Whole, Some(verdict)) => verdict.name(),
            (PartState::Whole, None) => "–",
        };
        let late = part.start.as_ref().and_then(PartStart::late_s);
        writeln!(
            out,
            "  {:<9} {:<16} {verdict:<10} {:>11} {:>10} {:>10} {:>10} {:>11}",
            part.share,
            part.host.as_deref().unwrap_or("–"),
            part.completed.map_or("–".to_owned(), count),
            us(response.and_then(|times| times.p50)),
            us(response.and_then(|times| times.p99)),
            us(part.generator_lag_us.as_ref().and_then(|times| times.p99)),
            late.map_or("–".to_owned(), |late| format!("{:+.1} ms", late * 1e3)),
        )?;
    }
    if let Some(skew_s) = start_skew_s(parts) {
        let skew = Unit::Seconds.show(skew_s);
        writeln!(
            out,
            "  start skew  {skew} from the agreed time, of the part that was farthest from it"
        )?;
    }
    writeln!(out)
}
