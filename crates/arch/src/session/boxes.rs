//! The paper's boxes: read and parse a request, find file, read file, send answer; and taking leave after an error.

use std::ops::Range;
use std::sync::Arc;

use files::Body;
use http::Want;
use meter::Event;

use super::{ANSWER_COST, Blocked, Halt, PIECE, Session, Socket};
use crate::site::Desk;
use crate::transfer::{self, More};

impl Session {
    pub(super) fn read(&mut self, desk: &mut Desk) -> Result<(), Halt> {
        if self.http.want() == Want::Linger {
            return self.linger(desk);
        }
        if self.readable {
            match self.receive(desk) {
                Ok(0) => self.http.end_of_input(&mut desk.tray.scratch),
                Ok(count) => desk.tray.rest = 0..count,
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

    pub(super) fn parse(&mut self, desk: &mut Desk) -> Result<(), Halt> {
        let tray = &mut *desk.tray;
        let taken = self
            .http
            .receive(&tray.input[tray.rest.clone()], &mut tray.scratch);
        tray.rest.start += taken;
        if desk.is_stopping() {
            self.finish();
        }
        self.charge(desk, ANSWER_COST)
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

    pub(super) fn load_file(&mut self, desk: &mut Desk) -> Result<(), Halt> {
        let (Want::Load(range), Some(entry)) = (self.http.want(), &self.entry) else {
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

    pub(super) fn send(&mut self, desk: &mut Desk) -> Result<(), Halt> {
        self.send_unsent(desk)?;
        match self.http.want() {
            Want::Send(range) => self.send_file(desk, range),
            Want::Close => {
                // The FIN goes with the last bytes; and before `close`, which would destroy what waits here if more had come
                // from the client meanwhile.
                self.flush(desk, More::Follows)?;
                self.shut_writing();
                Ok(())
            }
            _ => self.flush(desk, More::Nothing),
        }
    }

    fn send_file(&mut self, desk: &mut Desk, range: Range<u64>) -> Result<(), Halt> {
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
                    desk.tray.scratch.out.extend_from_slice(part);
                    self.sent(part.len() as u64, desk);
                    return Ok(());
                }
                if !self.writable {
                    return Err(self.keep_unsent(desk, 0));
                }
                let head = desk.tray.scratch.out.len();
                let sent = transfer::gather(&self.client.socket, &desk.tray.scratch.out, part);
                let sent = match self.wrote(sent, desk) {
                    // The head stands on the desk, where the next session would find it.
                    Err(Halt::Blocked(_)) => return Err(self.keep_unsent(desk, 0)),
                    sent => sent?,
                };
                if sent < head {
                    self.writable = false;
                    return Err(self.keep_unsent(desk, sent));
                }
                desk.tray.scratch.out.clear();
                self.sent((sent - head) as u64, desk);
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
                    &mut desk.copy,
                );
                match self.wrote(sent, desk)? {
                    0 => Err(Halt::Broken(Event::Truncated)),
                    sent => {
                        self.sent(sent as u64, desk);
                        self.settle(desk);
                        self.charge(desk, sent as u64)
                    }
                }
            }
        }
    }

    /// So many bytes of the file are on their way.
    fn sent(&mut self, bytes: u64, desk: &mut Desk) {
        self.http.sent(bytes, &mut desk.tray.scratch);
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
    fn linger(&mut self, desk: &mut Desk) -> Result<(), Halt> {
        desk.tray.rest = 0..0;
        if !self.write_shut {
            self.shut_writing();
            if self.kind == Socket::Blocking {
                // It begins now, however long the answer took; and the driver says how long the next read may wait.
                desk.tick();
                return Err(Blocked::Readable.into());
            }
        }
        if !self.readable {
            return Err(Blocked::Readable.into());
        }
        match self.receive(desk) {
            // Somebody who sends faster than this reads would never let the driver look at the clock.
            Ok(1..) if self.kind == Socket::Blocking => Err(Blocked::Readable.into()),
            Ok(1..) => self.charge(desk, ANSWER_COST),
            Ok(0) | Err(Halt::Broken(_)) => Err(Blocked::Closed.into()),
            Err(halt) => Err(halt),
        }
    }
}
