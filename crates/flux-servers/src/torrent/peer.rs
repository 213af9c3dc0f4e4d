//! What the nodes of this peer share, and what each thread lends to them.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rand::RngExt;

use super::announce::http::Url;
use super::announce::{Announcement, Event, USUAL_PEERS};
use super::bitfield::Bitfield;
use super::connections::{Connections, Returned, WayBack};
use super::metainfo::Metainfo;
use super::offence::Offence;
use super::storage::{Storage, Use};
use super::swarm::{Limits, Number, Swarm};
use super::wire::PeerId;

/// A socket is read in pieces of so many bytes.
const RECEIVE_BYTES: usize = 64 << 10;
/// When a tracker that fails is asked again, and one that names nobody by whoever lacks something.
const SOON: Duration = Duration::from_secs(10);
/// When peers that were named on the command line are called again, where there is no tracker.
const WITHOUT_TRACKER: Duration = Duration::from_secs(30);
/// So many who were dropped are remembered.
const MOST_NOTES: usize = 100;
/// Connections that have not said yet that they are of BitTorrent, beside those that have.
const STRANGERS: usize = 16;

/// What a thread lends to the nodes that it runs.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) buffer: Box<[u8]>,
    /// When the timer that this thread is, if it is one, goes off next.
    next_tick: Option<Instant>,
}

impl Peer {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::clone(shared),
            buffer: vec![0; RECEIVE_BYTES].into(),
            next_tick: None,
        }
    }

    /// Waits for the next round of a timer. None, when there is to be none.
    pub(crate) fn tick(&mut self, every: Duration) -> Option<Instant> {
        let due = self.next_tick.unwrap_or_else(Instant::now) + every;
        self.next_tick = Some(due);
        let plan = self.shared.plan();
        let waited = self
            .shared
            .changed
            .wait_timeout_while(plan, until(due), |plan| !plan.is_stopping);
        let (plan, _) = waited.unwrap_or_else(PoisonError::into_inner);
        (!plan.is_stopping).then(Instant::now)
    }
}

/// What is to be done when.
#[derive(Debug)]
struct Plan {
    is_stopping: bool,
    /// None, while it is under way.
    announce_at: Option<Instant>,
    /// Whether the tracker knows of this peer.
    is_announced: bool,
}

/// What has become of it.
#[derive(Debug, Default)]
struct Notes {
    failure: Option<String>,
    has_completed: bool,
    dropped: Vec<(SocketAddr, Offence)>,
}

/// What a peer does, and where.
#[derive(Debug)]
pub(crate) struct Setting<'a> {
    pub(crate) torrent: Metainfo,
    pub(crate) folder: &'a Path,
    pub(crate) r#use: Use,
    pub(crate) listener: TcpListener,
    /// Those that are called, whoever the tracker names.
    pub(crate) known: Vec<SocketAddr>,
    pub(crate) limits: Limits,
    /// Whether it ends when it has all.
    pub(crate) ends_when_complete: bool,
}

/// What all nodes share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) torrent: Arc<Metainfo>,
    pub(crate) storage: Storage,
    /// Guarded by the constraint of the same name; the lock says so to Rust, and nobody waits for it long.
    swarm: Mutex<Swarm>,
    /// The source's alone.
    connections: Mutex<Connections>,
    way_back: Arc<WayBack>,
    plan: Mutex<Plan>,
    changed: Condvar,
    tracker: Option<Url>,
    known: Vec<SocketAddr>,
    address: SocketAddr,
    ends_when_complete: bool,
    notes: Mutex<Notes>,
}

impl Shared {
    /// Opens the files, and looks what is there of them.
    pub(crate) fn open(setting: Setting<'_>) -> Result<Self, String> {
        let torrent = Arc::new(setting.torrent);
        let tracker = torrent.announce.as_deref().map(Url::parse).transpose()?;
        let cannot = |what: &str, error| format!("cannot {what}: {error}");
        let storage = Storage::open(setting.folder, &torrent, setting.r#use)
            .map_err(|error| cannot("open", error))?;
        let have = storage.check(&torrent);
        let have = have.map_err(|error| cannot("read what is there", error))?;
        if setting.r#use == Use::Read && !have.is_all() {
            return Err(missing(&have, &torrent));
        }
        let (most, pieces) = (setting.limits.peers + STRANGERS, torrent.pieces());
        let cannot_listen = |error| cannot("listen", error);
        let address = setting.listener.local_addr().map_err(cannot_listen)?;
        let connections = Connections::new(setting.listener, most, pieces);
        let connections = connections.map_err(cannot_listen)?;
        let seed = rand::rng().random();
        let swarm = Swarm::new(Arc::clone(&torrent), peer_id(), have, setting.limits, seed);
        Ok(Self {
            storage,
            way_back: Arc::clone(connections.way_back()),
            connections: Mutex::new(connections),
            swarm: Mutex::new(swarm),
            plan: Mutex::new(Plan {
                is_stopping: false,
                announce_at: Some(Instant::now()),
                is_announced: false,
            }),
            changed: Condvar::new(),
            tracker,
            known: setting.known,
            address,
            ends_when_complete: setting.ends_when_complete,
            notes: Mutex::default(),
            torrent,
        })
    }

