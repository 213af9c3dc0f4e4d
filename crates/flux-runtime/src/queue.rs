//! A queue between threads: first in, first out.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A queue that threads put into and take from.
#[derive(Debug)]
pub struct Queue<T> {
    inside: Mutex<Inside<T>>,
    /// Something was put in, or nothing will be any more.
    filled: Condvar,
    /// Something was taken out.
    emptied: Condvar,
    places: usize,
}

#[derive(Debug)]
struct Inside<T> {
    things: VecDeque<T>,
    is_closed: bool,
}

impl<T> Queue<T> {
    /// An empty one for so many things.
    pub fn bounded(places: usize) -> Self {
        Self {
            inside: Mutex::new(Inside {
                things: VecDeque::new(),
                is_closed: false,
            }),
            filled: Condvar::new(),
            emptied: Condvar::new(),
            places,
        }
    }

    /// An empty one for any number.
    pub fn unbounded() -> Self {
        Self::bounded(usize::MAX)
    }

    /// Puts something in; waits for a place.
    pub fn push(&self, thing: T) {
        let inside = self.inside();
        let is_full = |inside: &mut Inside<T>| inside.things.len() >= self.places;
        let mut inside = self
            .emptied
            .wait_while(inside, is_full)
            .unwrap_or_else(PoisonError::into_inner);
        inside.things.push_back(thing);
        drop(inside);
        self.filled.notify_one();
    }

    /// Puts something in beyond its bound, for whoever must not wait.
    pub fn push_over(&self, thing: T) {
        self.inside().things.push_back(thing);
        self.filled.notify_one();
    }

    /// Takes the first out; waits for one. None when there is none, and none will come.
    pub fn pop(&self) -> Option<T> {
        let inside = self.inside();
        let is_empty = |inside: &mut Inside<T>| inside.things.is_empty() && !inside.is_closed;
        let mut inside = self
            .filled
            .wait_while(inside, is_empty)
            .unwrap_or_else(PoisonError::into_inner);
        let thing = inside.things.pop_front();
        drop(inside);
        self.emptied.notify_one();
        thing
    }

    /// Takes the first out, if there is one.
    pub fn try_pop(&self) -> Option<T> {
        let thing = self.inside().things.pop_front();
        if thing.is_some() {
            self.emptied.notify_one();
        }
        thing
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.inside().things.is_empty()
    }

    /// Nothing will be put in any more.
    pub fn close(&self) {
        self.inside().is_closed = true;
        self.filled.notify_all();
    }

    fn inside(&self) -> MutexGuard<'_, Inside<T>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
