//! Command lines that are wrong: one line that says what failed, on what, and what to do.

use std::net::TcpListener;
use std::process::{Command, Output};

use crate::case::{Bench, Case, case};
use crate::hosts;
use crate::room::Room;
use crate::server::{BINARY, listed};

pub(crate) const CASES: &[Case] = &[
    case("of_a_root_that_is_not_there", of_a_root_that_is_not_there),
    case(
        "of_an_address_that_cannot_be_had",
        of_an_address_that_cannot_be_had,
    ),
    case(
        "of_an_option_of_another_model",
        of_an_option_of_another_model,
    ),
    case(
        "of_an_option_of_a_model_where_none_serves",
        of_an_option_of_a_model_where_none_serves,
    ),
    case("of_values_without_sense", of_values_without_sense),
    case("of_help", of_help),
];

fn run(room: &Room, options: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    command
        .args(["serve", "--model", room.name()])
        .args(options);
    hosts::place(&mut command);
    // If it serves after all, it ends soon.
    let mut child = command
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let deadline = std::time::Instant::now() + crate::client::PATIENCE / 2;
    while child.try_wait().expect("waited for").is_none() {
        if std::time::Instant::now() > deadline {
            let _ = rustix::process::kill_process(
                rustix::process::Pid::from_child(&child),
                rustix::process::Signal::TERM,
            );
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.wait_with_output().expect("its output")
}

/// Exit status 1 and one line with all of `words`.
#[track_caller]
pub(crate) fn fails(room: &Room, options: &[&str], words: &[&str]) {
    let output = run(room, options);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{options:?}: {text}");
    assert_eq!(text.lines().count(), 1, "{options:?}: {text}");
    assert!(output.stdout.is_empty(), "{options:?}");
    for word in words {
        assert!(
            text.contains(word),
            "{options:?}: '{word}' is missing: {text}"
        );
    }
}

/// Exit status 2 and a message with all of `words`, which is returned.
#[track_caller]
pub(crate) fn is_wrong(room: &Room, options: &[&str], words: &[&str]) -> String {
    let output = run(room, options);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{options:?}: {text}");
    assert!(!text.contains("panicked"), "{options:?}: {text}");
    for word in words {
        assert!(
            text.contains(word),
            "{options:?}: '{word}' is missing: {text}"
        );
    }
    text
}

fn of_a_root_that_is_not_there(bench: &Bench) {
    let room = &bench.room;
    fails(
        room,
        &["--addr", &hosts::address(), "--root", "/nowhere/at/all"],
        &["cannot serve", "/nowhere/at/all", "No such file"],
    );
    let file = bench.site.root().join("file.txt");
    let file = file.to_str().expect("text");
    fails(
        room,
        &["--addr", &hosts::address(), "--root", file],
        &["cannot serve", file, "Not a directory"],
    );
}

fn of_an_address_that_cannot_be_had(bench: &Bench) {
    let root = bench.site.root().to_str().expect("text");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    fails(
        &bench.room,
        &["--root", root, "--addr", &address],
        &["cannot listen on", &address, "--addr"],
    );
    fails(
        &bench.room,
        &["--root", root, "--addr", "192.0.2.1:0"],
        &["cannot listen on", "192.0.2.1", "--addr"],
    );
}

fn of_an_option_of_another_model(bench: &Bench) {
    let foreign = Room::all().into_iter().flat_map(|room| {
        let options = room.options().into_iter();
        options.map(move |option| (room, option))
    });
    for (owner, option) in foreign.filter(|(_, option)| !bench.room.has(option)) {
        let text = is_wrong(
            &bench.room,
            &[&option, "1"],
            &[&option, owner.name(), bench.room.name()],
        );
        // It would be that of another option, whose name is like this one's.
        assert!(!text.contains("Usage:"), "{text}");
    }
    is_wrong(&bench.room, &["--no-such-option"], &["--no-such-option"]);
}

/// There is no model then whose options they are not.
fn of_an_option_of_a_model_where_none_serves(bench: &Bench) {
    for option in bench.room.options() {
        let typed = ["search", &option, "1"];
        let output = Command::new(BINARY).args(typed).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(&option), "{text}");
        assert!(!text.contains("is an option of"), "{text}");
    }
}

fn of_values_without_sense(bench: &Bench) {
    for options in [
        ["--addr", "nonsense"],
        ["--addr", "127.0.0.1"],
        ["--addr", "127.0.0.1:65536"],
        ["--backlog", "0"],
        ["--backlog", "-1"],
        ["--keep-alive", "perhaps"],
        ["--max-connections", "-1"],
        ["--max-connections", "many"],
        ["--max-requests-per-connection", "1.5"],
        ["--max-ranges", "-1"],
        ["--idle-timeout", "15"],
        ["--idle-timeout", "-1s"],
        ["--request-timeout", "soon"],
        ["--send-timeout", ""],
        ["--drain-timeout", "99999999999999999999h"],
        ["--name-cache", "-1"],
        ["--content-cache", "lots"],
        ["--content-cache-file", "1x"],
        ["--send-path", "pigeon"],
        ["--slow", "/archive/"],
        ["--slow", "/archive/=soon"],
        ["--idle-timeout", "0"],
        ["--send-timeout", "0s"],
        ["--output-format", "xml"],
    ] {
        is_wrong(&bench.room, &[&options.join("=")], &[options[0]]);
    }
    for option in bench.room.options_with_wrong_values() {
        is_wrong(&bench.room, &[&format!("{option}=nonsense")], &[&option]);
        is_wrong(&bench.room, &[&format!("{option}=-1")], &[&option]);
    }
    // Values that are far off, and yet have a meaning or are refused: nothing panics, nothing hangs.
    let root = bench.site.root().to_str().expect("text");
    for extreme in [
        ["--request-timeout", "0"],
        ["--linger-timeout", "0"],
        ["--drain-timeout", "0"],
        ["--idle-timeout", "1ns"],
        ["--idle-timeout", "200000d"],
        ["--send-timeout", "200000d"],
        ["--drain-timeout", "200000d"],
        ["--revalidate", "200000d"],
        ["--name-cache", "18446744073709551615"],
        ["--content-cache", "16000000000g"],
        ["--content-cache-file", "16000000000g"],
        ["--max-connections", "18446744073709551615"],
        ["--max-requests-per-connection", "18446744073709551615"],
        ["--max-ranges", "18446744073709551615"],
        ["--backlog", "2147483647"],
        ["--slow", "=0"],
        ["--slow", "/x=18446744073709551615"],
    ] {
        let address = hosts::address();
        let serve = ["--addr", &address, "--root", root];
        let output = ends_when_told(&bench.room, &[&serve[..], &extreme[..]].concat());
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            matches!(output.status.code(), Some(0..=2)),
            "{extreme:?}: {:?} {text}",
            output.status
        );
        assert!(!text.contains("panicked"), "{extreme:?}: {text}");
        if output.status.code() == Some(1) {
            assert!(
                text.contains(extreme[0]) || text.contains(extreme[1]),
                "{extreme:?} is not named: {text}"
            );
        }
    }
}

