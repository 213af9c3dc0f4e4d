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

/// Who has a lock: readers, or a writer, or nobody.
#[derive(Debug, Clone, Default)]
pub struct Holders {
    readers: usize,
    is_written: bool,
}

impl Holders {
    /// Takes it, unless somebody has it in a way that keeps this one out.
    pub fn take(&mut self, mode: Mode) -> bool {
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

    /// One of those that have it gives it back.
    pub fn give_back(&mut self, mode: Mode) {
        match mode {
            Mode::Reader => self.readers = self.readers.saturating_sub(1),
            Mode::Writer => self.is_written = false,
        }
    }

    /// Whether nobody has it.
    pub fn is_free(&self) -> bool {
        self.readers == 0 && !self.is_written
    }
}

/// One lock that somebody has.
#[derive(Debug, Default)]
struct Lock {
    holders: Holders,
    requests: VecDeque<Request>,
    /// How many there have been.
    came: u64,
}

/// Who waits for a lock, and how it wants it.
struct Request {
    /// No other's while somebody has the lock.
    number: u64,
    mode: Mode,
    waiter: Arc<dyn Waiter>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Request")
            .field("number", &self.number)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

impl Lock {
    /// Hands it to those in front who can have it now.
    fn hand_on(&mut self) -> Vec<Arc<dyn Waiter>> {
        let mut granted = Vec::new();
        while let Some(first) = self.requests.front() {
            if !self.holders.take(first.mode) {
                break;
            }
            granted.extend(self.requests.pop_front().map(|first| first.waiter));
        }
        granted
    }

    /// Withdraws a request. Whether it was not granted yet.
    fn withdraw(&mut self, number: u64) -> bool {
        let place = self.requests.iter().position(|one| one.number == number);
        place.is_some_and(|place| self.requests.remove(place).is_some())
    }

    fn is_idle(&self) -> bool {
        self.holders.is_free() && self.requests.is_empty()
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

    /// Takes a lock, or has `waiter` told when it is granted: the number of the request, then.
    fn acquire(&self, key: Key, waiter: impl FnOnce() -> Arc<dyn Waiter>) -> Option<u64> {
        let mut locks = self.locks(key.constraint);
        let lock = locks.entry(key.session).or_default();
        // Nobody goes in front of those that wait.
        if lock.requests.is_empty() && lock.holders.take(key.mode) {
            return None;
        }
        let (number, mode) = (lock.came, key.mode);
        lock.came += 1;
        lock.requests.push_back(Request {
            number,
            mode,
            waiter: waiter(),
        });
        Some(number)
    }

    /// Gives a lock back, or withdraws the request for it if that was not granted yet.
    fn release(&self, key: Key, request: Option<u64>) {
        let mut locks = self.locks(key.constraint);
        let Some(lock) = locks.get_mut(&key.session) else {
            return;
        };
        let has_it = !request.is_some_and(|number| lock.withdraw(number));
        if has_it {
            lock.holders.give_back(key.mode);
        }
        let granted = lock.hand_on();
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
/// has a defect comes to no end; what it waits for then, it waits for no longer.
#[derive(Debug)]
pub struct Held<W> {
    table: Arc<Table>,
    taken: Vec<Key>,
    /// Its request for the last of them, if that may not have been granted yet.
    request: Option<u64>,
    waiting: W,
}

impl<W> Held<W> {
    /// None yet.
    pub fn new(table: Arc<Table>, waiting: W) -> Self {
        Self {
            table,
            taken: Vec::new(),
            request: None,
            waiting,
        }
    }

    pub(crate) fn waiting(&self) -> &W {
        &self.waiting
    }
}

impl<W: Waiting> Locks for Held<W> {
    fn acquire(&mut self, wanted: &[Wanted], session: u64) -> bool {
        // It is run again because that was granted.
        self.request = None;
        for &one in wanted {
            let key = self.table.key(one, session);
            if self.taken.contains(&key) {
                continue;
            }
            let request = self.table.acquire(key, || self.waiting.waiter());
            let has_it = request.is_none() || self.waiting.wait();
            // It is its own already or will be before it is run again.
            self.taken.push(key);
            if !has_it {
                self.request = request;
                return false;
            }
        }
        true
    }

    fn release(&mut self, count: usize) {
        for _ in 0..count {
            if let Some(key) = self.taken.pop() {
                self.table.release(key, None);
            }
        }
    }
}

impl<W> Drop for Held<W> {
    fn drop(&mut self) {
        while let Some(key) = self.taken.pop() {
            self.table.release(key, self.request.take());
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    /// Waits without waiting; counts how often it was granted what it wants.
    #[derive(Debug, Clone, Default)]
    struct Counts(Arc<AtomicUsize>);

    impl Waiter for Counts {
        fn granted(&self) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    impl Waiting for Counts {
        fn waiter(&mut self) -> Arc<dyn Waiter> {
            Arc::new(self.clone())
        }

        fn wait(&mut self) -> bool {
            false
        }
    }

    const READ: [Wanted; 1] = [(0, Mode::Reader)];
    const WRITE: [Wanted; 1] = [(0, Mode::Writer)];

    fn table() -> Arc<Table> {
        Arc::new(Table::new(&[Scope::Program]))
    }

    fn flow(table: &Arc<Table>) -> Held<Counts> {
        Held::new(Arc::clone(table), Counts::default())
    }

    fn granted(flow: &Held<Counts>) -> usize {
        flow.waiting().0.load(SeqCst)
    }

    #[test]
    fn a_flow_that_is_dropped_while_it_waits_leaves_the_lock_to_whoever_has_it() {
        let table = table();
        let [mut has, mut waits, mut later] = [(); 3].map(|()| flow(&table));
        assert!(has.acquire(&WRITE, 0));
        assert!(!waits.acquire(&WRITE, 0));
        drop(waits);
        assert!(!later.acquire(&WRITE, 0), "two have it");
        has.release(1);
        assert_eq!(granted(&later), 1);
        assert!(later.acquire(&WRITE, 0));
        drop(later);
        assert_eq!(table.held(), 0);
    }

    #[test]
    fn a_writer_that_waits_no_longer_lets_readers_behind_it_in() {
        let table = table();
        let [mut reads, mut writes, mut behind] = [(); 3].map(|()| flow(&table));
        assert!(reads.acquire(&READ, 0));
        assert!(!writes.acquire(&WRITE, 0));
        assert!(!behind.acquire(&READ, 0), "nobody goes in front");
        drop(writes);
        assert_eq!(granted(&behind), 1);
        drop((reads, behind));
        assert_eq!(table.held(), 0);
    }

    #[test]
    fn a_flow_that_is_dropped_when_it_was_granted_a_lock_gives_it_back() {
        let table = table();
        let [mut has, mut waits, mut later] = [(); 3].map(|()| flow(&table));
        assert!(has.acquire(&WRITE, 0));
        assert!(!waits.acquire(&WRITE, 0));
        assert!(!later.acquire(&WRITE, 0));
        has.release(1);
        drop(waits);
        assert_eq!(granted(&later), 1);
        drop(later);
        assert_eq!(table.held(), 0);
    }
}
