//! What architectures declare of themselves, each fact held in both directions: what is declared is seen, and what is seen is
//! declared.

mod lies;

use std::time::{Duration, Instant};

use arch::nature::{Carrier, Concurrency, DiskWait, Killed, Overflow};

use crate::case::{Bench, Case, case, case_of_each_behaviour};
use crate::client::{Client, get, last_get, wait_until};
use crate::loops::{SLOW, of_two_loops, wait_for_disk};
use crate::server::Server;
use crate::shortage::{assert_let_go, tasks};
use crate::site::Garden;

pub(crate) const CASES: &[Case] = &[
    case_of_each_behaviour("so_many_are_served_at_a_time", so_many_are_served_at_a_time),
    case_of_each_behaviour(
        "connections_have_the_carriers_that_are_declared",
        connections_have_the_carriers_that_are_declared,
    ),
    case_of_each_behaviour(
        "connections_beyond_the_limit_wait",
        connections_beyond_the_limit_wait,
    ),
    case_of_each_behaviour(
        "without_keep_alive_nobody_starves",
        without_keep_alive_nobody_starves,
    ),
    case_of_each_behaviour("who_finds_no_worker", who_finds_no_worker),
    case_of_each_behaviour(
        "others_are_served_while_one_dawdles",
        others_are_served_while_one_dawdles,
    ),
    case_of_each_behaviour(
        "others_are_served_while_the_disk_is_slow",
        others_are_served_while_the_disk_is_slow,
    ),
    case_of_each_behaviour("so_many_wait_for_the_disk", so_many_wait_for_the_disk),
    case(
        "what_was_slow_once_is_quick_then",
        what_was_slow_once_is_quick_then,
    ),
    case("is_of_a_family_and_a_lineage", is_of_a_family_and_a_lineage),
    case_of_each_behaviour(
        "false_declarations_are_found_out",
        lies::false_declarations_are_found_out,
    ),
];

/// More than any architecture has workers by default.
const MANY: usize = 100;

/// How many of `clients`, each of which has sent a request, are answered though nobody leaves: `expected`, and no more a while
/// later.
fn answered(clients: &[Client], expected: usize) -> usize {
    let answered = || {
        clients
            .iter()
            .filter(|client| client.has_something())
            .count()
    };
    // Until nobody has been for a while.
    let mut last = (answered(), Instant::now());
    while last.0 < expected && last.1.elapsed() < Duration::from_secs(4) {
        std::thread::sleep(Duration::from_millis(5));
        let now = answered();
        if now > last.0 {
            last = (now, Instant::now());
        }
    }
    if expected < clients.len() {
        std::thread::sleep(Duration::from_millis(250));
    }
    answered()
}

fn ask_all(server: &Server, count: usize) -> Vec<Client> {
    let ask = |_| {
        let mut client = server.connect();
        client.send(get("/file.txt"));
        client
    };
    (0..count).map(ask).collect()
}

/// Of clients that keep their connections.
fn so_many_are_served_at_a_time(bench: &Bench) {
    let (clients, expected) = match bench.room.behaviour.concurrency {
        Concurrency::One => (3, 1),
        Concurrency::Workers { .. } => (8, 3),
        Concurrency::OneEach(_) | Concurrency::Any => (MANY, MANY),
    };
    let few = bench.room.workers("3");
    // Whoever has helpers is served without one.
    let server = bench.serve(&few);
    let clients = ask_all(&server, clients);
    assert_eq!(answered(&clients, expected), expected, "{few:?}");
}

/// What has been made when so many are connected: nothing, a thread or a process for each, or what was there before.
fn connections_have_the_carriers_that_are_declared(bench: &Bench) {
    const CONNECTED: usize = 12;
    let server = bench.serve(&bench.room.workers("14"));
    // So that whatever is made with the first request is there.
    assert_eq!(server.connect().get("/file.txt").status, 200);
    server.sockets_at_rest();
    let before = (server.processes().len(), tasks(&server));
    let connected = match bench.room.is_concurrent() {
        true => CONNECTED,
        false => 1,
    };
    let clients = ask_all(&server, connected);
    assert_eq!(answered(&clients, connected), connected);
    let now = (server.processes().len(), tasks(&server));
    let made = (now.0 - before.0, (now.1 - before.1) as usize);
    let expected = |carrier| match bench.room.behaviour.concurrency {
        Concurrency::OneEach(declared) if declared == carrier => CONNECTED,
        _ => 0,
    };
    assert_eq!(made.0, expected(Carrier::Process), "processes");
    if made.0 == 0 {
        let most = expected(Carrier::Thread);
        let few = CONNECTED / 2;
        let helped = bench.room.has_helpers();
        // A stage may add some threads, as its controller sees fit.
        let fits = made.1 == most || most == 0 && helped && made.1 < few;
        assert!(fits, "{} threads were made, and not {most}", made.1);
    }
    let alone = bench.room.behaviour.killed == Killed::Server;
    assert_eq!(now.0 == 1, alone, "{} processes", now.0);
    if let Concurrency::Workers { carrier, .. } = bench.room.behaviour.concurrency {
        assert_eq!(alone, carrier == Carrier::Thread);
    }
}

