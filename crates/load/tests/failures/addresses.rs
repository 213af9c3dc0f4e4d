//! Where connections go, and who asks there.

use crate::ok;
use crate::support::script::{Act, refused, server};
use crate::support::{go, open_loop, run};
use load::address::Address;
use std::io::{Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn type_in(rest: &[&str]) -> Result<u8, load::Failure> {
    crate::typed::run(["load"].iter().chain(rest).copied())
}

#[test]
fn connections_go_to_all_addresses_in_turn() {
    for (threads, clients, made) in [(1, 4, [2, 2]), (3, 7, [4, 3]), (2, 1, [1, 0])] {
        let addresses = [(); 2].map(|()| server(Act::Answer(ok("x"))));
        let mut run = run(addresses[0], Duration::from_secs(10));
        (run.requests, run.duration) = (Some(70), None);
        (run.clients, run.max_connections, run.threads) = (clients, clients, threads.min(clients));
        run.addresses = addresses.map(Address::Tcp).to_vec();
        let done = go(run).expect("a run");
        assert_eq!(done.outcome.record.counts.completed, 70);
        assert_eq!(done.outcome.made, made);
        let report = done.report();
        let text = load::report::text::render(&report);
        let json: serde_json::Value =
            serde_json::from_slice(&load::report::json::render(&report)).expect("JSON");
        for (address, made) in addresses.iter().zip(made) {
            assert!(text.contains(&format!("{made} to {address}")), "{text}");
            assert_eq!(
                json["generator"]["connections_made_to"][address.to_string()],
                made
            );
        }
    }
}

#[test]
fn an_address_where_nobody_listens_leaves_the_others() {
    let mut run = open_loop(refused(), Duration::from_secs(10), 200.0, false, 1);
    run.requests = Some(20);
    run.addresses.push(server(Act::Answer(ok("x"))).into());
    let done = go(run).expect("a run");
    let counts = &done.outcome.record.counts;
    assert_eq!(counts.completed, 20);
    assert_eq!(done.outcome.made, [0, 1]);
    assert!(counts.connects_failed() > 0);
}

/// A server behind a Unix socket, for as long as the tests live.
fn behind_socket(path: &Path, answer: Vec<u8>) {
    answer_at(UnixListener::bind(path).expect("a socket"), answer);
}

fn answer_at(listener: UnixListener, answer: Vec<u8>) {
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let answer = answer.clone();
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while stream.read(&mut buffer).is_ok_and(|length| length > 0) {
                    if stream.write_all(&answer).is_err() {
                        return;
                    }
                }
            });
        }
    });
}

#[test]
fn a_server_may_be_behind_a_unix_socket() {
    let home = tempfile::tempdir().expect("a directory");
    // Large bodies are dropped unread where nobody compares them.
    for (length, verify) in [(1, false), (100_000, false), (100_000, true)] {
        let path = home.path().join(format!("{length}-{verify}"));
        let answer = ok(&"x".repeat(length));
        let bytes = 40 * answer.len() as u64;
        behind_socket(&path, answer);
        let mut run = run(refused(), Duration::from_secs(10));
        (run.requests, run.duration, run.verify) = (Some(40), None, verify);
        (run.clients, run.max_connections) = (2, 2);
        run.addresses = vec![Address::Unix(path.clone())];
        let done = go(run).expect("a run");
        let counts = &done.outcome.record.counts;
        assert_eq!(
            (counts.completed, counts.failed(), counts.bytes),
            (40, 0, bytes)
        );
        let report = done.report();
        assert!(
            report
                .notes
                .iter()
                .any(|note| note.contains("over a Unix socket"))
        );
        let text = load::report::text::render(&report);
        assert!(
            text.contains(&format!("2 made to {}", path.display())),
            "{text}"
        );
    }
}

#[test]
fn a_unix_socket_is_typed_as_a_path() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("socket");
    behind_socket(&path, ok("x"));
    let at = |path: &PathBuf| path.display().to_string();
    let report = at(&home.path().join("report"));
    let type_in = |path: &str| {
        type_in(&[
            "-o",
            &report,
            "--unix",
            path,
            "-n",
            "4",
            "-c",
            "1",
            "--quiet",
            "http://example/",
        ])
    };
    // The host is never looked up.
    type_in(&at(&path)).expect("a run");
    // Where no file is made, as servers are told.
    let name = format!("archbench-load-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).expect("a name");
    answer_at(
        UnixListener::bind_addr(&address).expect("a socket"),
        ok("x"),
    );
    type_in(&format!("@{name}")).expect("a run");
    let why = type_in(&at(&home.path().join("none")))
        .expect_err("no socket")
        .to_string();
    assert!(
        why.contains("is the server running") && why.contains("/none"),
        "{why}"
    );
    let why = type_in(&format!("/{}", "long".repeat(100)))
        .expect_err("no socket")
        .to_string();
    assert!(why.contains("--unix") && why.contains("longlong"), "{why}");
}

#[test]
fn user_information_becomes_authorization_and_is_kept_nowhere() {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let act = Act::Noted(notes.clone(), Box::new(Act::Answer(ok("x"))));
    let url = format!("http://me:s3cret@{}/", server(act));
    let home = tempfile::tempdir().expect("a directory");
    let report = home.path().join("report.json").display().to_string();
    let always = [
        "-n",
        "2",
        "-c",
        "1",
        "--quiet",
        "--output-format",
        "json",
        "-o",
        &report,
    ];
    let asked = |rest: &[&str]| {
        notes.lock().expect("notes").clear();
        type_in(&[always.as_slice(), &[url.as_str()], rest].concat()).expect("a run");
        let kept = std::fs::read_to_string(&report).expect("a report");
        assert!(
            kept.contains("http://***@") && !kept.contains("s3cret"),
            "{kept}"
        );
        let notes = notes.lock().expect("notes");
        String::from_utf8(notes[0].clone()).expect("ASCII")
    };
    let head = asked(&[]);
    assert!(
        head.contains("\r\nAuthorization: Basic bWU6czNjcmV0\r\n"),
        "{head}"
    );
    assert!(!head.contains("***") && !head.contains('@'), "{head}");
    // What is said in so many words is said.
    let head = asked(&["-H", "authorization: Bearer x"]);
    assert!(!head.contains("Basic"), "{head}");
}
