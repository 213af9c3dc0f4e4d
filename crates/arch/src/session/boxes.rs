//! The paper's boxes: read request, find file, read file, send answer; and taking leave after an error.

use std::ops::Range;
use std::sync::Arc;

use files::Body;
use meter::Event;

use super::{ANSWER_COST, Blocked, Halt, PIECE, Session, Socket};
use crate::site::Desk;
use crate::transfer::{self, More};

impl Session {
    pub(super) fn read_request(
        &mut self,
        desk: &mut Desk,
        rest: &mut Range<usize>,
    ) -> Result<(), Halt> {
        (self.entry, self.body) = (None, None);
        if rest.start < rest.end {
            let taken = self
                .http
                .receive(&desk.buffers.input[rest.clone()], &mut desk.scratch);
            rest.start += taken;
            if desk.is_stopping() {
                self.finish();
            }
            return self.charge(desk, ANSWER_COST);
        }
        self.flush(desk, More::Nothing)?;
        if self.readable {
            match self.receive(desk) {
                Ok(0) => self.http.end_of_input(&mut desk.scratch),
                Ok(count) => *rest = 0..count,
                // Only now is it certain that no request lies unread, which closing would destroy.
                Err(Halt::Blocked(_)) if self.is_to_finish(desk) => self.finish(),
                Err(halt) => return Err(halt),
            }
            return Ok(());
        }
        if self.is_to_finish(desk) {
            self.readable = true;
            return Ok(());
        }
        Err(Blocked::Readable.into())
    }

    /// The present answer is the last; without one, the session is over.
    fn finish(&mut self) {
        self.finishing = true;
        self.http.finish();
    }

    /// Whether the server is stopping and the protocol does not know it yet. Whoever waits in a blocking read is woken
    /// from it instead: its reading side is shut.
    fn is_to_finish(&self, desk: &Desk) -> bool {
        desk.is_stopping() && self.kind == Socket::NonBlocking && !self.finishing
    }

    pub(super) fn find_file(&mut self, desk: &mut Desk) -> Result<(), Halt> {
        match desk.files.try_find(self.path(), desk.now) {
            Some(entry) => {
                self.found(Ok(entry), desk);
                Ok(())
            }
            None => {
                self.flush(desk, More::Nothing)?;
                Err(Blocked::Find.into())
            }
        }
    }

    pub(super) fn load_file(&mut self, desk: &mut Desk, range: Range<u64>) -> Result<(), Halt> {
        let Some(entry) = &self.entry else {
            // Unreachable: a file was found before it is loaded.
            return Err(Halt::Broken(Event::Unreadable));
        };
        match desk.files.kept(entry) {
            Some(body) => {
                self.loaded(Ok(body), desk);
                Ok(())
            }
            None => {
                let load = Blocked::Load(
                    Arc::clone(entry),
                    range.start..range.end.min(range.start + PIECE),
                );
                self.flush(desk, More::Nothing)?;
                Err(load.into())
            }
        }
    }

    pub(super) fn send_answer(&mut self, desk: &mut Desk, range: Range<u64>) -> Result<(), Halt> {
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
                if (part.len() as u64) < desk.options.gather_from {
                    desk.scratch.out.extend_from_slice(part);
                    self.http.sent(part.len() as u64, &mut desk.scratch);
                    return Ok(());
                }
                if !self.writable {
                    return Err(self.keep_unsent(desk, 0));
                }
                let head = desk.scratch.out.len();
                let sent = transfer::gather(&self.client.socket, &desk.scratch.out, part);
                let sent = match self.wrote(sent, desk) {
                    // The head stands on the desk, where the next session would find it.
                    Err(Halt::Blocked(_)) => return Err(self.keep_unsent(desk, 0)),
                    sent => sent?,
                };
                if sent < head {
                    return Err(self.keep_unsent(desk, sent));
                }
                desk.scratch.out.clear();
                self.http.sent((sent - head) as u64, &mut desk.scratch);
                self.settle(desk);
                self.charge(desk, sent as u64)
            }
            Body::File => {
                let entry = Arc::clone(entry);
                self.flush(desk, More::Follows)?;
                if !self.writable {
                    return Err(Blocked::Writable.into());
                }
                let range = range.start..range.end.min(self.piece_end);
                let path = desk.options.send_path;
                let sent = transfer::send_file(
                    &self.client.socket,
                    &entry.file,
                    range,
                    path,
                    &mut desk.buffers,
                );
                match self.wrote(sent, desk)? {
                    0 => Err(Halt::Broken(Event::Truncated)),
                    sent => {
                        self.http.sent(sent as u64, &mut desk.scratch);
                        self.settle(desk);
                        self.charge(desk, sent as u64)
                    }
                }
            }
        }
    }

    /// Waits for the client to take note of an answer that it did not expect.
    pub(super) fn linger(&mut self, desk: &mut Desk) -> Result<(), Halt> {
        self.flush(desk, More::Nothing)?;
        if !self.write_shut {
            self.write_shut = true;
            // An error means that the connection is gone, which the next read tells.
            let _ = self.client.socket.shutdown(std::net::Shutdown::Write);
        }
        if !self.readable {
            return Err(Blocked::Readable.into());
        }
        match self.receive(desk) {
            Ok(1..) => self.charge(desk, ANSWER_COST),
            Ok(0) | Err(Halt::Broken(_)) => Err(Blocked::Closed.into()),
            Err(halt) => Err(halt),
        }
    }
}
