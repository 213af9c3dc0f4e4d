//! The paper's boxes: read and parse a request, find file, read file, send answer; and taking leave after an error.

use std::ops::Range;
use std::sync::Arc;

use files::Body;
use http::Want;
use meter::Event;

use super::{ANSWER_COST, Blocked, Halt, PIECE, Session, Socket};
use crate::setup::Worker;
use crate::transfer::{self, More};

impl Session {
    pub(super) fn read(&mut self, worker: &mut Worker) -> Result<(), Halt> {
        if self.http.want() == Want::Linger {
            return self.linger(worker);
        }
        if self.readable {
            match self.receive(worker) {
                Ok(0) => self.http.end_of_input(&mut worker.buffers.scratch),
                Ok(count) => worker.buffers.rest = 0..count,
                // Only now is it certain that no request lies unread, which closing would destroy.
                Err(Halt::Blocked(_)) if self.is_to_finish(worker) => self.finish(),
                Err(halt) => return Err(halt),
            }
            return Ok(());
        }
        if self.is_to_finish(worker) {
            self.readable = true;
            return Ok(());
        }
        Err(Blocked::Readable.into())
    }

    pub(super) fn parse(&mut self, worker: &mut Worker) -> Result<(), Halt> {
        let buffers = &mut *worker.buffers;
        let taken = self
            .http
            .receive(&buffers.input[buffers.rest.clone()], &mut buffers.scratch);
        buffers.rest.start += taken;
        if worker.is_stopping() {
            self.finish();
        }
        self.charge(worker, ANSWER_COST)
    }

    /// The present answer is the last; without one, the session is over.
    fn finish(&mut self) {
        self.finishing = true;
        self.http.finish();
    }

    /// Whether the server is stopping and the protocol does not know it yet. Whoever waits in a blocking read is woken
    /// from it instead: its reading side is shut.
    fn is_to_finish(&self, worker: &Worker) -> bool {
        worker.is_stopping() && self.kind == Socket::NonBlocking && !self.finishing
    }

    pub(super) fn find_file(&mut self, worker: &mut Worker) -> Result<(), Halt> {
        match worker.files.try_find(self.path(), worker.now) {
            Some(entry) => {
                self.found(Ok(entry), worker);
                Ok(())
            }
            None => {
                self.flush(worker, More::Nothing)?;
                Err(Blocked::Find.into())
            }
        }
    }

    pub(super) fn load_file(&mut self, worker: &mut Worker) -> Result<(), Halt> {
        let (Want::Load(range), Some(entry)) = (self.http.want(), &self.entry) else {
            // Unreachable: a file was found before it is loaded.
            return Err(Halt::Broken(Event::Unreadable));
        };
        match worker.files.kept(entry) {
            Some(body) => {
                self.loaded(Ok(body), worker);
                Ok(())
            }
            None => {
                let load = Blocked::Load(
                    Arc::clone(entry),
                    range.start..range.end.min(range.start + PIECE),
                );
                self.flush(worker, More::Nothing)?;
                Err(load.into())
            }
        }
    }

    pub(super) fn send(&mut self, worker: &mut Worker) -> Result<(), Halt> {
        self.send_unsent(worker)?;
        match self.http.want() {
            Want::Send(range) => self.send_file(worker, range),
            Want::Close => {
                // The FIN goes with the last bytes; and before `close`, which would destroy what waits here if more had come
                // from the client meanwhile.
                self.flush(worker, More::Follows)?;
                self.shut_writing();
                Ok(())
            }
            _ => self.flush(worker, More::Nothing),
        }
    }

    fn send_file(&mut self, worker: &mut Worker, range: Range<u64>) -> Result<(), Halt> {
        let (Some(entry), Some(body)) = (&self.entry, &self.body) else {
            // Unreachable: a body was loaded before it is sent.
            return Err(Halt::Broken(Event::Unreadable));
        };
        match body {
            Body::Memory(bytes) => {
                let Some(part) = usize::try_from(range.start)
                    .ok()
                    .zip(usize::try_from(range.end).ok())
                    .and_then(|(start, end)| bytes.get(start..end))
                else {
                    return Err(Halt::Broken(Event::Truncated));
                };
                if (part.len() as u64) < worker.options.gather_from {
                    worker.buffers.scratch.out.extend_from_slice(part);
                    self.sent(part.len() as u64, worker);
                    return Ok(());
                }
                if !self.writable {
                    return Err(self.keep_unsent(worker, 0));
                }
                let head = worker.buffers.scratch.out.len();
                let sent = transfer::gather(&self.client.socket, &worker.buffers.scratch.out, part);
                let sent = match self.wrote(sent, worker) {
                    // The head stands on the worker, where the next session would find it.
                    Err(Halt::Blocked(_)) => return Err(self.keep_unsent(worker, 0)),
                    sent => sent?,
                };
                if sent < head {
                    self.writable = false;
                    return Err(self.keep_unsent(worker, sent));
                }
                worker.buffers.scratch.out.clear();
                self.sent((sent - head) as u64, worker);
                self.settle(worker);
                self.charge(worker, sent as u64)
            }
            Body::File => {
                let entry = Arc::clone(entry);
                self.flush(worker, More::Follows)?;
                if !self.writable {
                    return Err(Blocked::Writable.into());
                }
                let range = range.start..range.end.min(self.piece_end);
                let path = worker.options.send_path;
                let sent = transfer::send_file(
                    &self.client.socket,
                    &entry.file,
                    range,
                    path,
                    &mut worker.copy,
                );
                match self.wrote(sent, worker)? {
                    0 => Err(Halt::Broken(Event::Truncated)),
                    sent => {
                        self.sent(sent as u64, worker);
                        self.settle(worker);
                        self.charge(worker, sent as u64)
                    }
                }
            }
        }
    }

    /// So many bytes of the file are on their way.
    fn sent(&mut self, bytes: u64, worker: &mut Worker) {
        self.http.sent(bytes, &mut worker.buffers.scratch);
        if !matches!(self.http.want(), Want::Load(_)) {
            // Before the client can know that it has all: a file is not kept open for an answer that is over.
            (self.entry, self.body) = (None, None);
        }
    }

    fn shut_writing(&mut self) {
        self.write_shut = true;
        // An error means that the connection is gone, which the next read or the end tells.
        let _ = self.client.socket.shutdown(std::net::Shutdown::Write);
    }

    /// Waits for the client to take note of an answer that it did not expect.
    fn linger(&mut self, worker: &mut Worker) -> Result<(), Halt> {
        worker.buffers.rest = 0..0;
        if !self.write_shut {
            self.shut_writing();
            if self.kind == Socket::Blocking {
                // It begins now, however long the answer took; and the driver says how long the next read may wait.
                worker.tick();
                return Err(Blocked::Readable.into());
            }
        }
        if !self.readable {
            return Err(Blocked::Readable.into());
        }
        match self.receive(worker) {
            // Somebody who sends faster than this reads would never let the driver look at the clock.
            Ok(1..) if self.kind == Socket::Blocking => Err(Blocked::Readable.into()),
            Ok(1..) => self.charge(worker, ANSWER_COST),
            Ok(0) | Err(Halt::Broken(_)) => Err(Blocked::Closed.into()),
            Err(halt) => Err(halt),
        }
    }
}
