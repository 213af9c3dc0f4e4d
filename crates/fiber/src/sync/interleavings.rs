//! Every order in which fibers can come to the mutex and the queue, and be woken: nobody is forgotten, nobody overtakes.
//!
//! What is between two locks of the state is one step; a fiber that waits has a token, as every fiber has, which an unpark sets and
//! parking takes. All that can be done next is tried, from each state that there is, each state once.

use std::collections::HashSet;

use super::queue::{State, Tried};
use super::turns::Turns;

/// What a fiber does next.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Step {
    TakesNumber,
    Tries(u64),
    /// Until its token is set.
    Parks(u64),
    /// Has the mutex, and gives it back.
    Holds,
    Unparks(Vec<usize>),
    Over,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Agent {
    step: Step,
    token: bool,
    /// How often it does so still.
    left: u32,
}

impl Agent {
    fn new(times: u32) -> Self {
        Self {
            step: Step::TakesNumber,
            token: false,
            left: times,
        }
    }

    fn can_go_on(&self) -> bool {
        match self.step {
            Step::Over => false,
            Step::Parks(_) => self.token,
            _ => true,
        }
    }

    /// Begins again, or is over.
    fn again(&mut self) {
        self.left -= 1;
        self.step = match self.left {
            0 => Step::Over,
            _ => Step::TakesNumber,
        };
    }
}

/// Something that agents do together, each state of which can be told from the others.
trait Model: Clone {
    type Key: std::hash::Hash + Eq;

    fn agents(&mut self) -> &mut Vec<Agent>;
    /// An agent that neither parks nor unparks does its step.
    fn step(&mut self, agent: usize);
    fn key(&self) -> Self::Key;
    fn check_end(&self);
}

/// Tries every order; how many states there are.
fn explore<M: Model>(first: M) -> usize {
    let mut known = HashSet::from([first.key()]);
    let mut open = vec![first];
    while let Some(mut model) = open.pop() {
        let count = model.agents().len();
        let able: Vec<_> = (0..count)
            .filter(|&agent| model.agents()[agent].can_go_on())
            .collect();
        if able.is_empty() {
            let over = model.agents().iter().all(|agent| agent.step == Step::Over);
            assert!(over, "somebody waits for ever: {:?}", model.agents());
            model.check_end();
        }
        for number in able {
            let mut next = model.clone();
            let agent = &mut next.agents()[number];
            match agent.step.clone() {
                Step::Parks(ticket) => {
                    agent.token = false;
                    agent.step = Step::Tries(ticket);
                }
                Step::Unparks(mut waiting) => match waiting.pop() {
                    Some(other) => {
                        agent.step = Step::Unparks(waiting);
                        next.agents()[other].token = true;
                    }
                    None => agent.again(),
                },
                _ => next.step(number),
            }
            if known.insert(next.key()) {
                open.push(next);
            }
        }
    }
    known.len()
}

#[derive(Debug, Clone)]
struct Locking {
    turns: Turns<usize>,
    agents: Vec<Agent>,
    /// Who asked, in order, and who has had it.
    asked: Vec<usize>,
    had: Vec<usize>,
}

impl Model for Locking {
    type Key = (String, Vec<Agent>, Vec<usize>, Vec<usize>);

    fn agents(&mut self) -> &mut Vec<Agent> {
        &mut self.agents
    }

    fn step(&mut self, agent: usize) {
        let step = match self.agents[agent].step {
            Step::TakesNumber => {
                self.asked.push(agent);
                Step::Tries(self.turns.take_number(|| agent))
            }
            Step::Tries(number) if self.turns.is_served(number) => {
                let holds = |agent: &Agent| agent.step == Step::Holds;
                assert!(!self.agents.iter().any(holds), "two have the mutex");
                self.had.push(agent);
                Step::Holds
            }
            Step::Tries(number) => Step::Parks(number),
            _ => Step::Unparks(self.turns.finish().into_iter().collect()),
        };
        self.agents[agent].step = step;
    }

    fn key(&self) -> Self::Key {
        let turns = format!("{:?}", self.turns);
        (
            turns,
            self.agents.clone(),
            self.asked.clone(),
            self.had.clone(),
        )
    }

    fn check_end(&self) {
        assert_eq!(self.had, self.asked, "somebody was overtaken");
    }
}

#[test]
fn a_mutex_forgets_nobody_in_any_order_of_events() {
    for (fibers, times) in [(2, 3), (3, 2), (4, 1)] {
        let states = explore(Locking {
            turns: Turns::default(),
            agents: vec![Agent::new(times); fibers],
            asked: Vec::new(),
            had: Vec::new(),
        });
        assert!(states > 100, "{states}");
    }
}

/// The first are producers, all others consumers.
#[derive(Debug, Clone)]
struct Queueing {
    queue: State<(usize, u32), usize>,
    agents: Vec<Agent>,
    producers: usize,
    /// What went in, and what came out.
    pushed: Vec<(usize, u32)>,
    popped: Vec<(usize, u32)>,
}

impl Model for Queueing {
    type Key = (String, Vec<Agent>, Vec<(usize, u32)>, Vec<(usize, u32)>);

    fn agents(&mut self) -> &mut Vec<Agent> {
        &mut self.agents
    }

    fn step(&mut self, agent: usize) {
        let is_producer = agent < self.producers;
        let step = match self.agents[agent].step {
            Step::TakesNumber if is_producer => {
                Step::Tries(self.queue.take_number_to_push(|| agent))
            }
            Step::TakesNumber => Step::Tries(self.queue.take_number_to_pop(|| agent)),
            Step::Tries(number) if is_producer => {
                let item = (agent, self.agents[agent].left);
                match self.queue.try_push(number, &mut Some(item), || agent) {
                    Tried::Done((), called) => {
                        self.pushed.push(item);
                        Step::Unparks(called.into_iter().flatten().collect())
                    }
                    Tried::Waits => Step::Parks(number),
                }
            }
            Step::Tries(number) => match self.queue.try_pop(number, || agent) {
                Tried::Done(item, called) => {
                    self.popped.push(item);
                    Step::Unparks(called.into_iter().flatten().collect())
                }
                Tried::Waits => Step::Parks(number),
            },
            _ => unreachable!("nobody holds a queue"),
        };
        self.agents[agent].step = step;
    }

    fn key(&self) -> Self::Key {
        let queue = format!("{:?}", self.queue);
        (
            queue,
            self.agents.clone(),
            self.pushed.clone(),
            self.popped.clone(),
        )
    }

    fn check_end(&self) {
        assert_eq!(self.popped, self.pushed, "not as it came");
    }
}

#[test]
fn a_queue_forgets_nobody_in_any_order_of_events() {
    // Producers and consumers, each with how many items, and room.
    let cases = [
        ((1, 3), (1, 3), 1),
        ((2, 1), (1, 2), 1),
        ((1, 2), (2, 1), 1),
        ((2, 1), (2, 1), 1),
        ((2, 1), (2, 1), 2),
    ];
    for ((producers, pushes), (consumers, pops), capacity) in cases {
        let mut agents = vec![Agent::new(pushes); producers];
        agents.extend(vec![Agent::new(pops); consumers]);
        let states = explore(Queueing {
            queue: State::new(capacity),
            agents,
            producers,
            pushed: Vec::new(),
            popped: Vec::new(),
        });
        assert!(states > 50, "{states}");
    }
}
