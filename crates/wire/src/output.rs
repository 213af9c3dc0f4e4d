//! What a capture says when it has begun and when it has ended.

use std::fmt::{Display, Write as _};
use std::io::Write;

use serde_json::{Value, json};

use crate::cli::Arguments;
use crate::summary::{SCHEMA, Summary, Times, Traffic, Verdict};

/// Prints to standard output at once. A reader who has gone away does not stop a capture.
pub(crate) fn print(text: impl Display) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Says on standard error what is wrong.
pub(crate) fn complain(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

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

pub(crate) fn ready_json(arguments: &Arguments) -> Value {
    json!({
        "event": "ready",
        "schema": SCHEMA,
        "process_id": std::process::id(),
        "interface": arguments.interface,
        "view": arguments.view.name(),
        "port": arguments.port,
        "snap_bytes": arguments.snap,
        "ring_bytes": arguments.ring,
        "output": arguments.output,
    })
}

pub(crate) fn summary_json(summary: &Summary) -> Value {
    json!(summary)
}

pub(crate) fn summary_text(summary: &Summary) -> String {
    let mut text = format!(
        "                      mean         p50         p90         p99         max     count\n{}",
        [
            ("handshake", &summary.handshake_us),
            ("request in", &summary.request_us),
            ("to first byte", &summary.first_byte_us),
            ("to last byte", &summary.last_byte_us),
        ]
        .map(|(name, times)| row(name, times))
        .join("\n")
    );
    let mut line = |name: &str, value: String| {
        // Writing to a string does not fail.
        let _ = write!(text, "\n  {name:<13}{value}");
    };
    line(
        "requests",
        format!(
            "{} by HTTP/1, {} by bytes and time alone; {} pipelined, {} unanswered, {} answers unasked",
            summary.requests,
            summary.by_bytes_and_time,
            summary.pipelined,
            summary.unanswered,
            summary.unasked
        ),
    );
    line(
        "connections",
        format!("{}, {} reset", summary.connections, summary.resets),
    );
    line("to server", traffic(&summary.to_server));
    line("to client", traffic(&summary.to_client));
    line("capture", {
        let captured = &summary.captured;
        format!(
            "{} packets on {}, {} dropped; {:.2} s of processor time of its own",
            captured.packets, summary.interface, captured.dropped, captured.cpu_s
        )
    });
    let verdict = match summary.verdict {
        Verdict::Valid => "VALID",
        Verdict::Suspect => "SUSPECT",
    };
    let _ = write!(text, "\n\n{verdict}");
    for note in &summary.notes {
        let _ = write!(text, "\n  {note}");
    }
    text
}

fn row(name: &str, times: &Times) -> String {
    let mut row = format!("  {name:<14}");
    for value in [times.mean, times.p50, times.p90, times.p99, times.max] {
        let text = match (times.count, value) {
            (0, _) => "–".to_owned(),
            (_, ..1e3) => format!("{value:.1} µs"),
            (_, ..1e6) => format!("{:.2} ms", value / 1e3),
            _ => format!("{:.2} s", value / 1e6),
        };
        let _ = write!(row, "{text:>12}");
    }
    let _ = write!(row, "{:>10}", times.count);
    row
}

fn traffic(traffic: &Traffic) -> String {
    format!(
        "{} packets, {} bytes, {:.2} packets and {:.0} bytes a request; {} retransmitted, {} giant",
        traffic.packets,
        traffic.bytes,
        traffic.packets_per_request,
        traffic.bytes_per_request,
        traffic.retransmissions,
        traffic.giant
    )
}
