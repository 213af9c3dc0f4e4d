//! Turning connections away in good order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use meter::{Counters, Event};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

use crate::listener::{Client, Listener};
use crate::worker::Worker;

/// Connections that were turned away: each has its 503, and is kept until its client has read it or the linger time is
/// over, for closing a socket with input unread would destroy the answer.
#[derive(Debug, Default)]
pub struct Refused {
    leaving: VecDeque<(Arc<Client>, Instant)>,
}

impl Refused {
    /// The most that linger at a time; beyond it the oldest goes.
    const MOST: usize = 64;
    /// The most that is read from each at a time.
    const READS: usize = 64;
    /// How often whoever waits for other things looks after them.
    const SWEEP_EVERY: Duration = Duration::from_millis(100);

    /// Answers 503 and lets the connection end.
    pub fn add(&mut self, client: Arc<Client>, worker: &mut Worker) {
        worker.counters.count(Event::Refused, 1);
        worker.tick();
        let answer = worker.buffers.scratch.refusal();
        // A client that cannot take a hundred bytes at once does not wait for them either.
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        if let Ok(sent) = rustix::net::send(&client.socket, answer, flags) {
            worker.counters.count(Event::Byte, sent as u64);
            worker.counters.answered(503, Duration::ZERO);
        }
        worker.buffers.clear();
        client.shutdown_write();
        client.leave();
        let deadline = worker.now + worker.options.linger_timeout;
        self.leaving.push_back((client, deadline));
        self.sweep(worker.now);
    }

    /// How long one may wait for other things before [`sweep`](Self::sweep) is to be called; `None`: for ever.
    pub fn poll_timeout(&self) -> Option<Duration> {
        (!self.leaving.is_empty()).then_some(Self::SWEEP_EVERY)
    }

    /// Lets go of those who have read their answer, or whose time is over.
    pub fn sweep(&mut self, now: Instant) {
        let mut sink = [0; 4096];
        let mut has_left = |client: &Client| {
            // Whoever sends faster than this reads must not keep others waiting.
            for _ in 0..Self::READS {
                match rustix::net::recv(&client.socket, &mut sink[..], RecvFlags::DONTWAIT) {
                    Ok((1.., _)) | Err(Errno::INTR) => {}
                    Err(Errno::AGAIN) => return false,
                    Ok(_) | Err(_) => return true,
                }
            }
            false
        };
        self.leaving
            .retain(|(client, deadline)| now < *deadline && !has_left(client));
        while self.leaving.len() > Self::MOST {
            self.leaving.pop_front();
        }
    }

    /// Waits for the next connection as [`Listener::accept`] does, and looks after those that were turned away meanwhile.
    pub fn accept(&mut self, listener: &Arc<Listener>, counters: &Counters) -> Option<Client> {
        while let Some(poll_timeout) = self.poll_timeout() {
            let notified = listener.wait_for_notice(poll_timeout);
            // Where somebody always notices, too.
            self.sweep(Instant::now());
            if notified {
                break;
            }
        }
        listener.accept(counters)
    }

    /// Waits until all have gone, each at the latest when its time is over.
    pub fn wait_until_gone(&mut self) {
        while let Some(poll_timeout) = self.poll_timeout() {
            std::thread::sleep(poll_timeout);
            self.sweep(Instant::now());
        }
    }
}
