//! What goes through the queues: a session on its way, and its buffers; and a request that has left its session.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use arch::{Done, Endpoint, Next, ProcessContext, RequestBuffers, Step, Work, Worker};
use reactor::{Sessions, Token};

/// A session on its way from stage to stage, with what it needs next. Whoever has it owns it.
pub(crate) struct Task {
    pub(crate) token: Token,
    /// When its present request was let in.
    pub(crate) admitted: Option<Instant>,
    next: Next,
    endpoint: Option<Endpoint>,
    buffers: Box<RequestBuffers>,
}

/// What the queues hold: the box goes through all of them and comes back, and taking it apart would allocate.
pub(crate) type Event = Box<Task>;

/// A session as it is, or one of its many requests (HTTP/2), which waits for the disk without it: `R` is what is to be done for that,
/// on its way there, and what came of it, on its way back.
pub(crate) enum Either<R> {
    Session(Event),
    Request(Token, Box<R>),
}

/// What `load` takes.
pub(crate) type Loading = Either<Work>;
/// What comes back to the sockets.
pub(crate) type Completion = Either<Done>;

impl Task {
    /// Buffers without a session.
    pub(crate) fn new(process: &ProcessContext) -> Self {
        Self {
            token: Token::from(0),
            admitted: None,
            next: Next::Closed,
            endpoint: None,
            buffers: process.buffers(),
        }
    }

    /// Begins to carry a session, and has it do something first: what it needs next is asked for once, since it is out then.
    pub(crate) fn begin(
        &mut self,
        token: Token,
        endpoint: Endpoint,
        worker: &mut Worker,
        first: impl FnOnce(&mut Endpoint, &mut Worker),
    ) {
        (self.token, self.endpoint, self.admitted) = (token, Some(endpoint), None);
        self.step(worker, |endpoint, worker| {
            endpoint.take_up(worker);
            first(endpoint, worker);
        });
    }

    /// Gives the session up; `None` where a defect has ended it. What one that is over has not taken of its input is not for the
    /// next client.
    pub(crate) fn end(&mut self) -> Option<Endpoint> {
        self.buffers.clear();
        self.endpoint.take()
    }

    /// Tells the session what the network has said meanwhile, and returns whether that is news.
    pub(crate) fn catch_up(&mut self, sessions: &mut Sessions) -> bool {
        let endpoint = self.endpoint.as_mut();
        endpoint.is_some_and(|endpoint| sessions.catch_up(self.token, endpoint))
    }

    /// Whether something was received that has yet to be parsed.
    pub(crate) fn has_rest(&self) -> bool {
        self.buffers.has_rest()
    }

    /// What the session needs next, to be given or handed on.
    pub(crate) fn take_next(&mut self) -> Next {
        std::mem::replace(&mut self.next, Next::Wait)
    }

    /// With what it needs next, for the stage that gives it that: each is fair by itself, through its queue.
    pub(crate) fn needing(mut self: Box<Self>, next: Next) -> Event {
        self.next = next;
        if let Some(endpoint) = &mut self.endpoint {
            endpoint.hand_over();
        }
        self
    }

    /// Has the session do something, and learns what it needs next.
    pub(crate) fn step(
        &mut self,
        worker: &mut Worker,
        step: impl FnOnce(&mut Endpoint, &mut Worker),
    ) {
        self.advance(worker, |endpoint, worker| {
            step(endpoint, worker);
            endpoint.next(worker)
        });
    }

    /// Has the session do something that says what it needs next.
    pub(crate) fn advance(
        &mut self,
        worker: &mut Worker,
        step: impl FnOnce(&mut Endpoint, &mut Worker) -> Next,
    ) {
        self.next = self.at(worker, step).unwrap_or(Next::Closed);
    }

    /// Does what is next for as long as that is one of `steps` and its answer is in our caches; returns the first that is not.
    pub(crate) fn do_kept(&mut self, steps: &[Step], worker: &mut Worker) -> Next {
        let ours = |step| steps.contains(&step);
        let mut next = self.take_next();
        if !next.step().is_some_and(ours) {
            return next;
        }
        let kept = self.at(worker, |endpoint, worker| {
            loop {
                next = match next {
                    Next::Work(work) if work.step().is_some_and(ours) => {
                        match endpoint.try_kept(work, worker) {
                            Some(missing) => return Next::Work(missing),
                            None => endpoint.next(worker),
                        }
                    }
                    next => return next,
                };
            }
        });
        kept.unwrap_or(Next::Closed)
    }

    /// As [`do_kept`](Self::do_kept); and each work that has to wait leaves, by `send_off`, where the session can go on without it.
    pub(crate) fn do_kept_and_send_off(
        &mut self,
        steps: &[Step],
        worker: &mut Worker,
        mut send_off: impl FnMut(Loading),
    ) -> Next {
        loop {
            match self.do_kept(steps, worker) {
                Next::Work(work)
                    if self.is_multiplexed()
                        && work.step().is_some_and(|step| steps.contains(&step)) =>
                {
                    send_off(Either::Request(self.token, Box::new(work)));
                    self.step(worker, |_, _| ());
                }
                next => return next,
            }
        }
    }

    fn is_multiplexed(&self) -> bool {
        let endpoint = self.endpoint.as_ref();
        endpoint.is_some_and(Endpoint::is_multiplexed)
    }

    /// Works on the session with its own buffers. A defect there costs the session, and not the thread.
    pub(crate) fn at<T>(
        &mut self,
        worker: &mut Worker,
        work: impl FnOnce(&mut Endpoint, &mut Worker) -> T,
    ) -> Option<T> {
        let endpoint = self.endpoint.as_mut()?;
        worker.exchange(&mut self.buffers);
        let done = catch_unwind(AssertUnwindSafe(|| work(endpoint, worker))).ok();
        worker.exchange(&mut self.buffers);
        if done.is_none() {
            worker.counters.count(meter::Event::Replaced, 1);
            self.buffers.clear();
            self.endpoint = None;
        }
        done
    }
}
