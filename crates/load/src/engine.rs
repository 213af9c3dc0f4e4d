//! The loop: one for each thread.
//!
//! It sends what is due, waits for an event or the next due time, reads what came. A request costs two system calls, a write and a read, and a
//! share of the `epoll_wait` that reports many at once: connections are registered once, edge-triggered, for both directions, and a
//! read that does not fill the buffer has emptied the socket.
//!
//! Everything that decides *when* is in [`crate::schedule`]; here time is only read and recorded.
//!
//! | module | what it does | knows of |
//! | --- | --- | --- |
//! | `stream` | a socket of any family | |
//! | `connection` | a socket, TLS and the responses on it, and the requests under way | `stream` |
//! | `pool` | which connections are open, free, or to be looked at | `connection` |
//! | `recorder` | what becomes of requests, recorded | requests |
//! | `issuer` | opens connections, and gives what is due to them | all before |
//! | `endings` | what becomes of requests and their connections | `issuer` |
//! | `drain` | who leaves at the end, and what is given up | `issuer` |
//! | `multiplexed` | what comes where HTTP/2 is spoken | `endings` |
//! | `receiver` | reads what comes | `endings`, `multiplexed` |
//! | `storm` | newcomers, who ask for nothing: a loop of their own | `stream` |

mod connection;
mod drain;
mod ended;
mod endings;
mod issuer;
mod multiplexed;
mod pool;
mod receiver;
mod recorder;
mod storm;
mod stream;
#[cfg(test)]
mod tests;

use crate::clock::{Clock, Nanos, SECOND};
use crate::collect::{Live, Mailbox};
use crate::cpu::ThreadTimes;
use crate::run::{Control, Run};
use crate::schedule::Schedule;
use crate::timer::{Timer, Wait};
use connection::State;
pub(crate) use ended::Ended;
use issuer::Issuer;
use mio::event::Event;
use mio::{Events, Poll, Token, Waker};
use pool::Pool;
use receiver::Receiver;
use recorder::Recorder;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
pub use storm::Newcomers;
pub(crate) use storm::Storm;

const TIMER: Token = Token(usize::MAX - 1);
const WAKER: Token = Token(usize::MAX - 2);
/// Events taken at once. Due requests are looked for after each.
const EVENTS: usize = 256;
/// How long the clock waits for connections that are under way, when some are open. Enough for an attempt that finds the
/// backlog full to come again, which it does after a second.
const PATIENCE_AT_START: Nanos = 3 * SECOND;

/// One thread's share of a run.
pub(crate) struct Engine {
    run: Arc<Run>,
    control: Arc<Control>,
    poll: Poll,
    timer: Timer,
    issuer: Issuer,
    receiver: Receiver,
    spun: Nanos,
}

impl Engine {
    pub(crate) fn new(
        run: Arc<Run>,
        control: Arc<Control>,
        thread: usize,
        mailbox: Mailbox,
        window_end: Nanos,
    ) -> io::Result<(Self, Waker)> {
        let poll = Poll::new()?;
        let timer = Timer::new(poll.registry(), TIMER, run.most_spin)?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let (clients, most_connections) = run.connections(thread);
        let before: usize = (0..thread).map(|other| run.connections(other).0).sum();
        let issuer = Issuer::new(
            run.clone(),
            Clock::from(Instant::now()),
            Schedule::new(run.schedule(thread)),
            Pool::new(
                run.clone(),
                poll.registry().try_clone()?,
                (clients, most_connections),
                before,
            ),
            Recorder::new(run.clone(), clients, mailbox, window_end),
        );
        let engine = Self {
            control,
            poll,
            timer,
            issuer,
            receiver: Receiver::new(run.clone()),
            spun: 0,
            run,
        };
        Ok((engine, waker))
    }

    /// Opens the connections of the start, as far as that can be done soon: a server with fewer workers than there are clients
    /// lets the others wait, for as long as those that have one say nothing. False: not one could be made.
    pub(crate) fn connect(&mut self) -> io::Result<bool> {
        let mut events = Events::with_capacity(EVENTS);
        let clock = self.issuer.clock;
        for slot in 0..self.issuer.pool.len() {
            self.issuer.dial(slot, clock.now());
        }
        let until = clock.now().saturating_add(PATIENCE_AT_START);
        while self.issuer.pool.is_any_coming() && self.control.stop_requests() == 0 {
            if clock.now() > until && self.issuer.pool.is_any_open() {
                break;
            }
            self.poll_events(&mut events, Some(Duration::from_millis(20)))?;
            self.handle(&events);
            endings::expire(&mut self.issuer, clock.now());
        }
        Ok(self.issuer.pool.is_any_open())
    }

    /// There is nobody to ask: hands over what was counted while trying.
    pub(crate) fn give_up(mut self) {
        self.issuer.recorder.ship_last(1);
    }