/// Starts a server, asks it for a file once it is ready, and stops it.
fn ends_when_told(room: &Room, options: &[&str]) -> Output {
    use std::io::{BufRead, BufReader};
    let mut command = Command::new(BINARY);
    hosts::place(&mut command);
    let mut child = command
        .args(["serve", "--output-format", "json", "--model", room.name()])
        .args(options)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    if let Ok(ready) = serde_json::from_str::<serde_json::Value>(&line) {
        let address = ready["address"]
            .as_str()
            .and_then(|text| text.parse().ok())
            .expect("an address");
        let mut client = crate::client::Client::connect(address);
        // With no time to send it, there may be no answer; but there is an end.
        client.try_send(crate::client::last_get("/file.txt"));
        client.ending();
        let _ = rustix::process::kill_process(
            rustix::process::Pid::from_child(&child),
            rustix::process::Signal::TERM,
        );
    }
    child.wait_with_output().expect("its output")
}

fn of_help(bench: &Bench) {
    let output = run(&bench.room, &["--help"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0));
    for option in bench.room.options() {
        assert!(text.contains(&option[..]), "{option} is missing");
    }
    let output = Command::new(BINARY)
        .args(["models", bench.room.name()])
        .output()
        .expect("the binary runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.starts_with(&format!("{}: ", bench.room)) && text.lines().count() > 5,
        "no diagram: {text}"
    );
    for option in bench.room.options() {
        assert!(text.contains(&option[..]), "{option} is missing");
    }
    // Nothing is announced that does not come.
    assert!(!text.contains("(default )"), "{text}");
    assert!(!text.contains(":\n\n  With"), "{text}");
    // Programs are told the same.
    let [one] = &listed(&[bench.room.name()])[..] else {
        panic!("one was asked for");
    };
    assert!(
        text.contains(&one.summary) && text.contains(&one.diagram),
        "{one:?}"
    );
    for option in &one.options {
        let default = option
            .default
            .as_ref()
            .map(|default| format!("(default {default})"));
        let parts = [Some(option.help.clone()), default, option.value.clone()];
        for part in parts.into_iter().flatten() {
            assert!(text.contains(&part), "{part} is missing: {text}");
        }
    }
}
