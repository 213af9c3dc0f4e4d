//! Code that panics: what goes with it.

use crate::Bench;
use crate::nature::{concurrent, ends_with_a_defect, ways_of_spawning, with_workers};
use crate::site::Garden;
use crate::table::Fault;

pub(crate) const FAULTS: &[Fault] = &[Fault::new(
    "cost_what_they_must",
    "the code that finds a file has a defect (--panic)",
    cost_what_they_must,
)];

/// More defects than there are workers.
const DEFECTS: u64 = 8;

fn cost_what_they_must(bench: &Bench) -> &'static str {
    let garden = Garden::new();
    garden.write("broken/file.txt", "never seen\n");
    garden.write("file.txt", "file\n");
    let mut shown = "";
    for spawn in ways_of_spawning(bench) {
        let options = [
            spawn,
            &with_workers(bench, "3")[..],
            &["--panic", "/broken/"],
        ]
        .concat();
        let server = bench.serve_from(garden.root(), &options);
        let mut kept = concurrent(bench).then(|| server.connect());
        if let Some(kept) = &mut kept {
            assert_eq!(kept.get("/file.txt").status, 200);
        }
        if ends_with_a_defect(bench) {
            assert_eq!(server.connect().try_get("/broken/file.txt"), None);
            if let Some(kept) = &mut kept {
                assert_eq!(kept.ending().0, b"", "the server is gone");
            }
            let (status, _, complaints) = server.end_with_complaints();
            assert_eq!(status.code(), Some(101), "{complaints}");
            assert!(complaints.contains("--panic"), "{complaints}");
            return "the server ends (exit status 101)";
        }
        let mut answered = 0;
        for number in 0..DEFECTS {
            let mut client = server.connect();
            match client.try_get("/broken/file.txt") {
                // Whoever answers lives, and so does the connection.
                Some(answer) => {
                    assert_eq!((answer.status, answer.closes()), (500, false));
                    assert_eq!(client.get("/file.txt").status, 200);
                    answered += 1;
                }
                None => drop(client),
            }
            let others = kept
                .iter_mut()
                .all(|kept| kept.get("/file.txt").status == 200);
            assert!(
                others,
                "{spawn:?}: defect {number} costs somebody else his connection"
            );
        }
        // As many can be served at a time as before.
        let mut all: Vec<_> = (0..2).map(|_| server.connect()).collect();
        for client in &mut all {
            assert_eq!(client.get("/file.txt").status, 200, "{spawn:?}");
        }
        drop((kept, all));
        let summary = server.stop_after_panics();
        let count = |error: &str| summary["errors"][error].as_u64();
        shown = if answered > 0 {
            assert_eq!(answered, DEFECTS);
            assert_eq!(count("worker_replaced"), Some(DEFECTS), "{summary}");
            "500; the helper or stage that it struck goes on, and no connection ends"
        } else {
            assert_eq!(count("connection_broken"), Some(DEFECTS), "{summary}");
            if bench.model.has("--processes") {
                "its process ends and its connection with it, and no other"
            } else {
                "its connection ends with it, and no other; a thread serves on"
            }
        };
    }
    shown
}
