//! Flows that begin, and what of them is chance.

use rand_distr::{Distribution as _, Exp1, StandardUniform};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng as _;

use crate::calendar::Event;
use crate::flows::NONE;
use crate::run::Load;

use super::Machine;

/// What is drawn by chance, each from a stream of its own: so that the same flows arrive whoever serves them.
pub(super) struct Chance {
    arrivals: Xoshiro256PlusPlus,
    pub(super) times: Xoshiro256PlusPlus,
    ways: Xoshiro256PlusPlus,
}

impl Chance {
    /// The same seed draws the same.
    pub(super) fn new(seed: u64) -> Self {
        let arrivals = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut times = arrivals.clone();
        times.jump();
        let mut ways = times.clone();
        ways.jump();
        Self {
            arrivals,
            times,
            ways,
        }
    }

    /// A share from 0 to 1 that says which way a flow takes.
    pub(super) fn way(&mut self) -> f64 {
        StandardUniform.sample(&mut self.ways)
    }
}

impl Machine<'_> {
    /// A flow begins by itself, and there will be a next one.
    pub(super) fn arrival(&mut self) {
        self.next_arrival();
        let session = match self.sessions {
            1 => 0,
            sessions => {
                let share: f64 = StandardUniform.sample(&mut self.chance.arrivals);
                (share * f64::from(sessions)) as u32
            }
        };
        self.arrive(session, NONE);
    }

    /// Enters when the next flow begins, if it begins by itself.
    pub(super) fn next_arrival(&mut self) {
        // Of a load that is far too much it is enough to have seen that it is.
        let requests = self.model.requests;
        if self.arrived as f64 * requests >= self.recorder.planned() as f64 * 2.0 {
            return;
        }
        let gap = match self.load {
            Load::Poisson(rate) => {
                let one: f64 = Exp1.sample(&mut self.chance.arrivals);
                one * requests * 1e9 / rate
            }
            Load::Constant(rate) => requests * 1e9 / rate,
            Load::Closed(..) => return,
        };
        self.calendar.enter(self.now + gap, Event::Arrival);
    }

    /// Has a client think, and its flow be on its way.
    pub(super) fn think(&mut self, client: u32) {
        let Load::Closed(_, think) = self.load else {
            return;
        };
        let one: f64 = Exp1.sample(&mut self.chance.arrivals);
        let time = one * think.as_nanos() as f64 + self.delay;
        self.calendar.enter(self.now + time, Event::Client(client));
    }

    pub(super) fn arrive(&mut self, session: u32, client: u32) {
        self.arrived += 1;
        let begin = match self.model.begins[..] {
            [(only, _)] => only,
            ref several => {
                let share = StandardUniform.sample(&mut self.chance.arrivals);
                pick(
                    several.iter().scan(0.0, |until, (begin, share)| {
                        *until += share;
                        Some((*until, *begin))
                    }),
                    share,
                )
            }
        };
        let flow = self.flows.begin(begin, session, client, self.now);
        self.ready.push_back(flow);
    }
}

/// The first of several ways up to which the share lies; the last, where rounding has left a gap.
pub(super) fn pick(ways: impl Iterator<Item = (f64, u32)>, share: f64) -> u32 {
    let mut taken = 0;
    for (until, next) in ways {
        taken = next;
        if share < until {
            break;
        }
    }
    taken
}
