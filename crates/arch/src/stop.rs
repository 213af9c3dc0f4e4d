//! Ending in good order, the same for every architecture.
//!
//! In each process one thread waits for SIGTERM, SIGINT, SIGQUIT and SIGHUP. (By SIGHUP a server of TLS reads its certificate again, and
//! serves on.) When one comes it shuts the listener, which wakes whoever
//! waits in `accept` or in a poll on it; and it shuts the reading side of every connection that a thread may be blocked
//! on, which ends the idle ones and leaves answers under way alone. At the drain deadline it breaks what is left; a thread
//! that waits for the disk even then is not waited for by whoever sends a second signal, which ends the process at any time.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustix::net::{Shutdown, shutdown};
use slab::Slab;
use sys::signals::{self, Signal};

use crate::error::context;
use crate::listener::{Client, Listener};
use crate::security::Security;

/// The signals that end a server in good order.
pub const SIGNALS: [Signal; 4] = [
    Signal::Interrupt,
    Signal::Terminate,
    Signal::Quit,
    Signal::HangUp,
];

/// Which process takes the signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The only one: a second signal ends it at once.
    Alone,
    /// One of several that share the listener. SIGINT is meant for all; any other is for this worker alone, and the others go
    /// on. A second signal changes nothing: a parent process decides, and kills.
    Worker,
}

/// How long a connection takes to notice that it has been broken off.
const BREAKING: Duration = Duration::from_millis(100);

/// Exit status of a server that was told twice to end.
pub const ENDED_AT_ONCE: i32 = sys::process::INTERRUPTED as i32;

/// Whether and when a process is to end.
#[derive(Debug)]
pub struct Stop {
    drain_timeout: Duration,
    stopping: AtomicBool,
    /// Nobody else will come in.
    closing: AtomicBool,
    deadline: OnceLock<Instant>,
    blocking: Mutex<Slab<Arc<Client>>>,
}

impl Stop {
    pub(crate) fn new(drain_timeout: Duration) -> Self {
        Self {
            drain_timeout,
            stopping: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            deadline: OnceLock::new(),
            blocking: Mutex::default(),
        }
    }

