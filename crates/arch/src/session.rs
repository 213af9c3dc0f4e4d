//! One connection: its socket, the state of its protocol, and the file that it is being sent.

mod boxes;
mod wire;

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use files::{Body, Missing};
use http::{Connection, Finished, Phase, Want};
use meter::Event;

use crate::listener::{Client, SEND_WAITS};
use crate::setup::Worker;
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

/// One of the paper's boxes, with *read request* cut in two: the bytes, and what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Step {
    /// Take what the client has sent from the socket.
    Read = 1,
    /// Make a request of it.
    Parse = 2,
    /// Know which file it means.
    Find = 4,
    /// Have the bytes of the file at hand.
    Load = 8,
    /// Put the answer on the socket.
    Send = 16,
}

/// A set of steps: those that somebody runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps(u8);

impl Steps {
    /// None: to be told which is next.
    pub const NONE: Self = Self(0);
    /// All that there are.
    const ALL: Self = Self(31);

    fn contain(self, step: Step) -> bool {
        self.0 & step as u8 != 0
    }
}

impl From<Step> for Steps {
    fn from(step: Step) -> Self {
        Self(step as u8)
    }
}

impl std::ops::BitOr for Step {
    type Output = Steps;

    fn bitor(self, other: Self) -> Steps {
        Steps(self as u8 | other as u8)
    }
}

/// Whether the socket's calls wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Socket {
    /// They wait, for as long as the time-out that is set on the socket.
    Blocking,
    /// They return at once.
    NonBlocking,
}

