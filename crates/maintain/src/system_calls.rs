//! `system-calls`: how many system calls a request takes over a kept connection, and which.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lab::Failure;
use rustix::process::{Pid, Signal, kill_process};

use crate::client;
use crate::programs;
use crate::server::Server;
use crate::testbed::{Cores, Testbed};

/// How many requests are counted.
const REQUESTS: u64 = 2000;
/// What is asked for: a size, and options of the server.
const CASES: [(&str, &str); 3] = [("1k", ""), ("64k", ""), ("64k", "--content-cache 0")];
/// The most calls, beside waiting, that event loops and fibers should take for each case.
const MOST: [(&str, [f64; 3]); 7] = [
    ("sped", [2.0, 3.0, 3.0]),
    ("symped --loops 1", [2.0, 3.0, 3.0]),
    ("amped", [2.0, 3.0, 4.0]),
    ("green", [2.0, 3.0, 4.0]),
    ("green --schedule resource", [2.0, 3.0, 4.0]),
    ("green --workers 2", [2.0, 3.0, 4.0]),
    ("green --disk inline", [2.0, 3.0, 3.0]),
];
/// What happens less often than that for each request happens once, and not for it.
const NOTICED: f64 = 0.05;
/// How long strace may take to attach.
const LIMIT: Duration = Duration::from_secs(20);

/// Count the system calls for each request over a kept connection
///
/// Each model serves one file of 1 KB, which comes from memory, and one of 64 KB, which comes from the page cache. An event loop takes two
/// calls for the first (read, write) and three for the second (read, head, sendfile), beside waiting for events, which busy connections
/// share. A third line has no content cache: amped pays for asking whether the 64 KB are in memory, and both send the file from there.
/// A single loop of
/// symped takes what sped does. Exit status: 3 if one of these takes more with one connection.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Models, with their options behind them if need be; all for every one
    #[arg(value_name = "MODEL", default_values = ["sped", "symped --loops 1", "amped"])]
    models: Vec<String>,
    /// Connections that ask at a time: what a call does for all of them is shared
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    connections: u32,
    #[command(flatten)]
    cores: Cores,
}

/// Counts, and prints a line for each case as soon as it is known.
///
/// # Errors
/// When a server, the client or strace fails.
pub(crate) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let testbed = Testbed::new(arguments.cores)?;
    let archbench = programs::archbench()?;
    let width = CASES.map(|case| named(case).len());
    let width = width.into_iter().max().unwrap_or(0);
    let models = programs::models(&archbench, &arguments.models)?;
    let names = models.iter().map(String::len);
    let column = names.max().unwrap_or(0).max(10);
    println!(
        "{:<column$} {:<width$} {:>13} {:>8}   which",
        "model", "file", "calls/request", "waiting"
    );
    let mut too_many = Vec::new();
    for model in &models {
        // Of one connection: each of several reads once more in vain when it is new.
        let most = MOST.iter().find(|(name, _)| name == model);
        let most = most.filter(|_| arguments.connections == 1);
        for (case, (size, options)) in CASES.iter().enumerate() {
            let path = testbed.file(&size.parse()?)?;
            let with_options = format!("{model} {options}");
            let connections = arguments.connections;
            let traced = trace(&testbed, &archbench, &with_options, &path, connections)?;
            let calls = Calls::of(&traced, REQUESTS);
            if most.is_some_and(|(_, most)| calls.working() > most[case] + NOTICED) {
                too_many.push(format!("{model} {}", named(CASES[case])));
            }
            println!(
                "{model:<column$} {:<width$} {:>13.2} {:>8.2}   {calls}",
                named(CASES[case]),
                calls.working(),
                calls.waiting()
            );
        }
    }
    if too_many.is_empty() {
        return Ok(0);
    }
    eprintln!(
        "more calls than an event loop should take: {}",
        too_many.join(", ")
    );
    Ok(lab::SLO_MISSED)
}

/// Like `64k --content-cache 0`.
fn named((size, options): (&str, &str)) -> String {
    format!("{size} {options}").trim_end().to_owned()
}

/// What strace writes of a server, all threads and processes, while it is asked.
fn trace(
    testbed: &Testbed,
    archbench: &Path,
    model: &str,
    path: &str,
    connections: u32,
) -> Result<String, Failure> {
    let model = format!("{model} --revalidate 1h");
    let server = Server::ours(testbed, archbench, &model, &testbed.root())?;
    let url = format!("{}{path}", server.url);
    let ask = |requests: u64| {
        let (connections, requests) = (connections.to_string(), requests.to_string());
        let load = ["-c", &connections, "-n", &requests, &url].map(str::to_owned);
        client::load(testbed, archbench, &load)
    };
    // Until everything is cached that will be.
    ask(100)?;
    let strace = Strace::attach(testbed, server.id())?;
    ask(REQUESTS)?;
    let traced = strace.detach()?;
    server.stop()?;
    Ok(traced)
}

/// Processes that a process has made.
fn children(id: u32) -> Vec<String> {
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
    let children = children.unwrap_or_default();
    children.split_whitespace().map(str::to_owned).collect()
}

