//! What has to be seen to beside the fibers: those that do not yield, workers that are stalled, stacks that nobody needs.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::place::Node;
use crate::runtime::Shared;

/// How long a fiber may keep its worker before it is called stuck.
pub const PATIENCE: Duration = Duration::from_millis(100);

/// How often it looks.
const EVERY: Duration = Duration::from_millis(50);

/// How often stacks are given back.
const GIVE_BACK_EVERY: Duration = Duration::from_secs(1);

/// The turn of a worker: how many it has begun, and the node from which the fiber goes on whose turn it is; none: nobody's.
///
/// Each lies in cache lines of its own, which processors fetch in pairs: its worker writes it twice in each turn.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Turn(AtomicU64);

/// Where the count begins in the word.
const COUNT: u64 = 1 << 17;
const IS_RUNNING: u64 = 1 << 16;

impl Turn {
    #[inline]
    pub(crate) fn begin(&self, from: Node) {
        let count = self.0.load(Relaxed) & !(COUNT - 1);
        let turn = count.wrapping_add(COUNT) | IS_RUNNING | from.index() as u64;
        self.0.store(turn, Relaxed);
    }

    #[inline]
    pub(crate) fn end(&self) {
        self.0.store(self.0.load(Relaxed) & !IS_RUNNING, Relaxed);
    }
}

/// Looks after a runtime in the thread that calls [`run`](Self::run).
pub struct Watchdog {
    shared: Arc<Shared>,
}

impl Watchdog {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Looks until the runtime and all fibers are over.
    pub fn run(self) {
        let shared = &*self.shared;
        let mut seen: Vec<Seen> = shared.turns.iter().map(|_| Seen::default()).collect();
        let mut given_back = Instant::now();
        while !shared.is_over() {
            std::thread::sleep(EVERY);
            let now = Instant::now();
            for (turn, seen) in shared.turns.iter().zip(&mut seen) {
                if let Some((node, time, is_first)) = seen.look(turn.0.load(Relaxed), now) {
                    let mut stuck = shared.stuck.lock().unwrap_or_else(PoisonError::into_inner);
                    let (longest, times) = stuck.entry(node).or_default();
                    *longest = time.max(*longest);
                    *times += u64::from(is_first);
                }
            }
            // A stalled worker asks for no news, and others wait for some.
            if shared.poller.unasked_for(now) >= EVERY && shared.idle.leaves_poller_alone() {
                shared.wake_one();
            }
            if now - given_back >= GIVE_BACK_EVERY {
                given_back = now;
                shared.arena.give_back();
            }
        }
    }
}

/// The turn that a worker was seen at last.
#[derive(Debug, Default)]
struct Seen {
    turn: u64,
    since: Option<Instant>,
    is_told: bool,
}

impl Seen {
    /// The node from which a fiber went on that has kept its worker for too long, for how long, and whether that is new.
    fn look(&mut self, turn: u64, now: Instant) -> Option<(Node, Duration, bool)> {
        if turn != self.turn || self.since.is_none() {
            *self = Self {
                turn,
                since: Some(now),
                is_told: false,
            };
        }
        let time = now - self.since?;
        if turn & IS_RUNNING == 0 || time < PATIENCE {
            return None;
        }
        let is_first = !std::mem::replace(&mut self.is_told, true);
        let node = (turn & (IS_RUNNING - 1)) as usize;
        Some((Node::from_index(node), time, is_first))
    }
}
