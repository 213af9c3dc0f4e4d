//! What a server says when it is ready, of the options that it was given, and what when it cannot go on.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
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

/// What was counted is not lost where a server ends because it cannot go on.
#[test]
fn a_server_that_gives_up_says_what_it_has_done() {
    let root = tempfile::tempdir().expect("a directory");
    std::fs::write(root.path().join("file.txt"), "file\n").expect("written");
    std::fs::create_dir(root.path().join("broken")).expect("made");
    let mut server = Command::new(env!("CARGO_BIN_EXE_archbench"))
        .args(["serve", "--addr", "127.0.0.1:0", "--output-format", "json"])
        .args(["--model", "actor", "--restart-intensity", "0"])
        .args(["--panic", "/broken/", "--root"])
        .arg(root.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut out = BufReader::new(server.stdout.take().expect("piped"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    let ready: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    let address = ready["address"].as_str().expect("an address");
    for path in ["/file.txt", "/broken/file.txt"] {
        let mut client = TcpStream::connect(address).expect("it listens");
        write!(
            client,
            "GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        )
        .expect("sent");
        // The second may have no answer any more.
        let _ = client.read_to_end(&mut Vec::new());
    }
    let ended = server.wait_with_output().expect("it ends");
    let complaint = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{complaint}");
    assert!(
        complaint.contains("error: the supervisor gives up"),
        "{complaint}"
    );
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    let summary: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(summary["event"], "summary");
    assert!(summary["status"]["2xx"] == 1, "{summary}");
}
