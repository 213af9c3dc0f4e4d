//! One loop that is told when operations are complete, and never asks whether anything is ready (io_uring).
#![doc = concat!("\n```text", include_str!("diagram.txt"), "```\n")]
//! What is shared: two queues between the loop and the kernel. Operations go into one, completions come out of the other, and one system
//! call hands in all that is to be done and waits for what is done. With `--sqpoll` a thread of the kernel's looks into the first, and
//! the call is only needed to wait. That thread is one of the process: its processor time is the server's.
//!
//! What blocks: nothing in the loop, but for what is said below. A file that is not in memory is waited for by the kernel: by
//! nobody, where its file system can say when a page has come, and by one of `--kernel-workers` threads where it cannot. Who waits for
//! a client is nobody at all: an operation that stands in the kernel is a few hundred bytes there.
//!
//! | step | how | a call that remains |
//! | --- | --- | --- |
//! | accept | one multishot entry for all; with `--max-connections` one entry for each | |
//! | read request | one multishot entry for each connection, into buffers that the kernel takes from a ring when bytes have come; with none left it says `ENOBUFS`, and is asked again | `recv` once when the server stops, to see that no request lies unread |
//! | find file | `openat2` below the root, `statx`, `openat2` for reading, `statx`: an entry each, where the name is not in the cache | finding a lost root again; the walk where a sandbox refuses `openat2` |
//! | read file | an entry, linked before the one that sends; small files once, to be kept | `preadv2` that does not wait, when a kept copy is held against its file |
//! | send | an entry, linked behind the file's | |
//! | close | an entry for the registered descriptor | `shutdown` (an entry for it would wake a thread) and `close` |
//!
//! `--files read` reads 64 KiB and sends them, with the head in one entry. `--files splice` has the kernel pass the pages on through a
//! pipe, without a copy; but it does so in threads of its own, two hand-overs for each piece, of a megabyte where a pipe may be so large; their
//! completions are waited for together. `--send zero-copy` sends bodies of
//! [`GATHER_FROM`](arch::transport::GATHER_FROM) and more from where they are in memory; heads and smaller ones are copied all the same.
//!
//! # What it shares with StackMap, and what not
//!
//! StackMap (Yasukata, Honda, Santry, Eggert, USENIX ATC 2016) puts the kernel's TCP between rings of packet buffers that the
//! application shares with the network card. This room has that paper's kernel TCP below and shared rings above: requests come in
//! buffers of a ring, answers leave from memory that is not copied (with `--send zero-copy`), and one call serves many connections. It
//! has none of what is below TCP: packets are not seen, the card is not polled and has no ring here, what is received is copied from
//! the packet into a buffer, and sockets stay as they are.
//!
//! Why are retransmissions complex there? A packet that has been sent is not done with: until the other end has acknowledged it, it
//! may have to be sent again, from the same bytes. A stack that copies keeps its own. One that sends from the application's buffer
//! has to keep that buffer as it is, long after the card has said that it has sent it, while the application would like to have it
//! back, and the slot of the ring with it; so a buffer belongs to two at once (the queue for retransmission and the ring), and has to be
//! taken out of the ring and replaced by another. The same question is here in the large: a buffer that was sent without copying
//! is *not* free when the send completes, but when a second completion, the notification, says so. A client that does not
//! acknowledge keeps it for as long as it likes. The ring (`sys::ring`) therefore owns such a buffer until then, and whoever wants
//! one meanwhile has another: a test has a client that does not read, and many that do. (On the loopback interface and on veth the
//! kernel copies after all, when it delivers.)
//!
//! Departures: there is no paper. Deadlines are a sweep, as in SPED, and not a time-out for each operation, which would be an
//! entry more for each request. Nothing is locked in the page cache, since nobody asks what is in it. No descriptor is only in the
//! ring's table: the limit on them, and what the client has yet to acknowledge (`SIOCOUTQ`), go by descriptors of the process.

mod accepting;
mod connections;
mod held;
mod options;
mod sending;
mod transfer;

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use arch::listener::Listener;
use arch::session::Calls;
use arch::{Done, ProcessContext, Turn, Worker};
use run_queue::RunQueue;
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};
use sys::ring::{Event, Finished, Registered, Ring, Settings};

use accepting::Accepting;
use connections::{Connections, Token};
use held::Held;
pub use options::{FilesBy, SendBy, Uring};
use transfer::Pipe;

/// How long the kernel's thread looks for operations after the last.
const SPIN_MS: u32 = 100;
/// The most descriptors that are registered: connections beyond them are not let in.
const MOST_DESCRIPTORS: u32 = 1 << 18;
/// Whoever has sent so many bytes that nobody has taken is not received for.
const MOST_UNREAD: usize = 16 << 10;

