//! Floods: as many requests as the client can make, each answer verified.
//!
//! Files of all sizes, ranges and conditions, with and without keep-alive and pipelining. Nothing may be wrong, nothing may be
//! lost, nothing may be left over, and client and server must have counted the same. `scripts/soak` is the same for a million
//! requests: `ARCHBENCH_SOAK` says how many.

use std::process::Command;

use serde_json::Value;

use crate::case::{Bench, Case, case_of_each_behaviour};
use crate::client::last_get;
use crate::server::{BINARY, Server};

pub(crate) const CASES: &[Case] = &[case_of_each_behaviour(
    "of_verified_requests",
    of_verified_requests,
)];

/// Requests by default.
const FEW: u64 = 4000;
/// The flood comes in so many parts, so that its begin can be compared with its end: of few requests, and of many.
const PARTS: [u64; 2] = [2, 10];
/// In bytes; no allocation is smaller.
const LEAST_BLOCK: u64 = 16;
const FILES: &str = "specweb99:1";
/// Names that are kept, each with an open file.
const NAMES: &str = "8";
/// Each part is asked for in all of these. Connections end, so that in each manner every worker has its turn.
const MANNERS: [&[&str]; 4] = [
    &["--requests-per-connection", "100"],
    &["--requests-per-connection", "10"],
    &["--requests-per-connection", "100", "--pipeline", "8"],
    &["--no-keepalive"],
];
const MIX: &str = "whole=6,range=2,unchanged=1,changed=1";

/// What there is of a server at one time.
#[derive(Debug, Clone, Copy)]
struct Size {
    processes: usize,
    descriptors: usize,
    memory: u64,
}

fn of_verified_requests(bench: &Bench) {
    let wanted = std::env::var("ARCHBENCH_SOAK").ok();
    let soak = wanted.map(|count| count.parse().expect("ARCHBENCH_SOAK is a number"));
    let directory = tempfile::tempdir().unwrap();
    let made = Command::new(BINARY)
        .args(["files", FILES])
        .arg(directory.path())
        .output()
        .expect("the binary runs");
    assert!(made.status.success(), "{made:?}");
    // So that every cache has something to let go of.
    let options = ["--name-cache", NAMES, "--content-cache", "100k"];
    let server = bench.serve_from(directory.path(), &options);
    flood(bench, server, soak.unwrap_or(FEW), soak.is_some());
}

fn flood(bench: &Bench, server: Server, requests: u64, tell: bool) {
    const STATUSES: [&str; 3] = ["200", "206", "304"];
    let mut statuses = [0; STATUSES.len()];
    let (mut asked, mut connections, mut bytes) = (0, 0, 0);
    let mut sizes = vec![at_rest(&server)];
    let started = std::time::Instant::now();
    let tides = PARTS[usize::from(tell)];
    let parts = tides * MANNERS.len() as u64;
    for part in 0..parts {
        let count = requests * (part + 1) / parts - requests * part / parts;
        let report = load(bench, &server, part, count);
        let figures = &report["requests"];
        let number = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("{report}"));
        // No wrong byte, no wrong status, nothing lost.
        assert_eq!(figures["errors_total"], 0, "{figures}");
        for all in ["sent", "completed", "verified"] {
            assert_eq!(number(&figures[all]), count, "{all}: {figures}");
        }
        // Of few requests some part may by chance have none of a kind.
        for (status, count) in STATUSES.into_iter().zip(&mut statuses) {
            *count += figures["statuses"][status].as_u64().unwrap_or(0);
        }
        asked += count;
        connections += number(&report["generator"]["connections_made"]);
        bytes += number(&report["throughput"]["bytes"]);
        if (part + 1) % MANNERS.len() as u64 == 0 {
            sizes.push(at_rest(&server));
        }
    }
    assert!(statuses.iter().all(|&count| count > 0), "{statuses:?}");
    let elapsed = started.elapsed();
    // In a few requests caches have hardly been filled, and not every worker has worked. In many, what is cached by one thread and let
    // go by another still spreads over the allocator's arenas; but whatever leaks leaks for each request, or each connection.
    let (first, slack, grown) = match tell {
        true => (sizes[1], 2, connections * LEAST_BLOCK * (tides - 1) / tides),
        false => (sizes[0], NAMES.parse().unwrap_or(0) + 2, 8 << 20),
    };
    let last = sizes[sizes.len() - 1];
    assert!(
        last.descriptors <= first.descriptors + slack * first.processes,
        "descriptors grew: {sizes:?}"
    );
    assert!(
        last.memory <= first.memory + grown,
        "memory grew: {sizes:?}"
    );
    let summary = server.stop();
    // Each look at the server at rest was one more.
    let looks = tides + 1;
    assert_eq!(summary["requests"], asked + looks, "{summary}");
    assert_eq!(summary["connections"], connections + looks, "{summary}");
    let extra = summary["bytes"].as_u64().map(|served| served - bytes);
    assert!(
        extra.is_some_and(|extra| extra < looks * 1000),
        "{bytes} received: {summary}"
    );
    assert_eq!(
        (&summary["status"]["4xx"], &summary["status"]["5xx"]),
        (&looks.into(), &0.into()),
        "{summary}"
    );
    for (name, count) in summary["errors"].as_object().expect("errors") {
        assert_eq!(count, 0, "{name}: {summary}");
    }
    if tell {
        let name = bench.room.to_string();
        println!(
            "{name:<26} {asked:>9} requests in {:>5.1} s, {:>6} MB verified, {connections:>7} connections; \
             descriptors {} and {}, anonymous memory {} and {} KiB after the first and the last tenth",
            elapsed.as_secs_f64(),
            bytes / 1_000_000,
            first.descriptors,
            last.descriptors,
            first.memory >> 10,
            last.memory >> 10,
        );
    }
}

/// A piece of a part, in one manner.
fn load(bench: &Bench, server: &Server, part: u64, count: u64) -> Value {
    let connections = if bench.room.is_concurrent() {
        "24"
    } else {
        "1"
    };
    let manner = MANNERS[part as usize % MANNERS.len()];
    let output = Command::new(BINARY)
        .args(["load", &format!("http://{}", server.address)])
        .args([
            "--files",
            FILES,
            "--verify",
            "--mix",
            MIX,
            "-c",
            connections,
        ])
        .args(["-n", &count.to_string(), "--seed", &(part + 1).to_string()])
        .args(["--timeout", "20s", "--quiet", "--output-format", "json"])
        .args(manner)
        .output()
        .expect("the binary runs");
    let complaint = String::from_utf8_lossy(&output.stderr);
    // Whether times can be believed is not what is tested.
    assert!(matches!(output.status.code(), Some(0 | 4)), "{complaint}");
    serde_json::from_slice(&output.stdout).expect("a report")
}

/// How large a server is when nobody asks for anything.
fn at_rest(server: &Server) -> Size {
    server.sockets_at_rest();
    let mut client = server.connect();
    client.send(last_get("/nowhere"));
    client.read_to_end();
    server.sockets_at_rest();
    Size {
        processes: server.processes().len(),
        descriptors: server.all_descriptors(),
        memory: server.memory(),
    }
}
