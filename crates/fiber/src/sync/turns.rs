//! Who waits for a thing that one has at a time, in order; pure, so that every order of events can be tried.

use std::collections::VecDeque;

/// Turns at something, given out by number. `W` is what whoever waits is called with.
#[cfg_attr(test, derive(Clone))]
#[derive(Debug)]
pub(super) struct Turns<W> {
    /// The next number to be given out.
    next: u64,
    /// Whose turn it is, if anybody has that number.
    serving: u64,
    /// Those whose turn it is not yet, in the order of their numbers.
    waiting: VecDeque<W>,
}

impl<W> Default for Turns<W> {
    fn default() -> Self {
        Self {
            next: 0,
            serving: 0,
            waiting: VecDeque::new(),
        }
    }
}

impl<W> Turns<W> {
    /// Takes a number. If its turn has not come, whoever has it is called when it has.
    pub(super) fn take_number(&mut self, waiter: impl FnOnce() -> W) -> u64 {
        let number = self.next;
        self.next += 1;
        if number != self.serving {
            self.waiting.push_back(waiter());
        }
        number
    }

    /// Whether it is the turn of whoever has that number.
    pub(super) fn is_served(&self, number: u64) -> bool {
        self.serving == number
    }

    /// A turn is over; who has the next one, to be called.
    pub(super) fn finish(&mut self) -> Option<W> {
        self.serving += 1;
        self.waiting.pop_front()
    }
}