/// strace, attached to a process and those that it has made.
struct Strace {
    child: Child,
    calls: std::path::PathBuf,
}

impl Strace {
    fn attach(testbed: &Testbed, id: u32) -> Result<Self, Failure> {
        let (calls, said) = (testbed.work().join("calls"), testbed.work().join("strace"));
        let errors = fs::File::create(&said)
            .map_err(|error| format!("cannot make {}: {error}", said.display()))?;
        let mut command = Command::new("strace");
        // Not its own summary (-c), which leaves out calls that are newer than itself.
        command
            .args(["-f", "-o"])
            .arg(&calls)
            .args(["-p", &id.to_string()]);
        for worker in children(id) {
            command.args(["-p", &worker]);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors);
        sys::process::end_with_parent(&mut command, Signal::TERM);
        sys::signals::start_unblocked(&mut command);
        let child = command.spawn().map_err(|error| {
            format!("cannot start strace: {error}; try: apt-get install strace")
        })?;
        let mut strace = Self { child, calls };
        let end = Instant::now() + LIMIT;
        loop {
            testbed.go_on()?;
            let text = fs::read_to_string(&said).unwrap_or_default();
            if text.contains("attached") {
                // Every thread, the helpers too.
                testbed.interrupt.sleep(Duration::from_millis(500));
                return Ok(strace);
            }
            let ended = strace.child.try_wait().ok().flatten().is_some();
            if ended || Instant::now() > end {
                return Err(format!("strace could not attach: {}", text.trim()).into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Has it let go; gives what it wrote.
    fn detach(mut self) -> Result<String, Failure> {
        self.signal(Signal::INT);
        let ended = self.child.wait();
        ended.map_err(|error| format!("cannot wait for strace: {error}"))?;
        let bytes = fs::read(&self.calls)
            .map_err(|error| format!("cannot read {}: {error}", self.calls.display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        // It may have ended by itself.
        let _ = id.map(|id| kill_process(id, signal));
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        if self.child.try_wait().ok().flatten().is_none() {
            self.signal(Signal::INT);
            let _ = self.child.wait();
        }
    }
}

/// System calls for each request, by name.
#[derive(Debug, PartialEq)]
struct Calls(BTreeMap<String, f64>);

impl Calls {
    /// Of what strace wrote, a call a line, while there were so many requests.
    fn of(traced: &str, requests: u64) -> Self {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for name in traced.lines().filter_map(name) {
            *counts.entry(name.to_owned()).or_default() += 1;
        }
        let each = counts
            .into_iter()
            .map(|(name, count)| (name, count as f64 / requests as f64));
        Self(each.filter(|(_, each)| *each >= NOTICED).collect())
    }

    /// Calls by which a thread waits until there is something to do.
    fn waiting(&self) -> f64 {
        self.sum(is_waiting)
    }

    /// All others.
    fn working(&self) -> f64 {
        self.sum(|name| !is_waiting(name))
    }

    fn sum(&self, counts: impl Fn(&str) -> bool) -> f64 {
        let these = self.0.iter().filter(|(name, _)| counts(name));
        these.map(|(_, each)| each).sum()
    }
}

impl std::fmt::Display for Calls {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let calls = self.0.iter().filter(|(name, _)| !is_waiting(name));
        let words: Vec<String> = calls
            .map(|(name, each)| format!("{name} {each:.2}"))
            .collect();
        out.write_str(&words.join("  "))
    }
}

fn is_waiting(name: &str) -> bool {
    [
        "epoll_wait",
        "epoll_pwait",
        "futex",
        "poll",
        "ppoll",
        "pselect6",
        "clock_nanosleep",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

/// The name of the call that a line of strace's begins, like `4066 sendto(7, …`; the second half of one that was interrupted begins none.
fn name(line: &str) -> Option<&str> {
    let (before, _) = line.split_once('(')?;
    let name = before.split_whitespace().next_back()?;
    let is_name = name
        .bytes()
        .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_');
    match name {
        "syscall_0x1c3" => Some("cachestat"),
        _ => (is_name && !line.contains(" resumed>")).then_some(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_once_and_waiting_apart() {
        let request = "7 recvfrom(5, \"GET (a) HTTP/1.1\", 16384, 0, NULL, NULL) = 60
8 futex(0x7f, FUTEX_WAIT_PRIVATE, 0, NULL <unfinished ...>
7 syscall_0x1c3(0x4, 0x7f, 0x7f, 0, 0, 0) = 0
7 sendto(5, \"HTTP/1.1 200 OK\", 1200, MSG_NOSIGNAL, NULL, 0) = 1200
8 <... futex resumed>) = 0
7 epoll_wait(3, [{events=EPOLLIN}], 1024, -1) = 1
";
        let once = "7 accept4(4, NULL, NULL, SOCK_CLOEXEC) = 5\n7 +++ exited with 0 +++\n--- SIGTERM (x) ---\n";
        let calls = Calls::of(&(request.repeat(100) + once), 100);
        assert_eq!((calls.working(), calls.waiting()), (3.0, 2.0));
        assert_eq!(
            calls.to_string(),
            "cachestat 1.00  recvfrom 1.00  sendto 1.00"
        );
    }
}