fn connections_beyond_the_limit_wait(bench: &Bench) {
    let mut options = vec!["--max-connections", "2"];
    // In each process; so there are no more of them than may be served.
    if bench.room.behaviour.killed != Killed::Server {
        let each_serves_one = bench.room.behaviour.concurrency != Concurrency::Any;
        options.extend(bench.room.workers(if each_serves_one { "2" } else { "1" }));
    }
    let served = if bench.room.is_concurrent() { 2 } else { 1 };
    let server = bench.serve(&options);
    // All workers wait in `accept` before the first client comes.
    std::thread::sleep(Duration::from_millis(100));
    let mut clients = ask_all(&server, 6);
    assert_eq!(answered(&clients, served), served, "{options:?}");
    // Each that leaves lets another in.
    while !clients.is_empty() {
        let place = clients
            .iter_mut()
            .position(|client| !client.is_silent_for(Duration::from_millis(50)));
        let Some(place) = place else { continue };
        assert_eq!(clients.remove(place).answer().body.len(), 26);
    }
    assert_eq!(server.stop()["requests"], 6, "{options:?}");
}

/// Though there are more clients than workers.
fn without_keep_alive_nobody_starves(bench: &Bench) {
    let options = [&bench.room.workers("3")[..], &["--keep-alive", "off"]].concat();
    let server = bench.serve(&options);
    for mut client in ask_all(&server, 20) {
        assert_eq!(client.answer().status, 200, "{options:?}");
    }
}

/// Where a worker belongs to a connection, and no queue has a place: it waits or is refused.
fn who_finds_no_worker(bench: &Bench) {
    let Concurrency::Workers {
        queue, overflow, ..
    } = bench.room.behaviour.concurrency
    else {
        return;
    };
    let one = bench.room.workers("1");
    let queue = queue.map_or(vec![], |queue| vec![queue, "1"]);
    let options = [&one[..], &queue, &["--linger-timeout", "200ms"]].concat();
    let server = bench.serve(&options);
    let mut holder = server.connect();
    assert_eq!(holder.get("/file.txt").status, 200);
    let mut waiting = ask_all(&server, 1);
    assert!(waiting[0].is_silent_for(Duration::from_millis(100)));
    const OTHERS: u64 = 3;
    for _ in 0..OTHERS {
        let mut other = ask_all(&server, 1).remove(0);
        match overflow {
            Overflow::Waits => {
                assert!(other.is_silent_for(Duration::from_millis(100)));
                waiting.push(other);
            }
            Overflow::IsRefused => {
                let answer = other.answer();
                assert_eq!((answer.status, answer.closes()), (503, true));
                assert_eq!(answer.field("retry-after"), Some("1"));
                assert_eq!(other.read_to_end(), b"");
                assert_let_go(&mut other);
            }
        }
    }
    drop(holder);
    // They are served one after the other.
    for mut client in waiting {
        assert_eq!(client.answer().status, 200);
    }
    wait_until("it recovers", || {
        server.connect().get("/file.txt").status == 200
    });
    let summary = server.stop();
    let refused = summary["errors"]["connection_refused_503"].as_u64();
    match overflow {
        Overflow::Waits => assert_eq!(refused, Some(0), "{summary}"),
        Overflow::IsRefused => assert!(refused >= Some(OTHERS), "{summary}"),
    }
}