    /// Does something with the swarm, and lets those know for whom there is mail; but for one whose flow this is.
    pub(crate) fn swarm<T>(&self, own: Option<Number>, act: impl FnOnce(&mut Swarm) -> T) -> T {
        let mut swarm = self.swarm.lock().unwrap_or_else(PoisonError::into_inner);
        let done = act(&mut swarm);
        let nudged = swarm.nudged();
        drop(swarm);
        for number in nudged {
            if own != Some(number) {
                self.way_back.send(Returned::Nudge(number));
            }
        }
        done
    }

    pub(crate) fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn way_back(&self) -> &Arc<WayBack> {
        &self.way_back
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a tracker is told.
    pub(crate) fn announcement(&self, event: Option<Event>) -> Announcement {
        let is_first = !self.plan().is_announced;
        self.swarm(None, |swarm| Announcement {
            info_hash: self.torrent.info_hash,
            peer_id: swarm.handshake().peer_id,
            port: self.address.port(),
            uploaded: swarm.totals().sent,
            downloaded: swarm.totals().received,
            left: swarm.left_bytes(),
            event: event.or(is_first.then_some(Event::Started)),
            peers: USUAL_PEERS,
        })
    }

    /// Tells the tracker; whom to call.
    pub(crate) fn announce(&self, announcement: &Announcement) -> Result<Vec<SocketAddr>, String> {
        let mut peers = self.known.clone();
        let mut interval = WITHOUT_TRACKER;
        if let Some(tracker) = &self.tracker {
            let answer = tracker.announce(announcement)?;
            let lacks_peers = announcement.left > 0 && answer.peers.is_empty();
            interval = answer
                .interval
                .min(if lacks_peers { SOON } else { Duration::MAX });
            // Seeds are called by those that lack something.
            if announcement.left > 0 {
                peers.extend(answer.peers);
            }
        }
        let mut plan = self.plan();
        plan.is_announced = self.tracker.is_some();
        plan.announce_at = Some(Instant::now() + interval);
        Ok(peers)
    }

    /// Has the tracker told again soon.
    pub(crate) fn announce_soon(&self) {
        self.plan().announce_at = Some(Instant::now() + SOON);
        self.changed.notify_all();
    }

    /// Waits until the tracker is to be told. None, when it is not.
    pub(crate) fn wait_to_announce(&self) -> Option<Instant> {
        let mut plan = self.plan();
        loop {
            if plan.is_stopping {
                return None;
            }
            let due = plan.announce_at.map_or(SOON, until);
            if due.is_zero() {
                plan.announce_at = None;
                return Some(Instant::now());
            }
            let waited = self.changed.wait_timeout(plan, due);
            plan = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Tells a tracker that knows of this peer that it ends, and what has become of it. It is not told again if that fails.
    pub(crate) fn take_leave(&self) {
        let Some(tracker) = self.tracker.as_ref().filter(|_| self.plan().is_announced) else {
            return;
        };
        let completed = self.notes().has_completed.then_some(Event::Completed);
        for event in completed.into_iter().chain([Event::Stopped]) {
            if tracker.announce(&self.announcement(Some(event))).is_err() {
                return;
            }
        }
    }

    /// The last piece has come.
    pub(crate) fn completed(&self) {
        self.notes().has_completed = true;
        self.has_all();
    }

    /// All of the torrent is there: whoever is there to get it is done.
    pub(crate) fn has_all(&self) {
        if self.ends_when_complete {
            self.stop();
        }
    }

    /// Something went wrong that it cannot go on after.
    pub(crate) fn fail(&self, why: String) {
        self.notes().failure.get_or_insert(why);
        self.stop();
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.notes().failure.is_some()
    }

    /// Why it ended, if not because it was to.
    pub(crate) fn failure(&self) -> Option<String> {
        self.notes().failure.clone()
    }

    /// Ends all sources.
    pub(crate) fn stop(&self) {
        self.plan().is_stopping = true;
        self.changed.notify_all();
        self.way_back.stop();
    }

    /// Remembers who was dropped for what he did.
    pub(crate) fn note(&self, address: SocketAddr, why: Offence) {
        let mut notes = self.notes();
        if !matches!(why, Offence::Gone | Offence::CutHandshake) && notes.dropped.len() < MOST_NOTES
        {
            notes.dropped.push((address, why));
        }
    }

    /// Who was dropped, and why.
    pub(crate) fn dropped(&self) -> Vec<(SocketAddr, Offence)> {
        self.notes().dropped.clone()
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn until(then: Instant) -> Duration {
    then.saturating_duration_since(Instant::now())
}

fn missing(have: &Bitfield, torrent: &Metainfo) -> String {
    let (there, all) = (have.count(), torrent.pieces());
    format!("{there} of {all} pieces are as the torrent says; 'get' gets what is missing")
}

/// A name of its own for each run, in the form that others have (BEP 20).
fn peer_id() -> PeerId {
    let mut id = *b"-AB0001-            ";
    rand::rng().fill(&mut id[8..]);
    id
}