    /// Runs from `start` to the end.
    pub(crate) fn run(mut self, start: Instant) -> io::Result<Ended> {
        let clock = Clock::from(start);
        self.issuer.begin(clock);
        let mut events = Events::with_capacity(EVENTS);
        let times = ThreadTimes::now();
        let mut next_second = SECOND;
        let mut drain_until = self.run.drain_until();
        let mut stops = 0;
        let mut unheard = None;
        let mut now = clock.now();
        let (ended_at, gave_up) = loop {
            let issuer = &mut self.issuer;
            issuer.issue(now);
            endings::expire(issuer, now);
            if now >= next_second {
                self.ship(now);
                next_second = (now / SECOND + 1) * SECOND;
            }
            let issuer = &mut self.issuer;
            if self.control.stop_requests() != stops {
                stops = self.control.stop_requests();
                issuer.schedule.end(now);
                issuer.recorder.window_end = issuer.recorder.window_end.min(now);
                let grace = if stops > 1 {
                    0
                } else {
                    self.run.timeout.min(SECOND)
                };
                drain_until = drain_until.min(now.saturating_add(grace));
            }
            let gone = drain::server_is_gone(issuer, now);
            if drain::is_done(issuer) || now >= drain_until || gone {
                break (now, gone);
            }
            if issuer.schedule.is_over(now) {
                unheard.get_or_insert_with(|| issuer.pool.unheard(now));
                drain::hang_up(issuer);
            }
            let end = Some(issuer.recorder.window_end).filter(|end| *end > now);
            let until = next_second.min(drain_until).min(end.unwrap_or(Nanos::MAX));
            now = self.wait(&mut events, now, until)?;
            self.handle(&events);
            self.take_turns();
        };
        let issuer = &mut self.issuer;
        let unheard = unheard.unwrap_or_else(|| issuer.pool.unheard(ended_at));
        let unfinished = drain::censor_the_rest(issuer, ended_at);
        let unsent = drain::censor_unsent(issuer, ended_at);
        let times = ThreadTimes::now().since(&times);
        issuer.recorder.ship_last(ended_at);
        let Issuer {
            schedule,
            pool,
            recorder,
            ..
        } = self.issuer;
        Ok(Ended {
            fidelity: recorder.fidelity,
            at: ended_at,
            stopped_at: recorder.window_end,
            times,
            spun: self.spun,
            scheduled: schedule.taken(),
            unfinished,
            unsent,
            gave_up,
            connections: pool.len(),
            made: pool.made().to_vec(),
            unheard,
            last_answer: recorder.last_answer,
            answered_of: recorder.answered_of,
        })
    }

    fn ship(&mut self, now: Nanos) {
        let live = Live {
            in_flight: self.issuer.pool.in_flight(),
            waiting: self.issuer.waiting(now),
        };
        self.issuer.recorder.ship(live, now);
    }

    /// Waits for events, the next due time, a deadline, or `until`. Returns the time afterwards.
    fn wait(&mut self, events: &mut Events, now: Nanos, until: Nanos) -> io::Result<Nanos> {
        let clock = self.issuer.clock;
        if !self.issuer.pool.turns.is_empty() {
            self.poll_events(events, Some(Duration::ZERO))?;
            return Ok(clock.now());
        }
        let until = until.min(self.issuer.pool.next_deadline());
        // Something that is due already waits for a connection, that is, for an event.
        let due = self.issuer.schedule.next_at().filter(|at| *at > now);
        let (at, exact) = match due {
            Some(due) if due <= until => (due, true),
            _ => (until, false),
        };
        match self.timer.wait(now, at, exact)? {
            Wait::Sleep => {
                self.poll_events(events, None)?;
                let woken = clock.now();
                self.timer.fired(woken);
                Ok(woken)
            }
            Wait::Spin => {
                self.poll_events(events, Some(Duration::ZERO))?;
                let after = clock.now();
                if events.is_empty() {
                    self.spun += after - now;
                }
                Ok(after)
            }
        }
    }

    fn poll_events(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        match self.poll.poll(events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                events.clear();
                Ok(())
            }
            outcome => outcome,
        }
    }

    fn handle(&mut self, events: &Events) {
        for event in events {
            match event.token() {
                TIMER | WAKER => {}
                Token(slot) => self.handle_one(slot, event),
            }
        }
    }

    #[inline]
    fn handle_one(&mut self, slot: usize, event: &Event) {
        let issuer = &mut self.issuer;
        match issuer.pool[slot].state {
            State::Open => {
                if event.is_writable() && !issuer.pool[slot].out.is_empty() {
                    issuer.flush(slot);
                }
                // Whoever waits for his turn gets none out of turn because more has come.
                if event.is_readable() && !issuer.pool.turns.contains(slot) {
                    let ending = event.is_read_closed() || event.is_error();
                    self.receiver.receive(issuer, slot, ending);
                }
            }
            State::Connecting { .. } => {
                issuer.connecting_event(slot);
                let now = issuer.clock.now();
                issuer.issue(now);
            }
            State::Closed | State::Down { .. } => {}
        }
    }

    /// Connections that had more than their turn's worth of bytes have another turn each.
    fn take_turns(&mut self) {
        for _ in 0..self.issuer.pool.turns.len() {
            if let Some(slot) = self.issuer.pool.turns.pop() {
                self.receiver.receive(&mut self.issuer, slot, true);
            }
        }
    }
}
