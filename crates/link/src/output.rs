//! What the link says when it stands and when it has ended.

use std::fmt::{Display, Write as _};
use std::io::Write;

use network::{CLIENT, Hosts, SERVER};
use serde_json::{Value, json};

use crate::carrier::{Counts, DirectionCounts};
use crate::{Link, Model};

/// The version of the JSON lines.
const SCHEMA: &str = "archbench.link/1";

/// Prints to standard output at once. A reader who has gone away does not stop a link.
pub(crate) fn print(text: impl Display) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Says on standard error what is wrong.
pub(crate) fn complain(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

pub(crate) fn ready_text(model: &Model, link: &Link, hosts: &Hosts) -> String {
    let mut text = format!(
        "{CLIENT} and {SERVER} are {:?} apart there and back",
        model.round_trip
    );
    // Writing to a string does not fail.
    let mut add = |part: String| text.write_str(&part).unwrap_or_default();
    if let Some(rate) = model.rate_bits_per_s {
        let mbit = rate as f64 / 1e6;
        add(format!(
            ", {mbit} Mbit/s each way, a queue of {} bytes",
            model.queue_bytes
        ));
    }
    if model.loss > 0.0 {
        add(format!(", {} % lost", model.loss * 100.0));
    }
    if !model.jitter.is_zero() {
        add(format!(", ±{:?} each way", model.jitter));
    }
    add(match link.why_not_netem() {
        None => ", by netem".to_owned(),
        Some(why) => format!(", in user space (netem: {why})"),
    });
    add(format!(
        "\ntry 'nsenter --net={} archbench serve --addr {SERVER}:8080'\nand 'nsenter --net={} archbench load http://{SERVER}:8080'; \
         Ctrl-C ends the link",
        hosts.server.path().display(),
        hosts.client.path().display(),
    ));
    text
}

pub(crate) fn ready_json(model: &Model, link: &Link, hosts: &Hosts) -> Value {
    json!({
        "event": "ready",
        "schema": SCHEMA,
        "process_id": std::process::id(),
        "way": link.way(),
        "why_not_netem": link.why_not_netem(),
        "rtt_ms": model.round_trip.as_secs_f64() * 1e3,
        "rate_bits_per_s": model.rate_bits_per_s,
        "loss": model.loss,
        "jitter_ms": model.jitter.as_secs_f64() * 1e3,
        "queue_bytes": model.queue_bytes,
        "seed": model.seed,
        "server": { "address": SERVER.to_string(), "namespace": hosts.server.path() },
        "client": { "address": CLIENT.to_string(), "namespace": hosts.client.path() },
    })
}

pub(crate) fn summary_json(counts: Option<&Counts>) -> Value {
    json!({ "event": "summary", "schema": SCHEMA, "carried": counts })
}

pub(crate) fn summary_text(counts: Option<&Counts>) -> String {
    let mut text = String::from("the link has ended");
    let mut line = |name: &str, counts: &DirectionCounts| {
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "\n  {name:<11}{} packets, {:.1} MiB; {} lost, {} dropped, {} refused; mean wait {:.1} µs, longest {:.1} µs; late by {:.1} µs, at \
             most {:.1} µs",
            counts.packets,
            counts.bytes as f64 / f64::from(1 << 20),
            counts.lost,
            counts.dropped,
            counts.refused,
            counts.mean_wait_us,
            counts.max_wait_us,
            counts.mean_lateness_us,
            counts.max_lateness_us,
        );
    };
    if let Some(counts) = counts {
        line("to server", &counts.to_server);
        line("to client", &counts.to_client);
    }
    text
}
