//! Files that change while they are served, and after.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};

use crate::case::Bench;
use crate::client::{Client, End, PATIENCE, last_get, wait_until};
use crate::server::{Recipe, Server};
use crate::site::{Garden, assert_contents, contents};
use crate::table::Fault;

pub(crate) const FAULTS: &[Fault] = &[
    Fault::new(
        "that_cut_a_file_cut_its_answer",
        "a file is cut short while it is sent",
        that_cut_a_file_cut_its_answer,
    ),
    Fault::new(
        "do_not_touch_an_answer_under_way",
        "a file is replaced, deleted, grown or forbidden while it is sent",
        do_not_touch_an_answer_under_way,
    ),
    Fault::new(
        "are_seen_after_the_time_that_was_asked_for",
        "a file is cut, grown, replaced or deleted while it is cached",
        are_seen_after_the_time_that_was_asked_for,
    ),
    Fault::new(
        "that_delete_a_file_free_its_space",
        "a file is deleted, and nobody asks for it again",
        free_its_space,
    ),
    Fault::new(
        "of_the_right_to_read",
        "a file or directory is forbidden while it is cached",
        of_the_right_to_read,
    ),
    Fault::new(
        "to_the_name_of_the_root",
        "the root is moved away and another put in its place",
        to_the_name_of_the_root,
    )
    .of_each_behaviour(),
    Fault::new(
        "to_the_root_itself",
        "the root is deleted and put back",
        to_the_root_itself,
    )
    .of_each_behaviour(),
];

/// Larger than all buffers on the way to a client with a small one.
const LARGE: u64 = crate::site::LARGE;

/// Asks until the answer is as it is to be, at most for a while.
#[track_caller]
fn becomes(server: &Server, path: &str, status: u16, body: Option<&[u8]>) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut client = server.connect();
        client.send(last_get(path));
        let answer = client.head();
        // Until it is looked at afresh, a file that has become shorter is promised whole and ends short.
        let found = client.read_to_end();
        if answer.status == status && body.is_none_or(|body| found == body) {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{path} stays {} {:?}",
            answer.status,
            found.len()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Creating, replacing, growing, shrinking, deleting, for a file in memory and one that is sent from the disk.
fn through_all_states(bench: &Bench, options: &[&str]) {
    let garden = Garden::new();
    let server = bench.serve_from(garden.root(), options);
    becomes(&server, "/file.txt", 404, None);
    for length in [3, 100_000] {
        let first = vec![b'a'; length];
        let second = vec![b'b'; length];
        garden.write("file.txt", &first);
        becomes(&server, "/file.txt", 200, Some(&first));
        garden.replace("file.txt", &second);
        becomes(&server, "/file.txt", 200, Some(&second));
        garden.append("file.txt", b"more");
        becomes(
            &server,
            "/file.txt",
            200,
            Some(&[&second[..], b"more"].concat()),
        );
        garden.truncate("file.txt", 2);
        becomes(&server, "/file.txt", 200, Some(b"bb"));
        // Written over in place, with the same length.
        garden.write("file.txt", b"cc");
        becomes(&server, "/file.txt", 200, Some(b"cc"));
        fs::remove_file(garden.at("file.txt")).unwrap();
        becomes(&server, "/file.txt", 404, None);
    }
    server.stop();
}

/// In no process is there anything that keeps it.
fn free_its_space(bench: &Bench) -> &'static str {
    let garden = Garden::new();
    garden.write("large.bin", contents("large.bin", 1 << 20));
    let server = bench.serve_from(garden.root(), &["--name-cache-idle", "200ms"]);
    for _ in 0..20 {
        let mut client = server.connect();
        client.send(last_get("/large.bin"));
        assert_eq!(client.answer().status, 200);
    }
    fs::remove_file(garden.at("large.bin")).unwrap();
    let gone = format!("{} (deleted)", garden.at("large.bin").display());
    wait_until("the deleted file is let go", || {
        server.processes().iter().all(|process| {
            let at = |name| format!("/proc/{}/{name}", process.as_raw_nonzero());
            let maps = fs::read_to_string(at("maps")).unwrap_or_default();
            let descriptors = fs::read_dir(at("fd")).into_iter().flatten().flatten();
            let mut links = descriptors.filter_map(|fd| fs::read_link(fd.path()).ok());
            !maps.contains(&gone) && !links.any(|link| link.as_os_str() == gone.as_str())
        })
    });
    server.stop();
    "its space is given back after --name-cache-idle"
}

fn are_seen_after_the_time_that_was_asked_for(bench: &Bench) -> &'static str {
    through_all_states(bench, &["--revalidate", "20ms"]);
    through_all_states(bench, &["--revalidate", "0"]);
    through_all_states(bench, &["--name-cache", "0", "--content-cache", "0"]);
    "its new state is served after --revalidate, in every cache"
}

