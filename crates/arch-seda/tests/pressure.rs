//! Queues that are too short for their load: nothing is lost, nothing is cut, and whoever is turned away is told.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use arch::{Architecture, ServeOptions, ServerSetup};
use clap::Parser;
use meter::{Event, Meter};
use tempfile::TempDir;

const LARGE: usize = 3 << 20;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: ServeOptions,
    #[command(flatten)]
    seda: arch_seda::Seda,
}

struct Server {
    _root: TempDir,
    address: SocketAddr,
    meter: Meter,
}

impl Server {
    /// It serves until the process ends.
    fn start(options: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("slow")).unwrap();
        std::fs::write(root.path().join("small.txt"), "small\n").unwrap();
        std::fs::write(root.path().join("slow/small.txt"), "small\n").unwrap();
        std::fs::write(root.path().join("large.bin"), vec![b'l'; LARGE]).unwrap();
        let arguments = ["test", "--addr", "127.0.0.1:0"].iter().chain(options);
        let CommandLine { options, seda } = CommandLine::parse_from(arguments);
        let setup = ServerSetup::new(options, root.path()).unwrap();
        let (address, meter) = (setup.listener.address().ip().unwrap(), setup.meter);
        thread::spawn(move || seda.serve(setup, || ()).unwrap());
        Self {
            _root: root,
            address,
            meter,
        }
    }

    fn connect(&self) -> Client {
        let socket = TcpStream::connect(self.address).unwrap();
        let poll_timeout = Some(Duration::from_secs(60));
        socket.set_read_timeout(poll_timeout).unwrap();
        Client(BufReader::new(socket))
    }

    /// So many clients at a time, each doing the same; returns what each came to.
    fn all<T: Send>(&self, clients: usize, work: impl Fn(Client) -> T + Sync) -> Vec<T> {
        thread::scope(|scope| {
            let each: Vec<_> = (0..clients)
                .map(|_| scope.spawn(|| work(self.connect())))
                .collect();
            each.into_iter()
                .map(|client| client.join().unwrap())
                .collect()
        })
    }
}

struct Client(BufReader<TcpStream>);

impl Client {
    fn ask(&mut self, path: &str, times: usize) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n").repeat(times);
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
    }

    /// The status of the next answer, which is whole: with the body of a file of `length`, or a 503 that says when to come
    /// back and keeps the connection.
    fn answer(&mut self, length: usize) -> u16 {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(
                self.0.read_line(&mut head).unwrap() > 0,
                "it ends after {head:?}"
            );
        }
        let field = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(name));
            line.map(|value| value.trim().to_owned())
        };
        let status = head[9..12].parse().unwrap();
        let told: usize = field("Content-Length:").unwrap().parse().unwrap();
        let mut body = vec![0; told];
        self.0.read_exact(&mut body).unwrap();
        match status {
            200 => assert_eq!(told, length),
            503 => assert_eq!(field("Retry-After:").as_deref(), Some("1"), "{head}"),
            _ => panic!("{head}"),
        }
        assert_eq!(field("Connection:"), None, "{head}");
        status
    }
}

/// The refused of `statuses` are those that the server counts.
fn assert_counted(server: &Server, statuses: &[u16]) {
    let refused = statuses.iter().filter(|&&status| status == 503).count() as u64;
    // An answer is counted once it is sent: a client may have it in hand before that.
    let deadline = Instant::now() + Duration::from_secs(10);
    while server.meter.snapshot().requests() < statuses.len() as u64 && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(1));
    }
    let counted = server.meter.snapshot();
    assert_eq!(counted.count(Event::Shed), refused);
    assert_eq!(counted.count(Event::ServerError), refused);
    assert_eq!(counted.requests(), statuses.len() as u64);
}

#[test]
fn queues_of_one_place_lose_nothing() {
    let server = Server::start(&["--stage-queue", "1", "--batch", "2"]);
    let statuses = server.all(24, |mut client| {
        let mut ask = |_| {
            client.ask("/small.txt", 1);
            client.answer(6)
        };
        (0..40).map(&mut ask).collect::<Vec<_>>()
    });
    let statuses = statuses.concat();
    assert!(statuses.contains(&200));
    assert_counted(&server, &statuses);
}

#[test]
fn requests_behind_each_other_are_answered_in_order() {
    let server = Server::start(&["--stage-queue", "1", "--batch", "off"]);
    let statuses = server.all(8, |mut client| {
        client.ask("/small.txt", 60);
        (0..60).map(|_| client.answer(6)).collect::<Vec<_>>()
    });
    assert_counted(&server, &statuses.concat());
}

#[test]
fn an_answer_that_has_begun_is_finished() {
    // Several pieces, for each of which the way leads through the stage that waits for the disk.
    let server = Server::start(&["--stage-queue", "1", "--load-threads", "off"]);
    let statuses = server.all(12, |mut client| {
        client.ask("/large.bin", 3);
        (0..3).map(|_| client.answer(LARGE)).collect::<Vec<_>>()
    });
    let statuses = statuses.concat();
    assert!(statuses.contains(&200));
    assert_counted(&server, &statuses);
}

#[test]
fn a_disk_that_is_too_slow_is_told_at_once() {
    let options = [
        "--stage-queue",
        "2",
        "--load-threads",
        "1",
        "--slow",
        "/slow/=1500",
        "--name-cache",
        "0",
    ];
    let server = Server::start(&options);
    // One after the other, so that they meet at the stage that is slow and not before.
    let turn = AtomicU32::new(0);
    let statuses = server.all(12, |mut client| {
        thread::sleep(turn.fetch_add(1, Ordering::Relaxed) * Duration::from_millis(40));
        client.ask("/slow/small.txt", 1);
        client.answer(6)
    });
    // One is looked up, two wait; more if others came later than that.
    assert!(
        statuses.iter().filter(|&&status| status == 200).count() >= 3,
        "{statuses:?}"
    );
    assert!(statuses.contains(&503), "{statuses:?}");
    assert_counted(&server, &statuses);
    let load = server.meter.snapshot().stages.remove(3);
    assert_eq!(
        (&load.name[..], load.queue_peak, load.threads_peak),
        ("load", 2, 1)
    );
    assert!(load.now.rejected > 0);
}

#[test]
fn who_is_not_admitted_is_told_and_may_come_back() {
    let server = Server::start(&["--admission", "0.1/s"]);
    let mut client = server.connect();
    let statuses: Vec<_> = (0..5)
        .map(|_| {
            client.ask("/small.txt", 1);
            client.answer(6)
        })
        .collect();
    assert_eq!(statuses[..2], [200, 503]);
    assert_counted(&server, &statuses);
}
