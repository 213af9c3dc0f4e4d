//! Where `select` ends.

use std::time::{Duration, Instant};

use command::descriptors::Descriptors;

use crate::server::{Client, PATIENCE, Server};

pub(crate) const CASES: &[(&str, fn())] = &[
    (
        "connections_beyond_its_end_wait",
        connections_beyond_its_end_wait,
    ),
    ("files_are_above_its_end", files_are_above_its_end),
];

const END: u64 = 1024;

/// Whether this process may have descriptors beyond the end; so may a server that it starts.
fn may_have_more() -> bool {
    Descriptors::raise().now.is_none_or(|most| most > 2 * END)
}

/// All numbers below the end are used by connections; no other is accepted until one of them leaves.
fn connections_beyond_its_end_wait() {
    if !may_have_more() {
        println!("skipped: no more descriptors are to be had than select can watch");
        return;
    }
    let server = Server::start("select", &[]);
    let mut clients: Vec<_> = (0..END + 20).map(|_| server.connect()).collect();
    let mut waiting = Vec::new();
    let mut inside = Vec::new();
    for client in &mut clients {
        client.send(crate::server::SMALL);
    }
    // The kernel lets them in in the order in which they came.
    let since = Instant::now();
    while sockets(&server).len() < 900 && since.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(200));
    for client in clients {
        if client.is_silent_for(Duration::from_millis(1)) {
            waiting.push(client);
        } else {
            inside.push(client);
        }
    }
    assert!(inside.len() > 1000, "{} are served", inside.len());
    assert!(waiting.len() >= 20, "{} wait", waiting.len());
    let highest = sockets(&server).into_iter().max();
    assert_eq!(highest, Some(END - 1), "not one number is left out");
    for client in &mut inside {
        assert_eq!(client.answer(), 5);
        client.ask();
    }
    inside.truncate(inside.len() - waiting.len());
    waiting.iter_mut().for_each(|client: &mut Client| {
        assert_eq!(client.answer(), 5);
        client.ask();
    });
    inside.iter_mut().for_each(Client::ask);
}

/// Numbers of its sockets.
fn sockets(server: &Server) -> Vec<u64> {
    let all = server.descriptors().into_iter();
    let sockets = all.filter(|(_, what)| what.starts_with("socket:"));
    sockets.map(|(number, _)| number).collect()
}

fn files_are_above_its_end() {
    if !may_have_more() {
        println!("skipped: no more descriptors are to be had than select can watch");
        return;
    }
    let root = tempfile::tempdir().unwrap();
    for number in 0..20 {
        std::fs::write(root.path().join(format!("{number}.txt")), "small").unwrap();
    }
    let server = Server::start_in(root, "select", &[]);
    let mut client = server.connect();
    for number in 0..20 {
        client.send(format!("GET /{number}.txt HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes());
        assert_eq!(client.answer(), 5);
    }
    let root = server.root().to_string_lossy().into_owned();
    let open = server.descriptors().into_iter();
    let files: Vec<_> = open
        .filter(|(_, what)| what.starts_with(&root) && what.ends_with(".txt"))
        .map(|(number, _)| number)
        .collect();
    assert_eq!(files.len(), 20);
    assert!(files.iter().all(|&number| number >= END), "{files:?}");
}
