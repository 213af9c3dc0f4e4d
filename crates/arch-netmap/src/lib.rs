//! netmap: rings shared with the kernel, a TCP of our own, and nothing of the kernel's network stack between them.
#![doc = concat!("\n```text", include_str!("diagram.txt"), "```\n")]
//! What is shared: rings and frames between the loop and the kernel, and nothing else. A packet that has come is read where the kernel
//! has put it, without a call; what all connections have to send is written where the kernel takes it from, and leaves by one call for
//! up to 32 packets. The interface is the server's alone: six instructions in its driver give every packet to the ring, and to the
//! kernel's own TCP/IP it is as if unplugged.
//!
//! What blocks: finding and reading a file that is not in memory, and with it the whole server, as in SPED, whose loop this is but for
//! what is below; and then no acknowledgement leaves either, nor any handshake. Who waits: the loop, in `poll`, when no packet has come
//! and no timer has run down; with `--busy-poll` nobody. How packets get between the driver's memory and the frames is the kernel's
//! choice at bind: without a copy where the driver can, and by a copy over veth, which has no memory of its own. The summary says which.
//!
//! | | the kernel's TCP, a readiness loop | this |
//! | --- | --- | --- |
//! | a call for | each read, each send, each accept | up to 32 packets that leave; each time that there is nothing to do |
//! | copies of what is sent | file or memory to socket buffer, to the card's memory | file or memory to the connection's buffer, to a frame; over veth a third, to the kernel's |
//! | who retransmits | the kernel, also while the server waits for its disk or is dead | the loop, when it has a turn |
//! | a connection | a descriptor, and memory of the kernel's | an entry in a table, and up to 34 KiB of ours |
//! | who may connect | any process's clients at any address | this server's, at one address and port |
//!
//! # Departures
//!
//! From netmap (Rizzo, USENIX ATC 2012): its rings are the card's, and one `ioctl` synchronises them; AF_XDP has four rings, two of
//! which say whose a frame is. netmap's host rings, by which a program hands packets on to the kernel's stack, are left out: an
//! interface is served or it is not. netmap has no TCP, and the paper's programs need none.
//!
//! From StackMap (Yasukata, Honda, Santry, Eggert, USENIX ATC 2016): that keeps the kernel's TCP and takes its data plane away from
//! sockets; here TCP is ours too (smoltcp), so that nothing of the kernel's is left to be shared. Its buffers must outlive their
//! acknowledgement, which is what makes retransmission without a copy hard; here a copy stays in the connection's buffer until then.
//!
//! # Answers
//!
//! *Is it general purpose?* No. One server has one interface, one address, one port; a second program on this machine hears nothing from
//! that network. There are no Unix sockets, no IPv6, no urgent data, nothing for a debugger of the network to attach to but the other end.
//!
//! *Is it a good building block?* The rings are: they carry frames and know of no protocol. What was built on them had to bring all that
//! sockets bring: demultiplexing, a backlog, timers, TIME-WAIT, resets when it ends by a defect. When it is killed nobody is left to
//! send any, and its clients find out when they next say something.
//!
//! *What did it cost to leave the abstraction?* In code, what is in this crate and in `sys::xdp` beside the loop, and a stack beside
//! those. Sessions, protocol and files are the same as for all others: an [`Endpoint`] takes another [transport](arch::Transport), and
//! that is all the landing had to learn.
//!
//! # What this TCP lacks
//!
//! - Selective acknowledgements are sent and not made use of: after a loss, what came behind it is sent again as well.
//! - It learns little of a path: CUBIC is there, but the shortest wait before sending again is a second, and there is no tail-loss probe, no
//!   RACK, no pacing, no ECN, no path MTU discovery.
//! - Windows are as large as the buffers, 24 KiB by default, and do not grow: over a distance that is a limit on throughput
//!   (`--send-buffer`).
//! - No SYN cookies: a flood of handshakes fills the backlog for half a minute.
//! - Initial sequence numbers come from a generator that is no cryptographer's.
//! - TIME-WAIT is kept for 64 connections; beyond them the oldest is forgotten, and what strays in for it is answered by a reset.
//! - A segment that is too old is dropped with its acknowledgement. Two stacks of this kind that both send again what the other has had
//!   already never get on; a kernel's at the other end does.
//! - No fragments, no IP options, no segmentation by a card, one queue of the interface.

