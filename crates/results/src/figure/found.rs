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
