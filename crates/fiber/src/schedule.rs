//! Who is to go first where a resource is scarce (Capriccio, section 4.3): pure functions of what was observed, on any clock.
//!
//! ```text
//!   ways from each node, so far ──► Predictor ──► what the next way from it will use ──┐
//!                                                                                      ├──► Plan: tickets, and who is held back
//!   shares of what there is in use ────────────► what is scarce, and how much ─────────┘
//! ```
//!
//! Nodes have tickets, and turns in proportion to them, by stride scheduling (`by_node`). Where nothing is scarce, all have
//! as many. The scarcer something is, the fewer have those that are about to take it, and the more those that give it back. From
//! [`FULL`] on nobody goes on from a node that takes it, but one every [`HELD_BACK_AT_MOST`], so that whoever waits for what is never
//! given back is not forgotten. Processor time is given back by itself, so that for it nobody is held back.
//!
//! The prediction looks one way ahead, as the paper's does: who takes nothing now, and will have to on the way after, is let go.

#[cfg(test)]
mod simulation;

use std::time::Duration;

use crate::graph::{Observed, Taken};
use crate::place::NODES;

/// How fibers that can run are ordered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Schedule {
    /// First in, first out.
    #[default]
    Fifo,
    /// By what each kind of fiber is about to use of what is scarce.
    Resource,
}

/// What there is of what fibers [say](crate::Fiber::take) that they take; none: never scarce.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Memory, in bytes.
    pub memory_bytes: Option<u64>,
    /// Descriptors.
    pub descriptors: Option<u64>,
}

/// Something of which there is so much and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resource {
    ProcessorTime,
    Memory,
    Descriptors,
}

const RESOURCES: [Resource; 3] = [
    Resource::ProcessorTime,
    Resource::Memory,
    Resource::Descriptors,
];

/// The share in use from which on a resource begins to be scarce.
pub const EASY: f64 = 0.5;
/// The share from which on whoever takes of it is held back.
pub const FULL: f64 = 0.9;
/// How long somebody is held back at the most.
pub const HELD_BACK_AT_MOST: Duration = Duration::from_millis(50);
/// The weight of what was seen last in a prediction.
const NEWEST: f64 = 0.25;
/// Tickets where nothing is scarce.
pub(crate) const TICKETS: u32 = 1024;
/// How often the tickets of whoever takes or gives most are halved or doubled when all of it is in use.
const DOUBLINGS: f64 = 5.0;

/// What one way is going to use; negative: give back.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Use {
    pub(crate) ns: f64,
    pub(crate) memory_bytes: f64,
    pub(crate) descriptors: f64,
}

/// The share of each resource that is in use, from 0 to 1 and beyond.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Shares {
    pub(crate) processor_time: f64,
    pub(crate) memory: f64,
    pub(crate) descriptors: f64,
}

impl Use {
    fn of(&self, resource: Resource) -> f64 {
        match resource {
            Resource::ProcessorTime => self.ns,
            Resource::Memory => self.memory_bytes,
            Resource::Descriptors => self.descriptors,
        }
    }
}

impl Shares {
    /// Of processor time it is the share of the workers' that was not idle.
    pub(crate) fn of(limits: &Limits, held: Taken, processor_time: f64) -> Self {
        let share = |held: i64, limit: Option<u64>| {
            limit.map_or(0.0, |limit| held as f64 / limit.max(1) as f64)
        };
        Self {
            processor_time,
            memory: share(held.memory_bytes, limits.memory_bytes),
            descriptors: share(held.descriptors, limits.descriptors),
        }
    }

    fn share(&self, resource: Resource) -> f64 {
        match resource {
            Resource::ProcessorTime => self.processor_time,
            Resource::Memory => self.memory,
            Resource::Descriptors => self.descriptors,
        }
    }

    /// How scarce it is: 0 up to [`EASY`], 1 from [`FULL`] on.
    fn scarcity(&self, resource: Resource) -> f64 {
        ((self.share(resource) - EASY) / (FULL - EASY)).clamp(0.0, 1.0)
    }
}

/// What the next way from each node will use: a moving average over looks.
#[derive(Debug)]
pub(crate) struct Predictor {
    before: [Observed; NODES],
    predicted: [Option<Use>; NODES],
}

