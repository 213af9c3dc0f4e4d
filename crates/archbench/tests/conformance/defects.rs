//! Code that panics: what goes with it.

use arch::nature::Loss;

use crate::case::Bench;
use crate::client::wait_until;
use crate::loops::{SLOW, of_two_loops};
use crate::site::Garden;
use crate::table::Fault;

pub(crate) const FAULTS: &[Fault] = &[Fault::new(
    "cost_what_they_must",
    "the code that finds a file has a defect (--panic)",
    cost_what_they_must,
)
.of_each_behaviour()];

/// More defects than there are workers.
const DEFECTS: u64 = 8;

pub(crate) fn cost_what_they_must(bench: &Bench) -> &'static str {
    let garden = Garden::new();
    garden.write("broken/file.txt", "never seen\n");
    garden.write("file.txt", "file\n");
    let options = [&bench.room.workers("3")[..], &["--panic", "/broken/"]].concat();
    let server = bench.serve_from(garden.root(), &options);
    let mut kept = bench.room.is_concurrent().then(|| server.connect());
    if let Some(kept) = &mut kept {
        assert_eq!(kept.get("/file.txt").status, 200);
    }
    let loss = bench.room.behaviour.defect;
    if loss == Loss::Server {
        assert_eq!(server.connect().try_get("/broken/file.txt"), None);
        if let Some(kept) = &mut kept {
            assert_eq!(kept.ending().0, b"", "the server is gone");
        }
        let (status, _, complaints) = server.end_with_complaints();
        assert_eq!(status.code(), Some(101), "{complaints}");
        assert!(complaints.contains("--panic"), "{complaints}");
        return "the server ends (exit status 101)";
    }
    if loss == Loss::Loop {
        drop((kept, server));
        return cost_a_loop(bench, garden);
    }
    let before = server.processes();
    for number in 0..DEFECTS {
        let mut client = server.connect();
        let answer = client.try_get("/broken/file.txt");
        assert_eq!(answer.is_some(), loss == Loss::Answer, "{answer:?}");
        // Whoever answers lives, and so does the connection.
        if let Some(answer) = answer {
            assert_eq!((answer.status, answer.closes()), (500, false));
            assert_eq!(client.get("/file.txt").status, 200);
        }
        drop(client);
        let others = kept
            .iter_mut()
            .all(|kept| kept.get("/file.txt").status == 200);
        assert!(others, "defect {number} costs somebody else his connection");
    }
    // As many can be served at a time as before.
    let mut all: Vec<_> = (0..2).map(|_| server.connect()).collect();
    for client in &mut all {
        assert_eq!(client.get("/file.txt").status, 200);
    }
    let same_processes = server.processes() == before;
    drop((kept, all));
    let summary = server.stop_after_panics();
    let (counted, shown) = match loss {
        Loss::Answer => (
            "worker_replaced",
            "500; the helper, stage or actor that it struck goes on or is started again, and no connection ends",
        ),
        Loss::Process => (
            "connection_broken",
            "its process ends and its connection with it, and no other",
        ),
        Loss::Connection | Loss::Loop | Loss::Server => (
            "connection_broken",
            "its connection ends with it, and no other; a thread serves on",
        ),
    };
    assert_eq!(same_processes, loss != Loss::Process);
    assert_eq!(summary["errors"][counted], DEFECTS, "{summary}");
    shown
}

/// A defect in one of two loops.
fn cost_a_loop(bench: &Bench, garden: Garden) -> &'static str {
    let options = [
        &bench.room.workers("2")[..],
        &["--panic", "/broken/"],
        &SLOW,
    ]
    .concat();
    let server = bench.serve_from(garden.root(), &options);
    let [mut struck, mut others] = of_two_loops(&server);
    let before = server.processes();
    assert_eq!(struck[0].try_get("/broken/file.txt"), None);
    for client in &mut struck {
        assert_eq!(client.ending().0, b"", "it was of that loop");
    }
    for client in &mut others {
        assert_eq!(client.get("/file.txt").status, 200, "it was of another");
    }
    let replaced = bench.room.behaviour.replaces_processes();
    wait_until("another takes its place", || {
        let now = server.processes();
        now.len() == before.len() && (now != before) == replaced
    });
    // The loops are two again.
    of_two_loops(&server);
    let summary = server.stop_after_panics();
    assert_eq!(summary["errors"]["worker_replaced"], 1, "{summary}");
    "its loop ends and all connections of that loop, and no other; another takes its place"
}
