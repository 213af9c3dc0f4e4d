//! The loop: one for each thread.
//!
//! It sends what is due, waits for an event or the next due time, reads what came. A request costs two system calls, a write and a read, and a
//! share of the `epoll_wait` that reports many at once: connections are registered once, edge-triggered, for both directions, and a
//! read that does not fill the buffer has emptied the socket.
//!
//! Everything that decides *when* is in [`crate::schedule`]; here time is only read and recorded.

mod connection;
mod dial;
mod finish;
mod issue;
mod outcome;
mod receive;

use crate::clock::{Clock, Nanos, SECOND};
use crate::collect::Mailbox;
use crate::cpu::ThreadTimes;
use crate::fidelity::Fidelity;
use crate::record::Record;
use crate::run::{Control, Run};
use crate::schedule::Schedule;
use crate::timer::{Timer, Wait};
use connection::{Connection, State};
pub(crate) use finish::Ended;
use mio::event::Event;
use mio::{Events, Poll, Token, Waker};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

const TIMER: Token = Token(usize::MAX - 1);
const WAKER: Token = Token(usize::MAX - 2);
/// Events taken at once. Due requests are looked for after each.
const EVENTS: usize = 256;
/// The one buffer for reading. Large enough that responses of usual size come in one read.
const BUFFER_BYTES: usize = 256 * 1024;
/// How often a connection that is refused is tried before the run begins.
const ATTEMPTS_AT_START: u32 = 3;
/// How long the clock waits for connections that are under way, when some are open. Enough for an attempt that finds the
/// backlog full to come again, which it does after a second.
const PATIENCE_AT_START: Nanos = 3 * SECOND;

/// One thread's share of a run.
pub(crate) struct Engine {
    run: Arc<Run>,
    control: Arc<Control>,
    poll: Poll,
    timer: Timer,
    clock: Clock,
    schedule: Schedule,
    closed_loop: bool,
    started: bool,
    connections: Vec<Connection>,
    most_connections: usize,
    /// Connections that may take a request, the longest idle first. May hold some that no longer do.
    free: VecDeque<usize>,
    /// Connections to be opened when they are needed (open loop).
    closed: Vec<usize>,
    connecting: usize,
    deadlines: BinaryHeap<Reverse<(Nanos, usize)>>,
    /// Connections with pipelined requests to be written together.
    dirty: Vec<usize>,
    /// Connections that were not read empty.
    unfinished: Vec<usize>,
    buffer: Vec<u8>,
    /// Targets whose last response was large.
    large: Vec<bool>,
    record: Box<Record>,
    /// Measured requests that were answered well, by client (closed loop).
    answered_of: Vec<u64>,
    mailbox: Mailbox,
    fidelity: Option<Fidelity>,
    window_end: Nanos,
    last_sign_of_life: Nanos,
    last_answer: Nanos,
    spun: Nanos,
}

impl Engine {
    pub(crate) fn new(
        run: Arc<Run>,
        control: Arc<Control>,
        thread: usize,
        mailbox: Mailbox,
    ) -> io::Result<(Self, Waker)> {
        let poll = Poll::new()?;
        let timer = Timer::new(poll.registry(), TIMER, run.most_spin)?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let schedule = Schedule::new(run.schedule(thread));
        let large = vec![false; run.targets.targets.len()];
        let (clients, most_connections) = run.connections(thread);
        let closed_loop = run.is_closed_loop();
        let mut engine = Self {
            closed_loop,
            answered_of: vec![0; if closed_loop { clients } else { 0 }],
            fidelity: run.fidelity(),
            window_end: run.window_end(),
            control,
            poll,
            timer,
            clock: Clock::from(Instant::now()),
            schedule,
            started: false,
            connections: Vec::with_capacity(most_connections),
            most_connections,
            free: VecDeque::with_capacity(most_connections),
            closed: Vec::with_capacity(most_connections),
            connecting: 0,
            deadlines: BinaryHeap::with_capacity(most_connections),
            dirty: Vec::new(),
            unfinished: Vec::new(),
            buffer: vec![0; BUFFER_BYTES],
            large,
            record: Box::default(),
            mailbox,
            last_sign_of_life: 0,
            last_answer: 0,
            spun: 0,
            run,
        };
        for _ in 0..clients {
            engine.add_connection();
        }
        Ok((engine, waker))
    }

    /// Opens the connections of the start, as far as that can be done soon: a server with fewer workers than there are clients
    /// lets the others wait, for as long as those that have one say nothing. False: not one could be made.
    pub(crate) fn connect(&mut self) -> io::Result<bool> {
        let mut events = Events::with_capacity(EVENTS);
        for slot in 0..self.connections.len() {
            self.dial(slot, self.clock.now());
        }
        let pending = |engine: &Self| {
            engine.connections.iter().any(|connection| {
                matches!(connection.state, State::Connecting { .. })
                    || matches!(connection.state, State::Down { .. })
                        && connection.refusals < ATTEMPTS_AT_START
            })
        };
        let until = self.clock.now().saturating_add(PATIENCE_AT_START);
        while pending(self) && self.control.stop_requests() == 0 {
            if self.clock.now() > until && self.connections.iter().any(is_open) {
                break;
            }
            self.poll_events(&mut events, Some(Duration::from_millis(20)))?;
            self.handle(&events);
            self.expire(self.clock.now());
        }
        Ok(self.connections.iter().any(is_open))
    }