mod options;
mod packet;
mod place;
mod sessions;
mod stack;
mod stream;
mod wire;

#[cfg(test)]
mod tests;

use std::hash::{BuildHasher, RandomState};
use std::io::{Error, Result};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arch::{Endpoint, Listener, ProcessContext, Progress, Remarks, Worker};
use meter::Event;
use run_queue::RunQueue;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use sys::xdp::Bound;

pub use options::Netmap;
use options::Taken;
use sessions::Sessions;
use stack::{End, Settings, Stack, Token};
use wire::Rings;

/// When it ends, by a defect too, clients are told: nobody else knows of their connections.
impl Drop for EventLoop {
    fn drop(&mut self) {
        self.stack.reset_all();
    }
}

struct EventLoop {
    stack: Stack<Rings>,
    sessions: Sessions,
    /// Those that something has happened to, and those that could go on and let others go first.
    run_queue: RunQueue<Token>,
    listener: Arc<Listener>,
    worker: Worker,
    started: Instant,
    most_connections: usize,
    busy_poll: bool,
    is_stopping: bool,
    is_zero_copy: bool,
}

impl EventLoop {
    fn new(options: Netmap, process: &ProcessContext) -> Result<Self> {
        let address = process.listener.address().ip();
        let (Some(SocketAddr::V4(address)), Some(Taken { place, rings })) =
            (address, options.taken)
        else {
            return Err(Error::other("it serves without having listened"));
        };
        let is_zero_copy = rings.bound() == Bound::ZeroCopy;
        let settings = Settings {
            hardware_address: place.link.hardware_address,
            address: *address.ip(),
            prefix_bits: place.prefix_bits,
            gateway: options.gateway,
            port: address.port(),
            backlog: usize::try_from(process.options.backlog).unwrap_or(1),
            receive_bytes: options.receive_buffer,
            send_bytes: options.send_buffer,
            seed: RandomState::new().hash_one(std::process::id()),
        };
        let worker = process.worker();
        let rings = Rings::new(rings, place.link.mtu as usize);
        Ok(Self {
            stack: Stack::new(rings, settings, smoltcp::time::Instant::ZERO),
            sessions: Sessions::new(worker.now),
            run_queue: RunQueue::default(),
            listener: Arc::clone(&process.listener),
            started: worker.now,
            worker,
            most_connections: match process.options.max_connections {
                0 => usize::MAX,
                most => most,
            },
            busy_poll: options.busy_poll,
            is_stopping: false,
            is_zero_copy,
        })
    }

    fn run(mut self, remarks: &Remarks) -> Result<()> {
        loop {
            self.worker.tick();
            // Packets that have come go through TCP, and whom they are for is due.
            let (now, run_queue) = (self.now(), &mut self.run_queue);
            self.stack.turn(now, |token| {
                run_queue.push(token);
            });
            self.accept();
            for _ in 0..self.run_queue.len() {
                if let Some(token) = self.run_queue.pop() {
                    self.serve(token);
                }
            }
            let run_queue = &mut self.run_queue;
            self.sessions.sweep(&self.worker, |token| {
                run_queue.push(token);
            });
            if self.worker.is_stopping() && self.stop() {
                break;
            }
            // Whatever all of them have sent leaves by one call.
            self.stack.flush()?;
            if !self.busy_poll {
                self.wait()?;
            }
        }
        self.stack.flush()?;
        self.remark(remarks);
        Ok(())
    }

    fn now(&self) -> smoltcp::time::Instant {
        let passed = self.worker.now.saturating_duration_since(self.started);
        smoltcp::time::Instant::ZERO + passed.into()
    }

