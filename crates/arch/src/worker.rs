//! What one thread needs to serve connections.

use std::sync::Arc;
use std::time::Instant;

use meter::{Counters, Event};
use rustix::time::{ClockId, clock_gettime};

use crate::buffers::RequestBuffers;
use crate::document::Files;
use crate::options::ServeOptions;
use crate::process::{ProcessContext, ServingThread};
use crate::security::Security;
use crate::session::{Caches, Delivery, FileAnswer, Next, Session};
use crate::stop::Stop;
use crate::timing::Timer;
use crate::transport::SendVia;

/// What one thread needs only while it works on a session, so that an idle session owns none of it.
#[derive(Debug)]
pub struct Worker {
    /// The document root.
    pub files: Arc<Files>,
    /// This thread's counters.
    pub counters: Counters,
    /// When the thread last looked at the clock; an event loop looks once for each batch of events.
    pub now: Instant,
    _serving: Option<ServingThread>,
    pub(crate) options: Arc<ServeOptions>,
    security: Option<Arc<Security>>,
    pub(crate) stop: Arc<Stop>,
    pub(crate) buffers: Box<RequestBuffers>,
    pub(crate) via: SendVia,
    /// The time of day, in seconds since the epoch.
    unix_s: u64,
}

impl Worker {
    /// For a thread of this process, which counts as one that serves by what it is given.
    pub(crate) fn new(process: &ProcessContext, serving: Option<ServingThread>) -> Self {
        let mut worker = Self {
            _serving: serving,
            files: Arc::clone(&process.files),
            options: Arc::clone(&process.options),
            security: process.security.clone(),
            stop: Arc::clone(&process.stop),
            counters: match process.loop_number {
                Some(number) => process.meter.counters_of_loop(number),
                None => process.meter.counters(),
            },
            buffers: process.buffers(),
            via: SendVia::new(process.options.send_path),
            now: Instant::now(),
            unix_s: 0,
        };
        worker.tick();
        worker
    }

    /// Looks at the clock.
    #[inline]
    pub fn tick(&mut self) {
        self.now = Instant::now();
        let wall = clock_gettime(ClockId::RealtimeCoarse);
        self.unix_s = u64::try_from(wall.tv_sec).unwrap_or(0);
        self.buffers.scratch.set_time(self.unix_s);
    }

    /// A session for a connection on which nothing has come.
    pub(crate) fn session(&self) -> Session {
        match &self.security {
            None if self.options.http2.is_on() => Session::of_either(self.options.gather_from),
            None => Session::new(self.options.gather_from),
            Some(security) => Session::secured(self.options.gather_from, security),
        }
    }

    /// Takes `buffers` into use and gives those that were: done before an endpoint is worked on that has come with its own, and
    /// again after.
    #[inline]
    pub fn exchange(&mut self, buffers: &mut Box<RequestBuffers>) {
        std::mem::swap(&mut self.buffers, buffers);
        self.buffers.scratch.set_time(self.unix_s);
    }

    /// Whether something was received that the session at work has not taken yet.
    #[inline]
    pub fn has_rest(&self) -> bool {
        self.buffers.has_rest()
    }

    /// A defect has ended the work on a connection: that is counted, and what the connection leaves in the buffers is given up.
    pub fn defect(&mut self) {
        self.buffers.clear();
        self.counters.count(Event::Broken, 1);
    }

    /// The steps of answering a request, which was handed over, with the file that it means.
    pub fn answer_with_file(&self, request: Arc<http::Request>) -> FileAnswer {
        let delivery = match self.security {
            None => Delivery::PageCache,
            // They have to be encrypted.
            Some(_) => Delivery::Memory,
        };
        FileAnswer::new(request, self.unix_s, self.options.max_ranges, delivery)
    }

    /// Whether the server is stopping.
    #[inline]
    pub fn is_stopping(&self) -> bool {
        self.stop.is_stopping()
    }

    /// Whether this process alone is to end, and leaves whoever comes to others at the listener.
    #[inline]
    pub fn is_leaving(&self) -> bool {
        self.stop.is_stopping() && !self.stop.is_closing()
    }

    /// Whether the drain deadline has passed.
    #[inline]
    pub fn is_overdue(&self) -> bool {
        self.stop.is_overdue(self.now)
    }

    /// What a session needs next, beyond what our caches give it at once.
    #[inline]
    pub(crate) fn next_of(&mut self, session: &mut Session) -> Next {
        let caches = Caches {
            files: &self.files,
            now: self.now,
        };
        session.next_uncached(caches, &mut self.buffers.scratch)
    }

    /// Has a session receive what was read and is not used up.
    #[inline]
    pub(crate) fn parse(&mut self, session: &mut Session) {
        let RequestBuffers {
            input,
            rest,
            scratch,
            ..
        } = &mut *self.buffers;
        rest.start += session.receive(&input[rest.clone()], scratch);
        if self.stop.is_stopping() {
            session.finish();
        }
    }

    /// Counts what went wrong with a session.
    #[inline]
    pub(crate) fn count_events(&mut self) {
        let events = &mut self.buffers.scratch.events;
        if !events.is_empty() {
            for event in events.drain(..) {
                self.counters.count(event, 1);
            }
        }
    }

    /// Counts what has come of a session: the answers that have left whole, each with the time since its request was readable,
    /// and what went wrong.
    #[inline]
    pub(crate) fn account(&mut self, readable_at: Instant, timer: &mut Timer) {
        self.count_events();
        let settled = &mut self.buffers.scratch.settled;
        if settled.is_empty() {
            return;
        }
        let now = Instant::now();
        let latency = now.saturating_duration_since(readable_at);
        for answer in settled.drain(..) {
            self.counters.answered(answer.status, latency);
        }
        timer.restart(now);
    }
}
