//! Packets carried between two TUN devices, each when the model says.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::num::NonZeroU64;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

use crate::Error;
use crate::model::{Direction, Fate, Model};

/// Packets taken in from one device before the other has its turn.
const BATCH: usize = 64;

/// The most bytes that are on their way in one direction; a link without a rate has no queue that would end before.
const MOST_BYTES: usize = 256 << 20;

/// The largest IP packet.
const LARGEST: usize = 1 << 16;

/// What was carried in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct DirectionCounts {
    /// Packets that arrived.
    pub packets: u64,
    /// Their bytes, IP headers included.
    pub bytes: u64,
    /// Packets lost on their way, as the model has it.
    pub lost: u64,
    /// Packets that found the queue too full.
    pub dropped: u64,
    /// Packets that the receiving host did not take.
    pub refused: u64,
    /// How long packets that arrived waited to be sent, on average.
    pub mean_wait_us: f64,
    /// The same, at worst.
    pub max_wait_us: f64,
    /// How much later than the model says packets arrived, on average: the price of a busy processor.
    pub mean_lateness_us: f64,
    /// The same, at worst.
    pub max_lateness_us: f64,
}

/// What was carried.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counts {
    /// From the client to the server.
    pub to_server: DirectionCounts,
    /// From the server to the client.
    pub to_client: DirectionCounts,
}

/// A thread that carries.
#[derive(Debug)]
pub(crate) struct Carrier {
    stop: Arc<OwnedFd>,
    thread: Option<JoinHandle<io::Result<Counts>>>,
}

impl Carrier {
    /// Carries from now on between two TUN devices.
    pub(crate) fn start(model: Model, server: File, client: File) -> Result<Self, Error> {
        let stop = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|error| Error::own("make a descriptor")(error.into()))?;
        let stop = Arc::new(stop);
        let stopping = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("link".into())
            .spawn(move || carry(model, &server, &client, &stopping))
            .map_err(Error::own("start the link's thread"))?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }

    /// Whether it has ended by itself, which takes an error.
    pub(crate) fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Ends it. Packets on their way are lost.
    pub(crate) fn end(&mut self) -> io::Result<Counts> {
        // It can only fail where it is full, and then it says so already.
        let _ = rustix::io::write(&*self.stop, &1_u64.to_ne_bytes());
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(counts)) => counts,
            Some(Err(_)) => Err(io::Error::other("the link's thread has failed")),
            None => Ok(Counts::default()),
        }
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        // Nobody is there to be told.
        let _ = self.end();
    }
}

fn carry(model: Model, server: &File, client: &File, stop: &OwnedFd) -> io::Result<Counts> {
    // The kernel rounds waking up by 50 µs unless it is told how much that matters; where it may not be, lateness shows it.
    let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
    let epoch = Instant::now();
    let mut pipes = [
        Pipe::new(Direction::new(model, 0), client, server),
        Pipe::new(Direction::new(model, 1), server, client),
    ];
    let mut scratch = vec![0; LARGEST];
    loop {
        for pipe in &mut pipes {
            pipe.deliver(epoch)?;
            pipe.take_in(epoch, &mut scratch)?;
        }
        let next = pipes
            .iter()
            .filter_map(|pipe| pipe.held.front())
            .map(|held| held.at)
            .min();
        let wait = next.map(|at| at.saturating_sub(epoch.elapsed()));
        let mut watched = [
            PollFd::new(stop, PollFlags::IN),
            PollFd::new(client, PollFlags::IN),
            PollFd::new(server, PollFlags::IN),
        ];
        match poll(&mut watched, wait.and_then(timespec).as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if !watched[0].revents().is_empty() {
            let [to_server, to_client] = pipes.each_ref().map(Pipe::counts);
            return Ok(Counts {
                to_server,
                to_client,
            });
        }
    }
}

/// One that is too long to be said is never over; the loop would only ask again.
fn timespec(wait: Duration) -> Option<Timespec> {
    Timespec::try_from(wait).ok()
}

/// One direction: where packets come from, those on their way, and where they go.
struct Pipe<'a> {
    direction: Direction,
    from: &'a File,
    to: &'a File,
    held: VecDeque<Held>,
    held_bytes: usize,
    counts: DirectionCounts,
    waited: Duration,
    late: Duration,
}

/// A packet on its way. They arrive in the order in which they came, so the first is always the next.
struct Held {
    at: Duration,
    waits: Duration,
    packet: Box<[u8]>,
}

impl<'a> Pipe<'a> {
    fn new(direction: Direction, from: &'a File, to: &'a File) -> Self {
        Self {
            direction,
            from,
            to,
            held: VecDeque::new(),
            held_bytes: 0,
            counts: DirectionCounts::default(),
            waited: Duration::ZERO,
            late: Duration::ZERO,
        }
    }

    /// Hands over what has arrived by now.
    fn deliver(&mut self, epoch: Instant) -> io::Result<()> {
        let is_due = |held: &Held| held.at <= epoch.elapsed();
        while self.held.front().is_some_and(is_due)
            && let Some(due) = self.held.pop_front()
        {
            self.held_bytes -= due.packet.len();
            let late = epoch.elapsed().saturating_sub(due.at);
            match self.to.write(&due.packet) {
                Ok(_) => self.count(&due, late),
                Err(error) if is_refusal(&error) => self.counts.refused += 1,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn count(&mut self, arrived: &Held, late: Duration) {
        self.counts.packets += 1;
        self.counts.bytes += arrived.packet.len() as u64;
        self.waited += arrived.waits;
        self.late += late;
        self.counts.max_wait_us = self.counts.max_wait_us.max(microseconds(arrived.waits));
        self.counts.max_lateness_us = self.counts.max_lateness_us.max(microseconds(late));
    }

    /// Takes in what the host has sent.
    fn take_in(&mut self, epoch: Instant, scratch: &mut [u8]) -> io::Result<()> {
        for _ in 0..BATCH {
            let length = match self.from.read(scratch) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if self.held_bytes + length > MOST_BYTES {
                self.counts.dropped += 1;
                continue;
            }
            match self.direction.offer(epoch.elapsed(), length as u64) {
                Fate::Arrives { at, waits } => {
                    self.held_bytes += length;
                    let packet = scratch[..length].into();
                    self.held.push_back(Held { at, waits, packet });
                }
                Fate::Lost => self.counts.lost += 1,
                Fate::Dropped => self.counts.dropped += 1,
            }
        }
        Ok(())
    }

    fn counts(&self) -> DirectionCounts {
        let each = |total: Duration| microseconds(total) / self.counts.packets.max(1) as f64;
        DirectionCounts {
            mean_wait_us: each(self.waited),
            mean_lateness_us: each(self.late),
            ..self.counts
        }
    }
}

/// Whether the host did not take a packet, as opposed to there being no host any more.
fn is_refusal(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let refusals = [
        Errno::INVAL,
        Errno::IO,
        Errno::NOBUFS,
        Errno::NOMEM,
        Errno::AGAIN,
    ];
    refusals
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
