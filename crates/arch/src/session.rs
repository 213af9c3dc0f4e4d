//! One connection: its socket, the state of its protocol, and the file that it is being sent.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use files::{Body, Missing};
use http::{Connection, Finished, Phase, Want};
use meter::Event;
use rustix::io::Errno;

use crate::listener::Client;
use crate::site::Desk;
use crate::transfer::{self, More};
use crate::{Entry, Found};

/// What a session waits for.
#[derive(Debug, Clone)]
pub enum Blocked {
    /// Bytes from the client.
    Readable,
    /// Room in the socket's buffer.
    Writable,
    /// Somebody has to find the file that [`Session::path`] names, and say so by [`Session::found`].
    Find,
    /// Somebody has to have these bytes of this file at hand, and say so by [`Session::loaded`].
    Load(Entry, Range<u64>),
    /// Somebody is at its file already.
    Elsewhere,
    /// Nothing; it has had its turn, and others may want theirs.
    Turn,
    /// It is over.
    Closed,
}

/// Whether the socket's calls wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Socket {
    /// They wait, for as long as the time-out that is set on the socket.
    Blocking,
    /// They return at once.
    NonBlocking,
}

/// The most bytes of a file sent, and loaded, in one piece: large enough that a system call for each piece costs
/// nothing beside it.
const PIECE: u64 = 512 << 10;
/// Work in one turn, in bytes; an answer counts as [`ANSWER_COST`] at least.
const TURN: u64 = 2 * PIECE;
/// What an answer costs beside its bytes, in bytes that could be sent meanwhile.
const ANSWER_COST: u64 = 8 << 10;
/// Answers to pipelined requests are collected up to this many bytes before they are sent.
const COLLECT: usize = 64 << 10;

/// One connection.
#[derive(Debug)]
pub struct Session {
    client: Arc<Client>,
    http: Connection,
    kind: Socket,
    readable: bool,
    writable: bool,
    /// The client has sent its FIN: a short read no longer means that there is nothing left to read.
    hung_up: bool,
    write_shut: bool,
    /// Somebody has been asked to find or load its file.
    elsewhere: bool,
    dropped: bool,
    /// The deadline has passed.
    late: bool,
    /// The protocol has been told that the server is stopping.
    finishing: bool,
    phase: Phase,
    /// Since when `phase` lasts; for an answer, when it last made progress.
    since: Instant,
    readable_at: Instant,
    entry: Option<Entry>,
    body: Option<Body>,
    /// The end of the piece that is at hand.
    piece_end: u64,
    /// Requests that were read but not yet received by the protocol, while an answer waits.
    unread: Vec<u8>,
    unsent: Option<Box<Unsent>>,
}

/// What the socket did not take yet.
#[derive(Debug)]
struct Unsent {
    bytes: Vec<u8>,
    start: usize,
    finished: Vec<Finished>,
}

/// Why a session stops running.
enum Halt {
    Blocked(Blocked),
    Broken(Event),
}

impl From<Blocked> for Halt {
    fn from(blocked: Blocked) -> Self {
        Self::Blocked(blocked)
    }
}

impl Session {
    /// A session for a connection that has just been let in.
    pub fn new(client: Arc<Client>, kind: Socket, now: Instant) -> Self {
        Self {
            client,
            http: Connection::new(),
            kind,
            readable: true,
            writable: true,
            hung_up: false,
            write_shut: false,
            elsewhere: false,
            dropped: false,
            late: false,
            finishing: false,
            phase: Phase::Idle,
            since: now,
            readable_at: now,
            entry: None,
            body: None,
            piece_end: 0,
            unread: Vec::new(),
            unsent: None,
        }
    }

    /// Its socket.
    pub fn socket(&self) -> &std::net::TcpStream {
        &self.client.socket
    }

