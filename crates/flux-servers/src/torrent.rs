//! A BitTorrent peer (BEP 3): it gets a torrent's files from others and gives them to others, at the same time; the paper's largest server.
//!
//! The program is `programs/torrent.flux`: a flow is a message of another peer, and rounds of timers are flows too. What peers say is
//! understood by machines that move no bytes and know no clock: `wire` (bytes to messages), `swarm` (who has what, who is choked, what
//! is asked of whom), `metainfo` and `announce`.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `metainfo`, `bitfield`, `wire`, `announce` | what is said, as values |
//! | `offence` | why another is dropped |
//! | `swarm` | what is decided |
//! | `storage` | files, beneath a folder and nowhere else |
//! | `visit`, `connections` | a connection in a flow, and connections at rest |
//! | `peer` | what the nodes share |
//! | `nodes` | the nodes |
//! | `settings` | the command line |
//! | `downloaders` | those who measure a seed |
//! | `hostile` | what must hold whatever others send |
//!
//! It speaks BEP 3, with compact lists of peers (BEP 23, BEP 7); it offers no extension, and no encryption.

pub(crate) mod announce;
mod bitfield;
mod connections;
pub mod downloaders;
pub mod hostile;
mod metainfo;
pub(crate) mod nodes;
mod offence;
mod peer;
pub mod settings;
mod storage;
mod swarm;
mod visit;
pub(crate) mod wire;

#[cfg(test)]
mod tests;

/// What the compiler has made of the program.
mod flows {
    include!(concat!(env!("OUT_DIR"), "/torrent.rs"));
}

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use command::quantity::count;
use flux_runtime::Host;

use crate::runtime::Options;
use crate::told::Told;
use flows::Flow;
use metainfo::Metainfo;
use offence::Offence;
use peer::{Peer, Setting, Shared};
use settings::{Get, Seed, Sharing};
use storage::Use;
use swarm::{Limits, Totals};

/// A peer that listens.
#[derive(Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

/// Ends a peer.
#[derive(Debug, Clone)]
pub struct Stop(Arc<Shared>);

/// What a peer did.
#[derive(Debug, Clone)]
pub struct Summary {
    totals: Totals,
    pieces: u32,
    held: u32,
    dropped: Vec<(SocketAddr, Offence)>,
    elapsed: Duration,
}

/// Lends to threads what all share.
struct Threads(Arc<Shared>);

impl Host<Flow> for Threads {
    fn context(&self) -> Peer {
        Peer::new(&self.0)
    }
}

impl Client {
    /// Gives what is in a folder to others.
    ///
    /// # Errors
    /// Why it cannot: the torrent, the files, the address.
    pub fn seed(seed: &Seed) -> Result<Self, String> {
        let (torrent, folder) = match (&seed.torrent, &seed.files) {
            (Some(torrent), None) => (read(torrent)?, seed.folder.clone()),
            (_, files) => described(files.as_deref().unwrap_or(Path::new(".")))?,
        };
        Self::open(torrent, &folder, Use::Read, &seed.sharing)
    }

    /// Gets what is not in a folder, and gives what is; it ends when all is there.
    ///
    /// # Errors
    /// Why it cannot: the torrent, the files, the address.
    pub fn get(get: &Get) -> Result<Self, String> {
        Self::open(read(&get.torrent)?, &get.folder, Use::Write, &get.sharing)
    }

    fn open(
        torrent: Metainfo,
        folder: &Path,
        r#use: Use,
        sharing: &Sharing,
    ) -> Result<Self, String> {
        let listener = TcpListener::bind(sharing.addr);
        let setting = Setting {
            torrent,
            folder,
            r#use,
            listener: listener
                .map_err(|error| format!("cannot listen at {}: {error}", sharing.addr))?,
            known: sharing.peer.clone(),
            limits: Limits {
                peers: sharing.peers as usize,
                slots: sharing.slots as usize,
            },
            ends_when_complete: r#use == Use::Write,
        };
        Ok(Self {
            shared: Arc::new(Shared::open(setting)?),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.shared.address()
    }

    /// What ends it.
    pub fn stop(&self) -> Stop {
        Stop(Arc::clone(&self.shared))
    }

    /// Shares until it is stopped, or all is there if it is to get that; then tells the tracker.
    ///
    /// # Errors
    /// What went wrong: files that cannot be read or written, threads that cannot be had.
    pub fn run(self, options: &Options) -> io::Result<Summary> {
        let (shared, begun) = (self.shared, Instant::now());
        // There may be nothing to get.
        if shared.swarm(None, |swarm| swarm.is_complete()) {
            shared.has_all();
        }
        let host = Arc::new(Threads(Arc::clone(&shared)));
        options.run::<Flow>(&host)?;
        shared.take_leave();
        match shared.failure() {
            Some(why) => Err(io::Error::other(why)),
            None => Ok(shared.swarm(None, |swarm| Summary {
                totals: swarm.totals(),
                pieces: shared.torrent.pieces(),
                held: swarm.held(),
                dropped: shared.dropped(),
                elapsed: begun.elapsed(),
            })),
        }
    }
}

impl Stop {
    /// Ends it: nothing more is said to anybody.
    pub fn stop(&self) {
        self.0.stop();
    }
}

impl Told for Summary {
    fn answers(&self) -> u64 {
        self.totals.blocks_sent
    }

    fn errors(&self) -> BTreeMap<String, u64> {
        let count = self.dropped.len() as u64;
        let dropped = (count > 0).then(|| ("dropped".to_owned(), count));
        dropped.into_iter().collect()
    }

    fn elapsed(&self) -> Duration {
        self.elapsed
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            totals,
            pieces,
            held,
            ..
        } = self;
        let (received, sent) = (count(totals.received), count(totals.sent));
        write!(
            formatter,
            "{held} of {pieces} pieces are there; {received} bytes received, {sent} bytes sent"
        )?;
        for (address, why) in &self.dropped {
            write!(formatter, "\ndropped {address}: {why}")?;
        }
        Ok(())
    }
}

/// Reads a torrent.
fn read(path: &Path) -> Result<Metainfo, String> {
    let at = |why: &dyn fmt::Display| format!("{}: {why}", path.display());
    let length = std::fs::metadata(path).map_err(|error| at(&error))?.len();
    if length > metainfo::MOST_BYTES as u64 {
        return Err(at(&metainfo::Error::TooLarge));
    }
    let bytes = std::fs::read(path).map_err(|error| at(&error))?;
    metainfo::parse(&bytes).map_err(|error| at(&error))
}

/// Files as 'make' would describe them, and the folder that they are in.
fn described(path: &Path) -> Result<(Metainfo, PathBuf), String> {
    let at = |why: &dyn fmt::Display| format!("{}: {why}", path.display());
    let bytes = metainfo::make(path, None, None).map_err(|error| at(&error))?;
    let torrent = metainfo::parse(&bytes).map_err(|error| at(&error))?;
    let path = path.canonicalize().map_err(|error| at(&error))?;
    Ok((torrent, path.parent().unwrap_or(&path).to_owned()))
}
