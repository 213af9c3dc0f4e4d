//! The service-time model: N arms with one queue, first come first served. No clock, no threads.

use std::time::Duration;

use rand_distr::{Distribution as _, Exp1};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

/// How seeks vary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Distribution {
    /// Each takes the same time.
    Constant,
    /// Exponentially distributed around the same mean.
    Exponential,
}

/// What a disk is like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Model {
    /// The mean time of a seek.
    pub seek: Duration,
    /// How seeks vary.
    pub distribution: Distribution,
    /// Bytes a second that one arm transfers.
    pub transfer_bytes_per_s: u64,
    /// Requests served at a time.
    pub arms: usize,
    /// Whether a read seeks even where the arm stands there already.
    pub always_seek: bool,
    /// Seeks are drawn from it: the same seed gives the same seeks.
    pub seed: u64,
}

/// A place on the disk: so far into one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub inode: u64,
    /// Bytes from its beginning.
    pub offset: u64,
}

/// What an arm is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Find something: a seek.
    Seek,
    /// Read bytes: a seek, unless the arm stands there already, and their transfer.
    Read {
        /// Where they begin.
        place: Place,
        /// How many they are.
        bytes: u64,
    },
}

/// When a request is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// How long it waits for an arm.
    pub wait: Duration,
    /// How long the arm takes.
    pub service: Duration,
    /// When it is done, on the caller's clock.
    pub done: Duration,
}

/// The arms, and the work that they have taken on.
///
/// Requests come in the order of the calls. Each goes to the arm that can begin it first; of several, to one that stands
/// where the request begins. That is a queue with one waiting line and N servers (M/D/1, M/M/1, M/M/c and so on,
/// depending on who asks).
#[derive(Debug, Clone)]
pub struct Arms {
    model: Model,
    arms: Vec<Arm>,
    random: Xoshiro256PlusPlus,
    promised: Duration,
}

#[derive(Debug, Clone, Copy, Default)]
struct Arm {
    free_at: Duration,
    stands_at: Option<Place>,
}

impl Arms {
    /// Arms at rest. There is always at least one.
    pub fn new(model: Model) -> Self {
        Self {
            arms: vec![Arm::default(); model.arms.max(1)],
            random: Xoshiro256PlusPlus::seed_from_u64(model.seed),
            promised: Duration::ZERO,
            model,
        }
    }

    /// Takes on `work` that comes at `now`, which never goes back.
    pub fn serve(&mut self, now: Duration, work: Work) -> Slot {
        let begins_at = match work {
            Work::Read { place, .. } => Some(place),
            Work::Seek => None,
        };
        let chosen = self
            .arms
            .iter()
            .enumerate()
            .min_by_key(|(_, arm)| {
                let elsewhere = begins_at.is_none() || arm.stands_at != begins_at;
                (arm.free_at.max(now), elsewhere)
            })
            .map_or(0, |(index, _)| index);
        let Arm { free_at, stands_at } = self.arms[chosen];

        let in_place = begins_at.is_some() && stands_at == begins_at && !self.model.always_seek;
        let seek = if in_place {
            Duration::ZERO
        } else {
            self.seek()
        };
        let (transfer, stands_at) = match work {
            Work::Read { place, bytes } => {
                let offset = place.offset.saturating_add(bytes);
                (self.transfer(bytes), Some(Place { offset, ..place }))
            }
            Work::Seek => (Duration::ZERO, None),
        };
        let start = free_at.max(now);
        let service = seek.saturating_add(transfer);
        let done = start.saturating_add(service);
        self.promised = self.promised.saturating_add(service);
        self.arms[chosen] = Arm {
            free_at: done,
            stands_at,
        };
        Slot {
            wait: start - now,
            service,
            done,
        }
    }

    /// How long the arms have been busy by `now`, all together.
    pub fn busy(&self, now: Duration) -> Duration {
        let ahead: Duration = self
            .arms
            .iter()
            .map(|arm| arm.free_at.saturating_sub(now))
            .fold(Duration::ZERO, Duration::saturating_add);
        self.promised.saturating_sub(ahead)
    }

