//! A session at its socket, for a task.

use std::future::{pending, poll_fn};
use std::io::{Error, ErrorKind};
use std::os::fd::AsFd;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use arch::session::Output;
use arch::stop::Known;
use arch::{ASIDE, Client, Done, Endpoint, Next, ProcessContext, Readiness, Work};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use sys::watched::Watched;
use tokio::io::Interest;
use tokio::task::yield_now;
use tokio::time::{Sleep, sleep_until};

use crate::worker::with_worker;

/// A connection that a task serves: each call that may take long is awaited. `W` is the future of a work, where several of them may be
/// out: whatever the task awaits then, it awaits them as well.
///
/// | after | call |
/// | --- | --- |
/// | [`Next::Receive`] | [`receive`](Self::receive) |
/// | [`Next::Send`] | [`send`](Self::send) |
/// | [`Next::Work`] | [`run`](Self::run), or [`awaiting`](Self::awaiting) whoever does it, and [`done`](Self::done); or [`begin`](Self::begin), where the connection [is multiplexed](Self::is_multiplexed) |
/// | [`Next::ShutdownWrite`] | [`shutdown_write`](Self::shutdown_write) |
/// | [`Next::Yield`] | [`give_way`](Self::give_way) |
/// | [`Next::Wait`] | [`wait`](Self::wait) |
///
/// What its session needs only while it is worked on lies with the thread that runs the task, and whatever awaits gives it back: an
/// idle connection owns no buffer. One that is dropped before it is over is counted as broken where a defect has done it, and as
/// abandoned otherwise.
pub struct Connection<'a, W> {
    process: &'a ProcessContext,
    client: &'a Client,
    /// What the runtime hears of its socket, from its first wait on.
    watched: Option<Watched<'a>>,
    endpoint: Endpoint,
    /// When its client is looked at, or some time before: it is set anew when it has passed, and not with every request.
    alarm: Option<Pin<Box<Sleep>>>,
    /// Works that are out; made for the first of them.
    works: Option<FuturesUnordered<W>>,
    _known: Known<'a>,
}

impl<'a, W: Future<Output = Done>> Connection<'a, W> {
    /// For a connection that has just been accepted, of which it is taken that something has been sent already. When the server is
    /// stopped, it ends as a thread's does.
    pub fn new(client: &'a Arc<Client>, process: &'a ProcessContext) -> Self {
        let endpoint = with_worker(process, |worker| {
            worker.tick();
            Endpoint::new(Arc::clone(client), worker)
        });
        Self {
            process,
            client,
            watched: None,
            endpoint,
            alarm: None,
            works: None,
            _known: process.stop.know(client),
        }
    }

    /// Brings its session on to what is next. A work whose answer is in our caches is done here; before any other is returned, what the
    /// session has collected is sent, as far as the socket takes it.
    pub fn advance(&mut self) -> Next {
        if self.endpoint.is_to_listen() {
            self.try_receive();
        }
        with_worker(self.process, |worker| self.endpoint.next_uncached(worker))
    }

    /// Whether several of its requests may be under way at a time.
    pub fn is_multiplexed(&self) -> bool {
        self.endpoint.is_multiplexed()
    }

    /// Has the session receive what has come, for which the task waits, at most until its client's time is over.
    pub async fn receive(&mut self) {
        if !self.try_receive() {
            self.wait_for_client(Interest::READABLE).await;
        }
    }

    fn try_receive(&mut self) -> bool {
        let (endpoint, watched) = (&mut self.endpoint, self.watched.as_ref());
        with_worker(self.process, |worker| {
            let has_received = worker.has_rest()
                || attempt(watched, Interest::READABLE, endpoint, |endpoint| {
                    let has_received = endpoint.receive(worker);
                    (has_received, endpoint.readiness().readable)
                });
            if has_received {
                endpoint.parse(worker);
            }
            has_received
        })
    }

    /// Sends an output of the session's, as far as the socket takes it: if it is full, the task waits until there is room for what is
    /// left, at most until its client's time is over.
    pub async fn send(&mut self, output: Output) {
        if !self.try_send(output) {
            self.wait_for_client(Interest::WRITABLE).await;
        }
    }

    fn try_send(&mut self, output: Output) -> bool {
        let (endpoint, watched) = (&mut self.endpoint, self.watched.as_ref());
        with_worker(self.process, |worker| {
            attempt(watched, Interest::WRITABLE, endpoint, |endpoint| {
                let has_room = endpoint.send(output, worker);
                (has_room, has_room)
            })
        })
    }

