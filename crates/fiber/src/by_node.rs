//! A run queue for each node of the blocking graph, which have their turns by stride scheduling (Waldspurger and Weihl, 1995).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::place::{NODES, Node};
use crate::schedule::{HELD_BACK_AT_MOST, Nodes, Plan};

/// What is divided by a node's tickets to be its stride.
const STRIDE_OF_ONE_TICKET: u64 = 1 << 32;

/// Who can go on, by the node that they go on from; first in, first out for each.
#[derive(Debug)]
pub(crate) struct ByNode<T> {
    queues: Box<[VecDeque<T>]>,
    /// Those that have somebody.
    filled: Nodes,
    len: usize,
    /// When each has its turn, in virtual time: whose pass is the least has it.
    pass: [u64; NODES],
    /// The pass of who had the last turn.
    reached: u64,
    /// Since when somebody has been held back.
    held_back_since: Option<Instant>,
}

impl<T> ByNode<T> {
    pub(crate) fn new() -> Self {
        Self {
            queues: (0..NODES).map(|_| VecDeque::new()).collect(),
            filled: 0,
            len: 0,
            pass: [0; NODES],
            reached: 0,
            held_back_since: None,
        }
    }

    pub(crate) fn push(&mut self, node: Node, item: T) {
        let node = node.index();
        let queue = &mut self.queues[node];
        if queue.is_empty() {
            self.filled |= 1 << node;
            // Who comes back has saved up nothing while nobody was there.
            self.pass[node] = self.pass[node].max(self.reached);
        }
        queue.push_back(item);
        self.len += 1;
    }

    /// Who goes on next. Of those that are held back one does, every [`HELD_BACK_AT_MOST`].
    pub(crate) fn pop(
        &mut self,
        plan: &Plan,
        held_back: Nodes,
        now: impl FnOnce() -> Instant,
    ) -> Option<T> {
        let waiting = self.filled & held_back;
        let node = match self.is_over_for(waiting, now) {
            true => self.next_of(waiting),
            false => self.next_of(self.filled & !held_back),
        }?;
        let item = self.queues[node].pop_front();
        if self.queues[node].is_empty() {
            self.filled &= !(1 << node);
        }
        self.len -= 1;
        self.reached = self.pass[node];
        self.pass[node] += STRIDE_OF_ONE_TICKET / u64::from(plan.tickets[node].max(1));
        item
    }

    /// Whether those have been held back long enough for one of them.
    fn is_over_for(&mut self, waiting: Nodes, now: impl FnOnce() -> Instant) -> bool {
        if waiting == 0 {
            self.held_back_since = None;
            return false;
        }
        let now = now();
        let since = self.held_back_since.get_or_insert(now);
        let is_over = now.saturating_duration_since(*since) >= HELD_BACK_AT_MOST;
        if is_over {
            *since = now;
        }
        is_over
    }

    fn next_of(&self, mut nodes: Nodes) -> Option<usize> {
        let mut next = None;
        while nodes != 0 {
            let node = nodes.trailing_zeros() as usize;
            nodes &= nodes - 1;
            let pass = self.pass[node];
            if next.is_none_or(|(_, least)| pass < least) {
                next = Some((node, pass));
            }
        }
        next.map(|(node, _)| node)
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether somebody can go on who is not held back.
    pub(crate) fn is_any_but(&self, held_back: Nodes) -> bool {
        self.filled & !held_back != 0
    }

    /// How long until one goes on of those that are held back, if there are any.
    pub(crate) fn time_left(&self, now: Instant) -> Option<Duration> {
        let since = self.held_back_since.filter(|_| self.filled != 0)?;
        Some(HELD_BACK_AT_MOST.saturating_sub(now.saturating_duration_since(since)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::TICKETS;

    fn plan(tickets: &[u32]) -> Plan {
        let mut plan = Plan::even();
        plan.tickets[..tickets.len()].copy_from_slice(tickets);
        plan
    }

    fn node(index: usize) -> Node {
        Node::from_index(index)
    }

    /// How many turns each has, of so many, if somebody is always there.
    fn turns(plan: &Plan, nodes: usize, of: usize) -> Vec<usize> {
        let mut queue = ByNode::new();
        (0..nodes).for_each(|index| queue.push(node(index), index));
        let mut turns = vec![0; nodes];
        for _ in 0..of {
            let next = queue.pop(plan, 0, Instant::now).unwrap();
            turns[next] += 1;
            queue.push(node(next), next);
        }
        turns
    }

    /// The paper's example: three clients with 3, 2 and 1 tickets.
    #[test]
    fn turns_are_in_proportion_to_tickets() {
        assert_eq!(turns(&plan(&[3, 2, 1]), 3, 600), [300, 200, 100]);
        assert_eq!(turns(&plan(&[TICKETS; 4]), 4, 400), [100; 4]);
    }

    /// Within any stretch a node is no more than one turn away from its due (the error of stride scheduling for two clients).
    #[test]
    fn nobody_is_ever_far_from_what_is_due() {
        let plan = plan(&[7, 3]);
        for of in 1..200 {
            let first = turns(&plan, 2, of)[0] as f64;
            let due = of as f64 * 0.7;
            assert!((first - due).abs() <= 1.0, "{first} of {of}");
        }
    }

    #[test]
    fn who_was_away_does_not_make_up_for_it() {
        let plan = plan(&[1, 1]);
        let mut queue = ByNode::new();
        queue.push(node(0), 0);
        for _ in 0..1000 {
            queue.pop(&plan, 0, Instant::now);
            queue.push(node(0), 0);
        }
        let mut second = 0;
        for _ in 0..100 {
            queue.push(node(1), 1);
            let next = queue.pop(&plan, 0, Instant::now).unwrap();
            second += next;
            queue.push(node(next), next);
        }
        assert!((49..=51).contains(&second), "{second}");
    }

    #[test]
    fn within_a_node_who_comes_first_is_first() {
        let mut queue = ByNode::new();
        (0..10).for_each(|item| queue.push(node(5), item));
        let all = std::iter::from_fn(|| queue.pop(&Plan::even(), 0, Instant::now));
        assert_eq!(all.collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
        assert_eq!(queue.len(), 0);
        assert!(!queue.is_any_but(0));
    }

    /// On virtual time: who is held back waits, but for one at a time.
    #[test]
    fn who_is_held_back_goes_on_one_at_a_time() {
        let start = Instant::now();
        let at = |ms| move || start + Duration::from_millis(ms);
        let plan = Plan::even();
        let mut queue = ByNode::new();
        for item in 0..3 {
            queue.push(node(1), item);
        }
        queue.push(node(2), 10);
        let held_back = 1 << 1;
        assert!(queue.is_any_but(held_back));
        assert_eq!(queue.pop(&plan, held_back, at(0)), Some(10));
        assert!(!queue.is_any_but(held_back));
        assert_eq!(queue.pop(&plan, held_back, at(10)), None);
        assert_eq!(
            queue.time_left(at(10)()),
            Some(Duration::from_millis(40)),
            "since it was first passed over"
        );
        assert_eq!(queue.pop(&plan, held_back, at(50)), Some(0));
        assert_eq!(queue.pop(&plan, held_back, at(99)), None);
        assert_eq!(queue.pop(&plan, held_back, at(100)), Some(1));
        // There is room again.
        assert_eq!(queue.pop(&plan, 0, at(101)), Some(2));
        assert_eq!(queue.time_left(at(101)()), None);
    }
}
