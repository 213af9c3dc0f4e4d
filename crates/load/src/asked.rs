//! What was asked for, as far as a report and a verdict need it: of a run that was made here, or of one that was written down.

use crate::address::Address;
use crate::clock::{Nanos, nanos, seconds};
use crate::run::{Model, Run};
use crate::schedule::Think;
use crate::statuses::Statuses;
use contracts::{Unknown, load};
use std::path::PathBuf;
use std::time::Duration;

/// What was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// As it is written down.
    pub document: load::Run,
    /// Where to.
    pub addresses: Vec<Address>,
    /// The most connections.
    pub max_connections: usize,
    /// How many loops, in all processes.
    pub threads: usize,
    /// What is intended before then is not measured. Nanoseconds.
    pub warmup: Nanos,
    /// How long an answer is waited for. Nanoseconds.
    pub timeout: Nanos,
    /// Think time.
    pub think: Think,
    /// Which status codes are good answers.
    pub expect: Statuses,
    /// Whether a connection is ever replaced for having been used often.
    pub replaces_connections: bool,
}

impl Asked {
    /// That of a run; of a part of one, what the part is asked for.
    pub fn of(run: &Run) -> Self {
        Self {
            document: document(run),
            addresses: run.addresses.clone(),
            max_connections: run.max_connections,
            threads: run.threads,
            warmup: run.warmup,
            timeout: run.timeout,
            think: run.think,
            expect: run.expect.clone(),
            replaces_connections: run.requests_per_connection < u64::MAX,
        }
    }

    /// That which was written down, by so many loops.
    ///
    /// # Errors
    /// What of it makes no sense.
    pub fn read(document: load::Run, threads: usize) -> Result<Self, String> {
        let time = |name: &str, seconds: Option<f64>| {
            let time = Duration::try_from_secs_f64(seconds.unwrap_or(0.0));
            time.map_err(|error| format!("{name}: {error}"))
        };
        let think = match document.model.think.exponential_mean_s {
            Some(mean) => Think::Exponential(time("think", Some(mean))?),
            None => Think::Constant(time("think", document.model.think.constant_s)?),
        };
        let addresses = match document.addresses.as_slice() {
            [] => document.address.as_slice(),
            several => several,
        };
        let expect = document.expect.as_deref().map(str::parse).transpose()?;
        Ok(Self {
            addresses: addresses.iter().map(|text| address(text)).collect(),
            max_connections: usize::try_from(document.max_connections.unwrap_or(0))
                .unwrap_or(usize::MAX),
            threads,
            warmup: nanos(time("warmup_s", document.warmup_s)?),
            timeout: nanos(time("timeout_s", document.timeout_s)?),
            think,
            expect: expect.unwrap_or_default(),
            replaces_connections: document.requests_per_connection.is_some(),
            document,
        })
    }

    /// Whether there are no intended times.
    pub fn is_closed_loop(&self) -> bool {
        self.document.model.name == Some(load::Loop::Closed)
    }

    /// Whether requests come at the same rate all the time, or as fast as they are answered.
    pub(crate) fn has_one_rate(&self) -> bool {
        if self.is_closed_loop() {
            return true;
        }
        self.document.model.stages.as_ref().is_some_and(|stages| {
            let mut rates = stages
                .iter()
                .flat_map(|stage| [stage.from_per_s, stage.to_per_s]);
            let first = rates.next();
            rates.all(|rate| Some(rate) == first)
        })
    }
}

/// An address as it is shown.
fn address(text: &str) -> Address {
    match text.parse() {
        Ok(address) => Address::Tcp(address),
        Err(_) => Address::Unix(PathBuf::from(text)),
    }
}