    /// Does a work here and now, and waits for the disk where it has to: in the thread that runs this task and many others.
    pub fn run(&mut self, work: Work) -> Done {
        with_worker(self.process, |worker| {
            let done = work.run(&worker.files, worker.now);
            worker.tick();
            done
        })
    }

    /// A work is done.
    pub fn done(&mut self, done: Done) {
        with_worker(self.process, |worker| self.endpoint.done(done, worker));
    }

    /// Begins a work, and goes on with what else there is of the connection: the task awaits it with whatever it waits for next.
    pub fn begin(&mut self, work: W) {
        self.works.get_or_insert_default().push(work);
    }

    /// Ends the sending half of the connection, and puts it aside for as long as its client takes to go, as a rule: to hear of that at
    /// once would cost a wake-up.
    pub async fn shutdown_write(&mut self) {
        self.endpoint.shutdown_write();
        if self.endpoint.readiness().readable || !self.endpoint.may_stay() {
            return;
        }
        self.watched = None;
        self.rest();
        self.set_alarm(Instant::now() + ASIDE);
        poll_fn(|context| match &mut self.alarm {
            Some(alarm) => alarm.as_mut().poll(context),
            None => Poll::Ready(()),
        })
        .await;
        self.take_up();
        self.endpoint.look_for_end();
    }

    /// Lets other tasks have their turn.
    pub async fn give_way(&mut self) {
        self.rest();
        yield_now().await;
        self.take_up();
        self.take_works().await;
    }

    /// Awaits what has nothing to do with the client, and lets nothing else of the connection go on meanwhile.
    ///
    /// It is pinned by the caller: each future that took it by value would hold it twice.
    pub async fn awaiting<T>(&mut self, mut other: Pin<&mut impl Future<Output = T>>) -> T {
        // What is there at once is not waited for: nobody else has had the thread, nor the time passed.
        let at_once = poll_fn(|context| Poll::Ready(other.as_mut().poll(context)));
        if let Poll::Ready(output) = at_once.await {
            return output;
        }
        self.rest();
        let output = other.await;
        self.take_up();
        output
    }

    /// Waits until a work is done, `source` says that there is more of a body, or something has come that the session would hear.
    pub async fn wait(&mut self, source: Pin<&mut impl Future<Output = ()>>) {
        let listens = self.endpoint.is_to_listen();
        if listens && self.try_receive() {
            return;
        }
        self.wait_for(listens.then_some(Interest::READABLE), false, source)
            .await;
    }

    /// Waits until the runtime hears of the socket, a work is done, or the client's time is over.
    async fn wait_for_client(&mut self, interest: Interest) {
        let no_source = pin!(pending());
        self.wait_for(Some(interest), true, no_source).await;
    }

    /// `is_timed`: the client has so much time.
    async fn wait_for(
        &mut self,
        interest: Option<Interest>,
        is_timed: bool,
        mut source: Pin<&mut impl Future<Output = ()>>,
    ) {
        if self.take_works().await {
            return;
        }
        self.rest();
        if interest.is_some() && self.watch().is_err() {
            // It would never move again.
            return self.abandon();
        }
        loop {
            let look_at = self.next_look().filter(|_| is_timed);
            if let Some(look_at) = look_at {
                self.set_alarm(look_at);
            }
            let heard = poll_fn(|context| {
                if let Poll::Ready(()) = source.as_mut().poll(context) {
                    return Poll::Ready(Ok(Heard::Source));
                }
                self.poll_wait(interest, look_at.is_some(), context)
            });
            match heard.await {
                Ok(Heard::Socket | Heard::Source) => break self.take_up(),
                Ok(Heard::Work) => break,
                Ok(Heard::Alarm) => {
                    if look_at.is_some_and(|look_at| Instant::now() >= look_at) && self.look() {
                        break self.take_up();
                    }
                }
                // The runtime has shut down.
                Err(_) => return self.abandon(),
            }
        }
    }

    fn poll_wait(
        &mut self,
        interest: Option<Interest>,
        is_timed: bool,
        context: &mut Context<'_>,
    ) -> Poll<Result<Heard, Error>> {
        if let Poll::Ready(done) = self.poll_work(context) {
            self.take_up();
            self.done(done);
            // Several answers may share a packet.
            self.poll_works(context);
            return Poll::Ready(Ok(Heard::Work));
        }
        if let (Some(watched), Some(interest)) = (&self.watched, interest) {
            let ready = if interest.is_readable() {
                watched.poll_read_ready(context)
            } else {
                watched.poll_write_ready(context)
            };
            if let Poll::Ready(ready) = ready {
                ready?.retain_ready();
                return Poll::Ready(Ok(Heard::Socket));
            }
        }
        match &mut self.alarm {
            Some(alarm) if is_timed => alarm.as_mut().poll(context).map(|()| Ok(Heard::Alarm)),
            _ => Poll::Pending,
        }
    }

