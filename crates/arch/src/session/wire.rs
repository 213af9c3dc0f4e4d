//! Bytes in and out: what was read, what is collected on the desk, what the socket did not take, and what it all costs.

use std::time::Instant;

use http::Phase;
use meter::Event;
use rustix::io::Errno;

use super::{Blocked, COLLECT, Halt, Session, Socket, TURN, Unsent};
use crate::site::Desk;
use crate::transfer::{self, More};

impl Session {
    /// Reads what has come into the desk's buffer.
    pub(super) fn receive(&mut self, desk: &mut Desk) -> Result<usize, Halt> {
        let received = transfer::receive(&self.client.socket, &mut desk.tray.input);
        if self.kind == Socket::Blocking {
            desk.tick();
        }
        match received {
            Ok(count) => {
                self.readable_at = desk.now;
                // A stream gives all that it has: a short read means that more has to be waited for.
                self.readable = self.hung_up || count == desk.tray.input.len();
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
    pub(super) fn flush(&mut self, desk: &mut Desk, more: More) -> Result<(), Halt> {
        if desk.tray.scratch.out.is_empty() {
            self.settle(desk);
            return Ok(());
        }
        if !self.writable {
            return Err(self.keep_unsent(desk, 0));
        }
        let sent = self.wrote(
            transfer::send(&self.client.socket, &desk.tray.scratch.out, more),
            desk,
        );
        match sent {
            Ok(sent) if sent == desk.tray.scratch.out.len() => {
                desk.tray.scratch.out.clear();
                self.settle(desk);
                Ok(())
            }
            Ok(sent) => {
                // It took what it could.
                self.writable = false;
                Err(self.keep_unsent(desk, sent))
            }
            Err(Halt::Blocked(_)) => Err(self.keep_unsent(desk, 0)),
            Err(halt) => Err(halt),
        }
    }

    pub(super) fn send_unsent(&mut self, desk: &mut Desk) -> Result<(), Halt> {
        while let Some(mut unsent) = self.unsent.take() {
            let rest = &unsent.bytes[unsent.start..];
            let sent = if self.writable {
                self.wrote(
                    transfer::send(&self.client.socket, rest, More::Nothing),
                    desk,
                )
            } else {
                Err(Blocked::Writable.into())
            };
            match sent {
                Ok(sent) if sent == rest.len() => {
                    desk.tray.scratch.finished.append(&mut unsent.finished);
                    self.settle(desk);
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
    pub(super) fn keep_unsent(&mut self, desk: &mut Desk, start: usize) -> Halt {
        if desk.tray.scratch.out.is_empty() {
            return Blocked::Writable.into();
        }
        self.unsent = Some(Box::new(Unsent {
            bytes: desk.tray.scratch.out[start..].to_vec(),
            start: 0,
            finished: desk.tray.scratch.finished.drain(..).collect(),
        }));
        desk.tray.scratch.out.clear();
        Blocked::Writable.into()
    }

    /// Takes note of what a sending call returned.
    pub(super) fn wrote(&mut self, sent: Result<usize, Errno>, desk: &Desk) -> Result<usize, Halt> {
        match sent {
            Ok(count) => {
                desk.tally.count(Event::Byte, count as u64);
                self.since = desk.now;
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
    pub(super) fn settle(&mut self, desk: &mut Desk) {
        if desk.tray.scratch.finished.is_empty() {
            return;
        }
        let now = Instant::now();
        let latency = now.saturating_duration_since(self.readable_at);
        for finished in desk.tray.scratch.finished.drain(..) {
            desk.tally.answered(finished.status, latency);
        }
        self.since = now;
    }

    /// Counts work against the turn, and ends it when it is used up.
    pub(super) fn charge(&mut self, desk: &mut Desk, cost: u64) -> Result<(), Halt> {
        if desk.tray.scratch.out.len() >= COLLECT {
            self.flush(desk, More::Nothing)?;
        }
        self.turn += cost;
        if self.turn < TURN || self.kind == Socket::Blocking {
            return Ok(());
        }
        // What is collected belongs to this session and may not meet the next one's.
        self.flush(desk, More::Nothing)?;
        Err(Blocked::Turn.into())
    }
}
