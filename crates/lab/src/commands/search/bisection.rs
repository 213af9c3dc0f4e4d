//! Halving in on a rate.

/// What a try said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// The objectives hold.
    Holds,
    /// They do not.
    DoesNot,
    /// The generator could not offer the rate.
    CannotTell,
}

/// A search between what held and what did not. It begins at four fifths of what a closed loop gave, and looks a quarter above
/// that at the most: an open loop cannot do more than that for long.
#[derive(Debug, Clone)]
pub(super) struct Search {
    capacity: f64,
    resolution: f64,
    /// The highest rate that held; 0 if none has.
    low: f64,
    /// The lowest rate that did not.
    high: f64,
    generator: bool,
    tries: usize,
}

const BEGIN: f64 = 0.8;
const MOST: f64 = 1.25;
/// Where even this share of what a closed loop gave does not hold, nothing does.
const LEAST: f64 = 0.01;
const MOST_TRIES: usize = 20;

impl Search {
    pub(super) fn new(capacity: f64, resolution: f64) -> Self {
        Self {
            capacity,
            resolution,
            low: 0.0,
            high: capacity * MOST,
            generator: false,
            tries: 0,
        }
    }

    /// How many tries it takes, about.
    pub(super) fn tries(resolution: f64) -> usize {
        1 + (1.0 / resolution).log2().ceil().max(1.0) as usize
    }

    /// The rate to try next; `None` when it is known well enough.
    pub(super) fn next(&self) -> Option<f64> {
        let known = self.high - self.low <= self.resolution * self.high;
        let hopeless = self.high <= self.capacity * LEAST;
        if known || hopeless || self.tries >= MOST_TRIES {
            return None;
        }
        Some(match (self.tries, self.low) {
            (0, _) => self.capacity * BEGIN,
            // Rates may be off by orders of magnitude.
            (_, 0.0) => self.high / 2.0,
            (_, low) => (low + self.high) / 2.0,
        })
    }

    /// Takes what [`next`](Self::next) gave.
    pub(super) fn answer(&mut self, answer: Answer) {
        let Some(rate) = self.next() else {
            return;
        };
        self.tries += 1;
        match answer {
            Answer::Holds => self.low = rate,
            Answer::DoesNot => {
                self.high = rate;
                self.generator = false;
            }
            Answer::CannotTell => {
                self.high = rate;
                self.generator = true;
            }
        }
    }

    /// The highest rate that held; 0 if none did.
    pub(super) fn highest(&self) -> f64 {
        self.low
    }

    /// Whether it might be higher: the generator ended it above, or nothing did, as far as it looks.
    pub(super) fn is_at_least(&self) -> bool {
        self.generator || self.high >= self.capacity * MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(capacity: f64, truth: f64, cannot_above: f64) -> Search {
        let mut search = Search::new(capacity, 0.05);
        while let Some(rate) = search.next() {
            search.answer(match rate {
                rate if rate > cannot_above => Answer::CannotTell,
                rate if rate <= truth => Answer::Holds,
                _ => Answer::DoesNot,
            });
        }
        search
    }

    #[test]
    fn the_highest_rate_is_found_to_the_resolution() {
        for truth in [300.0, 5000.0, 7990.0, 9000.0, 11_000.0] {
            let found = search(10_000.0, truth, f64::INFINITY);
            assert!(
                found.highest() <= truth && found.highest() > truth * 0.94,
                "{truth}: {found:?}"
            );
            assert!(found.tries <= 12 && !found.is_at_least());
        }
    }

    #[test]
    fn nothing_holds_and_the_generator_gives_up() {
        assert_eq!(search(10_000.0, 10.0, f64::INFINITY).highest(), 0.0);
        let found = search(10_000.0, 20_000.0, 9_500.0);
        assert!(found.is_at_least() && found.highest() > 9_000.0);
    }

    #[test]
    fn what_holds_as_far_as_one_looks_may_hold_beyond() {
        let found = search(10_000.0, 20_000.0, f64::INFINITY);
        assert!(found.is_at_least() && found.highest() > 11_000.0);
    }
}
