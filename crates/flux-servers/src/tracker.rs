//! A BitTorrent tracker (BEP 3): peers tell it over HTTP that they share a torrent, and hear who else does.
//!
//! The program is `programs/tracker.flux`. What is known is in one table, under a constraint; whoever is not heard of for twice as long as
//! he was asked to come back after is forgotten.

mod head;
pub(crate) mod nodes;
pub(crate) mod register;

/// What the compiler has made of the program.
mod flows {
    include!(concat!(env!("OUT_DIR"), "/tracker.rs"));
}

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use command::interrupt::Interrupt;
use flux_runtime::Host;
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};

use crate::runtime::Options;
use crate::told::Told;
use flows::Flow;
use register::Register;

/// A peer that announces.
#[derive(Debug)]
pub(crate) struct Caller {
    stream: TcpStream,
    address: SocketAddr,
    /// What it is answered with.
    status: &'static str,
    /// Why it is not answered, if it is not.
    refusal: String,
}

/// What a thread lends to the nodes that it runs.
#[derive(Debug)]
pub(crate) struct Tracker {
    pub(crate) shared: Arc<Shared>,
}

/// What all nodes share.
#[derive(Debug)]
pub(crate) struct Shared {
    listener: TcpListener,
    /// Guarded by the constraint of the same name; the lock says so to Rust, and nobody waits for it long.
    register: Mutex<Register>,
    stop: Interrupt,
    waker: OwnedFd,
}

impl Shared {
    /// The next caller. None, when it is to stop.
    fn accept(&self) -> Option<Caller> {
        loop {
            let mut ready = [
                PollFd::new(&self.listener, PollFlags::IN),
                PollFd::new(&self.waker, PollFlags::IN),
            ];
            // Where it is broken off it is asked for again.
            let _ = poll(&mut ready, None);
            if self.stop.came() {
                return None;
            }
            let Ok((stream, address)) = self.listener.accept() else {
                // No descriptors, or a caller that is gone already.
                self.stop.sleep(Duration::from_millis(1));
                continue;
            };
            if stream.set_nonblocking(false).is_ok() {
                return Some(Caller {
                    stream,
                    address,
                    status: "200 OK",
                    refusal: String::new(),
                });
            }
        }
    }

    fn register<T>(&self, act: impl FnOnce(&mut Register) -> T) -> T {
        act(&mut self.register.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Lends to threads what all share.
struct Threads(Arc<Shared>);

impl Host<Flow> for Threads {
    fn context(&self) -> Tracker {
        Tracker {
            shared: Arc::clone(&self.0),
        }
    }
}

/// A tracker that listens.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
}

/// Ends a tracker.
#[derive(Debug, Clone)]
pub struct Stop(Arc<Shared>);

impl Server {
    /// Listens at an address; peers are told to come back after `interval`.
    ///
    /// # Errors
    /// Where it cannot.
    pub fn bind(address: SocketAddr, interval: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            address: listener.local_addr()?,
            shared: Arc::new(Shared {
                listener,
                register: Mutex::new(Register::new(interval)),
                stop: Interrupt::default(),
                waker: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            }),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What ends it.
    pub fn stop(&self) -> Stop {
        Stop(Arc::clone(&self.shared))
    }

    /// Answers until it is stopped.
    ///
    /// # Errors
    /// Threads that cannot be had; a profile that cannot be written.
    pub fn run(self, options: &Options) -> io::Result<Summary> {
        let begun = Instant::now();
        let host = Arc::new(Threads(Arc::clone(&self.shared)));
        options.run::<Flow>(&host)?;
        Ok(self.shared.register(|register| Summary {
            size: register.size(),
            answers: register.answers(),
            refused: register.refused(),
            elapsed: begun.elapsed(),
        }))
    }
}

/// What a tracker did.
#[derive(Debug, Clone)]
pub struct Summary {
    /// How many torrents, and peers of all of them, it knows at the end.
    size: (usize, usize),
    answers: u64,
    refused: u64,
    elapsed: Duration,
}

impl Told for Summary {
    fn answers(&self) -> u64 {
        self.answers
    }

    fn errors(&self) -> BTreeMap<String, u64> {
        let refused = (self.refused > 0).then(|| ("refused".to_owned(), self.refused));
        refused.into_iter().collect()
    }

    fn elapsed(&self) -> Duration {
        self.elapsed
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            size: (torrents, peers),
            answers,
            refused,
            ..
        } = self;
        write!(
            formatter,
            "{answers} announcements answered, {refused} refused; {torrents} torrents and {peers} peers are known"
        )
    }
}

impl Stop {
    /// Ends it: no peer is let in any more, and those that are in are answered.
    pub fn stop(&self) {
        self.0.stop.raise();
        // It fails only where the counter behind it is at its end, and then nobody sleeps.
        let _ = rustix::io::write(&self.0.waker, &1_u64.to_ne_bytes());
    }
}
