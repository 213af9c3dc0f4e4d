//! Mailboxes that are too short for their load: nothing is lost, nothing is cut, nobody waits for ever, and whoever is turned away is
//! told.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

use std::path::Path;
use std::time::Duration;

use meter::Event;
use support::{Server, kind};

const LARGE: usize = 300_000;
const FILES: usize = 12;

fn fill(root: &Path) {
    std::fs::create_dir(root.join("slow")).unwrap();
    std::fs::write(root.join("small.txt"), "small\n").unwrap();
    for number in 0..FILES {
        let file = root.join(format!("slow/{number}.bin"));
        std::fs::write(file, vec![number as u8; LARGE]).unwrap();
    }
}

#[test]
fn mailboxes_of_one_place_lose_nothing() {
    // Each request is found anew, by the one file actor.
    let options = [
        "--mailbox",
        "1",
        "--file-actors",
        "1",
        "--workers",
        "2",
        "--name-cache",
        "0",
    ];
    let server = Server::start(&options, fill);
    let statuses = server
        .all(24, |_, mut client| {
            let ask = |_| {
                let (status, body) = client.get("/small.txt").unwrap();
                match status {
                    200 => assert_eq!(body, b"small\n"),
                    other => assert_eq!(other, 503),
                }
                status
            };
            (0..40).map(ask).collect::<Vec<_>>()
        })
        .concat();
    assert!(statuses.contains(&200));
    let refused = statuses.iter().filter(|&&status| status == 503).count() as u64;
    let counted = server.counted(|counted| counted.requests() == 24 * 40);
    assert_eq!(counted.requests(), 24 * 40);
    assert_eq!(counted.count(Event::Shed), refused);
    assert_eq!(counted.count(Event::ServerError), refused);
    let files = kind(&counted, "file");
    assert!(files.queue_peak <= 1 && files.now.rejected >= refused);
}

#[test]
fn a_disk_that_is_too_slow_is_told_at_once() {
    let options = [
        "--mailbox",
        "2",
        "--file-actors",
        "1",
        "--slow",
        "/slow/=1000",
    ];
    let server = Server::start(&options, fill);
    let mut clients: Vec<_> = (0..FILES).map(|_| server.connect()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.ask("GET", &format!("/slow/{number}.none"));
        // So that they come to the mailbox one after the other.
        std::thread::sleep(Duration::from_millis(20));
    }
    let statuses = clients.iter_mut().map(|client| client.answer().unwrap().0);
    let statuses: Vec<_> = statuses.collect();
    // One is looked up, two wait, and the others are turned away; fewer if this takes long.
    let found = statuses.iter().filter(|&&status| status == 404).count();
    assert!(found >= 3, "{statuses:?}");
    assert!(statuses.contains(&503), "{statuses:?}");
}

/// Their loads find the mailbox of the file actors full, and wait for a place; none of them is refused.
#[test]
fn answers_that_have_been_found_wait_for_a_place() {
    let options = [
        "--mailbox",
        "1",
        "--file-actors",
        "1",
        "--revalidate",
        "1h",
        "--slow",
        "/slow/=100",
    ];
    let server = Server::start(&options, fill);
    let mut first = server.connect();
    for number in 0..FILES {
        // It is found, and nothing of it is loaded.
        first.ask("HEAD", &format!("/slow/{number}.bin"));
        assert_eq!(first.answer_without_body(), 200);
    }
    let mut clients: Vec<_> = (0..FILES).map(|_| server.connect()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.ask("GET", &format!("/slow/{number}.bin"));
    }
    // Whoever leaves while it waits for a place takes nobody's along.
    drop(clients.remove(FILES / 2));
    for (number, mut client) in (0..FILES)
        .filter(|number| *number != FILES / 2)
        .zip(clients)
    {
        let (status, body) = client.answer().unwrap();
        assert_eq!((status, body), (200, vec![number as u8; LARGE]));
    }
    let counted = server.counted(|_| true);
    assert_eq!(counted.count(Event::Shed), 0);
    assert!(kind(&counted, "file").now.rejected > 0);
    assert!(kind(&counted, "file").queue_peak <= 1);
}

/// While the one worker waits for the disk, clients come; then the acceptor has more of them than the supervisor has places.
#[test]
fn the_acceptor_waits_for_the_supervisor() {
    let options = [
        "--mailbox",
        "1",
        "--file-actors",
        "0",
        "--workers",
        "1",
        "--slow",
        "/slow/=500",
    ];
    let server = Server::start(&options, fill);
    let mut slow = server.connect();
    slow.ask("GET", "/slow/nowhere");
    std::thread::sleep(Duration::from_millis(100));
    let mut clients: Vec<_> = (0..40).map(|_| server.connect()).collect();
    for client in &mut clients {
        assert_eq!(client.get("/small.txt").unwrap().0, 200);
    }
    assert_eq!(slow.answer().unwrap().0, 404);
    let counted = server.counted(|_| true);
    let supervisor = kind(&counted, "supervisor");
    assert!(supervisor.now.rejected > 0);
    assert_eq!(counted.count(Event::Connection), 41);
}
