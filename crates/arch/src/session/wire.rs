//! Bytes in and out: what was read, what is collected on the worker, what the socket did not take, and what it all costs.

use std::time::Instant;

use http::Phase;
use meter::Event;
use rustix::io::Errno;

use super::{Blocked, COLLECT, Halt, Session, Socket, TURN, Unsent};
use crate::setup::Worker;
use crate::transfer::{self, More};

impl Session {
    /// Reads what has come into the worker's buffer.
    pub(super) fn receive(&mut self, worker: &mut Worker) -> Result<usize, Halt> {
        let received = transfer::receive(&self.client.socket, &mut worker.buffers.input);
        if self.kind == Socket::Blocking {
            worker.tick();
        }
        match received {
            Ok(count) => {
                self.readable_at = worker.now;
                // A stream gives all that it has: a short read means that more has to be waited for.
                self.readable = self.hung_up || count == worker.buffers.input.len();
                Ok(count)
            }
            Err(Errno::AGAIN) => {
                self.readable = false;
                Err(Blocked::Readable.into())
            }
            Err(_) if self.phase == Phase::Idle => Err(Blocked::Closed.into()),
            Err(_) => Err(Halt::Broken(Event::Broken)),
        }
    }

    /// Sends what is collected.
    pub(super) fn flush(&mut self, worker: &mut Worker, more: More) -> Result<(), Halt> {
        if worker.buffers.scratch.out.is_empty() {
            self.settle(worker);
            return Ok(());
        }
        if !self.writable {
            return Err(self.keep_unsent(worker, 0));
        }
        let sent = self.wrote(
            transfer::send(&self.client.socket, &worker.buffers.scratch.out, more),
            worker,
        );
        match sent {
            Ok(sent) if sent == worker.buffers.scratch.out.len() => {
                worker.buffers.scratch.out.clear();
                self.settle(worker);
                Ok(())
            }
            Ok(sent) => {
                // It took what it could.
                self.writable = false;
                Err(self.keep_unsent(worker, sent))
            }
            Err(Halt::Blocked(_)) => Err(self.keep_unsent(worker, 0)),
            Err(halt) => Err(halt),
        }
    }

    pub(super) fn send_unsent(&mut self, worker: &mut Worker) -> Result<(), Halt> {
        while let Some(mut unsent) = self.unsent.take() {
            let rest = &unsent.bytes[unsent.start..];
            let sent = if self.writable {
                self.wrote(
                    transfer::send(&self.client.socket, rest, More::Nothing),
                    worker,
                )
            } else {
                Err(Blocked::Writable.into())
            };
            match sent {
                Ok(sent) if sent == rest.len() => {
                    worker.buffers.scratch.finished.append(&mut unsent.finished);
                    self.settle(worker);
                }
                Ok(sent) => {
                    unsent.start += sent;
                    self.unsent = Some(unsent);
                }
                Err(halt) => {
                    self.unsent = Some(unsent);
                    return Err(halt);
                }
            }
        }
        Ok(())
    }

    /// Keeps what the socket did not take of the collected answers, from `start` on.
    pub(super) fn keep_unsent(&mut self, worker: &mut Worker, start: usize) -> Halt {
        if worker.buffers.scratch.out.is_empty() {
            return Blocked::Writable.into();
        }
        self.unsent = Some(Box::new(Unsent {
            bytes: worker.buffers.scratch.out[start..].to_vec(),
            start: 0,
            finished: worker.buffers.scratch.finished.drain(..).collect(),
        }));
        worker.buffers.scratch.out.clear();
        Blocked::Writable.into()
    }

    /// Takes note of what a sending call returned.
    pub(super) fn wrote(
        &mut self,
        sent: Result<usize, Errno>,
        worker: &Worker,
    ) -> Result<usize, Halt> {
        match sent {
            Ok(count) => {
                worker.counters.count(Event::Byte, count as u64);
                self.since = worker.now;
                self.vain_waits = 0;
                Ok(count)
            }
            Err(Errno::AGAIN) => {
                self.writable = false;
                self.vain_waits = self.vain_waits.saturating_add(1);
                Err(Blocked::Writable.into())
            }
            Err(_) => Err(Halt::Broken(Event::Broken)),
        }
    }

    /// Counts the answers that have left whole.
    pub(super) fn settle(&mut self, worker: &mut Worker) {
        if worker.buffers.scratch.finished.is_empty() {
            return;
        }
        let now = Instant::now();
        let latency = now.saturating_duration_since(self.readable_at);
        for finished in worker.buffers.scratch.finished.drain(..) {
            worker.counters.answered(finished.status, latency);
        }
        self.since = now;
    }

    /// Counts work against the turn, and ends it when it is used up.
    pub(super) fn charge(&mut self, worker: &mut Worker, cost: u64) -> Result<(), Halt> {
        if worker.buffers.scratch.out.len() >= COLLECT {
            self.flush(worker, More::Nothing)?;
        }
        self.turn += cost;
        if self.turn < TURN || self.kind == Socket::Blocking {
            return Ok(());
        }
        // What is collected belongs to this session and may not meet the next one's.
        self.flush(worker, More::Nothing)?;
        Err(Blocked::Turn.into())
    }
}
