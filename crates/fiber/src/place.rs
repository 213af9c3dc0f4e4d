//! Places in the code where fibers park, the scopes that they lie in, and both together: a node of the blocking graph.

use std::fmt;
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Places and nodes that are told apart; those that are met later are one, called "others".
pub(crate) const NODES: usize = 64;
const OTHERS: u16 = NODES as u16 - 1;

/// A place where fibers park, or a scope around such places: a static, which the call names.
#[derive(Debug)]
pub struct Place {
    name: &'static str,
    /// None before somebody has come here.
    number: AtomicU16,
}

/// What fibers go on from: a place with the scopes that it was come to in. Known by its number, which goes into a word that other
/// threads can read; where it is made, nothing is looked for but in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(u16);

/// The node of each place within each scope; none: nobody has been there.
static WITHIN: [[AtomicU16; NODES]; NODES] =
    [const { [const { AtomicU16::new(0) }; NODES] }; NODES];

/// What is called how.
static NAMES: Mutex<Names> = Mutex::new(Names {
    places: 0,
    nodes: Vec::new(),
});

struct Names {
    places: u16,
    /// By number, less one: the scope and the place in it.
    nodes: Vec<(Node, &'static str)>,
}

fn names() -> MutexGuard<'static, Names> {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Place {
    /// A place called so.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            number: AtomicU16::new(0),
        }
    }

    #[inline]
    fn number(&'static self) -> u16 {
        match self.number.load(Relaxed) {
            0 => self.register(),
            number => number,
        }
    }

    #[cold]
    fn register(&self) -> u16 {
        let mut names = names();
        if self.number.load(Relaxed) == 0 {
            names.places = (names.places + 1).min(OTHERS);
            self.number.store(names.places, Relaxed);
        }
        self.number.load(Relaxed)
    }
}

impl Node {
    /// Where a fiber is before it has parked anywhere, and the scope of whoever is in none.
    pub const START: Self = Self(0);

    /// A place within this scope.
    #[inline]
    pub(crate) fn with(self, place: &'static Place) -> Self {
        let number = place.number();
        match WITHIN[self.index()][usize::from(number)].load(Relaxed) {
            0 => self.register(number, place.name),
            node => Self(node),
        }
    }

    #[cold]
    fn register(self, number: u16, name: &'static str) -> Self {
        let mut names = names();
        let known = &WITHIN[self.index()][usize::from(number)];
        if known.load(Relaxed) == 0 {
            let is_told_apart = number < OTHERS && names.nodes.len() + 1 < usize::from(OTHERS);
            known.store(
                match is_told_apart {
                    true => {
                        names.nodes.push((self, name));
                        names.nodes.len() as u16
                    }
                    false => OTHERS,
                },
                Relaxed,
            );
        }
        Self(known.load(Relaxed))
    }

    /// Its place in a table of [`NODES`].
    #[inline]
    pub(crate) fn index(self) -> usize {
        usize::from(self.0.min(OTHERS))
    }

    #[inline]
    pub(crate) fn from_index(index: usize) -> Self {
        Self(u16::try_from(index).unwrap_or(OTHERS))
    }

    /// What it is called: the scopes, from the outermost on, and the place.
    pub fn name(self) -> String {
        let names = names();
        let entry = |node: Self| {
            let place = usize::from(node.0).checked_sub(1)?;
            names.nodes.get(place).copied()
        };
        match (self, entry(self)) {
            (Self::START, _) => "start".into(),
            (_, None) => "others".into(),
            (_, Some((mut scope, name))) => {
                let mut chain = vec![name];
                while let Some((around, name)) = entry(scope) {
                    chain.push(name);
                    scope = around;
                }
                chain.reverse();
                chain.join(" › ")
            }
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.name())
    }
}
