//! A session at its socket, for a task.

use std::future::{pending, poll_fn};
use std::io::{Error, ErrorKind};
use std::os::fd::AsFd;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use arch::session::Output;
use arch::stop::Known;
use arch::{Client, Done, Endpoint, Next, ProcessContext, Readiness, Work};
use sys::watched::Watched;
use tokio::io::Interest;
use tokio::task::{spawn_blocking, yield_now};
use tokio::time::{Sleep, sleep, sleep_until};

use crate::worker::with_worker;

/// How often a source that had nothing is asked again.
const SOURCE_LOOK: Duration = Duration::from_millis(10);

/// A connection that a task serves: each call that may take long is awaited.
///
/// | after | call |
/// | --- | --- |
/// | [`Next::Receive`] | [`receive`](Self::receive) |
/// | [`Next::Send`] | [`send`](Self::send) |
/// | [`Next::Work`] | [`try_run`](Self::try_run), [`prepare`](Self::prepare) or [`run`](Self::run), and [`done`](Self::done) |
/// | [`Next::ShutdownWrite`] | [`shutdown_write`](Self::shutdown_write) |
/// | [`Next::Yield`] | [`give_way`](Self::give_way) |
/// | [`Next::Wait`] | [`wait_for_source`](Self::wait_for_source), or [`awaiting`](Self::awaiting) whoever says when |
///
/// What its session needs only while it is worked on lies with the thread that runs the task, and whatever awaits gives it back: an
/// idle connection owns no buffer. One that is dropped before it is over is counted as broken where a defect has done it, and as
/// abandoned otherwise.
pub struct Connection<'a> {
    process: &'a ProcessContext,
    client: &'a Client,
    /// What the runtime hears of its socket, from its first wait on.
    watched: Option<Watched<'a>>,
    endpoint: Endpoint,
    /// When its client is looked at, or some time before: it is set anew when it has passed, and not with every request.
    alarm: Option<Pin<Box<Sleep>>>,
    _known: Known<'a>,
}

impl<'a> Connection<'a> {
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
            _known: process.stop.know(client),
        }
    }

    /// Brings its session on to what is next. A work whose answer is in our caches is done here; before any other is returned, what the
    /// session has collected is sent, as far as the socket takes it.
    pub fn advance(&mut self) -> Next {
        if self.endpoint.is_to_listen() {
            self.try_receive();
        }
        with_worker(self.process, |worker| {
            loop {
                match self.endpoint.next(worker) {
                    Next::Work(work) => {
                        if let Some(work) = self.endpoint.try_kept(work, worker) {
                            return Next::Work(work);
                        }
                    }
                    next => return next,
                }
            }
        })
    }

    /// Has the session receive what has come, for which the task waits, at most until its client's time is over.
    pub async fn receive(&mut self) {
        if !self.try_receive() {
            self.wait(Interest::READABLE).await;
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
            self.wait(Interest::WRITABLE).await;
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

    /// Does a work if that needs no waiting, for which the kernel may have to be asked.
    ///
    /// # Errors
    /// The work itself, for somebody who may wait.
    pub fn try_run(&mut self, work: Work) -> Result<Done, Work> {
        with_worker(self.process, |worker| {
            work.try_run(&worker.files, worker.now)
        })
    }

    /// Has a thread of the blocking pool wait for the disk, so that [`try_run`](Self::try_run) need not; the task waits for that thread.
    pub async fn prepare(&mut self, work: Work) -> Work {
        self.rest();
        let files = Arc::clone(&self.process.files);
        let Ok(work) = spawn_blocking(move || work.prepare(&files)).await else {
            // The runtime shuts down, and drops this task.
            return pending().await;
        };
        self.take_up();
        work
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

    /// Ends the sending half of the connection.
    pub fn shutdown_write(&mut self) {
        self.endpoint.shutdown_write();
    }

    /// Lets other tasks have their turn.
    pub async fn give_way(&mut self) {
        self.rest();
        yield_now().await;
        self.take_up();
    }

    /// Awaits what has nothing to do with the client: a request's answer, or the next piece of one.
    pub async fn awaiting<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = pin!(other);
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

    /// Waits until a body's source is to be asked again.
    pub async fn wait_for_source(&mut self) {
        self.rest();
        sleep(SOURCE_LOOK).await;
        self.take_up();
    }

    /// Waits until the runtime hears of the socket, or the client's time is over.
    async fn wait(&mut self, interest: Interest) {
        self.rest();
        if self.watch().is_err() {
            // It would never move again.
            return self.abandon();
        }
        let mut look_at = self.next_look();
        loop {
            self.set_alarm(look_at);
            match poll_fn(|context| self.poll_wait(interest, context)).await {
                Ok(Heard::Socket) => break,
                Ok(Heard::Alarm) => {
                    let now = Instant::now();
                    if now >= look_at {
                        if self.look() {
                            break;
                        }
                        look_at = self.next_look();
                    }
                }
                // The runtime has shut down.
                Err(_) => return self.abandon(),
            }
        }
        self.take_up();
    }

    fn poll_wait(
        &mut self,
        interest: Interest,
        context: &mut Context<'_>,
    ) -> Poll<Result<Heard, Error>> {
        let Some(watched) = &self.watched else {
            return Poll::Pending;
        };
        let ready = if interest.is_readable() {
            watched.poll_read_ready(context)
        } else {
            watched.poll_write_ready(context)
        };
        if let Poll::Ready(ready) = ready {
            ready?.retain_ready();
            return Poll::Ready(Ok(Heard::Socket));
        }
        if let Some(alarm) = &mut self.alarm {
            ready!(alarm.as_mut().poll(context));
            return Poll::Ready(Ok(Heard::Alarm));
        }
        Poll::Pending
    }

    /// Has the runtime watch the socket, if it does not yet.
    fn watch(&mut self) -> Result<(), Error> {
        if self.watched.is_none() {
            let interest = Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY;
            self.watched = Some(Watched::new(self.client.as_fd(), interest)?);
        }
        Ok(())
    }

    /// When the client is to be looked at.
    fn next_look(&mut self) -> Instant {
        with_worker(self.process, |worker| {
            // Somebody who waits for the client is not worked for.
            self.endpoint.next_look(worker).unwrap_or(worker.now)
        })
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

impl Drop for Connection<'_> {
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

/// Who has woken a task that waits for its client.
enum Heard {
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
