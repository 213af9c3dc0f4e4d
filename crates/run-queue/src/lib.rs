//! The run queue of an event loop: first in, first out, and nobody stands in it twice.
//!
//! An event loop gives each session (or connection) a turn of bounded length; one that could go on stands in the run queue until
//! the others have had theirs. Fairness is round robin only as long as nobody holds two places: whoever is queued again while
//! queued would get a turn more with every round.
//!
//! ```
//! use run_queue::RunQueue;
//!
//! let mut turns = RunQueue::default();
//! assert!(turns.push(7_usize) && turns.push(3));
//! // It keeps the place that it has.
//! assert!(!turns.push(7));
//! assert_eq!((turns.pop(), turns.pop(), turns.pop()), (Some(7), Some(3), None));
//! ```

/// Names somebody who may stand in a [`RunQueue`].
pub trait Key: Copy + Eq {
    /// The small index that the name has in the tables of its event loop, below 2³² − 1. Two names with one index are those of one
    /// who is gone and of another who took the place.
    fn index(self) -> usize;
}

impl Key for usize {
    fn index(self) -> usize {
        self
    }
}

/// No link: beyond every index.
const NONE: u32 = u32::MAX;

/// Where somebody stands.
#[derive(Clone, Copy, Debug)]
struct Place<K> {
    /// Who; nobody while it is not queued.
    key: Option<K>,
    /// Indices of the neighbours.
    before: u32,
    behind: u32,
}

impl<K> Place<K> {
    const EMPTY: Self = Self {
        key: None,
        before: NONE,
        behind: NONE,
    };
}

/// A first-in first-out queue of keys that holds none of them twice: a list linked through a table by index. Every operation takes
/// constant time; memory is allocated only when an index is larger than all before.
#[derive(Clone, Debug)]
pub struct RunQueue<K> {
    places: Vec<Place<K>>,
    first: u32,
    last: u32,
    length: usize,
}

impl<K: Key> Default for RunQueue<K> {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl<K: Key> RunQueue<K> {
    /// An empty queue that allocates nothing for indices below `indices`.
    pub fn with_capacity(indices: usize) -> Self {
        Self {
            places: Vec::with_capacity(indices),
            first: NONE,
            last: NONE,
            length: 0,
        }
    }

    /// How many stand in it.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether nobody stands in it.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Whether `key` stands in it.
    pub fn contains(&self, key: K) -> bool {
        let place = self.places.get(key.index());
        place.is_some_and(|place| place.key == Some(key))
    }

    /// Puts `key` at the end. False: it stands in the queue already, and keeps its place. A predecessor that had its index loses its own.
    ///
    /// # Panics
    /// If the index is 2³² − 1 or more.
    #[inline]
    pub fn push(&mut self, key: K) -> bool {
        let index = key.index();
        let link = u32::try_from(index).unwrap_or(NONE);
        assert!(link != NONE, "an index of a run queue is below 2^32 - 1");
        if index >= self.places.len() {
            self.places.resize(index + 1, Place::EMPTY);
        }
        match self.places[index].key {
            Some(queued) if queued == key => return false,
            Some(_) => self.unlink(index),
            None => {}
        }
        self.places[index] = Place {
            key: Some(key),
            before: self.last,
            behind: NONE,
        };
        match self.last {
            NONE => self.first = link,
            last => self.places[last as usize].behind = link,
        }
        self.last = link;
        self.length += 1;
        true
    }

    /// Takes the key that has stood the longest.
    #[inline]
    pub fn pop(&mut self) -> Option<K> {
        let first = self.first as usize;
        let key = self.places.get(first)?.key;
        self.unlink(first);
        key
    }

    /// Takes `key` out, wherever it stands. False: it did not stand in the queue.
    pub fn remove(&mut self, key: K) -> bool {
        let stands = self.contains(key);
        if stands {
            self.unlink(key.index());
        }
        stands
    }

    /// Joins the neighbours of an index that is queued.
    fn unlink(&mut self, index: usize) {
        let Place { before, behind, .. } = std::mem::replace(&mut self.places[index], Place::EMPTY);
        match before {
            NONE => self.first = behind,
            before => self.places[before as usize].behind = behind,
        }
        match behind {
            NONE => self.last = before,
            behind => self.places[behind as usize].before = before,
        }
        self.length -= 1;
    }
}
