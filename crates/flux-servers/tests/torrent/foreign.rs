//! With aria2, both ways.

use std::process::{Child, Command, Stdio};

use super::support::{Shared, is_installed};

/// aria2 without whatever would look for peers elsewhere.
fn aria2(shared: &Shared, folder: &str, options: &[&str]) -> Child {
    let mut command = Command::new("aria2c");
    command
        .args([
            "--no-conf",
            "--enable-dht=false",
            "--enable-dht6=false",
            "--bt-enable-lpd=false",
        ])
        .args([
            "--enable-peer-exchange=false",
            "--file-allocation=none",
            "--quiet",
        ])
        .args(["--listen-port=20000-30000", "--bt-stop-timeout=50"])
        .arg(format!("--dir={}", shared.folder(folder).display()))
        .args(options)
        .arg(shared.torrent());
    command.stdin(Stdio::null()).spawn().unwrap()
}

#[test]
fn aria2_gets_all_from_ours() {
    if !is_installed("aria2c") {
        return;
    }
    let shared = Shared::new("event");
    let seed = shared.start("seed", "source", &[]);
    shared.wait_for_seed();
    let status = aria2(&shared, "theirs", &["--seed-time=0"]).wait().unwrap();
    assert!(status.success(), "{status}");
    shared.assert_same("theirs");
    let said = seed.stop();
    assert!(said.contains("1,000,001 bytes sent"), "{said}");
}

#[test]
fn ours_gets_all_from_aria2() {
    if !is_installed("aria2c") {
        return;
    }
    let shared = Shared::new("pool");
    let mut seed = aria2(&shared, "source", &["--check-integrity", "--seed-ratio=0"]);
    shared.wait_for_seed();
    let said = shared.start("get", "ours", &[]).end();
    seed.kill().unwrap();
    seed.wait().unwrap();
    assert!(said.contains("1,000,001 bytes received"), "{said}");
    shared.assert_same("ours");
}
