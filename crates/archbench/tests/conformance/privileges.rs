//! Those of root, given up before the first connection.

use std::collections::BTreeMap;
use std::os::unix::fs::chown;

use rustix::process::{Pid, Signal, getuid, kill_process};

use crate::case::{Bench, Case, case, case_of_each_behaviour};
use crate::client::wait_until;
use crate::hosts;
use crate::server::{Recipe, Server, stranger};
use crate::site::{Garden, contents};
use crate::usage;

pub(crate) const CASES: &[Case] = &[
    case_of_each_behaviour("are_given_up_for_good", are_given_up_for_good),
    case("are_used_for_the_address", are_used_for_the_address),
    case("that_cannot_be_had", that_cannot_be_had),
    case("change_no_answer", change_no_answer),
    case(
        "decide_what_the_kernel_tells_of_memory",
        decide_what_the_kernel_tells_of_memory,
    ),
    case(
        "are_not_lent_to_other_machines",
        are_not_lent_to_other_machines,
    ),
];

/// Who a process is, and what it may.
fn identity(process: Pid) -> BTreeMap<String, String> {
    let path = format!("/proc/{}/status", process.as_raw_nonzero());
    let status = std::fs::read_to_string(path).unwrap_or_default();
    let lines = status.lines().filter_map(|line| line.split_once(':'));
    lines
        .map(|(name, value)| {
            let words: Vec<_> = value.split_whitespace().collect();
            (name.to_owned(), words.join(" "))
        })
        .collect()
}

fn assert_is(server: &Server, user: u32, group: u32) {
    for process in server.processes() {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", process.as_raw_nonzero()));
        for task in tasks.into_iter().flatten().flatten() {
            let task = task.file_name().to_str().and_then(|name| name.parse().ok());
            let identity = identity(task.and_then(Pid::from_raw).expect("a thread"));
            if identity.is_empty() {
                // It has ended meanwhile.
                continue;
            }
            // Real, effective, saved, for files.
            assert_eq!(identity["Uid"], format!("{user} {user} {user} {user}"));
            assert_eq!(identity["Gid"], format!("{group} {group} {group} {group}"));
            assert_eq!(identity["Groups"], format!("{group}"));
            for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
                assert_eq!(identity[set], "0000000000000000", "{set}");
            }
            assert_eq!(identity["NoNewPrivs"], "1");
        }
    }
}

/// What there is of it by default.
const CONTENT_CACHE: u64 = 64 << 20;

/// Root in a container may not, as a rule.
fn may_raise_limits() -> bool {
    const SYS_RESOURCE: u32 = 24;
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    effective
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask >> SYS_RESOURCE & 1 == 1)
}

fn are_given_up_for_good(bench: &Bench) {
    let Some(user) = stranger() else { return };
    let group = user + 1;
    let server = bench
        .recipe()
        .args(bench.room.workers("3"))
        .args(["--user", &format!("{user}:{group}")])
        .start();
    assert_eq!(server.ready["user"], format!("{user}:{group}"));
    // What the content cache locks counts against a limit now.
    if may_raise_limits() {
        let pid = server.pid().as_raw_nonzero();
        let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let locked = limits
            .lines()
            .find_map(|line| line.strip_prefix("Max locked memory"));
        let most = locked
            .and_then(|line| line.split_whitespace().next())
            .unwrap();
        let enough = |most: u64| most >= CONTENT_CACHE;
        assert!(
            most == "unlimited" || most.parse().is_ok_and(enough),
            "{limits}"
        );
    }
    let mut client = server.connect();
    assert_eq!(client.get("/file.txt").status, 200);
    assert_is(&server, user, group);
    drop(client);
    // Workers that are made later are nobody else.
    let killed = server.processes().split_off(1);
    for worker in &killed {
        let _ = kill_process(*worker, Signal::KILL);
    }
    // A worker that is about to end may still take a connection along.
    wait_until("killed workers are gone", || {
        !server.processes().iter().any(|one| killed.contains(one))
    });
    let mut client = server.connect();
    assert_eq!(client.get("/medium.bin").status, 200);
    assert_is(&server, user, group);
    drop(client);
    server.stop();
}

