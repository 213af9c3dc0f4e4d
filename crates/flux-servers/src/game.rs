//! The game server (Burns et al., section 5): tag, over UDP, ten heartbeats a second.
//!
//! The program is [game.flux](../../programs/game.flux). Two sources run beside each other: one receives what players wish, the other
//! waits for the next heartbeat, with which all players move and are told where everybody is. A heartbeat that comes while the last is
//! still under way is left out, and counted.

mod beats;
mod board;
pub mod message;
mod nodes;
pub mod players;

/// What the compiler has made of the program.
mod flows {
    include!(concat!(env!("OUT_DIR"), "/game.rs"));
}

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use command::interrupt::Interrupt;
use command::output::complain;

use crate::runtime::Options;
use crate::told::{Told, kinds, table};
use beats::Beats;
use board::Board;
use flows::Flow;
use nodes::Worker;

/// Ten heartbeats a second.
pub const PERIOD: Duration = Duration::from_millis(100);

/// Serve a game of tag, over UDP, ten heartbeats a second
///
/// Players say in which direction they wish to go; with each heartbeat all move, and are told where everybody is and who is it. Who has not
/// been heard of for five seconds has left. 'flux-servers players' plays.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Settings {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8081")]
    pub addr: String,
    /// How it is run.
    #[command(flatten)]
    pub options: Options,
}

const EXAMPLES: &str = "Examples:\n  \
    flux-servers game --runtime pool --profile game.profile\n  \
    flux-servers players 127.0.0.1:8081 --count 100 --duration 10s";

/// What all nodes share.
pub(crate) struct Site {
    socket: UdpSocket,
    /// Nobody waits for it: those who look at it are kept apart by the program's constraint.
    board: Mutex<Board>,
    /// What tokens are made of.
    secret: RandomState,
    /// The source's own.
    beats: Mutex<Beats>,
    is_beating: Arc<AtomicBool>,
    interrupt: Interrupt,
    counts: Counts,
}

/// What has been done.
#[derive(Debug, Default)]
struct Counts {
    beats: AtomicU64,
    missed: AtomicU64,
    told: AtomicU64,
    wishes: AtomicU64,
    ignored: AtomicU64,
    defects: AtomicU64,
}

/// What a server has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Heartbeats.
    pub beats: u64,
    /// Heartbeats that were due while the one before was under way.
    pub missed: u64,
    /// Datagrams that told a player of one.
    pub told: u64,
    /// Wishes of players that were taken.
    pub wishes: u64,
    /// Datagrams that were none of the game's, or stale.
    pub ignored: u64,
    /// Flows that a defect has ended.
    pub defects: u64,
    /// How long it has run.
    pub elapsed: Duration,
}

/// A server that listens.
pub struct Server {
    site: Arc<Site>,
    options: Options,
    address: SocketAddr,
}

/// What has a server end.
#[derive(Clone)]
pub struct Stop {
    site: Arc<Site>,
    address: SocketAddr,
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// An address that cannot be had; in words.
    pub fn bind(settings: &Settings) -> Result<Self, String> {
        let cannot_listen =
            |error: io::Error| format!("cannot listen at {}: {error}", settings.addr);
        let socket = UdpSocket::bind(&settings.addr).map_err(cannot_listen)?;
        let address = socket.local_addr().map_err(cannot_listen)?;
        let site = Site {
            socket,
            board: Mutex::new(Board::new()),
            secret: RandomState::new(),
            beats: Mutex::new(Beats::new(Instant::now(), PERIOD)),
            is_beating: Arc::default(),
            interrupt: Interrupt::default(),
            counts: Counts::default(),
        };
        Ok(Self {
            site: Arc::new(site),
            options: settings.options.clone(),
            address,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What has it end, from whichever thread.
    pub fn stop(&self) -> Stop {
        Stop {
            site: Arc::clone(&self.site),
            address: self.address,
        }
    }

    /// Serves until it is stopped.
    ///
    /// # Errors
    /// As [`Options::run`].
    pub fn run(&self) -> io::Result<Summary> {
        let since = Instant::now();
        self.options
            .run::<Flow>(&Arc::new(Host(Arc::clone(&self.site))))?;
        let counts = &self.site.counts;
        let load = |count: &AtomicU64| count.load(Relaxed);
        Ok(Summary {
            beats: load(&counts.beats),
            missed: load(&counts.missed),
            told: load(&counts.told),
            wishes: load(&counts.wishes),
            ignored: load(&counts.ignored),
            defects: load(&counts.defects),
            elapsed: since.elapsed(),
        })
    }
}

impl Stop {
    /// Has both sources end.
    pub fn stop(&self) {
        self.site.interrupt.raise();
        // Who waits for a datagram gets one.
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(match address.ip() {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        let _ = self.site.socket.send_to(&[], address);
    }
}

impl Site {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn beats(&self) -> MutexGuard<'_, Beats> {
        self.beats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What only whoever receives at this address knows, so that nobody joins in another's name and has him flooded.
    fn token(&self, player: SocketAddr) -> u64 {
        self.secret.hash_one(player)
    }
}

impl Told for Summary {
    fn answers(&self) -> u64 {
        self.told
    }

    fn errors(&self) -> BTreeMap<String, u64> {
        kinds([
            ("missed", self.missed),
            ("ignored", self.ignored),
            ("defect", self.defects),
        ])
    }

    fn elapsed(&self) -> Duration {
        self.elapsed
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.elapsed.as_secs_f64();
        table(
            formatter,
            format_args!("{} heartbeats in {seconds:.1} s", self.beats),
            &[
                ("left out", &self.missed),
                ("players told", &self.told),
                ("wishes", &self.wishes),
                ("ignored", &self.ignored),
            ],
            self.defects,
        )
    }
}

/// What the runtime asks for.
struct Host(Arc<Site>);

impl flux_runtime::Host<Flow> for Host {
    fn context(&self) -> Worker {
        Worker::new(&self.0)
    }

    fn defect(&self) {
        self.0.counts.defects.fetch_add(1, Relaxed);
        complain("a node has a defect, and its flow is lost");
    }
}
