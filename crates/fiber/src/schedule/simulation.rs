//! What the order of turns makes of an overload, on virtual time: requests that hold memory across a disk, and need a little more for a
//! moment when they are back.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::{Duration, Instant};

use super::*;
use crate::by_node::ByNode;
use crate::place::Node;

/// Buffers that there are.
const BUFFERS: i64 = 64;
/// The disk: 1,000 reads a second.
const ARMS: usize = 4;
const READ_NS: u64 = 4_000_000;
/// A turn of a request's.
const TURN_NS: u64 = 20_000;
const PLAN_EVERY_NS: u64 = 10_000_000;
const END_NS: u64 = 10_000_000_000;

/// Where a request goes on from.
const ARRIVED: usize = 1;
const HAS_READ: usize = 2;

/// Who has the next turn.
enum Order {
    Fifo(VecDeque<usize>),
    Resource {
        queue: Box<ByNode<usize>>,
        predictor: Box<Predictor>,
        plan: Box<Plan>,
    },
}

impl Order {
    fn resource() -> Self {
        Self::Resource {
            queue: Box::new(ByNode::new()),
            predictor: Box::new(Predictor::new()),
            plan: Box::new(Plan::even()),
        }
    }

    fn push(&mut self, node: usize) {
        match self {
            Self::Fifo(queue) => queue.push_back(node),
            Self::Resource { queue, .. } => queue.push(Node::from_index(node), node),
        }
    }

    fn pop(&mut self, held: i64, now: Instant) -> Option<usize> {
        match self {
            Self::Fifo(queue) => queue.pop_front(),
            Self::Resource { queue, plan, .. } => {
                queue.pop(plan, plan.held_back(&shares(held)), || now)
            }
        }
    }

    fn look(&mut self, seen: &[Observed; NODES], held: i64) {
        if let Self::Resource {
            predictor, plan, ..
        } = self
        {
            **plan = Plan::new(predictor.look(|node| seen[node]), &shares(held));
        }
    }
}

fn shares(held: i64) -> Shares {
    let limits = Limits {
        memory_bytes: Some(BUFFERS as u64),
        descriptors: None,
    };
    let held = Taken {
        memory_bytes: held,
        descriptors: 0,
    };
    Shares::of(&limits, held, 0.0)
}

/// How many requests are answered in a second, of so many.
fn goodput(mut order: Order, per_s: u64) -> f64 {
    let start = Instant::now();
    let mut seen = [Observed::default(); NODES];
    let (mut now, mut held, mut good) = (0, 0, 0);
    let (mut next_arrival, mut next_plan) = (0, 0);
    // When reads are over, and how many wait for an arm.
    let mut reads = BinaryHeap::new();
    let mut waiting = 0;
    while now < END_NS {
        while next_arrival <= now {
            next_arrival += 1_000_000_000 / per_s;
            order.push(ARRIVED);
        }
        while let Some(&Reverse(at)) = reads.peek() {
            if at > now {
                break;
            }
            reads.pop();
            order.push(HAS_READ);
            if waiting > 0 {
                waiting -= 1;
                reads.push(Reverse(at + READ_NS));
            }
        }
        if next_plan <= now {
            next_plan += PLAN_EVERY_NS;
            order.look(&seen, held);
        }
        let Some(node) = order.pop(held, start + Duration::from_nanos(now)) else {
            let next_read = reads.peek().map_or(u64::MAX, |Reverse(at)| *at);
            now = next_arrival.min(next_read).min(next_plan);
            continue;
        };
        now += TURN_NS;
        let taken = match node {
            ARRIVED if held < BUFFERS => {
                match reads.len() < ARMS {
                    true => reads.push(Reverse(now + READ_NS)),
                    false => waiting += 1,
                }
                1
            }
            ARRIVED => 0,
            _ => {
                good += u64::from(held < BUFFERS);
                -1
            }
        };
        held += taken;
        seen[node] += Observed {
            count: 1,
            sampled: 1,
            ns: TURN_NS,
            taken: Taken {
                memory_bytes: taken,
                descriptors: 0,
            },
        };
    }
    good as f64 / (END_NS as f64 / 1e9)
}

fn fifo(per_s: u64) -> f64 {
    goodput(Order::Fifo(VecDeque::new()), per_s)
}

fn resource(per_s: u64) -> f64 {
    goodput(Order::resource(), per_s)
}

#[test]
fn below_what_can_be_served_both_serve_all() {
    for per_s in [100, 500, 900] {
        for served in [fifo(per_s), resource(per_s)] {
            assert!(served >= 0.99 * per_s as f64, "{served} of {per_s}");
        }
    }
}

#[test]
fn under_overload_holding_back_who_takes_memory_keeps_what_is_served() {
    for per_s in [1_500, 2_000, 4_000] {
        let (fifo, resource) = (fifo(per_s), resource(per_s));
        assert!(fifo < 600.0, "{fifo} of {per_s}");
        assert!(resource > 950.0, "{resource} of {per_s}");
    }
}
