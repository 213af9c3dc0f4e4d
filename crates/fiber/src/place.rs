//! Places in the code where fibers park, by name.

use std::fmt;
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// A place where fibers park: a static, which a parking call names.
#[derive(Debug)]
pub struct Place {
    name: &'static str,
    /// None before somebody has come here.
    number: AtomicU16,
}

/// Names by number, less one.
static NAMES: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());

/// A place by its number: where a fiber is or was, in a word that other threads can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlaceNumber(u16);

impl Place {
    /// A place called so.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            number: AtomicU16::new(0),
        }
    }

    /// Its number, which stays.
    #[inline]
    pub fn number(&'static self) -> PlaceNumber {
        match self.number.load(Relaxed) {
            0 => self.register(),
            number => PlaceNumber(number),
        }
    }

    #[cold]
    fn register(&self) -> PlaceNumber {
        let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        if self.number.load(Relaxed) == 0 {
            names.push(self.name);
            // Places are in the code: there are not so many.
            let number = u16::try_from(names.len()).unwrap_or(u16::MAX);
            self.number.store(number, Relaxed);
        }
        PlaceNumber(self.number.load(Relaxed))
    }
}

impl PlaceNumber {
    /// Where a fiber is before it has parked anywhere.
    pub const START: Self = Self(0);

    pub(crate) fn get(self) -> u16 {
        self.0
    }

    pub(crate) fn from_number(number: u16) -> Self {
        Self(number)
    }

    /// What the place is called.
    pub fn name(self) -> &'static str {
        let names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        match self.0.checked_sub(1) {
            None => "start",
            Some(place) => names.get(usize::from(place)).copied().unwrap_or("?"),
        }
    }
}

impl fmt::Display for PlaceNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