/// A reader who has begun, and whose buffers are full.
fn begin(server: &Server, path: &str) -> Client {
    let mut client = Client::connect_with_small_buffer(server.address);
    client.send(last_get(path));
    let head = client.head();
    assert_eq!((head.status, head.content_length() as u64), (200, LARGE));
    client
}

fn do_not_touch_an_answer_under_way(bench: &Bench) -> &'static str {
    let garden = Garden::new();
    type Change = (&'static str, fn(&Garden));
    let changes: [Change; 4] = [
        ("replaced", |garden| garden.replace("large.bin", "new")),
        ("deleted", |garden| {
            fs::remove_file(garden.at("large.bin")).unwrap()
        }),
        ("grown", |garden| garden.append("large.bin", b"more")),
        ("forbidden", |garden| garden.allow("large.bin", 0o000)),
    ];
    for (change, apply) in changes {
        garden.write("large.bin", contents("large.bin", LARGE));
        let server = Recipe::new(&bench.room, garden.root())
            .for_a_stranger()
            .start();
        let mut client = begin(&server, "/large.bin");
        apply(&garden);
        let body = client.read_to_end();
        assert_eq!(body.len() as u64, LARGE, "{change}");
        assert_contents("large.bin", 0, &body);
    }
    "the answer is finished with the bytes that were promised"
}

fn that_cut_a_file_cut_its_answer(bench: &Bench) -> &'static str {
    for path in [&["--send-path", "sendfile"], &["--send-path", "copy"]] {
        let garden = Garden::new();
        garden.write("large.bin", contents("large.bin", LARGE));
        let server = bench.serve_from(garden.root(), path);
        let mut client = begin(&server, "/large.bin");
        let cut = LARGE / 2 + 12_345;
        garden.truncate("large.bin", cut);
        let (body, end) = client.ending();
        // Closed short: neither padded nor kept, and no wrong byte.
        assert_eq!((body.len() as u64, end), (cut, End::Closed), "{path:?}");
        assert_contents("large.bin", 0, &body);
        let summary = server.stop();
        assert_eq!(summary["errors"]["file_truncated"], 1, "{path:?}");
        assert_eq!(summary["requests"], 0, "it was not sent whole");
    }
    "its connection is closed short; nothing is padded, and no signal kills the server"
}

/// What may be read no longer is not served out of a cache either.
fn of_the_right_to_read(bench: &Bench) -> &'static str {
    let garden = Garden::new();
    garden.write("small.txt", "small\n");
    garden.write("large.bin", contents("large.bin", 100_000));
    garden.write("directory/inner.txt", "inner\n");
    // Root could read it all.
    let server = Recipe::new(&bench.room, garden.root())
        .for_a_stranger()
        .args(["--revalidate", "20ms"])
        .start();
    for (path, changed, open) in [
        ("/small.txt", "small.txt", 0o644),
        ("/large.bin", "large.bin", 0o644),
        ("/directory/inner.txt", "directory", 0o755),
    ] {
        becomes(&server, path, 200, None);
        garden.allow(changed, 0o000);
        becomes(&server, path, 403, None);
        garden.allow(changed, open);
        becomes(&server, path, 200, None);
    }
    server.stop();
    "403 after --revalidate, and the file again when it may be read again"
}

/// A root is the directory that it was when the server started, in workers that are made later too.
fn to_the_name_of_the_root(bench: &Bench) -> &'static str {
    let garden = Garden::new();
    garden.write("root/file.txt", "old\n");
    let options = [&bench.room.workers("3")[..], &["--revalidate", "0"]].concat();
    let server = bench.serve_from(&garden.at("root"), &options);
    becomes(&server, "/file.txt", 200, Some(b"old\n"));
    fs::rename(garden.at("root"), garden.at("elsewhere")).unwrap();
    garden.write("root/file.txt", "new\n");
    for worker in server.processes().split_off(1) {
        let _ = kill_process(worker, Signal::KILL);
    }
    let mut answered = 0;
    while answered < 6 {
        // One that is killed may have let in a client before it dies.
        if let Some(answer) = server.connect().try_get("/file.txt") {
            assert_eq!(answer.body, b"old\n");
            answered += 1;
        }
    }
    "the directory that it was is served on, wherever it is now"
}

fn to_the_root_itself(bench: &Bench) -> &'static str {
    let garden = Garden::new();
    garden.write("root/file.txt", "here\n");
    let server = bench.serve_from(&garden.at("root"), &["--revalidate", "0"]);
    becomes(&server, "/file.txt", 200, Some(b"here\n"));
    fs::remove_dir_all(garden.at("root")).unwrap();
    becomes(&server, "/file.txt", 404, None);
    garden.write("root/file.txt", "again\n");
    becomes(&server, "/file.txt", 200, Some(b"again\n"));
    garden.write("root/file.txt", "and again\n");
    becomes(&server, "/file.txt", 200, Some(b"and again\n"));
    server.stop();

    "404 meanwhile, then what is there under its name"
}
