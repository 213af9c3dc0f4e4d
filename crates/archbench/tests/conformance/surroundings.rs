//! What a server is started in and reached through: signals that whoever started it has ignored or blocked, Unix sockets, and bytes out
//! of band.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::net::SendFlags;
use rustix::process::{Pid, Signal, kill_process};

use crate::case::{Bench, Case, case, case_of_each_behaviour};
use crate::client::{Client, PATIENCE, get, wait_until};
use crate::hosts;
use crate::server::Server;
use crate::usage;

pub(crate) const CASES: &[Case] = &[
    case_of_each_behaviour("with_signals_ignored", |bench| {
        with_signals(bench, "signal.signal(number, signal.SIG_IGN)");
    }),
    case_of_each_behaviour("with_signals_blocked", |bench| {
        with_signals(bench, "signal.pthread_sigmask(signal.SIG_BLOCK, [number])");
    }),
    case("unix_socket", unix_socket),
    case("urgent_data", urgent_data),
    case("deferred_connections", deferred_connections),
];

/// Started by somebody who did this to every signal that it can be done to.
fn with_signals(bench: &Bench, done: &str) {
    let python = Command::new("python3").arg("--version").output();
    if python.is_err() {
        eprintln!("skipped: there is no python3 to start a server from");
        return;
    }
    let script = format!(
        "import os, signal, sys\n\
         for number in signal.valid_signals() - {{signal.SIGKILL, signal.SIGSTOP, signal.SIGHUP, 32, 33}}:\n    {done}\n\
         os.execv(sys.argv[1], sys.argv[1:])"
    );
    let workers = bench.room.workers("2");
    let recipe = bench.recipe().started_by("python3", &["-c", &script]);
    let server = recipe.args(workers).start();
    assert_eq!(server.connect().get("/file.txt").status, 200);
    if bench.room.behaviour.replaces_processes() {
        let before = server.processes();
        kill_process(before[1], Signal::KILL).unwrap();
        wait_until("another takes its place", || {
            let now = server.processes();
            now.len() == before.len() && !now.contains(&before[1])
        });
        assert_eq!(server.connect().get("/file.txt").status, 200);
    }
    server.stop();
}

/// A Unix socket in the file system and one that is not; the file goes with its server, and one that was left behind is no obstacle.
fn unix_socket(bench: &Bench) {
    if bench.room.has_own_stack() {
        let serve = ["--addr", "unix:@archbench", "--root", "."];
        return usage::fails(&bench.room, &serve, &["cannot listen on", "the kernel's"]);
    }
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("server.sock");
    let by_path = format!("unix:{}", path.display());
    let by_path = by_path.as_str();
    serve_at(bench, by_path, Signal::KILL, &|| UnixStream::connect(&path));
    assert!(path.exists(), "nobody was there to remove it");
    serve_at(bench, by_path, Signal::TERM, &|| {
        let mode = std::fs::metadata(&path)?.permissions().mode();
        assert_eq!(mode & 0o777, 0o666, "all may connect who can reach it");
        let taken = bench.recipe().at(by_path).into_command().output().unwrap();
        assert_eq!(taken.status.code(), Some(1));
        let complaint = String::from_utf8_lossy(&taken.stderr).into_owned();
        assert!(complaint.contains("another server has it"), "{complaint}");
        UnixStream::connect(&path)
    });
    assert!(!path.exists(), "it removes what it has made");
    let name = format!("archbench-{}-{}", std::process::id(), bench.room);
    serve_at(bench, &format!("unix:@{name}"), Signal::TERM, &|| {
        UnixStream::connect_addr(&SocketAddr::from_abstract_name(&name)?)
    });
}

/// How long a server waits by default for the last answers.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves at an address, has two files over one connection, and ends the server by a signal.
fn serve_at(
    bench: &Bench,
    address: &str,
    signal: Signal,
    connect: &dyn Fn() -> std::io::Result<UnixStream>,
) {
    let mut child = bench.recipe().at(address).into_command().spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(ready["address"], address);
    let mut socket = connect().unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let ask = "GET /file.txt HTTP/1.1\r\nHost: h\r\n\r\nGET /large.bin HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    socket.write_all(ask.as_bytes()).unwrap();
    let mut answers = Vec::new();
    socket.read_to_end(&mut answers).unwrap();
    let answered = answers
        .windows(13)
        .filter(|bytes| bytes == b"HTTP/1.1 200 ");
    assert_eq!(answered.count(), 2);
    assert!(answers.len() as u64 > crate::site::LARGE);
    // Nobody is inside, so there is nothing to wait for.
    drop(socket);
    let since = Instant::now();
    kill_process(Pid::from_child(&child), signal).unwrap();
    let status = child.wait().unwrap();
    assert!(since.elapsed() < DRAIN_TIMEOUT, "it waits for nobody");
    assert_eq!(status.code(), (signal == Signal::TERM).then_some(0));
}

/// Who has not asked yet is not there yet, to the server, and is served as anybody else once it asks.
fn deferred_connections(bench: &Bench) {
    if bench.room.has_own_stack() {
        let address = hosts::address();
        let serve = ["--addr", &address, "--root", ".", "--defer-accept"];
        return usage::fails(&bench.room, &serve, &["its own", "--defer-accept"]);
    }
    let server = bench.serve(&["--defer-accept"]);
    let empty = server.sockets_at_rest();
    let mut client = server.connect();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(server.sockets(), empty);
    assert_eq!(client.get("/file.txt").status, 200);
    assert_eq!(
        client.get("/large.bin").body.len() as u64,
        crate::site::LARGE
    );
    drop(client);
    let summary = server.stop();
    assert_eq!(summary["connections"], 1, "{summary}");
}

/// Where nothing is out of band the byte is one of the stream (RFC 6093, section 3.1), and answered as that.
fn urgent_data_of_the_stream(server: &Server) {
    let mut client = server.connect();
    let sent = rustix::net::send(&client.socket, b"!", SendFlags::OOB);
    assert_eq!(sent, Ok(1));
    client.send(get("/file.txt"));
    assert_eq!(client.answer().status, 501, "there is no method '!GET'");
}

/// A byte out of band, wherever it comes, keeps nobody from having an answer.
fn urgent_data(bench: &Bench) {
    let server = bench.serve(&[]);
    if bench.room.has_own_stack() {
        return urgent_data_of_the_stream(&server);
    }
    let request = get("/file.txt");
    for at in [0, 1, request.len() / 2, request.len() - 1, request.len()] {
        for pause in [Duration::ZERO, Duration::from_millis(30)] {
            let mut client: Client = server.connect();
            let (before, behind) = request.split_at(at);
            client.send(before);
            std::thread::sleep(pause);
            let sent = rustix::net::send(&client.socket, b"!", SendFlags::OOB);
            assert_eq!(sent, Ok(1));
            std::thread::sleep(pause);
            client.send(behind);
            assert_eq!(
                client.answer().status,
                200,
                "a byte at {at} after {pause:?}"
            );
            // And the connection goes on.
            assert_eq!(client.get("/file.txt").status, 200);
        }
    }
    let summary = server.stop();
    assert_eq!(summary["errors"]["request_timeout"], 0, "{summary}");
}