/// The most bytes of a file sent, and loaded, in one piece, and the work of one turn, in bytes; an answer counts as
/// [`ANSWER_COST`] at least.
///
/// Large enough that a system call for each piece costs nothing beside it. Twice as much, or two pieces in a turn, costs up
/// to twice the processor time with files of a megabyte and a client that reads fast: what waits in the kernel is cold
/// before it is sent on. Half as much costs a tenth.
const PIECE: u64 = 256 << 10;
const TURN: u64 = PIECE;
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
    /// Its socket is in the set of those that an event loop waits for.
    pub(crate) watched: bool,
    /// Somebody has been asked to find or load its file.
    elsewhere: bool,
    dropped: bool,
    /// Waits of a blocking send in a row in which no byte was taken.
    vain_waits: u8,
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
    /// What it has used of its present turn.
    turn: u64,
    /// What it has in hand lies on the buffers of whoever runs it.
    in_buffers: bool,
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
            watched: false,
            vain_waits: 0,
            late: false,
            finishing: false,
            phase: Phase::Idle,
            since: now,
            readable_at: now,
            entry: None,
            body: None,
            piece_end: 0,
            turn: 0,
            in_buffers: false,
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

    /// The socket may have become readable or writable. Tells whether that is news: a session that is at rest waits for
    /// something that it does not take to be so.
    pub fn ready(&mut self, readable: bool, writable: bool, hung_up: bool) -> bool {
        let before = (self.readable, self.writable, self.hung_up);
        self.readable |= readable || hung_up;
        self.writable |= writable;
        self.hung_up |= hung_up;
        before != (self.readable, self.writable, self.hung_up)
    }

    /// Somebody looked for the file. To be advanced at once: its answer may stand on the worker.
    pub fn found(&mut self, found: Found, worker: &mut Worker) {
        self.has_come_back(worker);
        match found {
            Ok(entry) => {
                self.http.found(
                    Ok(&worker.files.header(&entry)),
                    &mut worker.buffers.scratch,
                );
                self.entry = matches!(self.http.want(), Want::Load(_)).then_some(entry);
            }
            Err(missing) => self
                .http
                .found(Err(translate(missing)), &mut worker.buffers.scratch),
        }
    }

    /// Somebody has bytes of the file at hand. To be advanced at once: its head stands on the worker.
    pub fn loaded(&mut self, loaded: std::io::Result<Body>, worker: &mut Worker) {
        self.has_come_back(worker);
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
                    .loaded(&worker.files.header(entry), &mut worker.buffers.scratch);
            }
            _ => {
                worker.counters.count(Event::Unreadable, 1);
                self.entry = None;
                self.http.failed(&mut worker.buffers.scratch);
            }
        }
    }

    /// Nobody else works for it any more. The time that took is not its client's.
    fn has_come_back(&mut self, worker: &Worker) {
        self.elsewhere = false;
        self.since = worker.now;
    }

    /// When to call [`expire`](Self::expire); `None` while somebody else works for it.
    pub fn deadline(&self, worker: &Worker) -> Option<Instant> {
        (!self.elsewhere).then_some(
            self.since
                + match self.phase {
                    Phase::Idle => worker.options.idle_timeout,
                    Phase::Request => worker.options.request_timeout,
                    Phase::Answer => worker.options.send_timeout,
                    Phase::Linger => worker.options.linger_timeout,
                },
        )
    }

    /// Whether a client that makes a blocking send wait has had all its time.
    pub(crate) fn has_stalled(&self) -> bool {
        self.vain_waits >= SEND_WAITS
    }

    /// The deadline has passed: when it is advanced next, a late request is answered, and a silent client is left.
    pub fn expire(&mut self) {
        self.late = true;
    }

    /// Does what is to be done when the deadline has passed. Only when about to be advanced: the answer stands on the worker.
    fn end_wait(&mut self, worker: &mut Worker) {
        match self.phase {
            Phase::Request => worker.counters.count(Event::RequestTimeout, 1),
            Phase::Answer => worker.counters.count(Event::Stalled, 1),
            Phase::Idle | Phase::Linger => {}
        }
        // Whoever has not taken an earlier answer is not waited for any longer.
        self.dropped = self.unsent.is_some() || self.phase == Phase::Answer;
        self.http.expire(&mut worker.buffers.scratch);
    }

    /// The drain deadline has passed: whatever is under way ends here.
    pub fn abandon(&mut self, worker: &Worker) {
        if self.phase == Phase::Answer {
            worker.counters.count(Event::Abandoned, 1);
        }
        self.dropped = true;
    }

    /// Somebody has too much to do to find or load its file: 503. To be run at once: the answer stands on the worker.
    pub fn refuse(&mut self, worker: &mut Worker) {
        self.has_come_back(worker);
        worker.counters.count(Event::Shed, 1);
        self.entry = None;
        self.http.refuse(&mut worker.buffers.scratch);
    }

    /// Runs until it would block, and says on what.
    pub fn advance(&mut self, worker: &mut Worker) -> Blocked {
        match self.run(Steps::ALL, worker) {
            Err(blocked) => blocked,
            // Never: no step is missing.
            Ok(_) => Blocked::Turn,
        }
    }

    /// Runs those of its steps that are among `steps`, until another is next, which is returned, or until it would
    /// block. In the first case whoever runs that step must do so with the same buffers, unless it is [`Step::Read`]: then
    /// nothing is in hand, and it may rest until somebody has time for what its client sends.
    ///
    /// # Errors
    /// What it is blocked on: a result that most callers hand on.
    pub fn run(&mut self, steps: Steps, worker: &mut Worker) -> Result<Step, Blocked> {
        if !self.in_buffers {
            self.pick_up(worker);
        }
        let halt = loop {
            let next = match self.next(worker) {
                Ok(next) => next,
                Err(halt) => break halt,
            };
            if !steps.contain(next) {
                self.turn = 0;
                self.in_buffers = next != Step::Read;
                if !self.in_buffers {
                    self.rest(worker);
                }
                return Ok(next);
            }
            if let Err(halt) = self.step(next, worker) {
                break halt;
            }
        };
        self.in_buffers = false;
        Err(self.put_down(halt, worker))
    }

    /// Lays what it has in hand on the buffers.
    fn pick_up(&mut self, worker: &mut Worker) {
        if std::mem::take(&mut self.late) {
            self.end_wait(worker);
        }
        let buffers = &mut *worker.buffers;
        buffers.rest = 0..self.unread.len();
        buffers.input[buffers.rest.clone()].copy_from_slice(&self.unread);
        self.unread = Vec::new();
    }

    /// Takes what it has in hand from the buffers, which the next session may use.
    fn put_down(&mut self, halt: Halt, worker: &mut Worker) -> Blocked {
        let blocked = match halt {
            Halt::Blocked(blocked) => blocked,
            Halt::Broken(event) => {
                worker.counters.count(self.cause(event, worker), 1);
                Blocked::Closed
            }
        };
        if matches!(blocked, Blocked::Closed) {
            worker.buffers.clear();
            return blocked;
        }
        if matches!(blocked, Blocked::Find | Blocked::Load(..)) {
            // A loop that waits for the disk itself comes straight back, and its turn goes on.
            self.elsewhere = true;
        } else {
            self.turn = 0;
        }
        self.rest(worker);
        blocked
    }

    /// Keeps what it has in hand, and notes what it waits for from now on.
    fn rest(&mut self, worker: &mut Worker) {
        let buffers = &mut *worker.buffers;
        debug_assert!(
            buffers.is_clear(),
            "what a session leaves on the worker would go to the next one's client"
        );
        if !buffers.rest.is_empty() {
            self.unread = buffers.input[buffers.rest.clone()].to_vec();
            buffers.rest = 0..0;
        }
        let phase = if self.unsent.is_some() {
            Phase::Answer
        } else {
            self.http.phase()
        };
        if phase != self.phase {
            self.phase = phase;
            self.since = worker.now;
        }
    }

    /// Why it is broken: whoever waits in a call has the connection broken under it at the drain deadline.
    fn cause(&self, event: Event, worker: &Worker) -> Event {
        let waits = self.kind == Socket::Blocking && event == Event::Broken;
        if waits && worker.stop.is_overdue(Instant::now()) {
            Event::Abandoned
        } else {
            event
        }
    }

    /// The box that is next.
    fn next(&self, worker: &Worker) -> Result<Step, Halt> {
        if self.dropped {
            return Err(Blocked::Closed.into());
        }
        if self.unsent.is_some() {
            return Ok(Step::Send);
        }
        if self.elsewhere {
            return Err(Blocked::Elsewhere.into());
        }
        let buffers = &worker.buffers;
        match self.http.want() {
            Want::Request if !buffers.rest.is_empty() => Ok(Step::Parse),
            Want::Request | Want::Linger | Want::Close if !buffers.is_clear() => Ok(Step::Send),
            Want::Request | Want::Linger => Ok(Step::Read),
            Want::Find => Ok(Step::Find),
            Want::Load(_) => Ok(Step::Load),
            Want::Send(_) => Ok(Step::Send),
            Want::Close => Err(Blocked::Closed.into()),
        }
    }

    /// One of the paper's boxes.
    fn step(&mut self, step: Step, worker: &mut Worker) -> Result<(), Halt> {
        match step {
            Step::Read => self.read(worker),
            Step::Parse => self.parse(worker),
            Step::Find => self.find_file(worker),
            Step::Load => self.load_file(worker),
            Step::Send => self.send(worker),
        }
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
