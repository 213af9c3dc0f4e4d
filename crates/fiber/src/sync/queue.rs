//! A bounded queue that fibers park at.

use std::collections::VecDeque;
use std::sync::{MutexGuard, PoisonError};

use super::turns::Turns;
use crate::handle::Fiber;
use crate::place::Place;
use crate::waiter::Unparker;

/// Items from some fibers to others, first in, first out. Who comes first is served first, at either end.
#[derive(Debug)]
pub struct Queue<T> {
    state: std::sync::Mutex<State<T, Unparker>>,
}

/// The queue without its lock, and those who wait; pure, as [`Turns`] is.
#[cfg_attr(test, derive(Clone))]
#[derive(Debug)]
pub(super) struct State<T, W> {
    items: VecDeque<T>,
    capacity: usize,
    pushing: End<W>,
    popping: End<W>,
}

/// Those at one end of the queue.
#[cfg_attr(test, derive(Clone))]
#[derive(Debug)]
struct End<W> {
    turns: Turns<W>,
    /// Whose turn it is, but who waits for the other end.
    blocked: Option<W>,
}

impl<W> Default for End<W> {
    fn default() -> Self {
        Self {
            turns: Turns::default(),
            blocked: None,
        }
    }
}

/// What came of trying.
pub(super) enum Tried<T, W> {
    /// It is done; these are to go on.
    Done(T, [Option<W>; 2]),
    /// It is not this one's turn, or the other end has to come first.
    Waits,
}

static PUSH: Place = Place::new("push to a queue");
static POP: Place = Place::new("pop from a queue");

impl<T, W> State<T, W> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            items: VecDeque::with_capacity(capacity),
            capacity: capacity.max(1),
            pushing: End::default(),
            popping: End::default(),
        }
    }

    pub(super) fn take_number_to_push(&mut self, waiter: impl FnOnce() -> W) -> u64 {
        self.pushing.turns.take_number(waiter)
    }

    pub(super) fn take_number_to_pop(&mut self, waiter: impl FnOnce() -> W) -> u64 {
        self.popping.turns.take_number(waiter)
    }

    /// Pushes an item, which stays where it is as long as this waits.
    pub(super) fn try_push(
        &mut self,
        number: u64,
        item: &mut Option<T>,
        waiter: impl FnOnce() -> W,
    ) -> Tried<(), W> {
        if !self.pushing.turns.is_served(number) {
            return Tried::Waits;
        }
        if self.items.len() >= self.capacity {
            self.pushing.blocked = Some(waiter());
            return Tried::Waits;
        }
        self.items.extend(item.take());
        Tried::Done(
            (),
            [self.pushing.turns.finish(), self.popping.blocked.take()],
        )
    }

    pub(super) fn try_pop(&mut self, number: u64, waiter: impl FnOnce() -> W) -> Tried<T, W> {
        if !self.popping.turns.is_served(number) {
            return Tried::Waits;
        }
        match self.items.pop_front() {
            Some(item) => Tried::Done(
                item,
                [self.popping.turns.finish(), self.pushing.blocked.take()],
            ),
            None => {
                self.popping.blocked = Some(waiter());
                Tried::Waits
            }
        }
    }
}

impl<T> Queue<T> {
    /// A queue with room for so many items, one at least.
    pub fn new(capacity: usize) -> Self {
        Self {
            state: std::sync::Mutex::new(State::new(capacity)),
        }
    }

    /// Puts an item behind all others, and parks while there is no room.
    pub fn push(&self, fiber: &Fiber<'_>, item: T) {
        let mut item = Some(item);
        let mut state = self.state();
        let number = state.take_number_to_push(|| fiber.unparker());
        loop {
            let tried = state.try_push(number, &mut item, || fiber.unparker());
            drop(state);
            match tried {
                Tried::Done((), called) => return call(called),
                Tried::Waits => fiber.park(&PUSH),
            }
            state = self.state();
        }
    }

    /// Takes the item that came first, and parks while there is none.
    pub fn pop(&self, fiber: &Fiber<'_>) -> T {
        let mut state = self.state();
        let number = state.take_number_to_pop(|| fiber.unparker());
        loop {
            let tried = state.try_pop(number, || fiber.unparker());
            drop(state);
            match tried {
                Tried::Done(item, called) => {
                    call(called);
                    return item;
                }
                Tried::Waits => fiber.park(&POP),
            }
            state = self.state();
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T, Unparker>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn call(waiting: [Option<Unparker>; 2]) {
    for unparker in waiting.into_iter().flatten() {
        unparker.unpark();
    }
}