struct CompletionLoop {
    ring: Ring<Held>,
    connections: Connections,
    /// Those that could go on, and let others go first.
    run_queue: RunQueue<Token>,
    listener: Arc<Listener>,
    registered_listener: Registered,
    accepting: Accepting,
    /// Empty, for the next file.
    pipes: Vec<Pipe>,
    /// Entries handed in since the last wait that threads of the kernel's complete, one by one.
    spliced: usize,
    options: Uring,
    worker: Worker,
}

impl CompletionLoop {
    fn new(options: Uring, process: &ProcessContext) -> std::io::Result<Self> {
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let mut ring = Ring::new(&Settings {
            entries: 1024,
            completions: 8192,
            kernel_thread_idle_ms: options.sqpoll.then_some(SPIN_MS),
            receive_buffers: 512,
            receive_buffer_bytes: 4096,
            descriptors: u32::try_from(limit)
                .unwrap_or(u32::MAX)
                .min(MOST_DESCRIPTORS),
            file_workers: options.kernel_workers,
        })?;
        let registered_listener = ring
            .register(process.listener.as_fd())
            .ok_or(std::io::ErrorKind::InvalidInput)?;
        ring.watch_for_hang_up(registered_listener);
        let worker = process.worker();
        Ok(Self {
            ring,
            connections: Connections::new(worker.now),
            run_queue: RunQueue::default(),
            listener: Arc::clone(&process.listener),
            registered_listener,
            accepting: Accepting::Paused(None),
            pipes: Vec::new(),
            spliced: 0,
            options,
            worker,
        })
    }

    fn run(mut self) -> std::io::Result<()> {
        loop {
            self.take_completions();
            for _ in 0..self.run_queue.len() {
                if let Some(token) = self.run_queue.pop() {
                    self.advance(token);
                }
            }
            if self.worker.is_stopping() && self.connections.is_empty() {
                return Ok(());
            }
            self.accept();
            // What is to be done is handed in, and what is done is waited for, by one call.
            let together = std::mem::take(&mut self.spliced).div_ceil(2);
            self.ring.wait_for(together, self.time_to_wait())?;
            self.worker.tick();
            let run_queue = &mut self.run_queue;
            self.connections.sweep(&mut self.worker, |token| {
                run_queue.push(token);
            });
        }
    }

    /// The loop's arms: what is complete, and who goes on with it.
    fn take_completions(&mut self) {
        while let Some(event) = self.ring.next_event() {
            match event {
                Event::Accepted { socket, goes_on } => self.accepted(socket, goes_on),
                Event::Received {
                    token,
                    bytes,
                    goes_on,
                } => {
                    let token = Token::from(token);
                    let Some(connection) = self.connections.get_mut(token) else {
                        continue;
                    };
                    connection.is_received_for = goes_on;
                    connection.is_receive_cancelled &= goes_on;
                    let bytes = match bytes {
                        Ok([]) => {
                            connection.endpoint.ended();
                            &[]
                        }
                        Ok(bytes) => bytes,
                        // All buffers were in use, or it was told to end: it is asked for again when its session wants it.
                        Err(Errno::NOBUFS | Errno::CANCELED | Errno::INTR | Errno::AGAIN) => &[],
                        Err(_) => {
                            connection.endpoint.broken();
                            &[]
                        }
                    };
                    if connection.is_over {
                        self.let_go(token);
                        continue;
                    }
                    let turn = connection
                        .endpoint
                        .advance(bytes, goes_on, &mut self.worker);
                    self.follow(token, turn);
                }
                Event::Finished(finished) => self.finished(finished),
                // The server is stopping; the loop has only to be woken.
                Event::HungUp => self.accepting = Accepting::Over,
            }
        }
    }

    /// Runs a session until it needs something that the kernel does.
    fn advance(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else {
            return;
        };
        if connection.is_over {
            return self.let_go(token);
        }
        let is_received_for = connection.is_received_for;
        let turn = connection
            .endpoint
            .advance(&[], is_received_for, &mut self.worker);
        self.follow(token, turn);
    }

    /// Has the kernel do what a session needs next.
    fn follow(&mut self, token: Token, mut turn: Turn) {
        loop {
            match turn {
                Turn::Send(output) => self.send(token, output),
                Turn::Calls(calls, output) => {
                    if let Some(output) = output {
                        self.send(token, output);
                    }
                    // What a work has led to is the session's before anybody else is worked on; and while the kernel is at it, the
                    // session may have others.
                    let done = self.call(token, calls);
                    if let Some(connection) = self.connections.get_mut(token) {
                        let is_received_for = connection.is_received_for;
                        let (endpoint, worker) = (&mut connection.endpoint, &mut self.worker);
                        if let Some(done) = done {
                            endpoint.done(done, worker);
                        } else if !endpoint.is_multiplexed() {
                            return self.receive(token);
                        }
                        turn = endpoint.advance(&[], is_received_for, worker);
                        continue;
                    }
                }
                Turn::Receives | Turn::Waits => {}
                Turn::Yields => {
                    self.run_queue.push(token);
                }
                Turn::Closed => return self.close(token),
            }
            return self.receive(token);
        }
    }

