//! Several event loops: where each runs, whose connections the summary says they were, and how many threads run them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(20);

struct Server {
    _root: tempfile::TempDir,
    child: Child,
    out: BufReader<ChildStdout>,
    address: String,
}

impl Server {
    fn start(model: &str, options: &[&str]) -> Self {
        let root = tempfile::tempdir().expect("a directory");
        let mut child = Command::new(env!("CARGO_BIN_EXE_archbench"))
            .args(["serve", "--model", model, "--addr", "127.0.0.1:0"])
            .args(["--output-format", "json", "--root"])
            .arg(root.path())
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        out.read_line(&mut line).expect("a line");
        let ready: Value = serde_json::from_str(&line).expect("JSON");
        Self {
            _root: root,
            child,
            out,
            address: ready["address"].as_str().expect("an address").to_owned(),
        }
    }

    /// A connection for one request.
    fn ask(&self) {
        let mut socket = TcpStream::connect(&self.address).expect("it listens");
        socket
            .write_all(b"GET /nowhere HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            .expect("sent");
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).expect("an answer");
        assert!(answer.starts_with(b"HTTP/1.1 404 "));
    }

    /// Its own process and those that it has made.
    fn processes(&self) -> Vec<String> {
        let own = self.child.id().to_string();
        let children = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children"));
        let children = children.expect("it is there");
        let children = children.split_whitespace().map(str::to_owned);
        std::iter::once(own).chain(children).collect()
    }

    /// Tells it to stop, and reads its summary.
    fn stop(mut self) -> Value {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("it is there");
        let mut line = String::new();
        self.out.read_line(&mut line).expect("a line");
        assert!(self.child.wait().expect("it ends").success());
        serde_json::from_str(&line).expect("JSON")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The cores that the threads of these processes may run on which are `named`, as the kernel lists them.
fn cores(processes: &[String], named: &str) -> Vec<String> {
    let mut cores = Vec::new();
    for process in processes {
        for task in std::fs::read_dir(format!("/proc/{process}/task")).expect("it is there") {
            let status = task.expect("a thread").path().join("status");
            let status = std::fs::read_to_string(status).unwrap_or_default();
            let field = |name: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(name));
                line.unwrap_or_default().trim().to_owned()
            };
            if field("Name:") == named {
                cores.push(field("Cpus_allowed_list:"));
            }
        }
    }
    cores.sort();
    cores
}

/// Cores in turn; for two loops on one core, that one twice.
#[test]
fn loops_are_kept_to_cores_where_that_is_asked() {
    let all = std::thread::available_parallelism().map_or(1, usize::from);
    for (share, named) in [("caches", "loop"), ("nothing", "archbench")] {
        for pin in [&[][..], &["--pin"]] {
            let server = Server::start(
                "symped",
                &[&["--loops", "2", "--share", share], pin].concat(),
            );
            server.ask();
            let mut processes = server.processes();
            if processes.len() > 1 {
                // The parent serves nobody.
                processes.remove(0);
            }
            let is_one = |cores: &String| cores.parse::<usize>().is_ok();
            let are_as_asked = |cores: &[String]| {
                cores.len() == 2
                    && cores.iter().all(is_one) == (!pin.is_empty() || all == 1)
                    && (cores[0] != cores[1]) == (!pin.is_empty() && all > 1)
            };
            // They may be on their way when the server is ready.
            let since = Instant::now();
            let mut now = cores(&processes, named);
            while !are_as_asked(&now) && since.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(5));
                now = cores(&processes, named);
            }
            assert!(are_as_asked(&now), "{share} {pin:?}: {now:?}");
        }
    }
}

#[test]
fn the_summary_has_the_connections_of_each_loop() {
    const CONNECTIONS: u64 = 60;
    for share in ["nothing", "caches"] {
        for accept in ["shared", "exclusive", "reuseport"] {
            let options = ["--loops", "2", "--share", share, "--accept", accept];
            let server = Server::start("symped", &options);
            (0..CONNECTIONS).for_each(|_| server.ask());
            let summary = server.stop();
            let by_loop = summary["connections_by_loop"].as_array().expect("a list");
            let by_loop: Vec<_> = by_loop.iter().filter_map(Value::as_u64).collect();
            assert_eq!(by_loop.len(), 2);
            assert_eq!(summary["connections"], by_loop.iter().sum::<u64>());
            assert_eq!(by_loop.iter().sum::<u64>(), CONNECTIONS);
            // A hash of sixty ports is never the same for all.
            let are_dealt_out = by_loop.iter().all(|&count| count > 0);
            assert!(are_dealt_out || accept != "reuseport", "{by_loop:?}");
        }
    }
}

/// Those of a runtime that has not run a task yet, too.
#[test]
fn threads_count_from_the_start() {
    for (model, options, threads) in [
        (
            "async",
            "--runtime multi --workers 3 --blocking-threads 2",
            5,
        ),
        ("async", "--runtime current --disk inline", 1),
        ("symped", "--loops 3 --share caches", 3),
        ("actor", "--workers 3 --file-actors 2", 5),
        ("amped", "--helpers 3", 4),
        ("green", "--workers 2 --helpers 3", 5),
        // With whoever accepts.
        ("pool", "--threads 3", 4),
        ("mt", "--spawn prefork --threads 3", 3),
        ("flux", "--runtime pool --threads 3", 4),
        ("flux", "--runtime event --threads 3", 4),
    ] {
        let options: Vec<_> = options.split(' ').collect();
        let summary = Server::start(model, &options).stop();
        assert_eq!(summary["peak_threads"], threads, "{model} {options:?}");
    }
}

/// Whoever cannot have a socket for each loop is told how to do with one.
#[test]
fn a_socket_for_each_loop_that_cannot_be_had_is_told_of() {
    let root = tempfile::tempdir().expect("a directory");
    let path = root.path().join("socket");
    let unix = format!("unix:{}", path.display());
    for (limit, address, why) in [
        (400, unix.as_str(), "choose one with --addr"),
        (20, "127.0.0.1:0", "ulimit -n"),
    ] {
        let line = format!(
            "ulimit -n {limit} && exec \"$0\" serve --addr {address} --root \"$1\" --model symped --loops 32 --accept reuseport"
        );
        let output = Command::new("sh")
            .args(["-c", &line, env!("CARGO_BIN_EXE_archbench")])
            .arg(root.path())
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        for part in [why, "share one socket with --accept shared"] {
            assert!(said.contains(part), "{said}");
        }
    }
}
