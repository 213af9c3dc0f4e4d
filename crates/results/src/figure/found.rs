//! What a figure is where no report has it as it is.

use contracts::load::Report;
use contracts::results::{Level, Trial};
use contracts::serve::Summary;

use super::Figure;

pub(super) fn float(count: Option<u64>) -> Option<f64> {
    count.map(|count| count as f64)
}

/// Of reports that do not say it yet, in percent of those that ended: requests without an answer are left out.
pub(super) fn error_percent(load: &Report) -> Option<f64> {
    let requests = &load.requests;
    requests.error_percent.or_else(|| {
        let errors = requests.errors_total?;
        let all = errors + requests.completed?;
        Some(100.0 * errors as f64 / all.max(1) as f64)
    })
}

/// In percent of those that were due. What is under way when a run ends has neither been answered nor failed.
pub(super) fn availability(load: &Report) -> Option<f64> {
    let requests = &load.requests;
    let completed = requests.completed? as f64;
    let count = |count: Option<u64>| count.unwrap_or(0) as f64;
    let given_up = count(requests.censored) - count(requests.unfinished);
    let due = completed + count(requests.errors_total) + given_up.max(0.0);
    (due > 0.0).then(|| 100.0 * completed / due)
}

/// A part of a second that is shorter, in seconds, tells nothing.
const FRAGMENT_S: f64 = 0.2;

/// In percent of the seconds after the warm-up; of a server that stands still nothing is answered, whatever is due.
pub(super) fn available_seconds(load: &Report) -> Option<f64> {
    let mut start = load.run.warmup_s.unwrap_or(0.0);
    let (mut all, mut available) = (0_u32, 0_u32);
    for second in &load.series {
        if second.at_s - start >= FRAGMENT_S {
            all += 1;
            available += u32::from(second.completed.unwrap_or(0) > 0);
        }
        start = start.max(second.at_s);
    }
    (all > 0).then(|| 100.0 * f64::from(available) / f64::from(all))
}

/// Connections are those that the generator made; of one that does not say, those that were asked for.
pub(super) fn memory_per_connection(trial: &Trial) -> Option<f64> {
    let load = trial.load.as_ref();
    let made = load.and_then(|load| load.generator.connections);
    let asked = || trial.factors.get("connections").and_then(Level::number);
    let connections = float(made).or_else(asked).filter(|made| *made >= 1.0)?;
    Some(Figure::PeakResident.of(trial)? / connections)
}

/// How evenly several loops shared the connections.
pub(super) fn loop_balance(server: &Summary) -> Option<f64> {
    let connections = server.connections_by_loop.iter();
    let shares: Vec<_> = connections.map(|&count| count as f64).collect();
    stats::fairness::jain(&shares).ok()
}

/// So many for each request.
pub(super) fn each(server: &Summary, count: u64) -> Option<f64> {
    let requests = server.requests.filter(|requests| *requests > 0)?;
    Some(count as f64 / requests as f64)
}

/// None of a server that is made of no stages or actors: where it hands a request over, nobody counts it.
pub(super) fn hand_overs_per_request(server: &Summary) -> Option<f64> {
    let events = server.stages.iter().map(|stage| stage.events);
    let events = events.sum::<Option<u64>>()?;
    each(server, events).filter(|_| !server.stages.is_empty())
}

/// What was captured at one end.
pub(super) fn wire<'a>(trial: &'a Trial, at: &str) -> Option<&'a contracts::wire::Summary> {
    let wire = trial.wire.iter().find(|wire| wire.at == at)?;
    Some(&wire.summary)
}
