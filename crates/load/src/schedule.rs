//! The scheduling core: who is due to ask, and when. It is told the time and never asks for it.
//!
//! An open-loop schedule is not a queue. Its arrivals follow from a seed, so one that finds no free connection simply stays in the stream, with its
//! intended time, until it is taken: the backlog of an overloaded server costs no memory, and no arrival is ever dropped or moved.

mod arrivals;
mod think;

use crate::clock::Nanos;
use arrivals::Arrivals;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
pub use think::Think;

/// Which requests make others follow.
#[derive(Clone, Debug)]
pub enum Model {
    /// So many clients, each of which asks again when it was answered and has thought.
    Closed {
        /// Clients of this thread.
        clients: u32,
        /// The number of its first client among those of all threads of all parts, and how many clients there are in all.
        first: u32,
        /// See `first`.
        of: u32,
        /// Requests that a client keeps outstanding (pipelining depth).
        depth: u32,
    },
    /// Requests come when they come.
    Open,
    /// Sessions come when they come; the requests of one follow each other, or come all at once.
    PartlyOpen {
        /// Requests of each session.
        requests: u32,
        /// Whether all of them are due at its beginning.
        at_once: bool,
    },
}

/// Whose request it is, to be handed back when it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// An arrival of its own; nothing follows.
    Arrival,
    /// A client of the closed loop, numbered within this thread.
    Client(u32),
    /// A session under way.
    Session(u32),
}

/// A request that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When it was to be sent. In a closed loop: when its client was ready.
    pub intended: Nanos,
    /// Its number in the whole run, which decides what is asked for.
    pub number: u64,
    /// Whose it is.
    pub origin: Origin,
}

/// What the schedule of one thread is made of.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The model.
    pub model: Model,
    /// When requests or sessions arrive; unused in a closed loop.
    pub arrivals: Option<workload::Schedule>,
    /// Think time.
    pub think: Think,
    /// Seed of think times.
    pub seed: u64,
    /// Nothing is due from this time on.
    pub end: Nanos,
    /// The most requests of this thread (closed loop), or the number of the first arrival, of all threads', that is not due any more.
    pub limit: u64,
    /// The most requests of all threads of all parts (partly open): the last session has what is left.
    pub requests: u64,
}

/// The schedule of one thread.
#[derive(Debug)]
pub struct Schedule {
    plan: Plan,
    arrivals: Arrivals,
    /// The same stream, read ahead only to count who waits.
    ahead: Arrivals,
    /// Clients and sessions whose next request has a time, the earliest on top.
    ready: BinaryHeap<Reverse<(Nanos, u64, Origin)>>,
    sessions: Vec<Session>,
    unused_sessions: Vec<u32>,
    /// Requests taken, by all.
    taken: u64,
    /// Requests taken by each client.
    rounds: Vec<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Session {
    start: Nanos,
    number: u64,
    /// Requests that were taken.
    taken: u32,
    /// Requests that are over: answered, or come to nothing.
    over: u32,
    has_failed: bool,
}

impl Schedule {
    /// The schedule as it stands before the start.
    pub fn new(plan: Plan) -> Self {
        let arrivals = Arrivals::new(&plan);
        let mut schedule = Self {
            ahead: arrivals.clone(),
            arrivals,
            ready: BinaryHeap::new(),
            sessions: Vec::new(),
            unused_sessions: Vec::new(),
            taken: 0,
            rounds: Vec::new(),
            plan,
        };
        if let Model::Closed {
            clients,
            first,
            of,
            depth,
        } = schedule.plan.model
        {
            schedule.rounds = vec![0; clients as usize];
            for client in 0..clients {
                let number = u64::from(first + client);
                // Clients that think do not all come at once: their first requests are spread over one think time.
                let at = match schedule.plan.think {
                    Think::Constant(_) => {
                        let think = schedule.plan.think.at(0, 0);
                        (u128::from(think) * u128::from(number) / u128::from(of.max(1))) as Nanos
                    }
                    Think::Exponential(_) => schedule.plan.think.at(schedule.plan.seed, number),
                };
                for _ in 0..depth {
                    schedule.push(at, Origin::Client(client));
                }
            }
        }
        schedule
    }

    /// When the next request is due, if that is known yet.
    #[inline]
    pub fn next_at(&self) -> Option<Nanos> {
        let ready = match self.ready.peek() {
            Some(Reverse((at, ..))) if !self.is_spent() => Some(*at),
            _ => None,
        };
        let arrival = self.arrivals.next.map(|(at, _)| at);
        match (ready, arrival) {
            (Some(ready), Some(arrival)) => Some(ready.min(arrival)),
            (one, other) => one.or(other),
        }
    }

    /// Takes the request that has been due the longest, if one is due at `now`.
    #[inline]
    pub fn take(&mut self, now: Nanos) -> Option<Due> {
        if self.next_at()? > now {
            return None;
        }
        let ready_at = self.ready.peek().map(|Reverse((at, ..))| *at);
        self.taken += 1;
        match self.arrivals.next {
            Some((at, number)) if ready_at.is_none_or(|ready| at <= ready) => {
                self.take_arrival(at, number)
            }
            _ => self.take_ready(),
        }
    }