    /// Lets in who has come, as many as may.
    fn accept(&mut self) {
        while self.sessions.len() < self.most_connections
            && let Some((token, stream)) = self.stack.accept()
        {
            self.worker.counters.count(Event::Connection, 1);
            let endpoint = Endpoint::new(stream, &self.worker);
            self.sessions.insert(token, endpoint);
            self.run_queue.push(token);
        }
    }

    /// Runs one session until it has to wait for its client.
    fn serve(&mut self, token: Token) {
        let Some(session) = self.sessions.get_mut(token) else {
            return;
        };
        let endpoint = &mut session.endpoint;
        let readiness = endpoint.transport().readiness();
        endpoint.ready(readiness);
        let progress = loop {
            match endpoint.advance(&mut self.worker) {
                Progress::Work(work) => {
                    // The whole server waits here: for the name, or for the bytes.
                    let done = work.run(&self.worker.files, self.worker.now);
                    endpoint.done(done, &mut self.worker);
                }
                progress => break progress,
            }
        };
        match progress {
            Progress::Closed => {
                // Whoever has not taken its answer in time is not waited for.
                let end = match session.is_late && endpoint.transport().has_unacknowledged() {
                    true => End::Reset,
                    false => End::Close,
                };
                self.sessions.remove(token);
                self.stack.end(token, end);
            }
            progress => {
                session.has_moved();
                if matches!(progress, Progress::Yields) {
                    self.run_queue.push(token);
                }
                self.stack.transmit(token);
            }
        }
    }

    /// The server is stopping; whether it has: all that was sent has arrived, or is not waited for any longer.
    fn stop(&mut self) -> bool {
        if !self.is_stopping {
            self.is_stopping = true;
            self.stack.shut();
            for token in self.sessions.tokens() {
                self.run_queue.push(token);
            }
        }
        if self.worker.is_overdue() {
            for token in self.sessions.tokens() {
                if let Some(session) = self.sessions.get_mut(token) {
                    session.endpoint.abandon(&mut self.worker);
                }
                self.sessions.remove(token);
                self.stack.end(token, End::Reset);
            }
            return true;
        }
        self.sessions.len() == 0 && self.stack.is_settled()
    }

    /// Waits until packets come, or something is due without.
    fn wait(&self) -> Result<()> {
        if !self.run_queue.is_empty() || self.stack.has_more() {
            return Ok(());
        }
        let now = Instant::now();
        let turn = self.stack.next_turn().map(|at| {
            let at = self.started + Duration::from_micros(at.total_micros().unsigned_abs());
            at.saturating_duration_since(now)
        });
        // How long a server that is stopping waits for clients is seen in time.
        let stopping = self.is_stopping.then_some(Duration::from_millis(20));
        let sweep = self.sessions.time_to_sweep(now);
        let at_most = [turn, sweep, stopping].into_iter().flatten().min();
        let at_most = at_most.and_then(|time| Timespec::try_from(time).ok());
        let rings = PollFd::new(self.stack.wire.socket(), PollFlags::IN);
        // When the server is told to stop, its listener is shut.
        let told = PollFd::from_borrowed_fd(self.listener.as_fd(), PollFlags::IN);
        let waited = match self.is_stopping {
            true => poll(&mut [rings], at_most.as_ref()),
            false => poll(&mut [rings, told], at_most.as_ref()),
        };
        match waited {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn remark(&self, remarks: &Remarks) {
        let Rings {
            received,
            sent,
            calls,
            ..
        } = self.stack.wire;
        let lost = self.stack.wire.socket().lost().unwrap_or(0);
        let how = match self.is_zero_copy {
            true => "without a copy of the kernel's",
            false => "copied by the kernel",
        };
        let each = sent as f64 / calls.max(1) as f64;
        remarks.make(
            "packets",
            format!("{received} came, {sent} left, {each:.1} by each call; {how}"),
        );
        remarks.make(
            "packets lost",
            format!("{lost} at the rings, {} damaged", self.stack.corrupt),
        );
        if self.stack.overflowed > 0 {
            let text = format!("{} times it was full", self.stack.overflowed);
            remarks.make("backlog", text);
        }
    }
}
