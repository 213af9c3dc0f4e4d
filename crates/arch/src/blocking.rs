//! The driver for whoever may wait: one connection, served to its end by the calling thread.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Phase;
use meter::Event;
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};

use crate::document::Files;
use crate::listener::Client;
use crate::options::ServeOptions;
use crate::session::{Done, Next, Output, SendError, Session, Work};
use crate::timing::{LOOKS, Timer};
use crate::transport::{self, SendVia, Sent, Transport};
use crate::worker::Worker;

/// A difference in waiting that is not worth a system call.
const TIMEOUT_TOLERANCE: Duration = Duration::from_millis(10);
/// How often a source that had nothing is asked again, if nobody says that it has.
const SOURCE_LOOK: Duration = Duration::from_millis(10);

/// A transport whose calls wait, in whichever way: `send` for a part of the send time-out, so that the client is looked at often
/// enough.
pub trait Waiting: Transport {
    /// Receives as [`Transport::receive`] does, and waits at most so long.
    ///
    /// # Errors
    /// [`Errno::AGAIN`] when the time has passed.
    fn receive_within(&mut self, buffer: &mut [u8], time: Duration) -> Result<usize, Errno>;

    /// Receives what has come, and waits for nothing.
    ///
    /// # Errors
    /// [`Errno::AGAIN`] where nothing has.
    fn receive_now(&mut self, buffer: &mut [u8]) -> Result<usize, Errno> {
        self.receive_within(buffer, Duration::ZERO)
    }

    /// Does a work that may wait for the disk: the calling thread waits.
    fn run(&mut self, work: Work, files: &Files, now: Instant) -> Done {
        work.run(files, now)
    }

    /// Lets others have their turn: of threads, the kernel sees to that.
    fn yield_now(&mut self) {}

    /// Waits for whoever brings what a body's source has not yet, at most so long.
    fn pause(&mut self, at_most: Duration) {
        std::thread::park_timeout(at_most);
    }
}

/// How long a [`Waiting`] transport waits for a client to take something before the driver looks at it.
pub fn look_after(options: &ServeOptions) -> Duration {
    options.send_timeout / LOOKS
}

/// Serves one connection until it is over. The thread waits wherever there is something to wait for.
///
/// # Panics
/// Where a step does: what else goes with the thread is the architecture's nature. The connection is counted as broken.
pub fn serve(client: impl Into<Arc<Client>>, worker: &mut Worker) {
    let receive_timeout = worker.options.idle_timeout;
    serve_over(client, worker, |client| Blocking {
        client,
        receive_timeout,
    });
}

/// The same over a transport that is made for the connection.
///
/// # Panics
/// Likewise.
pub fn serve_over<T: Waiting>(
    client: impl Into<Arc<Client>>,
    worker: &mut Worker,
    transport: impl FnOnce(Arc<Client>) -> T,
) {
    let client = client.into();
    // Held until the defect is counted: whoever sees the connection end may ask for the count.
    let held = Arc::clone(&client);
    let stop = Arc::clone(&worker.stop);
    let served = catch_unwind(AssertUnwindSafe(|| {
        let _known = stop.know(&held);
        worker.tick();
        drive(&mut transport(client), worker);
    }));
    if let Err(panic) = served {
        worker.defect();
        resume_unwind(panic);
    }
}

/// Serves the connection that `transport` carries until it is over: every step in the calling thread, which waits in the transport's
/// calls and for the disk.
pub fn drive(transport: &mut impl Waiting, worker: &mut Worker) {
    let mut timer = Timer::new(worker.now);
    let mut readable_at = worker.now;
    let mut session = worker.session();
    loop {
        if session.is_to_listen() {
            listen(transport, &mut session, worker);
        }
        match worker.next_of(&mut session) {
            Next::Receive if worker.buffers.has_rest() => worker.parse(&mut session),
            Next::Receive => {
                receive(transport, &mut session, &mut timer, worker);
                readable_at = worker.now;
            }
            Next::Send(output) => {
                send(transport, output, &mut session, &mut timer, worker);
                worker.account(readable_at, &mut timer);
            }
            Next::Work(work) => {
                if let Some(output) = session.collected(&mut worker.buffers.scratch) {
                    send(transport, output, &mut session, &mut timer, worker);
                }
                let done = transport.run(work, &worker.files, worker.now);
                session.done(done, &mut worker.buffers.scratch);
            }
            Next::ShutdownWrite => {
                transport.shutdown_write();
                // Lingering begins now, however long the answer took.
                worker.tick();
            }
            Next::Yield => transport.yield_now(),
            // A body's source has nothing yet, and unparks whom it makes wait.
            Next::Wait => transport.pause(SOURCE_LOOK),
            Next::Closed => break,
        }
    }
    worker.account(readable_at, &mut timer);
    worker.buffers.clear();
}

