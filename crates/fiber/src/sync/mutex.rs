//! A mutex that fibers park at.

use std::ops::{Deref, DerefMut};
use std::sync::{MutexGuard, PoisonError};

use super::turns::Turns;
use crate::handle::Fiber;
use crate::place::Place;
use crate::waiter::Unparker;

/// A value that one fiber has at a time. Who comes first has it first; a fiber may be parked while it has it.
#[derive(Debug, Default)]
pub struct Mutex<T> {
    turns: std::sync::Mutex<Turns<Unparker>>,
    /// Only whoever has the turn locks it, so that nobody ever waits for it.
    value: std::sync::Mutex<Option<Box<T>>>,
}

static LOCK: Place = Place::new("lock a mutex");

impl<T> Mutex<T> {
    /// A mutex around a value.
    pub fn new(value: T) -> Self {
        Self {
            turns: std::sync::Mutex::default(),
            value: std::sync::Mutex::new(Some(Box::new(value))),
        }
    }

    /// Parks until it is this fiber's turn, which it has until the guard is dropped. Where a fiber panics meanwhile, the next one finds
    /// the value as it was left.
    pub fn lock(&self, fiber: &Fiber<'_>) -> Locked<'_, T> {
        let number = self.turns().take_number(|| fiber.unparker());
        while !self.turns().is_served(number) {
            fiber.park(&LOCK);
        }
        let mut value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        Locked {
            mutex: self,
            value: value.take(),
        }
    }

    fn turns(&self) -> MutexGuard<'_, Turns<Unparker>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A mutex that is locked. The value is in here, so that a fiber that goes on in another thread has nothing of the first.
#[derive(Debug)]
pub struct Locked<'a, T> {
    mutex: &'a Mutex<T>,
    /// There until this is dropped.
    value: Option<Box<T>>,
}

impl<T> Deref for Locked<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_deref().expect("a guard has the value")
    }
}

impl<T> DerefMut for Locked<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_deref_mut().expect("a guard has the value")
    }
}

impl<T> Drop for Locked<'_, T> {
    fn drop(&mut self) {
        let value = self.value.take();
        *self
            .mutex
            .value
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = value;
        let next = self.mutex.turns().finish();
        if let Some(next) = next {
            next.unpark();
        }
    }
}