impl Predictor {
    pub(crate) fn new() -> Self {
        Self {
            before: [Observed::default(); NODES],
            predicted: [None; NODES],
        }
    }

    /// Looks at all ways from each node so far, by its index.
    pub(crate) fn look(&mut self, ways: impl Fn(usize) -> Observed) -> &[Option<Use>; NODES] {
        for (node, predicted) in self.predicted.iter_mut().enumerate() {
            let now = ways(node);
            let before = std::mem::replace(&mut self.before[node], now);
            let count = now.count - before.count;
            if count == 0 {
                continue;
            }
            let each = |now: i64, before: i64| (now - before) as f64 / count as f64;
            let sampled = now.sampled - before.sampled;
            let old = *predicted;
            let ns = match sampled {
                0 => old.map_or(0.0, |old| old.ns),
                _ => (now.ns - before.ns) as f64 / sampled as f64,
            };
            let new = Use {
                ns,
                memory_bytes: each(now.taken.memory_bytes, before.taken.memory_bytes),
                descriptors: each(now.taken.descriptors, before.taken.descriptors),
            };
            let old = old.unwrap_or(new);
            let mixed = |of: fn(&Use) -> f64| NEWEST * of(&new) + (1.0 - NEWEST) * of(&old);
            *predicted = Some(Use {
                ns: mixed(|each| each.ns),
                memory_bytes: mixed(|each| each.memory_bytes),
                descriptors: mixed(|each| each.descriptors),
            });
        }
        &self.predicted
    }
}

/// A set of nodes, by their indices.
pub(crate) type Nodes = u64;
const _: () = assert!(NODES == Nodes::BITS as usize);

/// What follows from predictions.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    pub(crate) tickets: [u32; NODES],
    take_memory: Nodes,
    take_descriptors: Nodes,
}

impl Plan {
    /// Nothing is known yet.
    pub(crate) fn even() -> Self {
        Self {
            tickets: [TICKETS; NODES],
            take_memory: 0,
            take_descriptors: 0,
        }
    }

    pub(crate) fn new(predicted: &[Option<Use>; NODES], shares: &Shares) -> Self {
        let mut weights = [0.0; NODES];
        for resource in RESOURCES {
            let scarcity = shares.scarcity(resource);
            let uses = || {
                let known = predicted.iter().enumerate();
                known.filter_map(|(node, each)| each.map(|each| (node, each.of(resource))))
            };
            // All take processor time: more than others, or less.
            let usual = match resource {
                Resource::ProcessorTime => {
                    uses().map(|(_, each)| each).sum::<f64>() / uses().count().max(1) as f64
                }
                _ => 0.0,
            };
            let most = uses().map(|(_, each)| (each - usual).abs());
            let most = most.fold(0.0, f64::max);
            if scarcity == 0.0 || most == 0.0 {
                continue;
            }
            for (node, each) in uses() {
                weights[node] -= scarcity * (each - usual) / most;
            }
        }
        let take = |of: fn(&Use) -> f64| {
            let takes = |each: &Option<Use>| each.is_some_and(|each| of(&each) > 0.0);
            let nodes = predicted.iter().enumerate();
            let nodes = nodes.filter(|(_, each)| takes(each));
            nodes.fold(0, |nodes, (node, _)| nodes | 1 << node)
        };
        Self {
            tickets: weights.map(|weight| {
                let tickets = f64::from(TICKETS) * (DOUBLINGS * weight).exp2();
                // At the least one, whatever is scarce at the same time.
                tickets.round().max(1.0) as u32
            }),
            take_memory: take(|each| each.memory_bytes),
            take_descriptors: take(|each| each.descriptors),
        }
    }

