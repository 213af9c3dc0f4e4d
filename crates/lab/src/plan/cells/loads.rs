//! How requests come, with every knob at one value.

use results::{Factors, Level};

use super::{LoadCell, or_none};
use crate::spec::{Experiment, Load, Loop, Time};

/// Every combination of the axes of every load.
pub(super) fn loads(experiment: &Experiment) -> Vec<(Factors, LoadCell)> {
    experiment
        .load
        .iter()
        .flat_map(|load| combinations(load, experiment))
        .collect()
}

fn combinations(load: &Load, experiment: &Experiment) -> Vec<(Factors, LoadCell)> {
    let sweep = &experiment.sweep;
    let kind = load.kind();
    let connections = if sweep.connections.is_empty() {
        &load.connections.0
    } else {
        &sweep.connections
    };
    let own_rates = load.rate.as_ref().map_or(&[][..], |rates| &rates.0);
    let rates = match kind {
        Loop::Closed => Vec::new(),
        _ if load.stages.is_some() => Vec::new(),
        _ if sweep.rate.is_empty() => own_rates.to_vec(),
        _ => sweep.rate.clone(),
    };
    let own_think = load.think.as_ref().map_or(&[][..], |think| &think.0);
    let think: &[Time] = if sweep.think.is_empty() {
        own_think
    } else {
        &sweep.think
    };
    let sessions = load
        .session_requests
        .as_ref()
        .map_or(&[][..], |each| &each.0);
    let idle = load.idle.as_ref().map_or(&[][..], |idle| &idle.0);
    let storm = load.storm.as_ref().map_or(&[][..], |storm| &storm.0);
    let besides: Vec<_> = or_none(idle)
        .into_iter()
        .flat_map(|idle| or_none(storm).into_iter().map(move |storm| (idle, storm)))
        .collect();
    let mut all = Vec::new();
    for (connections, (idle, storm)) in connections
        .iter()
        .flat_map(|count| besides.iter().map(move |besides| (count, *besides)))
    {
        for rate in or_none(&rates) {
            for think in or_none(think) {
                for session_requests in or_none(sessions) {
                    let mut factors = Factors::from([
                        ("load".into(), Level::from(load.name.as_str())),
                        ("connections".into(), (*connections as f64).into()),
                    ]);
                    let mut put = |name: &str, level: Option<f64>| {
                        factors.extend(level.map(|level| (name.to_owned(), level.into())));
                    };
                    put("rate", rate.map(|rate| rate.0));
                    put("think", think.map(|time| time.0.as_secs_f64()));
                    put("session_requests", session_requests.map(f64::from));
                    put("idle", idle.map(|idle| idle as f64));
                    put("storm", storm.map(|storm| storm as f64));
                    let cell = LoadCell {
                        kind,
                        connections: *connections,
                        rate: rate.map(|rate| rate.0),
                        arrival: load.arrival.as_ref().map(|arrival| arrival.0.clone()),
                        stages: load.stages.as_ref().map(|stages| stages.0.clone()),
                        session_requests,
                        think: think.map(|time| time.0),
                        think_exponential: load.think_exponential,
                        flags: flags(load, idle, storm),
                    };
                    all.push((factors, cell));
                }
            }
        }
    }
    all
}

fn flags(load: &Load, idle: Option<u64>, storm: Option<u64>) -> Vec<String> {
    let mut flags = Vec::new();
    if load.http2 {
        flags.push("--http2".to_owned());
    }
    let mut put = |flag: &str, value: Option<u64>| {
        if let Some(value) = value {
            flags.extend([flag.to_owned(), value.to_string()]);
        }
    };
    put("--max-connections", load.max_connections);
    put("--idle", idle);
    put("--storm", storm);
    put("--requests-per-connection", load.requests_per_connection);
    put("--pipeline", load.pipeline.map(u64::from));
    put("--streams", load.streams.map(u64::from));
    put("--threads", load.threads.map(u64::from));
    if let Some(precision) = load.precision {
        flags.extend(["--precision".into(), precision.0.to_string()]);
    }
    if load.full_handshakes {
        flags.extend(["--tls-resume".into(), "off".into()]);
    }
    if load.session_at_once {
        flags.push("--session-at-once".into());
    }
    if load.verify {
        flags.push("--verify".into());
    }
    flags
}