/// Has the session hear what has come, if anything has, though something else is next.
fn listen(transport: &mut impl Waiting, session: &mut Session, worker: &mut Worker) {
    let received = transport.receive_now(&mut worker.buffers.input);
    hear(received, session, worker);
}

/// Has the session hear what has become of receiving.
fn hear(received: Result<usize, Errno>, session: &mut Session, worker: &mut Worker) {
    match received {
        Ok(0) => session.end_of_input(&mut worker.buffers.scratch),
        Ok(count) => {
            worker.buffers.rest = 0..count;
            worker.parse(session);
        }
        Err(Errno::AGAIN) => {}
        Err(_) if is_broken_off(worker) => session.abandon(&mut worker.buffers.scratch),
        Err(_) => session.broken(&mut worker.buffers.scratch),
    }
}

/// Waits for what the client sends, at most until its deadline.
fn receive(
    transport: &mut impl Waiting,
    session: &mut Session,
    timer: &mut Timer,
    worker: &mut Worker,
) {
    session.rest(&worker.buffers.scratch);
    if let Some(phase) = session.phase() {
        timer.note(phase, worker.now);
    }
    let left = |timer: &Timer| {
        let deadline = timer.deadline(&worker.options);
        deadline.saturating_duration_since(worker.now)
    };
    let mut time = left(timer);
    if time.is_zero() {
        // One who makes room for an answer bit by bit takes it, however long that is.
        if timer.is_over(transport.unacknowledged(), worker.now, &worker.options) {
            return session.expire(&mut worker.buffers.scratch);
        }
        time = left(timer).max(look_after(&worker.options));
    }
    let received = transport.receive_within(&mut worker.buffers.input, time);
    worker.tick();
    hear(received, session, worker);
}

/// Waits for the client to take an output, or for a part of its time to pass.
fn send(
    transport: &mut impl Waiting,
    output: Output,
    session: &mut Session,
    timer: &mut Timer,
    worker: &mut Worker,
) {
    if timer.phase() != Phase::Answer {
        timer.note(Phase::Answer, worker.now);
        timer.has_taken();
    }
    let sent = transport.send(&output, &mut worker.via);
    match sent {
        Ok(Sent { bytes, .. }) => {
            session.sent(output, Ok(bytes), &mut worker.buffers.scratch);
            if bytes > 0 {
                worker.counters.count(Event::Byte, bytes as u64);
                timer.has_taken();
                return;
            }
            worker.tick();
            if timer.is_over(transport.unacknowledged(), worker.now, &worker.options) {
                session.expire(&mut worker.buffers.scratch);
            }
        }
        Err(SendError::Broken) if is_broken_off(worker) => {
            session.abandon(&mut worker.buffers.scratch);
        }
        Err(error) => session.sent(output, Err(error), &mut worker.buffers.scratch),
    }
}

/// Whether connections have been broken under whoever waits on them: the drain deadline has passed.
fn is_broken_off(worker: &Worker) -> bool {
    worker.stop.is_overdue(Instant::now())
}

/// A socket of the kernel's whose calls wait.
struct Blocking {
    client: Arc<Client>,
    /// What the socket was told last; at first what the listener was given, and every accepted socket inherits.
    receive_timeout: Duration,
}

impl Transport for Blocking {
    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, Errno> {
        transport::receive(&self.client.socket, buffer)
    }

    fn send(&mut self, output: &Output, via: &mut SendVia) -> Result<Sent, SendError> {
        transport::send(&self.client.socket, output, via)
    }

    fn shutdown_write(&mut self) {
        self.client.shutdown_write();
    }

    fn unacknowledged(&self) -> Option<u64> {
        self.client.unacknowledged()
    }
}

impl Waiting for Blocking {
    fn receive_now(&mut self, buffer: &mut [u8]) -> Result<usize, Errno> {
        transport::receive_now(&self.client.socket, buffer)
    }

    fn receive_within(&mut self, buffer: &mut [u8], time: Duration) -> Result<usize, Errno> {
        if time.abs_diff(self.receive_timeout) > TIMEOUT_TOLERANCE {
            self.receive_timeout = time;
            // If it fails, the read only waits longer.
            let _ = set_socket_timeout(&self.client.socket, Timeout::Recv, Some(time));
        }
        self.receive(buffer)
    }
}
