//! A queue between threads: first in, first out.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
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
    /// Whether there is something in it or it is closed, for those who look without the lock.
    has_news: AtomicBool,
}

#[derive(Debug)]
struct Inside<T> {
    things: VecDeque<T>,
    /// Threads that sleep until something is put in, and until something is taken out: where there are none, nobody is woken, which is a
    /// system call even in vain.
    takers: usize,
    givers: usize,
    is_closed: bool,
}

impl<T> Queue<T> {
    /// An empty one for so many things.
    pub fn bounded(places: usize) -> Self {
        Self {
            inside: Mutex::new(Inside {
                things: VecDeque::new(),
                takers: 0,
                givers: 0,
                is_closed: false,
            }),
            filled: Condvar::new(),
            emptied: Condvar::new(),
            places,
            has_news: AtomicBool::new(false),
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
        let mut inside = self.inside();
        while inside.things.len() >= self.places && !inside.is_closed {
            inside.givers += 1;
            inside = self
                .emptied
                .wait(inside)
                .unwrap_or_else(PoisonError::into_inner);
            inside.givers -= 1;
        }
        self.put(inside, thing)
    }

    /// Puts something in beyond its bound, for whoever must not wait; nothing, where nothing may be put in any more.
    pub fn push_over(&self, thing: T) {
        let _ = self.put(self.inside(), thing);
    }

    fn put(&self, mut inside: MutexGuard<'_, Inside<T>>, thing: T) -> Result<(), T> {
        if inside.is_closed {
            return Err(thing);
        }
        inside.things.push_back(thing);
        self.has_news.store(true, Relaxed);
        let is_awaited = inside.takers > 0;
        drop(inside);
        if is_awaited {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Takes the first out; waits for one. None when there is none, and none may come.
    pub fn pop(&self) -> Option<T> {
        self.pop_after(|_| ())
    }

    /// Takes the first out. If there is none, calls `look` with what says whether there is by now, and sleeps until one comes when that
    /// returns. None when there is none, and none may come.
    pub fn pop_after(&self, look: impl FnOnce(&dyn Fn() -> bool)) -> Option<T> {
        let mut inside = self.inside();
        if inside.things.is_empty() && !inside.is_closed {
            drop(inside);
            look(&|| self.has_news.load(Relaxed));
            inside = self.inside();
        }
        while inside.things.is_empty() && !inside.is_closed {
            inside.takers += 1;
            inside = self
                .filled
                .wait(inside)
                .unwrap_or_else(PoisonError::into_inner);
            inside.takers -= 1;
        }
        self.take(inside)
    }

    fn take(&self, mut inside: MutexGuard<'_, Inside<T>>) -> Option<T> {
        let thing = inside.things.pop_front();
        let has_news = !inside.things.is_empty() || inside.is_closed;
        self.has_news.store(has_news, Relaxed);
        let is_awaited = thing.is_some() && inside.givers > 0;
        drop(inside);
        if is_awaited {
            self.emptied.notify_one();
        }
        thing
    }

    /// Takes the first out, if there is one.
    pub fn try_pop(&self) -> Option<T> {
        self.take(self.inside())
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.inside().things.is_empty()
    }

    /// Nothing may be put in any more; what is there already can be taken out. Nobody waits any longer.
    pub fn close(&self) {
        let mut inside = self.inside();
        inside.is_closed = true;
        self.has_news.store(true, Relaxed);
        drop(inside);
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
    use std::sync::{Arc, Weak, mpsc};

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

    fn wait_until(is_so: impl Fn() -> bool) {
        while !is_so() {
            std::thread::yield_now();
        }
    }

    /// Whoever looks until there is something sleeps never, and hears of the end.
    #[test]
    fn who_looks_is_not_woken() {
        let queue = Queue::bounded(1);
        let (taken, is_taken) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while let Some(thing) = queue.pop_after(|is_there| wait_until(is_there)) {
                    taken.send(thing).expect("the test waits");
                }
                drop(taken);
            });
            for thing in 0..20 {
                queue.push(thing).expect("it is open");
                assert_eq!(queue.inside().takers, 0);
                assert_eq!(is_taken.recv(), Ok(thing));
            }
            queue.close();
            assert!(is_taken.recv().is_err());
        });
    }

    #[test]
    fn who_sleeps_is_woken_by_what_comes_by_a_place_and_by_the_end() {
        let queue = Queue::bounded(1);
        std::thread::scope(|scope| {
            let taker = scope.spawn(|| (queue.pop(), queue.pop(), queue.pop(), queue.pop()));
            for thing in 0..2 {
                wait_until(|| queue.inside().takers == 1);
                queue.push(thing).expect("it is open");
            }
            wait_until(|| queue.inside().takers == 1);
            queue.push_over(2);
            wait_until(|| queue.inside().takers == 1);
            queue.close();
            let taken = taker.join().expect("it has taken all");
            assert_eq!(taken, (Some(0), Some(1), Some(2), None));
        });
        let queue = Queue::bounded(1);
        queue.push(0).expect("it is open");
        std::thread::scope(|scope| {
            scope.spawn(|| queue.push(1));
            wait_until(|| queue.inside().givers == 1);
            assert_eq!(queue.try_pop(), Some(0));
        });
        assert_eq!(queue.try_pop(), Some(1));
    }
}