fn document(run: &Run) -> load::Run {
    let targets = &run.targets.targets;
    let addresses: Vec<_> = run.addresses.iter().map(Address::to_string).collect();
    load::Run {
        arguments: Vec::new(),
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        title: None,
        seed: Some(run.seed),
        model: model(run),
        share: run.part.map(|part| part.share.to_string()),
        address: addresses.first().cloned(),
        addresses: if addresses.len() > 1 {
            addresses
        } else {
            Vec::new()
        },
        targets: Some(targets.len() as u64),
        first_target: targets.first().map(|target| target.url.clone()),
        clients: Some(run.clients as u64),
        max_connections: Some(run.max_connections as u64),
        pipeline: (!run.http2).then_some(run.depth as u64),
        streams: run.http2.then_some(run.depth as u64),
        requests_per_connection: Some(run.requests_per_connection).filter(|most| *most < u64::MAX),
        expect: Some(run.expect.to_string()),
        verify: Some(run.verify),
        cores: run.cores.iter().map(|core| *core as u64).collect(),
        timeout_s: Some(seconds(run.timeout)),
        warmup_s: Some(seconds(run.warmup)),
        duration_s: run.duration.as_ref().map(Duration::as_secs_f64),
        requests: run.requests,
        started_unix_s: None,
        elapsed_s: None,
        interrupted: None,
        unknown: Unknown::new(),
    }
}

fn model(run: &Run) -> load::LoadModel {
    let (name, arrivals, session) = match &run.model {
        Model::Closed => (load::Loop::Closed, None, None),
        Model::Open(arrivals) => (load::Loop::Open, Some(arrivals), None),
        Model::PartlyOpen(arrivals, each) => (load::Loop::PartlyOpen, Some(arrivals), Some(*each)),
    };
    let asked = arrivals.and_then(|arrivals| arrivals.asked.as_ref());
    let spacing = |_| match asked {
        None => "trace",
        Some((_, true)) => "poisson",
        Some((_, false)) => "constant",
    };
    load::LoadModel {
        name: Some(name),
        arrivals: arrivals.map(spacing).map(str::to_owned),
        stages: asked.map(|(stages, _)| rates(stages)),
        session_requests: session.map(u64::from),
        session_at_once: run.session_at_once.then_some(true),
        think: match run.think {
            Think::Constant(time) => load::Think {
                constant_s: Some(time.as_secs_f64()),
                ..Default::default()
            },
            Think::Exponential(mean) => load::Think {
                exponential_mean_s: Some(mean.as_secs_f64()),
                ..Default::default()
            },
        },
        unknown: Unknown::new(),
    }
}

fn rates(stages: &workload::RateStages) -> Vec<load::RateStage> {
    let rate = stages.iter().map(|stage| load::RateStage {
        length_s: (stage.length != Duration::MAX).then_some(stage.length.as_secs_f64()),
        from_per_s: stage.from,
        to_per_s: stage.to,
        unknown: Unknown::new(),
    });
    rate.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::tests::parse;
    use crate::prepare::prepare;

    #[test]
    fn what_is_written_down_is_read_back() {
        for (line, one_rate) in [
            ("", true),
            (
                "-c 7 --think exp:30ms --expect 200,404 --timeout 700ms",
                true,
            ),
            (
                "-R 300 --poisson --warmup 1500ms --max-connections 90",
                true,
            ),
            ("--stages 1s@5..9,2s@3 --no-keepalive", false),
            (
                "-R 9 --session-requests 3 --think 10ms --unix /run/a.sock",
                true,
            ),
            ("--http2 --streams 7", true),
            ("-R 9 --session-requests 3 --session-at-once", true),
        ] {
            let run = prepare(&parse(line).expect(line)).expect(line).run;
            let asked = Asked::of(&run);
            let text = serde_json::to_string(&asked.document).expect("JSON");
            let read = serde_json::from_str(&text).expect("the same");
            assert_eq!(Asked::read(read, run.threads), Ok(asked.clone()), "{line}");
            assert_eq!(asked.has_one_rate(), one_rate, "{line}");
            assert_eq!(asked.is_closed_loop(), run.is_closed_loop());
        }
    }
}