    fn take_arrival(&mut self, intended: Nanos, number: u64) -> Option<Due> {
        self.arrivals.advance(&self.plan);
        let Model::PartlyOpen { requests, at_once } = self.plan.model else {
            return Some(Due {
                intended,
                number,
                origin: Origin::Arrival,
            });
        };
        let session = Session {
            start: intended,
            number,
            taken: 1,
            over: 0,
            has_failed: false,
        };
        let index = match self.unused_sessions.pop() {
            Some(index) => {
                self.sessions[index as usize] = session;
                index
            }
            None => {
                self.sessions.push(session);
                (self.sessions.len() - 1) as u32
            }
        };
        let origin = Origin::Session(index);
        if at_once {
            for _ in 1..self.requests_of(session, requests) {
                self.push(intended, origin);
            }
        }
        Some(Due {
            intended,
            number: number * u64::from(requests),
            origin,
        })
    }

    fn take_ready(&mut self) -> Option<Due> {
        let Reverse((intended, _, origin)) = self.ready.pop()?;
        let number = match (origin, &self.plan.model) {
            (Origin::Client(client), Model::Closed { first, of, .. }) => {
                let round = &mut self.rounds[client as usize];
                *round += 1;
                u64::from(first + client) + (*round - 1) * u64::from(*of)
            }
            (Origin::Session(index), Model::PartlyOpen { requests, .. }) => {
                let session = &mut self.sessions[index as usize];
                session.taken += 1;
                session.number * u64::from(*requests) + u64::from(session.taken - 1)
            }
            _ => 0,
        };
        Some(Due {
            intended,
            number,
            origin,
        })
    }

    /// A request was answered at `now`. Gives the intended start of its session if that is now complete; one that is cut short by the
    /// number of requests never is.
    #[inline]
    pub fn answered(&mut self, origin: Origin, number: u64, now: Nanos) -> Option<Nanos> {
        match origin {
            Origin::Arrival => None,
            Origin::Client(_) => {
                let think = self.think(number);
                self.push(now.saturating_add(think), origin);
                None
            }
            Origin::Session(index) => {
                let Model::PartlyOpen { requests, at_once } = self.plan.model else {
                    return None;
                };
                let session = &mut self.sessions[index as usize];
                session.over += 1;
                let session = *session;
                if session.over == self.requests_of(session, requests) {
                    self.unused_sessions.push(index);
                    let is_whole = session.over == requests && !session.has_failed;
                    return is_whole.then_some(session.start);
                }
                if !at_once {
                    let think = self.think(number);
                    self.push(now.saturating_add(think), origin);
                }
                None
            }
        }
    }

    /// How many requests a session has: the last one what is left.
    fn requests_of(&self, session: Session, requests: u32) -> u32 {
        let before = session.number * u64::from(requests);
        let left = self.plan.requests.saturating_sub(before);
        requests.min(u32::try_from(left).unwrap_or(u32::MAX))
    }

    /// A request came to nothing at `now`. A client goes on; a session ends there, but for what of it is due already.
    pub fn failed(&mut self, origin: Origin, number: u64, now: Nanos) {
        match (origin, &self.plan.model) {
            (Origin::Session(index), Model::PartlyOpen { at_once: true, .. }) => {
                self.sessions[index as usize].has_failed = true;
                self.answered(origin, number, now);
            }
            (Origin::Session(index), _) => self.unused_sessions.push(index),
            (Origin::Client(_) | Origin::Arrival, _) => {
                self.answered(origin, number, now);
            }
        }
    }

    fn think(&self, number: u64) -> Nanos {
        if self.plan.think.is_none() {
            return 0;
        }
        self.plan.think.at(self.plan.seed, number)
    }

    fn push(&mut self, at: Nanos, origin: Origin) {
        if at < self.plan.end {
            // The number taken so far breaks ties first come, first served.
            self.ready.push(Reverse((at, self.taken, origin)));
        } else if let Origin::Session(index) = origin {
            self.unused_sessions.push(index);
        }
    }

    /// How many arrivals are due at `now` and not taken, and of sessions whose requests come all at once the rest of those. Costs as many steps
    /// as arrivals became due since it was last asked.
    pub fn waiting(&mut self, now: Nanos) -> u64 {
        if self.ahead.read < self.arrivals.read {
            self.ahead = self.arrivals.clone();
        }
        while self.ahead.next.is_some_and(|(at, _)| at <= now) {
            self.ahead.advance(&self.plan);
        }
        let due = |arrivals: &Arrivals| arrivals.read - u64::from(arrivals.next.is_some());
        let arrivals = due(&self.ahead).saturating_sub(due(&self.arrivals));
        match self.plan.model {
            Model::PartlyOpen {
                requests,
                at_once: true,
            } => arrivals * u64::from(requests) + self.ready.len() as u64,
            _ => arrivals,
        }
    }

    /// Nothing that is intended for `now` or later will be due: the run ends here.
    pub fn end(&mut self, now: Nanos) {
        self.plan.end = self.plan.end.min(now);
        let end = self.plan.end;
        if self.arrivals.next.is_some_and(|(at, _)| at >= end) {
            self.arrivals.next = None;
        }
        if self.ahead.next.is_some_and(|(at, _)| at >= end) {
            self.ahead.next = None;
        }
        self.ready.retain(|Reverse((at, ..))| *at < end);
    }

    /// Whether nothing is due, now or later, unless an answer brings it.
    pub fn is_idle(&self) -> bool {
        self.next_at().is_none()
    }

    /// Whether nothing is due, now or later, whatever answers come.
    pub fn is_over(&self, now: Nanos) -> bool {
        self.is_idle() && (now >= self.plan.end || self.is_spent())
    }

    /// Whether the closed loop has made all its requests.
    fn is_spent(&self) -> bool {
        matches!(self.plan.model, Model::Closed { .. }) && self.taken >= self.plan.limit
    }

    /// How many requests were taken.
    pub fn taken(&self) -> u64 {
        self.taken
    }
}

#[cfg(test)]
mod tests;