fn others_are_served_while_one_dawdles(bench: &Bench) {
    let server = bench.serve(&[]);
    let mut idle = server.connect();
    assert_eq!(idle.get("/file.txt").status, 200);
    let mut dripping = bench.room.is_concurrent().then(|| server.connect());
    if let Some(dripping) = &mut dripping {
        dripping.send("GET /fi");
    }
    let mut other = server.connect();
    other.send(get("/again.txt"));
    if let Some(mut dripping) = dripping {
        assert_eq!(other.answer().body, b"again\n");
        dripping.send("le.txt HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(dripping.answer().status, 200);
        assert_eq!(idle.get("/file.txt").status, 200);
    } else {
        assert!(
            other.is_silent_for(Duration::from_millis(500)),
            "{} serves two at a time",
            bench.room
        );
        // It recovers as soon as the first one leaves.
        drop(idle);
        assert_eq!(other.answer().body, b"again\n");
    }
}

/// Files of which those in `slow` take their time.
fn slow_garden() -> Garden {
    let garden = Garden::new();
    garden.write(
        "slow/first.bin",
        crate::site::contents("first.bin", 200_000),
    );
    garden.write("slow/small.txt", "slow\n");
    garden.write("quick.txt", "quick\n");
    // What has changed just now is not kept in memory.
    std::thread::sleep(Duration::from_millis(50));
    garden
}

/// The exhibit of the Flash paper. One file takes long to be found and to be read; does another that is at hand wait for it?
fn others_are_served_while_the_disk_is_slow(bench: &Bench) {
    if matches!(bench.room.behaviour.disk_wait, DiskWait::Loop { .. }) {
        return others_wait_whose_loop_waits_for_the_disk(bench);
    }
    let garden = slow_garden();
    let waits = bench.room.behaviour.disk_wait == DiskWait::Server;
    // Nobody waits for those that take a quarter of a minute: they are not at an end when the test is.
    let slow = if waits { "/slow/=400" } else { "/slow/=15000" };
    for path in ["/slow/first.bin", "/slow/small.txt", "/slow/nowhere"] {
        let server = bench.serve_from(garden.root(), &["--slow", slow]);
        // At hand from now on. The connection is kept only where another can be served beside it.
        let mut quick = server.connect();
        quick.send(if bench.room.is_concurrent() {
            get("/quick.txt")
        } else {
            last_get("/quick.txt")
        });
        assert_eq!(quick.answer().body, b"quick\n");
        if !bench.room.is_concurrent() {
            // It would be waited for.
            quick.half_close();
        }
        let sockets = server.sockets_at_rest();
        let mut slow = server.connect();
        slow.send(last_get(path));
        // Until the server is at it.
        wait_until("it is let in", || server.sockets() > sockets);
        std::thread::sleep(Duration::from_millis(100));
        if !bench.room.is_concurrent() {
            quick = server.connect();
        }
        quick.send(last_get("/quick.txt"));
        assert_eq!(quick.answer().body, b"quick\n");
        let slow_came_first = slow.has_something();
        assert_eq!(slow_came_first, waits, "{}: {path}", bench.room);
    }
}

/// Of two loops: those of the one that waits for the disk, and not those of the other.
fn others_wait_whose_loop_waits_for_the_disk(bench: &Bench) {
    let options = [&bench.room.workers("2")[..], &SLOW].concat();
    let server = bench.serve(&options);
    let [mut one, mut other] = of_two_loops(&server);
    let (slow, beside) = one.split_at_mut(1);
    wait_for_disk(&server, &mut slow[0]);
    for client in beside.iter_mut() {
        client.send(get("/file.txt"));
    }
    for client in &mut other {
        assert_eq!(client.get("/file.txt").status, 200);
    }
    assert!(!slow[0].has_something(), "they had to wait for it");
    assert!(
        !beside.iter().any(Client::has_something),
        "they did not wait"
    );
    assert_eq!(slow[0].answer().status, 404);
    for client in beside {
        assert_eq!(client.answer().status, 200);
    }
}

/// Helpers take one file after the other, as many at a time as there are helpers, and the loop serves others meanwhile.
fn so_many_wait_for_the_disk(bench: &Bench) {
    const SLOW: Duration = Duration::from_millis(150);
    if !bench.room.has_helpers() {
        return;
    }
    let garden = slow_garden();
    let options = [&bench.room.workers("2")[..], &["--slow", "/slow/=150"]].concat();
    let server = bench.serve_from(garden.root(), &options);
    let since = Instant::now();
    let mut clients: Vec<_> = (0..6).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send(last_get("/slow/nowhere"));
    }
    assert_eq!(server.connect().get("/quick.txt").status, 200);
    for client in &mut clients {
        assert_eq!(client.answer().status, 404);
    }
    let took = since.elapsed();
    assert!(took >= 3 * SLOW, "6 files, 2 at a time, in {took:?}");
}

fn what_was_slow_once_is_quick_then(bench: &Bench) {
    let garden = Garden::new();
    garden.write("slow/file.bin", crate::site::contents("file.bin", 200_000));
    garden.write("slow/small.txt", "slow\n");
    let server = bench.serve_from(
        garden.root(),
        &["--slow", "slow/=100", "--revalidate", "1h"],
    );
    let mut client = server.connect();
    for path in ["/slow/file.bin", "/slow/small.txt"] {
        let mut took = || {
            let since = Instant::now();
            assert_eq!(client.get(path).status, 200);
            since.elapsed()
        };
        assert!(
            took() >= Duration::from_millis(200),
            "{path}: found and read at once"
        );
        let best = (0..10).map(|_| took()).min();
        assert!(
            best < Some(Duration::from_millis(100)),
            "{path}: slow for ever"
        );
    }
}

/// The tree of ideas has one root, no gaps and no circles: whom an architecture answers stands before it.
fn is_of_a_family_and_a_lineage(bench: &Bench) {
    let nature = bench.room.nature();
    let before = crate::room::Room::all();
    let before = before.iter().map(|room| room.name());
    let before: Vec<_> = before
        .take_while(|name| *name != bench.room.name())
        .collect();
    assert_eq!(nature.predecessors.is_empty(), before.is_empty());
    for predecessor in nature.predecessors {
        assert!(before.contains(predecessor), "{predecessor}");
    }
    assert!(!nature.paper.is_empty() && (1960..2100).contains(&nature.year));
}