    /// Runs from `start` to the end.
    pub(crate) fn run(mut self, start: Instant) -> io::Result<Ended> {
        self.begin(start);
        let mut events = Events::with_capacity(EVENTS);
        let times = ThreadTimes::now();
        let mut next_second = SECOND;
        let mut drain_until = self.run.drain_until();
        let mut stops = 0;
        let mut unheard = None;
        let mut now = self.clock.now();
        let (ended_at, gave_up) = loop {
            self.issue(now);
            self.expire(now);
            if now >= next_second {
                self.ship(now);
                next_second = (now / SECOND + 1) * SECOND;
            }
            if self.control.stop_requests() != stops {
                stops = self.control.stop_requests();
                self.schedule.end(now);
                self.window_end = self.window_end.min(now);
                let grace = if stops > 1 {
                    0
                } else {
                    self.run.timeout.min(SECOND)
                };
                drain_until = drain_until.min(now.saturating_add(grace));
            }
            let gone = self.server_is_gone(now);
            if self.is_done() || now >= drain_until || gone {
                break (now, gone);
            }
            if self.schedule.is_over(now) {
                unheard.get_or_insert_with(|| self.unheard(now));
                self.hang_up();
            }
            let end = Some(self.window_end).filter(|end| *end > now);
            let until = next_second.min(drain_until).min(end.unwrap_or(Nanos::MAX));
            now = self.wait(&mut events, now, until)?;
            self.handle(&events);
            self.take_up_unfinished();
        };
        let unheard = unheard.unwrap_or_else(|| self.unheard(ended_at));
        let unfinished = self.censor_the_rest(ended_at);
        let unsent = self.censor_unsent(ended_at);
        let times = ThreadTimes::now().since(&times);
        self.ship_last(ended_at);
        Ok(Ended {
            fidelity: self.fidelity,
            at: ended_at,
            stopped_at: self.window_end,
            times,
            spun: self.spun,
            scheduled: self.schedule.taken(),
            unfinished,
            unsent,
            gave_up,
            connections: self.connections.len(),
            unheard,
            last_answer: self.last_answer,
            answered_of: self.answered_of,
        })
    }

    /// The clock starts; what happened while connecting lies before all time.
    fn begin(&mut self, start: Instant) {
        self.clock = Clock::from(start);
        self.started = true;
        self.last_sign_of_life = 0;
        self.deadlines.clear();
        for slot in 0..self.connections.len() {
            let connection = &mut self.connections[slot];
            connection.free_since = 0;
            connection.armed = Nanos::MAX;
            match connection.state {
                State::Open if !self.closed_loop => self.list_if_free(slot),
                State::Open => {}
                State::Connecting { .. } => {
                    connection.state = State::Connecting { since: 0 };
                    self.arm(slot, self.run.timeout);
                }
                State::Down { .. } => {
                    connection.state = State::Down { until: 0 };
                    self.arm(slot, 0);
                }
                State::Closed => {}
            }
        }
    }

    /// Waits for events, the next due time, a deadline, or `until`. Returns the time afterwards.
    fn wait(&mut self, events: &mut Events, now: Nanos, until: Nanos) -> io::Result<Nanos> {
        if !self.unfinished.is_empty() {
            self.poll_events(events, Some(Duration::ZERO))?;
            return Ok(self.clock.now());
        }
        let deadline = self
            .deadlines
            .peek()
            .map_or(Nanos::MAX, |Reverse((at, _))| *at);
        let until = until.min(deadline);
        // Something that is due already waits for a connection, that is, for an event.
        let due = self.schedule.next_at().filter(|at| *at > now);
        let (at, exact) = match due {
            Some(due) if due <= until => (due, true),
            _ => (until, false),
        };
        match self.timer.wait(now, at, exact)? {
            Wait::Sleep => {
                self.poll_events(events, None)?;
                let woken = self.clock.now();
                self.timer.fired(woken);
                Ok(woken)
            }
            Wait::Spin => {
                self.poll_events(events, Some(Duration::ZERO))?;
                let after = self.clock.now();
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
        match self.connections[slot].state {
            State::Open => {
                if event.is_writable() && !self.connections[slot].out.is_empty() {
                    let now = self.clock.now();
                    self.flush(slot, now);
                }
                if event.is_readable() {
                    self.receive(slot, event.is_read_closed() || event.is_error());
                }
            }
            State::Connecting { since } => {
                self.connecting_event(slot, since);
                let now = self.clock.now();
                self.issue(now);
            }
            State::Closed | State::Down { .. } => {}
        }
    }

    /// Connections that had more than their turn's worth of bytes.
    fn take_up_unfinished(&mut self) {
        for _ in 0..self.unfinished.len() {
            let slot = self.unfinished.swap_remove(0);
            if std::mem::take(&mut self.connections[slot].again) {
                self.receive(slot, true);
            }
        }
    }
}

fn is_open(connection: &Connection) -> bool {
    connection.state == State::Open
}
