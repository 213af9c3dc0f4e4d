//! What a capture says when it has begun and when it has ended.

use std::fmt::Write;

use contracts::wire::{Ready, SCHEMA, Summary, Traffic};
use contracts::{Distribution, Line, Unknown};

use crate::cli::Arguments;

pub(crate) fn ready_text(arguments: &Arguments) -> String {
    let until = match arguments.duration {
        Some(duration) => format!("for {duration:?}"),
        None => "until Ctrl-C".into(),
    };
    format!(
        "capturing port {} on {} {until} (process {})",
        arguments.port,
        arguments.interface,
        std::process::id()
    )
}

pub(crate) fn ready(arguments: &Arguments) -> Ready {
    let output = arguments.output.as_ref();
    Ready {
        event: Ready::EVENT.into(),
        schema: Some(SCHEMA.into()),
        process_id: Some(std::process::id().into()),
        interface: Some(arguments.interface.clone()),
        view: Some(arguments.view.name().into()),
        port: Some(arguments.port),
        snap_bytes: Some(arguments.snap.into()),
        ring_bytes: Some(arguments.ring),
        output: output.map(|path| path.display().to_string()),
        unknown: Unknown::new(),
    }
}

pub(crate) fn summary_text(summary: &Summary) -> String {
    let times = [
        ("handshake", &summary.handshake_us),
        ("request in", &summary.request_us),
        ("to first byte", &summary.first_byte_us),
        ("to last byte", &summary.last_byte_us),
    ];
    let mut text = String::from(
        "                      mean         p50         p90         p99         max     count",
    );
    for (name, times) in times {
        // Writing to a string does not fail.
        let _ = write!(text, "\n{}", row(name, times.as_ref()));
    }
    let mut line = |name: &str, value: String| {
        let _ = write!(text, "\n  {name:<13}{value}");
    };
    let count = |count: Option<u64>| count.unwrap_or_default();
    line(
        "requests",
        format!(
            "{} by HTTP/1, {} by bytes and time alone; {} pipelined, {} unanswered, {} answers unasked",
            count(summary.requests),
            count(summary.by_bytes_and_time),
            count(summary.pipelined),
            count(summary.unanswered),
            count(summary.unasked),
        ),
    );
    line(
        "connections",
        format!(
            "{}, {} reset",
            count(summary.connections),
            count(summary.resets)
        ),
    );
    for (name, traffic) in [
        ("to server", &summary.to_server),
        ("to client", &summary.to_client),
    ] {
        if let Some(traffic) = traffic {
            line(name, describe(traffic));
        }
    }
    if let Some(captured) = &summary.captured {
        line(
            "capture",
            format!(
                "{} packets on {}, {} dropped; {:.2} s of processor time of its own",
                count(captured.packets),
                summary.interface.as_deref().unwrap_or_default(),
                count(captured.dropped),
                captured.cpu_s.unwrap_or_default(),
            ),
        );
    }
    if let Some(verdict) = summary.verdict {
        let _ = write!(text, "\n\n{verdict}");
    }
    for note in &summary.notes {
        let _ = write!(text, "\n  {note}");
    }
    text
}

fn row(name: &str, times: Option<&Distribution>) -> String {
    let times = times.cloned().unwrap_or_default();
    let mut row = format!("  {name:<14}");
    for value in [times.mean, times.p50, times.p90, times.p99, times.max] {
        let text = match value {
            None => "–".to_owned(),
            Some(value @ ..1e3) => format!("{value:.1} µs"),
            Some(value @ ..1e6) => format!("{:.2} ms", value / 1e3),
            Some(value) => format!("{:.2} s", value / 1e6),
        };
        let _ = write!(row, "{text:>12}");
    }
    let _ = write!(row, "{:>10}", times.count.unwrap_or_default());
    row
}

fn describe(traffic: &Traffic) -> String {
    let count = |count: Option<u64>| count.unwrap_or_default();
    let each = |each: Option<f64>, digits: usize| {
        each.map_or("–".into(), |each| format!("{each:.digits$}"))
    };
    format!(
        "{} packets, {} bytes, {} packets and {} bytes a request; {} retransmitted, {} giant",
        count(traffic.packets),
        count(traffic.bytes),
        each(traffic.packets_per_request, 2),
        each(traffic.bytes_per_request, 0),
        count(traffic.retransmissions),
        count(traffic.giant),
    )
}
