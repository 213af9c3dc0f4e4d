//! What a server says when it is ready, of the options that it was given.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// The first lines that a server prints, as many as are wanted.
fn announced(format: &str, options: &[&str], lines: usize) -> Vec<String> {
    let root = tempfile::tempdir().expect("a directory");
    let mut server = Command::new(env!("CARGO_BIN_EXE_archbench"))
        .args(["serve", "--addr", "127.0.0.1:0", "--output-format", format])
        .arg("--root")
        .arg(root.path())
        .args(options)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let out = BufReader::new(server.stdout.take().expect("piped"));
    let said = out.lines().take(lines).map(|line| line.expect("text"));
    let said = said.collect();
    server.kill().expect("it is there");
    server.wait().expect("it ends");
    said
}

/// No descriptor of a process is numbered beyond its limit.
#[test]
fn an_interface_ends_where_the_descriptors_do() {
    let root = tempfile::tempdir().expect("a directory");
    let limited = "ulimit -n 200 && exec \"$0\" serve --addr 127.0.0.1:0 --root \"$1\" --model sped --poller select";
    let mut server = Command::new("sh")
        .args(["-c", limited, env!("CARGO_BIN_EXE_archbench")])
        .arg(root.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let out = BufReader::new(server.stdout.take().expect("piped"));
    let said: Vec<_> = out.lines().take(2).flatten().collect();
    server.kill().expect("it is there");
    server.wait().expect("it ends");
    assert!(
        said[1].contains("select ends at descriptor 200"),
        "{said:?}"
    );
}

/// Where connections have to wait that another choice would let in, it is said at the start.
#[test]
fn where_an_interface_ends_is_said_at_the_start() {
    let select = ["--model", "sped", "--poller", "select"];
    let text = announced("text", &select, 2);
    assert!(
        text[1].contains("select ends at descriptor 1024"),
        "{text:?}"
    );
    let line = &announced("json", &select, 1)[0];
    let ready: serde_json::Value = serde_json::from_str(line).expect("JSON");
    assert_eq!(ready["notice"], text[1].as_str());
    let line = &announced("json", &["--model", "sped", "--poller", "poll"], 1)[0];
    let ready: serde_json::Value = serde_json::from_str(line).expect("JSON");
    assert!(ready["notice"].is_null(), "{ready}");
}
