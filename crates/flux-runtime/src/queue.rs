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
    ///
    /// # Errors
    /// The thing itself, where nothing may be put in any more.
    pub fn push(&self, thing: T) -> Result<(), T> {
        let inside = self.inside();
        let is_full =
            |inside: &mut Inside<T>| inside.things.len() >= self.places && !inside.is_closed;
        let mut inside = self
            .emptied
            .wait_while(inside, is_full)
            .unwrap_or_else(PoisonError::into_inner);
        if inside.is_closed {
            return Err(thing);
        }
        inside.things.push_back(thing);
        drop(inside);
        self.filled.notify_one();
        Ok(())
    }

    /// Puts something in beyond its bound, for whoever must not wait; nothing, where nothing may be put in any more.
    pub fn push_over(&self, thing: T) {
        let mut inside = self.inside();
        if inside.is_closed {
            return;
        }
        inside.things.push_back(thing);
        drop(inside);
        self.filled.notify_one();
    }

    /// Takes the first out; waits for one. None when there is none, and none may come.
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

    /// Nothing may be put in any more; what is there already can be taken out. Nobody waits any longer.
    pub fn close(&self) {
        self.inside().is_closed = true;
        self.filled.notify_all();
        self.emptied.notify_all();
    }

    /// Closes it, and drops what is in it.
    pub fn abandon(&self) {
        self.close();
        let things = std::mem::take(&mut self.inside().things);
        // It is not locked meanwhile: who is dropped may want to put something in.
        drop(things);
    }

    fn inside(&self) -> MutexGuard<'_, Inside<T>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Weak};

    use super::*;

    #[test]
    fn whoever_waits_for_a_place_is_refused_when_it_is_closed() {
        let queue = Arc::new(Queue::bounded(1));
        queue.push(1).expect("there is a place");
        let waits = {
            let queue = Arc::clone(&queue);
            std::thread::spawn(move || queue.push(2))
        };
        queue.close();
        assert_eq!(waits.join().expect("no panic"), Err(2));
        assert_eq!((queue.pop(), queue.pop()), (Some(1), None));
    }

    #[test]
    fn what_is_dropped_with_a_queue_may_look_into_it() {
        struct Looks(Weak<Queue<Looks>>);
        impl Drop for Looks {
            fn drop(&mut self) {
                let queue = self.0.upgrade().expect("it is being abandoned");
                assert!(queue.is_empty());
            }
        }
        let queue = Arc::new(Queue::unbounded());
        assert!(queue.push(Looks(Arc::downgrade(&queue))).is_ok());
        queue.abandon();
        assert!(queue.is_empty());
    }
}
