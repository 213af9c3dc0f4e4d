//! The image server (Burns et al., section 2): pictures as JPEG, at the size and quality that a request asks for, out of a bounded cache.
//!
//! The program is [image.flux](../../programs/image.flux). No node waits for a client: where one has sent no whole request yet, or takes
//! no more of an answer, its flow ends and the connection goes back to the source, which waits for all of them.

mod cache;
mod connection;
mod connections;
mod nodes;
mod order;
mod pictures;

/// What the compiler has made of the program.
mod flows {
    include!(concat!(env!("OUT_DIR"), "/image.rs"));
}

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use command::output::complain;
use command::quantity::Unit;

use crate::runtime::Options;
use crate::told::{Told, kinds, table};
use cache::Cache;
use connections::{Connections, Waiting};
use flows::Flow;
use nodes::Worker;
use pictures::Pictures;

/// Serve pictures as JPEG, at the size and quality that a request asks for
///
/// GET /NAME.jpg?scale=4&quality=75 is the picture NAME.png or NAME.ppm of the folder at 4 eighths of its width and height. Both parts of
/// the query may be left out: all of it, then, at quality 75. Ctrl-C ends the server when the answers under way are over.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Settings {
    /// A folder of pictures, PNG or PPM; without it there are five of 640 by 480 pixels: one.jpg, two.jpg, … five.jpg
    #[arg(value_name = "DIR")]
    pub pictures: Option<PathBuf>,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub addr: String,
    /// The most bytes of the cache, in MiB; what was used least lately makes room
    #[arg(long, value_name = "MIB", default_value_t = 64)]
    pub cache_mib: u32,
    /// How it is run.
    #[command(flatten)]
    pub options: Options,
}

const EXAMPLES: &str = "Examples:\n  \
    flux-servers image ~/pictures --runtime pool\n  \
    curl -o half.jpg 'http://127.0.0.1:8080/one.jpg?scale=4&quality=60'\n  \
    archbench load 'http://127.0.0.1:8080/one.jpg?scale=1' 'http://127.0.0.1:8080/two.jpg?scale=8' --rate 100 --poisson";

/// What all nodes share.
pub(crate) struct Site {
    pictures: Pictures,
    /// Nobody waits for it: those who look into it are kept apart by the program's constraint.
    cache: Mutex<Cache>,
    connections: Connections,
    /// The source's own.
    waiting: Mutex<Waiting>,
    counts: Counts,
}

/// What has been done.
#[derive(Debug, Default)]
struct Counts {
    hits: AtomicU64,
    compressed: AtomicU64,
    not_found: AtomicU64,
    defects: AtomicU64,
}

/// What a server has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Requests that were answered, with a picture or without one.
    pub answers: u64,
    /// Of those that asked for a picture, how many the cache had.
    pub hits: u64,
    /// Pictures that were read and compressed.
    pub compressed: u64,
    /// Requests for what is not there, or cannot be read.
    pub not_found: u64,
    /// Flows that a defect has ended.
    pub defects: u64,
    /// Bytes that the cache holds at the end.
    pub cached_bytes: usize,
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
pub struct Stop(Arc<Site>);

impl Server {
    /// Reads which pictures there are, and listens.
    ///
    /// # Errors
    /// A folder without pictures, or an address that cannot be had; in words.
    pub fn bind(settings: &Settings) -> Result<Self, String> {
        let pictures = match &settings.pictures {
            Some(folder) => Pictures::of(folder)?,
            None => Pictures::made()?,
        };
        let cannot_listen =
            |error: io::Error| format!("cannot listen at {}: {error}", settings.addr);
        let mut addresses = settings.addr.to_socket_addrs().map_err(cannot_listen)?;
        let address = addresses
            .next()
            .ok_or_else(|| format!("{} is no address", settings.addr))?;
        let (connections, waiting) = connections::listen(address).map_err(cannot_listen)?;
        let address = waiting.address().map_err(cannot_listen)?;
        let site = Site {
            pictures,
            cache: Mutex::new(Cache::new(settings.cache_mib as usize * (1 << 20))),
            connections,
            waiting: Mutex::new(waiting),
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
        Stop(Arc::clone(&self.site))
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
        Ok(Summary {
            answers: self.site.connections.answers(),
            hits: counts.hits.load(Relaxed),
            compressed: counts.compressed.load(Relaxed),
            not_found: counts.not_found.load(Relaxed),
            defects: counts.defects.load(Relaxed),
            cached_bytes: self.site.cache().bytes(),
            elapsed: since.elapsed(),
        })
    }
}

impl Stop {
    /// Has it accept nobody any more, and end with the answers under way.
    pub fn stop(&self) {
        self.0.connections.stop();
    }
}

impl Site {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told for Summary {
    fn answers(&self) -> u64 {
        self.answers
    }

    fn errors(&self) -> BTreeMap<String, u64> {
        kinds([("not_found", self.not_found), ("defect", self.defects)])
    }

    fn elapsed(&self) -> Duration {
        self.elapsed
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (answers, seconds) = (self.answers, self.elapsed.as_secs_f64());
        let asked = self.hits + self.compressed;
        table(
            formatter,
            format_args!("{answers} answers in {seconds:.1} s"),
            &[
                (
                    "from the cache",
                    &format_args!("{} of {asked} pictures", self.hits),
                ),
                ("compressed", &self.compressed),
                ("not found", &self.not_found),
                ("cache", &Unit::Bytes.show(self.cached_bytes as f64)),
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
        complain("a node has a defect, and its request is lost");
    }
}
