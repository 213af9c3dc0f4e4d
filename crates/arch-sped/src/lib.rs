//! SPED, single-process event-driven: one loop, every step inline (Flash, section 3.3).
#![doc = concat!("\n```text", include_str!("diagram.txt"), "```\n")]
//! What is shared: nothing needs to be. What blocks: finding and reading a file that is not in memory, and with it the
//! whole server; non-blocking calls do not help, for a file is always ready as far as the kernel is concerned.
//!
//! Departures from the paper: `epoll`, edge-triggered, instead of `select`, so that the cost of waiting does not grow with
//! the number of idle connections. Bytes leave by `sendfile`, not by `writev` from a mapping.

use std::collections::VecDeque;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use arch::nature::{
    Behaviour, Concurrency, DiskWait, Family, IdleConnection, Killed, Loss, Nature,
};
use arch::{Acceptor, Architecture, Blocked, ServerSetup, Sessions, Token, Worker};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll};

/// The options of SPED: there is nothing to turn.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Sped {}

impl Architecture for Sped {
    const NAME: &'static str = "sped";
    const SUMMARY: &'static str = "one event loop runs every step inline; a slow disk stops it";
    const DIAGRAM: &'static str = include_str!("diagram.txt");
    const NATURE: Nature = Nature {
        family: Family::Events,
        predecessors: &["mp", "mt"],
        paper: "Pai, Druschel, Zwaenepoel: Flash, USENIX Annual Technical Conference, section 3.3",
        year: 1999,
        behaviour: Behaviour {
            concurrency: Concurrency::Any,
            disk_wait: DiskWait::Server,
            defect: Loss::Server,
            killed: Killed::Server,
            idle_connection: IdleConnection::Place,
        },
        variants: &[],
        settings: &[],
    };

    fn serve(self, setup: ServerSetup, ready: impl FnOnce()) -> std::io::Result<()> {
        let process = setup.open()?;
        let poll = Poll::new()?;
        let listener = process.listener.as_fd().as_raw_fd();
        poll.registry()
            .register(&mut SourceFd(&listener), LISTENER, Interest::READABLE)?;
        let event_loop = EventLoop {
            poll,
            worker: process.worker(),
            acceptor: Acceptor::new(process.listener)?,
            sessions: Sessions::default(),
            turns: VecDeque::new(),
        };
        ready();
        event_loop.run()
    }
}

const LISTENER: mio::Token = mio::Token(usize::MAX);

struct EventLoop {
    poll: Poll,
    acceptor: Acceptor,
    sessions: Sessions,
    worker: Worker,
    /// Sessions that could go on but let others go first.
    turns: VecDeque<Token>,
}

impl EventLoop {
    fn run(mut self) -> std::io::Result<()> {
        let mut events = Events::with_capacity(1024);
        while !(self.worker.is_stopping() && self.sessions.is_empty()) {
            let poll_timeout = self.poll_timeout();
            match self.poll.poll(&mut events, poll_timeout) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            self.worker.tick();
            for event in &events {
                if event.token() == LISTENER {
                    self.acceptor.notify();
                    continue;
                }
                let token = Token::from(event.token().0);
                let (readable, writable) = (event.is_readable(), event.is_writable());
                if self
                    .sessions
                    .ready(token, readable, writable, event.is_read_closed())
                {
                    self.serve(token);
                }
            }
            for _ in 0..self.turns.len() {
                if let Some(token) = self.turns.pop_front() {
                    self.serve(token);
                }
            }
            for token in self.sessions.expire(&mut self.worker) {
                self.serve(token);
            }
            self.accept();
        }
        Ok(())
    }

    /// Runs one session until it has to wait for its client.
    fn serve(&mut self, token: Token) {
        while let Some((session, blocked)) = self.sessions.advance(token, &mut self.worker) {
            match blocked {
                // The whole server waits here, and here.
                Blocked::Find => {
                    let found = self.worker.files.find(session.path(), self.worker.now);
                    session.found(found, &mut self.worker);
                }
                Blocked::Load(entry, _) => {
                    let loaded = self.worker.files.load(&entry);
                    session.loaded(loaded, &mut self.worker);
                }
                Blocked::Turn => return self.turns.push_back(token),
                Blocked::Readable | Blocked::Writable | Blocked::Elsewhere | Blocked::Closed => {
                    return;
                }
            }
        }
    }

    fn accept(&mut self) {
        while let Some(client) = self.acceptor.admit(&self.worker.counters) {
            let token = self.sessions.insert(client, &self.worker);
            // Under load the request has come with the connection, and a connection for one request is over before it has
            // to be watched.
            self.serve(token);
            let interest = Interest::READABLE | Interest::WRITABLE;
            let registry = self.poll.registry();
            self.sessions.watch(token, |socket| {
                registry.register(&mut SourceFd(&socket), mio::Token(token.into()), interest)
            });
        }
    }

    /// How long to wait for events.
    fn poll_timeout(&self) -> Option<Duration> {
        if !self.turns.is_empty() {
            return Some(Duration::ZERO);
        }
        let sweep = self.sessions.poll_timeout(self.worker.now);
        sweep.into_iter().chain(self.acceptor.poll_timeout()).min()
    }
}
