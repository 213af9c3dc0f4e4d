//! Constraints as locks: reader or writer, first come first served, for all flows or for those of one session.
//!
//! A lock is handed on by whoever releases it to whoever waits longest, so none of them is passed over. That no circle of flows waits
//! for each other is the compiler's doing: every path takes constraints in one order. That a flow takes none twice is too.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::{Mode, Scope};

/// A constraint as a step takes it: its number and how.
pub type Wanted = (usize, Mode);

/// Where a step takes constraints, and releases them.
pub trait Locks {
    /// Takes constraints, one after the other, for the flows of `session`; those of them that this flow has already are passed over.
    /// Whether it has all of them: whoever must not wait comes again when it is told to.
    fn acquire(&mut self, wanted: &[Wanted], session: u64) -> bool;

    /// Releases those that were taken last, the last one first.
    fn release(&mut self, count: usize);
}

/// Whoever waits for a lock.
pub trait Waiter: Send + Sync {
    /// It has the lock from now on.
    fn granted(&self);
}

/// All constraints of a running program.
#[derive(Debug)]
pub struct Table {
    scopes: &'static [Scope],
    /// By constraint, and by session where it is the session's; only those that somebody has.
    locks: Vec<Mutex<HashMap<u64, Lock>>>,
}

/// One lock that somebody has.
#[derive(Default)]
struct Lock {
    readers: usize,
    is_written: bool,
    waiting: VecDeque<(Arc<dyn Waiter>, Mode)>,
}

impl std::fmt::Debug for Lock {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Lock")
            .field("readers", &self.readers)
            .field("is_written", &self.is_written)
            .field("waiting", &self.waiting.len())
            .finish()
    }
}

impl Lock {
    /// Takes it, unless somebody has it in a way that keeps this one out.
    fn take(&mut self, mode: Mode) -> bool {
        let is_free = match mode {
            Mode::Reader => !self.is_written,
            Mode::Writer => !self.is_written && self.readers == 0,
        };
        if is_free {
            match mode {
                Mode::Reader => self.readers += 1,
                Mode::Writer => self.is_written = true,
            }
        }
        is_free
    }

    /// Gives it back, and those it has been handed to now.
    fn give_back(&mut self, mode: Mode) -> Vec<Arc<dyn Waiter>> {
        match mode {
            Mode::Reader => self.readers = self.readers.saturating_sub(1),
            Mode::Writer => self.is_written = false,
        }
        let mut granted = Vec::new();
        while let Some(&(_, mode)) = self.waiting.front() {
            if !self.take(mode) {
                break;
            }
            granted.extend(self.waiting.pop_front().map(|(waiter, _)| waiter));
        }
        granted
    }

    fn is_idle(&self) -> bool {
        self.readers == 0 && !self.is_written && self.waiting.is_empty()
    }
}

impl Table {
    /// Of which nobody has any.
    pub fn new(scopes: &'static [Scope]) -> Self {
        Self {
            scopes,
            locks: scopes.iter().map(|_| Mutex::default()).collect(),
        }
    }

    /// Takes a lock, or has `waiter` told when it is granted.
    fn acquire(&self, key: Key, waiter: impl FnOnce() -> Arc<dyn Waiter>) -> bool {
        let mut locks = self.locks(key.constraint);
        let lock = locks.entry(key.session).or_default();
        // Nobody goes in front of those that wait.
        if lock.waiting.is_empty() && lock.take(key.mode) {
            return true;
        }
        lock.waiting.push_back((waiter(), key.mode));
        false
    }

    fn release(&self, key: Key) {
        let mut locks = self.locks(key.constraint);
        let Some(lock) = locks.get_mut(&key.session) else {
            return;
        };
        let granted = lock.give_back(key.mode);
        if lock.is_idle() {
            locks.remove(&key.session);
        }
        drop(locks);
        for waiter in granted {
            waiter.granted();
        }
    }

    fn locks(&self, constraint: usize) -> MutexGuard<'_, HashMap<u64, Lock>> {
        self.locks[constraint]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A lock's name.
    fn key(&self, (constraint, mode): Wanted, session: u64) -> Key {
        Key {
            constraint,
            session: match self.scopes[constraint] {
                Scope::Program => 0,
                Scope::Session => session,
            },
            mode,
        }
    }

    /// How many locks somebody has.
    pub fn held(&self) -> usize {
        (0..self.locks.len())
            .map(|constraint| self.locks(constraint).len())
            .sum()
    }
}

/// A lock as somebody has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    constraint: usize,
    session: u64,
    mode: Mode,
}

/// How a flow waits for a lock.
pub trait Waiting {
    /// Whoever is to be told.
    fn waiter(&mut self) -> Arc<dyn Waiter>;

    /// It was not to be had at once. Whether it is now, having waited for it.
    fn wait(&mut self) -> bool;
}

/// The locks that one flow has, in the order in which it took them. What it still has when it is dropped is released, for a node that
/// has a defect comes to no end.
#[derive(Debug)]
pub struct Held<W> {
    table: Arc<Table>,
    taken: Vec<Key>,
    waiting: W,
}

impl<W> Held<W> {
    /// None yet.
    pub fn new(table: Arc<Table>, waiting: W) -> Self {
        Self {
            table,
            taken: Vec::new(),
            waiting,
        }
    }

    pub(crate) fn waiting(&self) -> &W {
        &self.waiting
    }
}

impl<W: Waiting> Locks for Held<W> {
    fn acquire(&mut self, wanted: &[Wanted], session: u64) -> bool {
        for &one in wanted {
            let key = self.table.key(one, session);
            if self.taken.contains(&key) {
                continue;
            }
            let has_it = self.table.acquire(key, || self.waiting.waiter()) || self.waiting.wait();
            // It is its own already or will be before it is run again.
            self.taken.push(key);
            if !has_it {
                return false;
            }
        }
        true
    }

    fn release(&mut self, count: usize) {
        for _ in 0..count {
            if let Some(key) = self.taken.pop() {
                self.table.release(key);
            }
        }
    }
}

impl<W> Drop for Held<W> {
    fn drop(&mut self) {
        while let Some(key) = self.taken.pop() {
            self.table.release(key);
        }
    }
}

/// Waits as a thread does. Most flows never have to, and it costs them nothing.
#[derive(Debug, Default)]
pub struct Parked(Option<Arc<Parking>>);

#[derive(Debug, Default)]
struct Parking {
    is_granted: Mutex<bool>,
    granted: Condvar,
}

impl Waiter for Parking {
    fn granted(&self) {
        *self
            .is_granted
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = true;
        self.granted.notify_one();
    }
}

impl Parked {
    fn parking(&mut self) -> &Arc<Parking> {
        self.0.get_or_insert_default()
    }
}

impl Waiting for Parked {
    fn waiter(&mut self) -> Arc<dyn Waiter> {
        Arc::<Parking>::clone(self.parking())
    }

    fn wait(&mut self) -> bool {
        let Parking {
            is_granted,
            granted,
        } = &**self.parking();
        let guard = is_granted.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = granted.wait_while(guard, |is_granted| !*is_granted);
        *waited.unwrap_or_else(PoisonError::into_inner) = false;
        true
    }
}