    /// Those that nobody is to go on from as long as so much is in use.
    pub(crate) fn held_back(&self, shares: &Shares) -> Nodes {
        let mut nodes = 0;
        if shares.memory >= FULL {
            nodes |= self.take_memory;
        }
        if shares.descriptors >= FULL {
            nodes |= self.take_descriptors;
        }
        nodes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uses(memory_bytes: &[f64]) -> [Option<Use>; NODES] {
        let mut all = [None; NODES];
        for (node, memory_bytes) in memory_bytes.iter().enumerate() {
            all[node] = Some(Use {
                ns: 1e3 * (node + 1) as f64,
                memory_bytes: *memory_bytes,
                descriptors: -memory_bytes,
            });
        }
        all
    }

    #[test]
    fn where_nothing_is_scarce_all_have_as_many_tickets() {
        let shares = Shares {
            processor_time: EASY,
            memory: 0.3,
            descriptors: 0.0,
        };
        let plan = Plan::new(&uses(&[100.0, 0.0, -100.0]), &shares);
        assert_eq!(plan.tickets, [TICKETS; NODES]);
        assert_eq!(plan.held_back(&shares), 0);
    }

    #[test]
    fn the_scarcer_memory_is_the_more_turns_have_those_that_give_it_back() {
        let mut before = 1.0;
        for memory in [0.6, 0.7, 0.8, 0.89] {
            let shares = Shares {
                memory,
                ..Shares::default()
            };
            let plan = Plan::new(&uses(&[100.0, 0.0, -50.0]), &shares);
            let [takes, neutral, gives, unknown, ..] = plan.tickets.map(f64::from);
            assert!(
                takes < neutral && neutral < gives,
                "{:?}",
                &plan.tickets[..3]
            );
            assert_eq!(neutral, unknown);
            assert!(gives / takes > before, "{memory}");
            before = gives / takes;
            assert_eq!(plan.held_back(&shares), 0);
        }
        let full = Shares {
            memory: FULL,
            ..Shares::default()
        };
        let plan = Plan::new(&uses(&[100.0, 0.0, -50.0]), &full);
        assert_eq!(plan.held_back(&full), 0b001);
    }

    /// What is scarce decides: who gives memory back may take descriptors.
    #[test]
    fn who_is_held_back_depends_on_what_is_scarce() {
        let plan = |memory, descriptors| {
            let shares = Shares {
                processor_time: 1.0,
                memory,
                descriptors,
            };
            Plan::new(&uses(&[100.0, 0.0, -100.0]), &shares).held_back(&shares)
        };
        assert_eq!(plan(1.0, 0.0), 0b001);
        assert_eq!(plan(0.0, 1.0), 0b100);
        assert_eq!(plan(1.2, 1.2), 0b101);
    }

    #[test]
    fn where_processor_time_is_scarce_the_short_go_first_and_nobody_is_held_back() {
        let shares = Shares {
            processor_time: 1.0,
            ..Shares::default()
        };
        let plan = Plan::new(&uses(&[0.0, 0.0, 0.0]), &shares);
        let [short, usual, long, ..] = plan.tickets;
        assert!(
            short > usual && usual == TICKETS && usual > long && long > 0,
            "{:?}",
            &plan.tickets[..3]
        );
        assert_eq!(plan.held_back(&shares), 0);
    }

    #[test]
    fn a_prediction_follows_what_is_seen_and_forgets_what_was() {
        let mut predictor = Predictor::new();
        let mut seen = Observed::default();
        let mut look = |bytes: i64, ns: u64, times: u64| {
            seen += Observed {
                count: 10 * times,
                sampled: times,
                ns: ns * times,
                taken: Taken {
                    memory_bytes: 10 * bytes * times as i64,
                    descriptors: 0,
                },
            };
            let now = seen;
            predictor.look(|node| if node == 3 { now } else { Observed::default() })[3]
        };
        assert_eq!(look(0, 0, 0), None);
        let first = look(1000, 500, 2).unwrap();
        assert_eq!((first.memory_bytes, first.ns), (1000.0, 500.0));
        let next = look(-1000, 100, 1).unwrap();
        assert_eq!((next.memory_bytes, next.ns), (500.0, 400.0));
        // Nobody has come by: it stays.
        assert_eq!(look(0, 0, 0), Some(next));
        for _ in 0..20 {
            look(-1000, 100, 1);
        }
        let last = look(-1000, 100, 1).unwrap();
        assert!((last.memory_bytes + 1000.0).abs() < 10.0, "{last:?}");
    }

    #[test]
    fn shares_are_of_what_there_is() {
        let limits = Limits {
            memory_bytes: Some(1000),
            descriptors: None,
        };
        let held = Taken {
            memory_bytes: 900,
            descriptors: 1_000_000,
        };
        let shares = Shares::of(&limits, held, 0.25);
        assert_eq!(
            (shares.memory, shares.descriptors, shares.processor_time),
            (0.9, 0.0, 0.25)
        );
    }
}