    fn seek(&mut self) -> Duration {
        match self.model.distribution {
            Distribution::Constant => self.model.seek,
            Distribution::Exponential => {
                let factor: f64 = Exp1.sample(&mut self.random);
                let seek = self.model.seek.as_secs_f64() * factor;
                Duration::try_from_secs_f64(seek).unwrap_or(self.model.seek)
            }
        }
    }

    fn transfer(&self, bytes: u64) -> Duration {
        let rate = self.model.transfer_bytes_per_s.max(1);
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(rate);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn disk(arms: usize) -> Model {
        Model {
            seek: 8 * MS,
            distribution: Distribution::Constant,
            transfer_bytes_per_s: 1 << 20,
            arms,
            always_seek: false,
            seed: 1,
        }
    }

    fn read(inode: u64, offset: u64, bytes: u64) -> Work {
        Work::Read {
            place: Place { inode, offset },
            bytes,
        }
    }

    #[test]
    fn one_arm_serves_in_the_order_of_arrival() {
        let mut arms = Arms::new(disk(1));
        let first = arms.serve(Duration::ZERO, Work::Seek);
        assert_eq!(
            (first.wait, first.service, first.done),
            (Duration::ZERO, 8 * MS, 8 * MS)
        );
        let second = arms.serve(2 * MS, Work::Seek);
        assert_eq!((second.wait, second.done), (6 * MS, 16 * MS));
        let after_a_rest = arms.serve(30 * MS, Work::Seek);
        assert_eq!(
            (after_a_rest.wait, after_a_rest.done),
            (Duration::ZERO, 38 * MS)
        );
        assert_eq!(arms.busy(34 * MS), 20 * MS);
        assert_eq!(arms.busy(100 * MS), 24 * MS);
    }

    #[test]
    fn each_arm_takes_what_it_can_begin_first() {
        let mut arms = Arms::new(disk(2));
        let done: Vec<_> = (0..5)
            .map(|_| arms.serve(Duration::ZERO, Work::Seek).done / 8)
            .collect();
        assert_eq!(done, [MS, MS, 2 * MS, 2 * MS, 3 * MS]);
    }

    #[test]
    fn a_read_costs_its_transfer_and_a_seek_unless_the_arm_stands_there() {
        let mut arms = Arms::new(disk(1));
        let mib = 1 << 20;
        let service = |arms: &mut Arms, work| arms.serve(Duration::ZERO, work).service;
        assert_eq!(service(&mut arms, read(1, 0, mib)), 1008 * MS);
        assert_eq!(service(&mut arms, read(1, mib, mib)), 1000 * MS);
        assert_eq!(service(&mut arms, read(2, 0, 0)), 8 * MS);
        assert_eq!(service(&mut arms, read(1, 2 * mib, mib)), 1008 * MS);
        assert_eq!(service(&mut arms, Work::Seek), 8 * MS);
        assert_eq!(service(&mut arms, read(1, 3 * mib, mib)), 1008 * MS);

        let mut arms = Arms::new(Model {
            always_seek: true,
            ..disk(1)
        });
        service(&mut arms, read(1, 0, mib));
        assert_eq!(service(&mut arms, read(1, mib, mib)), 1008 * MS);
    }

    #[test]
    fn of_two_free_arms_the_one_in_place_serves() {
        let mut arms = Arms::new(disk(2));
        let first = arms.serve(Duration::ZERO, read(1, 0, 0));
        assert_eq!(first.service, 8 * MS);
        arms.serve(Duration::ZERO, read(2, 0, 0));
        let later = 20 * MS;
        assert_eq!(arms.serve(later, read(2, 0, 0)).service, Duration::ZERO);
        assert_eq!(arms.serve(later, read(1, 0, 0)).service, Duration::ZERO);
    }

    #[test]
    fn what_is_absurdly_long_overflows_nothing() {
        let mut arms = Arms::new(Model {
            seek: Duration::MAX,
            transfer_bytes_per_s: 0,
            distribution: Distribution::Exponential,
            ..disk(0)
        });
        for now in [Duration::ZERO, MS, Duration::MAX] {
            arms.serve(now, read(1, u64::MAX, u64::MAX));
        }
        arms.busy(Duration::MAX);
    }
}
