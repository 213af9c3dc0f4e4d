//! The service-time model of one direction of a link: a queue, a line of a rate, a distance. No clock, no threads.
//!
//! ```text
//!  offer ─► [ queue │ │ │ ] ─► line ─────► way ─────► the other end
//!             its bytes        bytes / rate   half of the round trip ± jitter; some are lost on it
//! ```
//!
//! A packet waits until those before it have been sent, takes its bytes over the rate to be sent, and then half of the round-trip time
//! to arrive. If it finds the queue too full it is dropped at its end (drop-tail), as by a router. Whether it is lost on its way is
//! drawn after it was sent, so that a lost one has taken its share of the line. Packets arrive in the order in which they were sent:
//! jitter delays those that come behind a late one too, as a queue on the way would.

use std::collections::VecDeque;
use std::time::Duration;

use rand_distr::{Distribution as _, StandardUniform};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

/// What a link is like; both directions are alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Model {
    /// How long a packet and its answer are on their way if nothing holds them up; half of it is one direction's delay.
    pub round_trip: Duration,
    /// Bits that a direction sends in a second, counted from the IP header on; without it sending takes no time.
    pub rate_bits_per_s: Option<u64>,
    /// The probability that a packet is lost on its way, from 0 to 1.
    pub loss: f64,
    /// How much shorter or longer than the delay a packet's way may be, uniformly distributed; at most the delay.
    pub jitter: Duration,
    /// Bytes that may wait to be sent. One that waits for nobody is always taken.
    pub queue_bytes: u64,
    /// Losses and jitter are drawn from it: the same packets meet the same fate.
    pub seed: u64,
}

impl Model {
    /// One direction's delay.
    pub fn delay(&self) -> Duration {
        self.round_trip / 2
    }

    /// What is usual for a queue: as many bytes as the line sends in a round trip, so that one TCP connection can keep it busy (Villamizar
    /// and Song, "High performance TCP in ANSNET", CCR 1994), and 64 KiB at least.
    pub(crate) fn usual_queue_bytes(round_trip: Duration, rate_bits_per_s: Option<u64>) -> u64 {
        const LEAST: u64 = 64 << 10;
        let rate = u128::from(rate_bits_per_s.unwrap_or(0));
        let bits = rate.saturating_mul(round_trip.as_nanos());
        let bytes = bits / 8 / 1_000_000_000;
        u64::try_from(bytes).unwrap_or(u64::MAX).max(LEAST)
    }
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    Arrives {
        /// When, on the caller's clock.
        at: Duration,
        /// How long it waits before it is sent.
        waits: Duration,
    },
    /// It is lost on its way.
    Lost,
    /// The queue was too full.
    Dropped,
}

/// One direction of a link, and what it has taken on.
///
/// Packets come in the order of the calls, whose `now` never goes back.
#[derive(Debug, Clone)]
pub struct Direction {
    model: Model,
    random: Xoshiro256PlusPlus,
    /// When the line has sent all that it has taken.
    free_at: Duration,
    /// When the last packet arrives.
    last_arrival: Duration,
    /// Packets that wait: when each begins to be sent, and its bytes.
    waiting: VecDeque<(Duration, u64)>,
    waiting_bytes: u64,
}

impl Direction {
    /// A direction that nothing has been sent in. Those of one link have different numbers, and so draws of their own.
    pub fn new(model: Model, number: u64) -> Self {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(model.seed);
        (0..number).for_each(|_| random.jump());
        Self {
            model,
            random,
            free_at: Duration::ZERO,
            last_arrival: Duration::ZERO,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
        }
    }

    /// Takes on a packet of `bytes` that comes at `now`.
    pub fn offer(&mut self, now: Duration, bytes: u64) -> Fate {
        while let Some((begins, bytes)) = self.waiting.front().copied()
            && begins <= now
        {
            self.waiting.pop_front();
            self.waiting_bytes -= bytes;
        }
        let begins = self.free_at.max(now);
        if begins > now {
            let waiting_bytes = self.waiting_bytes.saturating_add(bytes);
            if waiting_bytes > self.model.queue_bytes {
                return Fate::Dropped;
            }
            self.waiting.push_back((begins, bytes));
            self.waiting_bytes = waiting_bytes;
        }
        self.free_at = begins.saturating_add(self.sending(bytes));
        if self.model.loss > 0.0 && self.uniform() < self.model.loss {
            return Fate::Lost;
        }
        let at = self.free_at.saturating_add(self.way());
        self.last_arrival = self.last_arrival.max(at);
        Fate::Arrives {
            at: self.last_arrival,
            waits: begins - now,
        }
    }

    /// How long the line takes for so many bytes.
    fn sending(&self, bytes: u64) -> Duration {
        let Some(rate) = self.model.rate_bits_per_s else {
            return Duration::ZERO;
        };
        let nanos = u128::from(bytes) * 8 * 1_000_000_000 / u128::from(rate.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// How long a packet is on its way.
    fn way(&mut self) -> Duration {
        let (delay, jitter) = (self.model.delay(), self.model.jitter);
        if jitter.is_zero() {
            return delay;
        }
        let shorter = delay.saturating_sub(jitter);
        shorter.saturating_add(jitter.saturating_mul(2).mul_f64(self.uniform()))
    }

    /// From 0, which may be drawn, to 1, which is not.
    fn uniform(&mut self) -> f64 {
        StandardUniform.sample(&mut self.random)
    }
}

#[cfg(test)]
mod tests;
