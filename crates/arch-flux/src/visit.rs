//! What a flow has in hand: a connection that is away from the table, with its buffers and what it needs next.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arch::{Endpoint, Next, ProcessContext, RequestBuffers, Worker};
use reactor::{Sessions, Token, Waker};

/// A connection on its way through the program. Whoever has it owns it.
pub(crate) struct Visit {
    next: Next,
    /// Which connection it is; none when it is nobody's.
    token: Option<Token>,
    endpoint: Option<Endpoint>,
    buffers: Box<RequestBuffers>,
    way_back: Arc<WayBack>,
}

/// What flows hold: the box goes through all nodes and comes back, and taking it apart would allocate.
pub(crate) type Carried = Box<Visit>;

/// What comes back to the source.
pub(crate) enum Returned {
    /// A flow has ended.
    Visit(Carried),
    /// A flow was lost, and the connection with it.
    Lost(Token),
}

/// The way back to the source, from whichever thread.
pub(crate) struct WayBack {
    returned: Mutex<Vec<Returned>>,
    /// Whether the source's thread waits in `epoll`, and has to be woken.
    is_asleep: AtomicBool,
    waker: Waker,
}

impl WayBack {
    pub(crate) fn new(waker: Waker) -> Self {
        Self {
            returned: Mutex::default(),
            is_asleep: AtomicBool::new(false),
            waker,
        }
    }

    fn send(&self, returned: Returned) {
        self.returned().push(returned);
        if self.is_asleep.swap(false, SeqCst) {
            self.wake();
        }
    }

    /// Ends the waiting of the source's thread.
    pub(crate) fn wake(&self) {
        // It fails only where the counter behind it is at its end, and then nobody sleeps.
        let _ = self.waker.wake();
    }

    /// Has whoever comes back from now on wake the source's thread. Whether nobody has yet.
    pub(crate) fn falls_asleep(&self) -> bool {
        self.is_asleep.store(true, SeqCst);
        self.returned().is_empty()
    }

    /// Exchanges those that have come back for an empty vector.
    pub(crate) fn take(&self, empty: &mut Vec<Returned>) {
        self.is_asleep.store(false, SeqCst);
        std::mem::swap(&mut *self.returned(), empty);
    }

    fn returned(&self) -> MutexGuard<'_, Vec<Returned>> {
        self.returned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Visit {
    /// Nobody's.
    pub(crate) fn new(process: &ProcessContext, way_back: &Arc<WayBack>) -> Self {
        Self {
            next: Next::Closed,
            token: None,
            endpoint: None,
            buffers: process.buffers(),
            way_back: Arc::clone(way_back),
        }
    }

    /// Begins to carry a connection.
    pub(crate) fn begin(&mut self, token: Token, endpoint: Endpoint, worker: &mut Worker) {
        (self.token, self.endpoint, self.next) = (Some(token), Some(endpoint), Next::Wait);
        self.at(worker, |_, endpoint, worker| {
            endpoint.take_up(worker);
            Err(endpoint.next(worker))
        });
    }

    /// Gives the connection up, which rests from now on.
    pub(crate) fn rest(&mut self, worker: &mut Worker) -> Option<Endpoint> {
        if let Some(endpoint) = &mut self.endpoint {
            worker.exchange(&mut self.buffers);
            endpoint.rest(worker);
            worker.exchange(&mut self.buffers);
        }
        self.end()
    }

    /// Gives the connection up, which is over.
    pub(crate) fn end(&mut self) -> Option<Endpoint> {
        self.token = None;
        self.next = Next::Closed;
        self.buffers.clear();
        self.endpoint.take()
    }

    /// Tells the connection what the network has said meanwhile; whether that is news.
    pub(crate) fn catch_up(&mut self, sessions: &mut Sessions) -> bool {
        let (Some(token), Some(endpoint)) = (self.token, &mut self.endpoint) else {
            return false;
        };
        sessions.catch_up(token, endpoint)
    }

    /// Which connection it is.
    pub(crate) fn token(&self) -> Option<Token> {
        self.token
    }

    /// What it needs next.
    pub(crate) fn next(&self) -> &Next {
        &self.next
    }

    /// Takes it that the session is to be asked again what it needs.
    pub(crate) fn ask_again(&mut self, worker: &mut Worker) {
        self.at(worker, |_, endpoint, worker| Err(endpoint.next(worker)));
    }

    /// Whether it could go on at once: something was received that is to be parsed, or may be there to be received.
    pub(crate) fn has_input(&self) -> bool {
        let may_receive = |endpoint: &Endpoint| endpoint.readiness().readable;
        self.buffers.has_rest() || self.endpoint.as_ref().is_some_and(may_receive)
    }

    /// Works on the connection with its own buffers, for as long as `step` does what is next; what it does not do is next then.
    pub(crate) fn at(
        &mut self,
        worker: &mut Worker,
        mut step: impl FnMut(Next, &mut Endpoint, &mut Worker) -> Result<Next, Next>,
    ) {
        let Some(endpoint) = &mut self.endpoint else {
            return;
        };
        let mut next = std::mem::replace(&mut self.next, Next::Wait);
        worker.exchange(&mut self.buffers);
        self.next = loop {
            match step(next, endpoint, worker) {
                Ok(done) => next = done,
                Err(others) => break others,
            }
        };
        worker.exchange(&mut self.buffers);
    }

    /// Ends the flow.
    pub(crate) fn go_back(visit: Box<Self>) {
        let way_back = Arc::clone(&visit.way_back);
        way_back.send(Returned::Visit(visit));
    }
}

/// A flow that is lost comes to no end.
impl Drop for Visit {
    fn drop(&mut self) {
        if let Some(token) = self.token.take() {
            self.way_back.send(Returned::Lost(token));
        }
    }
}
