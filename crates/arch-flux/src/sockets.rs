//! The source: accepts, waits for what the network says, and has a flow begin with every connection that can go on. Those that rest are
//! in its table.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use arch::{Next, ProcessContext, Worker};
use flux_runtime::{Arrival, Source};
use meter::Event;
use reactor::{Due, Epoll, Reactor, Token};

use crate::flows::Flow;
use crate::visit::{Carried, Returned, Visit, WayBack};

/// The source of the program.
pub(crate) struct Sockets {
    reactor: Reactor,
    process: ProcessContext,
    way_back: Arc<WayBack>,
    /// Those that have come back.
    returned: Vec<Returned>,
    /// Those of them that can go on at once: a flow ends with its request, and there is another.
    again: VecDeque<Carried>,
    /// Nobody's, the last used on top.
    spare: Vec<Carried>,
}

impl Sockets {
    pub(crate) fn new(process: &ProcessContext) -> io::Result<Self> {
        let epoll = Epoll::new()?;
        let way_back = Arc::new(WayBack::new(epoll.waker()?));
        Ok(Self {
            reactor: Reactor::new(process, Box::new(epoll))?,
            process: process.clone(),
            way_back,
            returned: Vec::new(),
            again: VecDeque::new(),
            spare: Vec::new(),
        })
    }

    /// What ends its waiting.
    pub(crate) fn waker(&self) -> impl Fn() + Send + Sync + use<> {
        let way_back = Arc::clone(&self.way_back);
        move || way_back.wake()
    }

    /// Goes on with those that have come back.
    fn take_back(&mut self, worker: &mut Worker) {
        let mut returned = std::mem::take(&mut self.returned);
        self.way_back.take(&mut returned);
        for returned in returned.drain(..) {
            match returned {
                Returned::Visit(visit) => self.settle(visit, worker),
                Returned::Lost(token) => {
                    worker.counters.count(Event::Broken, 1);
                    self.reactor.sessions().remove(token);
                }
            }
        }
        self.returned = returned;
    }

    /// Has a connection go on, rest, or end, by what it needs next.
    fn settle(&mut self, mut visit: Carried, worker: &mut Worker) {
        let Some(token) = visit.token() else { return };
        let has_news = visit.catch_up(self.reactor.sessions());
        match visit.next() {
            Next::Closed => {
                self.reactor.sessions().remove(token);
                visit.end();
                self.spare.push(visit);
            }
            Next::Receive if has_news || visit.has_input() => self.again.push_back(visit),
            Next::Receive => self.rest(visit, token, worker),
            Next::Yield => {
                self.reactor.queue(token);
                self.rest(visit, token, worker);
            }
            Next::Wait if has_news => {
                visit.ask_again(worker);
                self.again.push_back(visit);
            }
            Next::Wait => self.rest(visit, token, worker),
            Next::Work(_) | Next::Send(_) | Next::ShutdownWrite => self.again.push_back(visit),
        }
    }

    /// Lets a connection take its place in the table again, and be watched.
    fn rest(&mut self, mut visit: Carried, token: Token, worker: &mut Worker) {
        if let Some(endpoint) = visit.rest(worker) {
            self.reactor.sessions().bring_back(token, endpoint);
            self.reactor.rest(token);
        }
        self.spare.push(visit);
    }

    /// A connection that can go on, away from its place in the table.
    fn visit(&mut self, token: Token, worker: &mut Worker) -> Option<Carried> {
        let endpoint = self.reactor.sessions().take(token)?;
        let make = || Box::new(Visit::new(&self.process, &self.way_back));
        let mut visit = self.spare.pop().unwrap_or_else(make);
        visit.begin(token, endpoint, worker);
        Some(visit)
    }

    fn is_over(&mut self, worker: &Worker) -> bool {
        let sessions = self.reactor.sessions();
        worker.is_stopping()
            && (sessions.is_empty() || (worker.is_overdue() && sessions.are_all_away()))
    }
}

impl Source<Flow> for Sockets {
    fn next(&mut self, may_wait: bool, worker: &mut Worker) -> io::Result<Arrival<Flow>> {
        self.take_back(worker);
        if self.is_over(worker) {
            // What is still away will not be waited for.
            self.reactor.sessions().abandon_away(worker);
            return Ok(Arrival::Stop);
        }
        while let Some(due) = self.reactor.due(worker) {
            if let Due::Session(token) = due
                && let Some(visit) = self.visit(token, worker)
            {
                return Ok(Arrival::Flow(Flow::begun_by_listen(visit)));
            }
        }
        if let Some(visit) = self.again.pop_front() {
            return Ok(Arrival::Flow(Flow::begun_by_listen(visit)));
        }
        let may_wait = may_wait && self.way_back.falls_asleep();
        let at_most = (!may_wait).then_some(Duration::ZERO);
        self.reactor.wait(at_most, worker)?;
        Ok(Arrival::Nothing)
    }
}
