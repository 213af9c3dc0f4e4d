//! Peers and trackers as processes: ours with each other on each runtime, with aria2, and with those that mean no good.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod downloading;
mod foreign;
mod hostile;
mod support;

use support::{Process, Shared};

/// One seeds, two get, and each has what it is to have; who is stopped says what he gave.
fn share_on(runtime: &'static str) {
    let shared = Shared::new(runtime);
    let seed = shared.start("seed", "source", &[]);
    shared.wait_for_seed();
    let gets: Vec<Process> = ["one", "two"]
        .map(|folder| shared.start("get", folder, &[]))
        .into();
    for get in gets {
        let said = get.end();
        assert!(said.starts_with("21 of 21 pieces are there; 1,0"), "{said}");
    }
    for folder in ["one", "two"] {
        shared.assert_same(folder);
    }
    // There is nothing left to get, and it is given all the same, by one that got it.
    let said = shared.start("get", "one", &[]).end();
    assert!(
        said.starts_with("21 of 21 pieces are there; 0 bytes received"),
        "{said}"
    );
    let second = shared.start("seed", "one", &[]);
    let third = shared.start("get", "three", &["--peer", &second.address.to_string()]);
    third.end();
    shared.assert_same("three");
    let said = seed.stop();
    assert!(
        said.contains("pieces are there; 0 bytes received"),
        "{said}"
    );
    second.stop();
    let Shared { tracker, .. } = shared;
    // All have taken their leave.
    let said = tracker.stop();
    assert!(
        said.ends_with(" 0 refused; 0 torrents and 0 peers are known\n"),
        "{said}"
    );
}

#[test]
fn a_thread_for_each_flow() {
    share_on("thread");
}

#[test]
fn a_pool() {
    share_on("pool");
}

#[test]
fn an_event_loop() {
    share_on("event");
}

#[test]
fn what_cannot_be_done_is_said_in_one_line() {
    let shared = Shared::new("event");
    let (torrent, empty) = (shared.torrent(), shared.folder("empty"));
    let run = |arguments: &[&std::ffi::OsStr]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_flux-servers"));
        let output = command.arg("torrent").args(arguments).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let seed = run(&[
        "seed".as_ref(),
        torrent.as_ref(),
        "--folder".as_ref(),
        empty.as_ref(),
    ]);
    assert!(seed.contains("empty/box/"), "{seed}");
    let no_torrent = run(&["get".as_ref(), "/etc/passwd".as_ref()]);
    assert!(
        no_torrent.contains("/etc/passwd: this is no torrent"),
        "{no_torrent}"
    );
    let udp = [
        "make",
        "/etc/passwd",
        "--announce",
        "udp://x",
        "--output",
        "-",
    ];
    let udp = run(&udp.map(AsRef::as_ref));
    assert!(udp.contains("only http://"), "{udp}");
    for said in [seed, no_torrent, udp] {
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}