    /// Makes the signals wait to be taken, in this thread and all that it starts, and in children, whatever this process has inherited.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn block_signals() -> std::io::Result<()> {
        signals::take_over(&SIGNALS)
    }

    /// Starts the thread that waits for signals, and meanwhile does `chores` each time that `every` has passed.
    pub(crate) fn watch(
        stop: Arc<Self>,
        listener: Arc<Listener>,
        role: Role,
        security: Option<Arc<Security>>,
        every: Duration,
        mut chores: impl FnMut() + Send + 'static,
    ) -> std::io::Result<()> {
        let watch = move || {
            let first = loop {
                match signals::wait(&SIGNALS, Some(every)) {
                    Ok(None) => chores(),
                    Ok(Some(Signal::HangUp)) if security.is_some() => {
                        security
                            .as_ref()
                            .map(|security| security.reload_or_complain());
                    }
                    // Waiting for valid signals that are blocked cannot fail; if it did, ending is the safe answer.
                    first => break first.ok().flatten(),
                }
            };
            let closing = role == Role::Alone || first == Some(Signal::Interrupt);
            stop.begin(closing);
            // Only now, for it wakes those who then ask whether the server is stopping.
            if closing {
                listener.shut();
            }
            while let Some(left) = stop.left() {
                match signals::wait(&SIGNALS, Some(left)) {
                    Ok(Some(_)) if role == Role::Alone => sys::process::exit_now(ENDED_AT_ONCE),
                    Ok(_) => {}
                    Err(_) => break,
                }
            }
            stop.break_blocking();
            match role {
                // It ends by itself, unless whoever serves waits for something that cannot be broken off, as a disk.
                Role::Alone => {
                    if signals::wait(&SIGNALS, None).is_ok() {
                        sys::process::exit_now(ENDED_AT_ONCE);
                    }
                }
                Role::Worker => {
                    // It may be waiting for a client at the listener, which is not its to shut.
                    std::thread::sleep(BREAKING);
                    sys::process::exit_now(ENDED_AT_ONCE);
                }
            }
        };
        std::thread::Builder::new()
            .name("signals".into())
            .stack_size(64 << 10)
            .spawn(watch)
            .map(drop)
            .map_err(context("cannot start the thread that waits for signals"))
    }

    /// Whether the process is to end: no more connections, and each answer is the last of its connection.
    #[inline]
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Relaxed)
    }

    /// Whether nobody else will come in, in any process.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Relaxed)
    }

    /// Whether even answers under way are to be broken off.
    pub fn is_overdue(&self, now: Instant) -> bool {
        self.deadline.get().is_some_and(|&deadline| now >= deadline)
    }

    pub(crate) fn begin(&self, closing: bool) {
        self.closing.store(closing, Relaxed);
        self.deadline
            .get_or_init(|| Instant::now() + self.drain_timeout);
        self.stopping.store(true, Relaxed);
        for (_, client) in self.blocking().iter() {
            // An error means that the connection is gone already.
            let _ = shutdown(&client.socket, Shutdown::Read);
        }
    }

    /// The time left until the drain deadline; `None` when it has passed.
    fn left(&self) -> Option<Duration> {
        let left = self
            .deadline
            .get()?
            .saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    fn break_blocking(&self) {
        for (_, client) in self.blocking().iter() {
            let _ = shutdown(&client.socket, Shutdown::Both);
        }
    }

    /// Makes a connection known that a thread may be blocked on, or a task waits for, until the returned guard is dropped: when the
    /// server stops its reading side is shut, and all of it at the drain deadline.
    pub fn know(&self, client: &Arc<Client>) -> Known<'_> {
        let mut blocking = self.blocking();
        // Looked at under the lock: either the watcher finds the connection in the table, or we see its mark here.
        if self.is_overdue(Instant::now()) {
            let _ = shutdown(&client.socket, Shutdown::Both);
        } else if self.closing.load(Relaxed) {
            // Not where others share the listener: whom this worker lets in last may have yet to ask.
            let _ = shutdown(&client.socket, Shutdown::Read);
        }
        Known {
            stop: self,
            key: blocking.insert(Arc::clone(client)),
        }
    }

    fn blocking(&self) -> MutexGuard<'_, Slab<Arc<Client>>> {
        self.blocking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a connection in the table of those to wake.
#[derive(Debug)]
pub struct Known<'a> {
    stop: &'a Stop,
    key: usize,
}

impl Drop for Known<'_> {
    fn drop(&mut self) {
        self.stop.blocking().try_remove(self.key);
    }
}

#[cfg(test)]
mod tests {
    use crate::{ServeOptions, ServerSetup, blocking};
    use clap::Parser;
    use meter::Event;
    use std::io::{Read, Write};

    #[derive(Parser)]
    struct CommandLine {
        #[command(flatten)]
        options: ServeOptions,
    }

    /// Whoever waits in a call has the connection broken under it, which is not the client's doing.
    #[test]
    fn what_is_broken_off_at_the_deadline_is_counted_as_that() {
        let root = tempfile::tempdir().unwrap();
        let large = std::fs::File::create(root.path().join("large.bin")).unwrap();
        large.set_len(1 << 30).unwrap();
        let arguments = ["test", "--addr", "127.0.0.1:0", "--drain-timeout", "0"];
        let options = CommandLine::parse_from(arguments).options;
        let process = ServerSetup::new(options, root.path())
            .unwrap()
            .open_unwatched()
            .unwrap();
        let mut client =
            std::net::TcpStream::connect(process.listener.address().ip().unwrap()).unwrap();
        client
            .write_all(b"GET /large.bin HTTP/1.1\r\nHost: h\r\n\r\n")
            .unwrap();
        let serving = std::thread::spawn({
            let process = process.clone();
            move || {
                let mut worker = process.worker();
                let accepted = process.listener.accept(&worker.counters).unwrap();
                blocking::serve(accepted, &mut worker);
            }
        });
        client.read_exact(&mut [0; 100]).unwrap();
        process.stop.begin(true);
        process.stop.break_blocking();
        serving.join().unwrap();
        let counted = process.meter.snapshot();
        let counts = [Event::Abandoned, Event::Broken].map(|event| counted.count(event));
        assert_eq!(counts, [1, 0]);
    }
}
