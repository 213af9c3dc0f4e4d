//! Loads: how requests come.

use contracts::load::Loop;
use serde::Deserialize;
use workload::{Arrival, RateStages};

use super::quantity::{OneOrMany, Precision, Rate, Text, Time};
use super::sweep::Sweep;

/// A load. Without `rate`, `arrival` and `stages` it is closed; with `session_requests` partly open; otherwise open.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// What cells call it.
    pub name: String,
    /// Closed: clients. Open: connections at the start.
    #[serde(default = "default_connections")]
    pub connections: OneOrMany<u64>,
    /// Requests (or sessions) due each second.
    pub rate: Option<OneOrMany<Rate>>,
    /// How they are spaced: constant or poisson.
    pub arrival: Option<Text<Arrival>>,
    /// A rate that changes, like `10s@500..2000`; in place of `rate` and of the experiment's `duration`, the warm-up being part of it.
    pub stages: Option<Text<RateStages>>,
    /// Requests of a session.
    pub session_requests: Option<OneOrMany<u32>>,
    /// All of these are due at its beginning.
    #[serde(default)]
    pub session_at_once: bool,
    /// Between an answer and the next request of a client or session.
    pub think: Option<OneOrMany<Time>>,
    /// Draw think times exponentially.
    #[serde(default)]
    pub think_exponential: bool,
    /// The most connections, if there may be more than at the start.
    pub max_connections: Option<u64>,
    /// Connections beside those, on which nothing is ever asked.
    pub idle: Option<OneOrMany<u64>>,
    /// Newcomers beside those: ten times a second so many connect at once, and ask for nothing.
    pub storm: Option<OneOrMany<u64>>,
    /// Replace a connection after so many requests.
    pub requests_per_connection: Option<u64>,
    /// Requests outstanding on a connection.
    pub pipeline: Option<u16>,
    /// Speak HTTP/2: over TLS to servers that encrypt, in the clear to others.
    #[serde(default)]
    pub http2: bool,
    /// Requests under way on a connection, over HTTP/2.
    pub streams: Option<u16>,
    /// Threads of the generator.
    pub threads: Option<u16>,
    /// End when the mean and p99 are known so well, in percent; the experiment's `duration` is then the most.
    pub precision: Option<Precision>,
    /// Compare every body with what it must be.
    #[serde(default)]
    pub verify: bool,
    /// Every handshake of TLS is a full one: no session is taken up again.
    #[serde(default)]
    pub full_handshakes: bool,
}

fn default_connections() -> OneOrMany<u64> {
    OneOrMany(vec![64])
}

impl Load {
    /// Who decides.
    pub fn kind(&self) -> Loop {
        let scheduled = self.rate.is_some() || self.arrival.is_some() || self.stages.is_some();
        match (scheduled, &self.session_requests) {
            (false, _) => Loop::Closed,
            (true, None) => Loop::Open,
            (true, Some(_)) => Loop::PartlyOpen,
        }
    }

    pub(super) fn check(&self, sweep: &Sweep) -> Result<(), String> {
        if matches!(&self.arrival, Some(Text(Arrival::Trace(_)))) {
            return Err("arrivals from a trace are not for experiments; use stages".into());
        }
        if self.stages.is_some() && self.rate.is_some() {
            return Err("it has a rate and stages; leave one out".into());
        }
        if self.precision.is_some() && self.stages.is_some() {
            return Err(
                "precision is for one rate all the time; leave it or the stages out".into(),
            );
        }
        if self.think_exponential && self.think.is_none() && sweep.think.is_empty() {
            return Err("think_exponential says how think is drawn, which is not given".into());
        }
        if self.streams.is_some() && !self.http2 {
            return Err("streams are of HTTP/2; add http2 = true".into());
        }
        if self.pipeline.is_some() && self.http2 {
            return Err(
                "pipeline is of HTTP/1.1; with http2 it is streams that are under way at a time"
                    .into(),
            );
        }
        if self.session_at_once && self.session_requests.is_none() {
            return Err("session_at_once is about session_requests, which are not given".into());
        }
        if self.session_at_once && (self.think.is_some() || !sweep.think.is_empty()) {
            return Err("with session_at_once nobody thinks; leave out think".into());
        }
        let rate = self.rate.is_some() || self.stages.is_some() || !sweep.rate.is_empty();
        match self.kind() {
            Loop::Closed if self.session_requests.is_some() => {
                Err("session_requests is for a load with a rate".into())
            }
            Loop::Open | Loop::PartlyOpen if !rate => {
                Err("it has arrivals and no rate; give a rate, here or in [sweep]".into())
            }
            _ => self.check_counts(sweep),
        }
    }

    /// What is counted is at least one.
    fn check_counts(&self, sweep: &Sweep) -> Result<(), String> {
        let sessions = self.session_requests.as_ref();
        let none = [
            (
                "connections",
                self.connections.0.contains(&0) || sweep.connections.contains(&0),
            ),
            (
                "session_requests",
                sessions.is_some_and(|each| each.0.contains(&0)),
            ),
            ("max_connections", self.max_connections == Some(0)),
            (
                "requests_per_connection",
                self.requests_per_connection == Some(0),
            ),
            ("pipeline", self.pipeline == Some(0)),
            ("streams", self.streams == Some(0)),
            ("threads", self.threads == Some(0)),
        ];
        match none.iter().find(|(_, is_zero)| *is_zero) {
            Some((name, _)) => Err(format!("{name} must be at least 1")),
            None => Ok(()),
        }
    }
}