    /// Sees that bytes from a client are received, unless there are enough of them, or it has to be certain that there are none.
    fn receive(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(token) else {
            return;
        };
        connection.has_moved();
        let endpoint = &connection.endpoint;
        let wants = !endpoint.is_to_finish(&self.worker) && endpoint.unread() < MOST_UNREAD;
        if connection.is_received_for {
            if !wants && !connection.is_receive_cancelled {
                connection.is_receive_cancelled = true;
                self.ring.cancel_receive(token.into());
            }
        } else if wants && endpoint.has_more_input() {
            connection.is_received_for = true;
            self.ring.receive(connection.socket, token.into());
        }
    }

    /// Has the next call of a work made; what came of the work, if the loop had to make the last itself.
    fn call(&mut self, token: Token, calls: Calls) -> Option<Done> {
        let mut calls = calls;
        loop {
            let refused = match held::operation(&calls.call()) {
                None => calls,
                Some((operation, length)) => {
                    let tail = length.map(|length| self.ring.tail(length));
                    match held::start(&mut self.ring, operation, token, calls, tail) {
                        Ok(()) => {
                            if let Some(connection) = self.connections.get_mut(token) {
                                connection.chains += 1;
                            }
                            return None;
                        }
                        Err(calls) => calls,
                    }
                }
            };
            // No entry does it: the loop waits.
            let returned = refused.call().make();
            match refused.returned(returned, &self.worker.files) {
                Ok(done) => return Some(done),
                Err(left) => calls = left,
            }
        }
    }

    /// What was handed in for a connection is complete.
    fn finished(&mut self, finished: Finished<Held>) {
        let token = finished.operand.token();
        let Some(connection) = self.connections.get_mut(token) else {
            return;
        };
        connection.chains -= 1;
        let is_over = connection.is_over;
        match finished.operand {
            // Nobody wants to know any more.
            Held::Calls { .. } if is_over => self.let_go(token),
            Held::Transfer { transfer, .. } => {
                self.transferred(token, transfer, &finished.results, finished.tail);
            }
            Held::Calls { calls, .. } => {
                let call = calls.call();
                let returned = held::returned(
                    &call,
                    finished.results[0],
                    finished.opened,
                    finished.status,
                    finished.tail.as_ref(),
                );
                // What the kernel could not do in the background, for want of a thread, is done here.
                let returned = returned.unwrap_or_else(|| call.make());
                if let Some(tail) = finished.tail {
                    self.ring.recycle(tail);
                }
                let done = match calls.returned(returned, &self.worker.files) {
                    Ok(done) => Some(done),
                    Err(calls) => self.call(token, calls),
                };
                if let Some(done) = done
                    && let Some(connection) = self.connections.get_mut(token)
                {
                    connection.endpoint.done(done, &mut self.worker);
                    self.advance(token);
                }
            }
        }
    }

    /// A session is over. Whatever the kernel still has of it comes back first.
    fn close(&mut self, token: Token) {
        if let Some(connection) = self.connections.get_mut(token) {
            connection.is_over = true;
            if !connection.is_free() {
                self.ring.cancel_all(connection.socket);
            }
            self.let_go(token);
        }
    }

    fn let_go(&mut self, token: Token) {
        if let Some(connection) = self.connections.get_mut(token)
            && connection.is_over
            && connection.is_free()
        {
            self.ring.unregister(connection.socket);
            self.connections.remove(token);
            match self.accepting {
                Accepting::Paused(_) => self.accepting = Accepting::Paused(None),
                // An entry keeps to the limit on descriptors that held when it was handed in: one that may stand for long is handed
                // in anew.
                Accepting::Armed { is_multishot: true } if self.connections.is_empty() => {
                    self.ring.cancel_accept();
                }
                Accepting::Armed { .. } | Accepting::Over => {}
            }
        }
    }

    fn time_to_wait(&self) -> Option<Duration> {
        if !self.run_queue.is_empty() {
            return Some(Duration::ZERO);
        }
        let sweep = self.connections.time_to_sweep(self.worker.now);
        let accept = match self.accepting {
            Accepting::Paused(Some(until)) => {
                Some(until.saturating_duration_since(self.worker.now))
            }
            _ => None,
        };
        [sweep, accept].into_iter().flatten().min()
    }
}