/// A port that only root may have, at an address of the loopback network that nobody else has.
fn are_used_for_the_address(bench: &Bench) {
    // Ports of a stack of its own are its own.
    if bench.room.has_own_stack() {
        return;
    }
    let Some(user) = stranger() else { return };
    let [_, high, middle, low] = user.to_be_bytes();
    let host = std::net::Ipv4Addr::new(127, high & 127, middle, low | 1);
    let address = std::net::SocketAddr::from((host, 300));
    let server = bench
        .recipe()
        .args(["--user", &format!("{user}:{user}")])
        .at(address.to_string())
        .start();
    assert_eq!(server.address, address);
    assert_eq!(server.connect().get("/file.txt").status, 200);
    server.stop();
}

fn that_cannot_be_had(bench: &Bench) {
    let root = bench.site.root().to_str().expect("text");
    let address = hosts::address();
    let serve = ["--addr", &address, "--root", root];
    let with = |user| [&serve[..], &["--user", user]].concat();
    for (user, why) in [
        ("nobody-of-that-name", "no user"),
        ("root:nobody-of-that-name", "no group"),
        ("root", "keep all privileges"),
        ("0", "keep all privileges"),
    ] {
        usage::fails(&bench.room, &with(user), &["--user", user, why]);
    }
    for nonsense in ["", ":", "root:", "a:b:c"] {
        usage::is_wrong(&bench.room, &with(nonsense), &["--user"]);
    }
    let Some(user) = stranger() else {
        usage::fails(&bench.room, &with("12345:12345"), &["--user", "only root"]);
        return;
    };
    // A directory that root could serve and this user may not.
    let garden = Garden::new();
    garden.allow("", 0o700);
    let user = format!("{user}:{user}");
    let options = ["--addr", &address, "--user", &user, "--root"];
    let root = garden.root().to_str().expect("text");
    usage::fails(
        &bench.room,
        &[&options[..], &[root]].concat(),
        &["cannot serve", root, &user, "Permission denied"],
    );
}

/// Byte for byte what root would answer, but for what this user may not read.
fn change_no_answer(bench: &Bench) {
    let server = bench.recipe().for_a_stranger().start();
    crate::golden::matches_golden(&server);
    if getuid().is_root() {
        assert_eq!(server.connect().get("/forbidden.txt").status, 403);
    }
    server.stop();
}

/// The kernel tells a process what of its own files is in memory, and calls those of others resident all: whoever asks must
/// notice.
fn decide_what_the_kernel_tells_of_memory(bench: &Bench) {
    let Some(user) = stranger() else { return };
    let garden = Garden::new();
    for (name, owner) in [("own.bin", user), ("others.bin", 0)] {
        garden.write(name, contents(name, 300_000));
        chown(garden.at(name), Some(owner), Some(owner)).unwrap();
        let server = Recipe::new(&bench.room, garden.root())
            .args(["--user", &format!("{user}:{user}"), "--content-cache", "0"])
            .start();
        for _ in 0..3 {
            let answer = server.connect().get(&format!("/{name}"));
            assert_eq!(answer.body, contents(name, 300_000));
        }
        let summary = server.stop();
        let asked = summary["residency"].as_str();
        // Whoever may wait need not ask; whoever has others wait must.
        assert_eq!(asked.is_some(), bench.room.has_helpers(), "{asked:?}");
        let Some(asked) = asked else { return };
        let truthful = match name {
            "own.bin" => asked != "mincore",
            _ => asked == "preadv2(RWF_NOWAIT)",
        };
        assert!(truthful, "{name}: {asked}");
    }
}

/// Whoever is not told where to listen listens where nobody but this machine can reach it.
fn are_not_lent_to_other_machines(bench: &Bench) {
    let mut child = std::process::Command::new(crate::server::BINARY)
        .args(["serve", "--output-format", "json"])
        .args(["--model", bench.room.name(), "--root"])
        .arg(bench.site.root())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut out = std::io::BufReader::new(child.stdout.take().expect("piped"));
    let mut ready = String::new();
    std::io::BufRead::read_line(&mut out, &mut ready).unwrap();
    // Somebody else may have that port.
    let _ = kill_process(Pid::from_child(&child), Signal::TERM);
    let output = child.wait_with_output().unwrap();
    let said = ready + &String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("127.0.0.1:8080"), "{said}");
}
