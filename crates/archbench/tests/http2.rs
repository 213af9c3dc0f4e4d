//! The generator's HTTP/2 against a server of ours, in the clear and over TLS: every request is answered, once, with the right bytes, in each
//! model of load.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_archbench");

/// What the generator says of a run against a server that has these options.
fn run(serve: &[&str], load: &[&str]) -> Value {
    let root = tempfile::tempdir().expect("a directory");
    let bytes: Vec<u8> = (0..60_000_u32).map(|number| (number % 251) as u8).collect();
    std::fs::write(root.path().join("file.bin"), bytes).expect("written");
    let cache = tempfile::tempdir().expect("a directory");
    let mut server = Command::new(BINARY)
        .env("XDG_CACHE_HOME", cache.path())
        .args(["serve", "--model", "amped", "--addr", "127.0.0.1:0"])
        .args(["--output-format", "json", "--root"])
        .arg(root.path())
        .args(serve)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut out = BufReader::new(server.stdout.take().expect("piped"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    let ready: Value = serde_json::from_str(&line).expect("JSON");
    let address = ready["address"].as_str().expect("an address");
    let certificate = ready["tls"]["certificate"].as_str();
    let scheme = if certificate.is_some() {
        "https"
    } else {
        "http"
    };
    let trusted = certificate.map(|certificate| ["--cacert", certificate]);
    let url = format!("{scheme}://{address}/file.bin");
    let output = Command::new(BINARY)
        .args([
            "load",
            "--output-format",
            "json",
            "--warmup",
            "0s",
            "--verify",
        ])
        .args(load)
        .args(trusted.into_iter().flatten())
        .arg(url)
        .output()
        .expect("it runs");
    let pid = i32::try_from(server.id()).expect("a process");
    let pid = Pid::from_raw(pid).expect("a process");
    kill_process(pid, Signal::TERM).expect("it is there");
    server.wait().expect("it ends");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn every_model_of_load_is_answered_whole() {
    for load in [
        &["--http2", "--streams", "8", "-c", "3", "-n", "1000"][..],
        &["--http2", "-c", "2", "-n", "200"],
        &[
            "--http2",
            "--streams",
            "4",
            "-c",
            "2",
            "--rate",
            "500",
            "-n",
            "300",
        ],
        &[
            "--http2",
            "--streams",
            "2",
            "-c",
            "2",
            "--rate",
            "100",
            "--session-requests",
            "3",
            "-n",
            "150",
        ],
        // Connections are replaced, and the server ends some.
        &[
            "--http2",
            "--streams",
            "4",
            "-c",
            "2",
            "-n",
            "300",
            "--requests-per-connection",
            "7",
        ],
    ] {
        for serve in [
            &["--http2", "on"][..],
            &["--http2", "on", "--max-requests-per-connection", "50"],
            &["--http2", "on", "--tls"],
        ] {
            let result = run(serve, load);
            let requests = &result["requests"];
            let count = load[load
                .iter()
                .position(|word| *word == "-n")
                .expect("a number")
                + 1];
            let count: u64 = count.parse().expect("a number");
            assert_eq!(requests["errors_total"], 0, "{load:?}: {requests}");
            assert_eq!(requests["completed"], count, "{load:?}: {requests}");
            assert_eq!(requests["verified"], count, "{load:?}: {requests}");
            let handshakes = &result["handshake_time_us"]["count"];
            assert_eq!(
                handshakes.is_u64(),
                serve.contains(&"--tls"),
                "{handshakes}"
            );
        }
    }
}

#[test]
fn a_server_that_speaks_none_is_named_as_that() {
    let load = ["--http2", "-c", "1", "-n", "3", "--no-retry"];
    let result = run(&[], &load);
    let errors = &result["requests"]["errors"];
    assert!(
        errors["not_http2"].as_u64().is_some_and(|count| count > 0),
        "{errors}"
    );
}