    /// The next work of those that are out that is done.
    fn poll_work(&mut self, context: &mut Context<'_>) -> Poll<Done> {
        match self
            .works
            .as_mut()
            .map(|works| works.poll_next_unpin(context))
        {
            Some(Poll::Ready(Some(done))) => Poll::Ready(done),
            Some(Poll::Ready(None) | Poll::Pending) | None => Poll::Pending,
        }
    }

    /// Takes back the works that are done; whether there were any.
    fn poll_works(&mut self, context: &mut Context<'_>) -> bool {
        let mut has_taken = false;
        while let Poll::Ready(done) = self.poll_work(context) {
            self.done(done);
            has_taken = true;
        }
        has_taken
    }

    async fn take_works(&mut self) -> bool {
        poll_fn(|context| Poll::Ready(self.poll_works(context))).await
    }

    /// Has the runtime watch the socket, if it does not yet.
    fn watch(&mut self) -> Result<(), Error> {
        if self.watched.is_none() {
            let interest = Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY;
            self.watched = Some(Watched::new(self.client.as_fd(), interest)?);
        }
        Ok(())
    }

    /// When the client is to be looked at; never while somebody works for it.
    fn next_look(&mut self) -> Option<Instant> {
        with_worker(self.process, |worker| self.endpoint.next_look(worker))
    }

    /// Looks at the client; whether its time is over.
    fn look(&mut self) -> bool {
        with_worker(self.process, |worker| {
            worker.tick();
            self.endpoint.look(worker)
        })
    }

    /// Has the task woken at that time, or earlier.
    fn set_alarm(&mut self, at: Instant) {
        let at = at.into();
        match &mut self.alarm {
            None => self.alarm = Some(Box::pin(sleep_until(at))),
            Some(alarm) if alarm.is_elapsed() || alarm.deadline() > at => alarm.as_mut().reset(at),
            Some(_) => {}
        }
    }

    /// Leaves the thread and its buffers to others.
    fn rest(&mut self) {
        with_worker(self.process, |worker| self.endpoint.rest(worker));
    }

    /// Goes on, on whichever thread.
    fn take_up(&mut self) {
        with_worker(self.process, |worker| {
            worker.tick();
            if worker.is_overdue() {
                self.endpoint.abandon(worker);
            }
            self.endpoint.take_up(worker);
        });
    }

    fn abandon(&mut self) {
        with_worker(self.process, |worker| self.endpoint.abandon(worker));
    }
}

impl<W> Drop for Connection<'_, W> {
    fn drop(&mut self) {
        with_worker(self.process, |worker| {
            if std::thread::panicking() {
                worker.defect();
            } else {
                self.endpoint.abandon(worker);
                // What came behind its last request is nobody else's.
                self.endpoint.rest(worker);
            }
        });
    }
}

/// Who has woken a task that waits.
enum Heard {
    /// It is taken up again already.
    Work,
    Source,
    Socket,
    Alarm,
}

/// Tries what the socket may not be ready for. `attempt` tells what came of it, and whether the socket is still ready; if not, the
/// runtime forgets that it was, but nothing that it has heard since the attempt began.
fn attempt(
    watched: Option<&Watched<'_>>,
    interest: Interest,
    endpoint: &mut Endpoint,
    attempt: impl FnOnce(&mut Endpoint) -> (bool, bool),
) -> bool {
    let Some(watched) = watched else {
        return attempt(endpoint).0;
    };
    let (mut attempt, mut outcome) = (Some(attempt), false);
    let _ = watched.try_io(interest, |_| {
        endpoint.ready(Readiness {
            readable: interest.is_readable(),
            writable: interest.is_writable(),
            is_ended: false,
            is_urgent: interest.is_readable() && is_urgent(watched),
        });
        let Some(attempt) = attempt.take() else {
            return Ok(());
        };
        let (done, is_ready) = attempt(endpoint);
        outcome = done;
        is_ready.then_some(()).ok_or(ErrorKind::WouldBlock.into())
    });
    match attempt {
        // The runtime has heard of nothing, so there is nothing to forget.
        Some(attempt) => attempt(endpoint).0,
        None => outcome,
    }
}

/// Whether urgent data has come since this was last asked.
fn is_urgent(watched: &Watched<'_>) -> bool {
    let mut is_urgent = false;
    let _ = watched.try_io(Interest::PRIORITY, |_| {
        is_urgent = true;
        Err::<(), _>(ErrorKind::WouldBlock.into())
    });
    is_urgent
}
