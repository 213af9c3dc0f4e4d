//! What the link says when it stands and when it has ended.

use std::fmt::Write;
use std::net::Ipv4Addr;

use contracts::link::{Carried, Direction, Host, Ready, SCHEMA, Summary};
use contracts::{Line, Unknown};
use network::{CLIENT, Hosts, Namespace, SERVER};

use crate::carrier::{Counts, DirectionCounts};
use crate::{Link, Model};

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

pub(crate) fn ready(model: &Model, link: &Link, hosts: &Hosts) -> Ready {
    let host = |address: Ipv4Addr, namespace: &Namespace| Host {
        address: Some(address.to_string()),
        namespace: Some(namespace.path().display().to_string()),
        unknown: Unknown::new(),
    };
    Ready {
        event: Ready::EVENT.into(),
        schema: Some(SCHEMA.into()),
        process_id: Some(std::process::id().into()),
        way: Some(link.way().name().into()),
        why_not_netem: link.why_not_netem().map(str::to_owned),
        rtt_ms: Some(model.round_trip.as_secs_f64() * 1e3),
        rate_bits_per_s: model.rate_bits_per_s,
        loss: Some(model.loss),
        jitter_ms: Some(model.jitter.as_secs_f64() * 1e3),
        queue_bytes: Some(model.queue_bytes),
        seed: Some(model.seed),
        server: Some(host(SERVER, &hosts.server)),
        client: Some(host(CLIENT, &hosts.client)),
        unknown: Unknown::new(),
    }
}

pub(crate) fn summary(counts: Option<&Counts>) -> Summary {
    Summary {
        event: Summary::EVENT.into(),
        schema: Some(SCHEMA.into()),
        carried: counts.map(|counts| Carried {
            to_server: direction(&counts.to_server),
            to_client: direction(&counts.to_client),
            unknown: Unknown::new(),
        }),
        unknown: Unknown::new(),
    }
}

fn direction(counts: &DirectionCounts) -> Direction {
    Direction {
        packets: Some(counts.packets),
        bytes: Some(counts.bytes),
        lost: Some(counts.lost),
        dropped: Some(counts.dropped),
        refused: Some(counts.refused),
        mean_wait_us: Some(counts.mean_wait_us),
        max_wait_us: Some(counts.max_wait_us),
        mean_lateness_us: Some(counts.mean_lateness_us),
        max_lateness_us: Some(counts.max_lateness_us),
        unknown: Unknown::new(),
    }
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