    /// The path to be found, while blocked on [`Blocked::Find`].
    pub fn path(&self) -> files::Path<'_> {
        let target = self.http.target();
        files::Path {
            bytes: target.path(),
            directory: target.is_directory(),
        }
    }

    /// The socket may have become readable or writable.
    pub fn ready(&mut self, readable: bool, writable: bool, hung_up: bool) {
        self.readable |= readable || hung_up;
        self.writable |= writable;
        self.hung_up |= hung_up;
    }

    /// Somebody looked for the file. To be advanced at once: its answer may stand on the desk.
    pub fn found(&mut self, found: Found, desk: &mut Desk) {
        self.elsewhere = false;
        match found {
            Ok(entry) => {
                self.http
                    .found(Ok(&desk.files.header(&entry)), &mut desk.scratch);
                self.entry = Some(entry);
            }
            Err(missing) => self.http.found(Err(translate(missing)), &mut desk.scratch),
        }
    }

    /// Somebody has bytes of the file at hand. To be advanced at once: its head stands on the desk.
    pub fn loaded(&mut self, loaded: std::io::Result<Body>, desk: &mut Desk) {
        self.elsewhere = false;
        let Want::Load(range) = self.http.want() else {
            return;
        };
        match (loaded, &self.entry) {
            (Ok(body), Some(entry)) => {
                self.piece_end = match body {
                    Body::Memory(_) => range.end,
                    Body::File => range.end.min(range.start + PIECE),
                };
                self.body = Some(body);
                self.http
                    .loaded(&desk.files.header(entry), &mut desk.scratch);
            }
            _ => {
                desk.tally.count(Event::Unreadable, 1);
                self.http.failed(&mut desk.scratch);
            }
        }
    }

    /// When to call [`expire`](Self::expire); `None` while somebody else works for it.
    pub fn deadline(&self, desk: &Desk) -> Option<Instant> {
        (!self.elsewhere).then_some(
            self.since
                + match self.phase {
                    Phase::Idle => desk.options.idle_timeout,
                    Phase::Request => desk.options.request_timeout,
                    Phase::Answer => desk.options.send_timeout,
                    Phase::Linger => desk.options.linger_timeout,
                },
        )
    }

    /// The deadline has passed: when it is advanced next, a late request is answered, and a silent client is left.
    pub fn expire(&mut self) {
        self.late = true;
    }

    /// Does what is to be done when the deadline has passed. Only when about to be advanced: the answer stands on the desk.
    fn end_wait(&mut self, desk: &mut Desk) {
        match self.phase {
            Phase::Request => desk.tally.count(Event::RequestTimeout, 1),
            Phase::Answer => desk.tally.count(Event::Stalled, 1),
            Phase::Idle | Phase::Linger => {}
        }
        // Whoever has not taken an earlier answer is not waited for any longer.
        self.dropped = self.unsent.is_some() || self.phase == Phase::Answer;
        self.http.expire(&mut desk.scratch);
    }

    /// The drain deadline has passed: whatever is under way ends here.
    pub fn abandon(&mut self, desk: &Desk) {
        if self.phase == Phase::Answer {
            desk.tally.count(Event::Abandoned, 1);
        }
        self.dropped = true;
    }

    /// Runs until it would block, and says on what.
    pub fn advance(&mut self, desk: &mut Desk) -> Blocked {
        desk.turn = 0;
        if std::mem::take(&mut self.late) {
            self.end_wait(desk);
        }
        // What of the desk's input buffer is still to be received.
        let mut rest = 0..self.unread.len();
        desk.buffers.input[rest.clone()].copy_from_slice(&self.unread);
        self.unread = Vec::new();

        let halt = loop {
            if let Err(halt) = self.step(desk, &mut rest) {
                break halt;
            }
        };
        let blocked = match halt {
            Halt::Blocked(blocked) => blocked,
            Halt::Broken(event) => {
                desk.tally.count(event, 1);
                Blocked::Closed
            }
        };
        if matches!(blocked, Blocked::Closed) {
            desk.scratch.out.clear();
            desk.scratch.finished.clear();
            return blocked;
        }
        if rest.start < rest.end {
            self.unread = desk.buffers.input[rest].to_vec();
        }
        self.elsewhere |= matches!(blocked, Blocked::Find | Blocked::Load(..));
        let phase = if self.unsent.is_some() {
            Phase::Answer
        } else {
            self.http.phase()
        };
        if phase != self.phase {
            self.phase = phase;
            self.since = desk.now;
        }
        blocked
    }

    /// One of the paper's boxes.
    fn step(&mut self, desk: &mut Desk, rest: &mut Range<usize>) -> Result<(), Halt> {
        if self.dropped {
            return Err(Blocked::Closed.into());
        }
        self.send_unsent(desk)?;
        if self.elsewhere {
            return Err(Blocked::Elsewhere.into());
        }
        match self.http.want() {
            Want::Request => self.read_request(desk, rest),
            Want::Find => self.find_file(desk),
            Want::Load(range) => self.load_file(desk, range),
            Want::Send(range) => self.send_answer(desk, range),
            Want::Linger => self.linger(desk),
            Want::Close => {
                self.flush(desk, More::Nothing)?;
                Err(Blocked::Closed.into())
            }
        }
    }

    fn read_request(&mut self, desk: &mut Desk, rest: &mut Range<usize>) -> Result<(), Halt> {
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

    fn find_file(&mut self, desk: &mut Desk) -> Result<(), Halt> {
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

    fn load_file(&mut self, desk: &mut Desk, range: Range<u64>) -> Result<(), Halt> {
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

    fn send_answer(&mut self, desk: &mut Desk, range: Range<u64>) -> Result<(), Halt> {
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
    fn linger(&mut self, desk: &mut Desk) -> Result<(), Halt> {
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

    /// Reads what has come into the desk's buffer.
    fn receive(&mut self, desk: &mut Desk) -> Result<usize, Halt> {
        let received = transfer::receive(&self.client.socket, &mut desk.buffers.input);
        if self.kind == Socket::Blocking {
            desk.tick();
        }
        match received {
            Ok(count) => {
                self.readable_at = desk.now;
                // A stream gives all that it has: a short read means that more has to be waited for.
                self.readable = self.hung_up || count == desk.buffers.input.len();
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
    fn flush(&mut self, desk: &mut Desk, more: More) -> Result<(), Halt> {
        if desk.scratch.out.is_empty() {
            self.settle(desk);
            return Ok(());
        }
        if !self.writable {
            return Err(self.keep_unsent(desk, 0));
        }
        let sent = self.wrote(
            transfer::send(&self.client.socket, &desk.scratch.out, more),
            desk,
        );
        match sent {
            Ok(sent) if sent == desk.scratch.out.len() => {
                desk.scratch.out.clear();
                self.settle(desk);
                Ok(())
            }
            Ok(sent) => Err(self.keep_unsent(desk, sent)),
            Err(Halt::Blocked(_)) => Err(self.keep_unsent(desk, 0)),
            Err(halt) => Err(halt),
        }
    }

    fn send_unsent(&mut self, desk: &mut Desk) -> Result<(), Halt> {
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
                    desk.scratch.finished.append(&mut unsent.finished);
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
    fn keep_unsent(&mut self, desk: &mut Desk, start: usize) -> Halt {
        if desk.scratch.out.is_empty() {
            return Blocked::Writable.into();
        }
        self.unsent = Some(Box::new(Unsent {
            bytes: desk.scratch.out[start..].to_vec(),
            start: 0,
            finished: desk.scratch.finished.drain(..).collect(),
        }));
        desk.scratch.out.clear();
        Blocked::Writable.into()
    }

    /// Takes note of what a sending call returned.
    fn wrote(&mut self, sent: Result<usize, Errno>, desk: &Desk) -> Result<usize, Halt> {
        match sent {
            Ok(count) => {
                desk.tally.count(Event::Byte, count as u64);
                self.since = desk.now;
                Ok(count)
            }
            Err(Errno::AGAIN) => {
                self.writable = false;
                Err(Blocked::Writable.into())
            }
            Err(_) => Err(Halt::Broken(Event::Broken)),
        }
    }

    /// Counts the answers that have left whole.
    fn settle(&mut self, desk: &mut Desk) {
        if desk.scratch.finished.is_empty() {
            return;
        }
        let now = Instant::now();
        let latency = now.saturating_duration_since(self.readable_at);
        for finished in desk.scratch.finished.drain(..) {
            desk.tally.answered(finished.status, latency);
        }
        self.since = now;
    }

    /// Counts work against the turn, and ends it when it is used up.
    fn charge(&mut self, desk: &mut Desk, cost: u64) -> Result<(), Halt> {
        if desk.scratch.out.len() >= COLLECT {
            self.flush(desk, More::Nothing)?;
        }
        desk.turn += cost;
        if desk.turn < TURN || self.kind == Socket::Blocking {
            return Ok(());
        }
        // What is collected belongs to this session and may not meet the next one's.
        self.flush(desk, More::Nothing)?;
        Err(Blocked::Turn.into())
    }
}

fn translate(missing: Missing) -> http::Missing {
    match missing {
        Missing::NotFound => http::Missing::NotFound,
        Missing::Forbidden => http::Missing::Forbidden,
        Missing::NeedsSlash => http::Missing::NeedsSlash,
        Missing::Busy => http::Missing::Busy,
        Missing::Failed => http::Missing::Failed,
    }
}
