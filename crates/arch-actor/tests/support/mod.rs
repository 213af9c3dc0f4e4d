//! A server of actors in this process, and clients that check what they are answered.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use arch::{Architecture, ServeOptions, ServerSetup};
use clap::Parser;
use meter::{Meter, Snapshot, StageSnapshot};
use tempfile::TempDir;

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: ServeOptions,
    #[command(flatten)]
    actor: arch_actor::Actor,
}

pub(crate) struct Server {
    _root: TempDir,
    address: SocketAddr,
    meter: Meter,
    ended: Mutex<Receiver<std::io::Result<()>>>,
}

impl Server {
    /// It serves until the process ends, or until its supervisor gives up.
    pub(crate) fn start(options: &[&str], fill: impl FnOnce(&Path)) -> Self {
        let root = tempfile::tempdir().unwrap();
        fill(root.path());
        let arguments = ["test", "--addr", "127.0.0.1:0"].iter().chain(options);
        let CommandLine { options, actor } = CommandLine::parse_from(arguments);
        let setup = ServerSetup::new(options, root.path()).unwrap();
        let (address, meter) = (setup.listener.address().ip().unwrap(), setup.meter);
        let (end, ended) = channel();
        thread::spawn(move || end.send(actor.serve(setup, || ())));
        Self {
            _root: root,
            address,
            meter,
            ended: Mutex::new(ended),
        }
    }

    pub(crate) fn connect(&self) -> Client {
        let socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Client(BufReader::new(socket))
    }

    #[allow(dead_code, reason = "not every test has many clients")]
    /// So many clients at a time, each doing the same; returns what each came to.
    pub(crate) fn all<T: Send>(
        &self,
        clients: usize,
        work: impl Fn(usize, Client) -> T + Sync,
    ) -> Vec<T> {
        let work = &work;
        thread::scope(|scope| {
            let each: Vec<_> = (0..clients)
                .map(|number| scope.spawn(move || work(number, self.connect())))
                .collect();
            each.into_iter()
                .map(|client| client.join().unwrap())
                .collect()
        })
    }

    /// What was counted, as soon as it is as it must be: a client may have its answer in hand before that.
    pub(crate) fn counted(&self, is_as_expected: impl Fn(&Snapshot) -> bool) -> Snapshot {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let counted = self.meter.snapshot();
            if is_as_expected(&counted) || Instant::now() > deadline {
                return counted;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[allow(dead_code, reason = "not every test ends it")]
    /// How it ended, which it has to.
    pub(crate) fn end(&self) -> std::io::Result<()> {
        self.ended.lock().unwrap().recv_timeout(PATIENCE).unwrap()
    }
}

/// What was counted of a kind of actor.
pub(crate) fn kind<'a>(counted: &'a Snapshot, name: &str) -> &'a StageSnapshot {
    let kind = counted.stages.iter().find(|stage| stage.name == name);
    kind.unwrap_or_else(|| panic!("there are no actors called {name}"))
}

pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn ask(&mut self, method: &str, path: &str) {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: h\r\n\r\n");
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
    }

    /// The status of the next answer, and its body, whole; none where the connection ends instead.
    pub(crate) fn answer(&mut self) -> Option<(u16, Vec<u8>)> {
        let head = self.head()?;
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "));
        let mut body = vec![0; length.unwrap().parse().unwrap()];
        self.0.read_exact(&mut body).unwrap();
        Some((status(&head), body))
    }

    /// The status of the next answer, which has no body.
    #[allow(dead_code, reason = "not every test asks for a head alone")]
    pub(crate) fn answer_without_body(&mut self) -> u16 {
        status(&self.head().unwrap())
    }

    fn head(&mut self) -> Option<String> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.0.read_line(&mut head).unwrap() == 0 {
                assert_eq!(head, "", "it ends within a head");
                return None;
            }
        }
        Some(head)
    }

    pub(crate) fn get(&mut self, path: &str) -> Option<(u16, Vec<u8>)> {
        self.ask("GET", path);
        self.answer()
    }
}

fn status(head: &str) -> u16 {
    head[9..12].parse().unwrap()
}
