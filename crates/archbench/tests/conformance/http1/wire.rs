//! A client and a session, joined in memory.

use std::cell::Cell;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arch::session::{Output, Scratch, Tail};
use arch::{Files, Next, ServeOptions, Session};
use clap::Parser;
use http::Phase;
use meter::Event;

use crate::client::{Answer, get};

/// A date that every answer may have: the second after that of the files.
const NOW_UNIX_S: u64 = 784_111_778;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: ServeOptions,
}

/// What sessions are served from, and the time there.
pub(crate) struct Place {
    files: Files,
    options: ServeOptions,
    now: Cell<Instant>,
    /// As many bytes as a transport takes at a time.
    takes: usize,
}

impl Place {
    pub(crate) fn new(root: &Path, options: &[&str]) -> Self {
        let options = CommandLine::parse_from(["test"].iter().chain(options)).options;
        Self {
            files: arch::setup::files(&options, root).expect("a root"),
            options,
            now: Cell::new(Instant::now()),
            takes: usize::MAX,
        }
    }

    /// With transports that take at most so many bytes at a time.
    pub(crate) fn taking(mut self, bytes: usize) -> Self {
        self.takes = bytes;
        self
    }

    /// Time goes by.
    pub(crate) fn pass(&self, time: Duration) {
        self.now.set(self.now.get() + time);
    }

    pub(crate) fn connect(&self) -> Connection<'_> {
        let config = http::Config {
            gather_frames: true,
            ..self.options.protocol()
        };
        let mut scratch = Scratch::new(Arc::new(config));
        scratch.set_time(NOW_UNIX_S);
        let mut connection = Connection {
            place: self,
            session: match self.options.http2.is_on() {
                true => Session::of_either(self.options.gather_from),
                false => Session::new(self.options.gather_from),
            },
            scratch,
            unread: Vec::new(),
            is_write_shut: false,
            is_over: false,
        };
        connection.run(&[]);
        connection
    }
}

/// A connection, seen from its client.
pub(crate) struct Connection<'p> {
    place: &'p Place,
    session: Session,
    scratch: Scratch,
    /// What has come and was not looked at.
    unread: Vec<u8>,
    /// The server sends no more.
    is_write_shut: bool,
    is_over: bool,
}

impl Connection<'_> {
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.run(bytes.as_ref());
    }

    /// Sends the bytes in pieces that end in these places.
    pub(crate) fn send_cut(
        &mut self,
        bytes: impl AsRef<[u8]>,
        cuts: impl IntoIterator<Item = usize>,
    ) {
        let bytes = bytes.as_ref();
        let mut begin = 0;
        for end in cuts.into_iter().chain([bytes.len()]) {
            self.run(&bytes[begin..end]);
            begin = end;
        }
    }

    pub(crate) fn half_close(&mut self) {
        if !self.is_over {
            self.session.end_of_input(&mut self.scratch);
            self.run(&[]);
        }
    }

    /// The deadline of what the session waits for passes.
    pub(crate) fn expire(&mut self) {
        self.session.expire(&mut self.scratch);
        self.run(&[]);
    }

    /// What the session waits for.
    pub(crate) fn phase(&self) -> Option<Phase> {
        self.session.phase()
    }

    /// What was counted since this was asked last.
    pub(crate) fn events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.scratch.events)
    }

    /// All that has come and was not looked at.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.unread)
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send(get(path));
        self.answer()
    }

    /// The next answer, which must be there; not that to a HEAD.
    pub(crate) fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        let length = answer.content_length();
        assert!(
            self.unread.len() >= length,
            "{} of {length} bytes",
            self.unread.len()
        );
        answer.body = self.unread.drain(..length).collect();
        answer
    }

    /// The head of the next answer, which must be there.
    pub(crate) fn head(&mut self) -> Answer {
        Answer::head_in(&mut self.unread)
            .unwrap_or_else(|| panic!("no head in {:?}", String::from_utf8_lossy(&self.unread)))
    }

    /// Whether nothing has come.
    pub(crate) fn is_silent(&self) -> bool {
        self.unread.is_empty() && !self.is_write_shut && !self.is_over
    }

    /// Whether the session has ended it.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// All that has come, up to the end of the connection, which must be there.
    pub(crate) fn read_to_end(&mut self) -> Vec<u8> {
        let rest = std::mem::take(&mut self.unread);
        let shown = || String::from_utf8_lossy(&rest);
        assert!(
            self.is_write_shut || self.is_over,
            "it is open after {:?}",
            shown()
        );
        // A client that has read to the end closes its side too.
        self.half_close();
        assert!(self.is_over, "its client has left, and it is open");
        rest
    }

    /// Gives the session what it asks for until it asks for more than the client has sent.
    fn run(&mut self, mut input: &[u8]) {
        for _ in 0..10_000_000_u64 {
            match self.session.next(&mut self.scratch) {
                Next::Receive if input.is_empty() => return self.session.rest(&self.scratch),
                Next::Receive => {
                    // As much as fits into the buffer of a worker.
                    let piece = &input[..input.len().min(16 << 10)];
                    let taken = self.session.receive(piece, &mut self.scratch);
                    assert!(taken > 0, "it asks for bytes and takes none");
                    input = &input[taken..];
                }
                Next::Send(output) => {
                    let length = usize::try_from(output.len()).expect("a piece");
                    let sent = length.min(self.place.takes);
                    self.unread.extend(first(&output, sent));
                    self.session.sent(output, Ok(sent), &mut self.scratch);
                }
                Next::Work(work) => {
                    let done = work.run(&self.place.files, self.place.now.get());
                    self.session.done(done, &mut self.scratch);
                }
                Next::ShutdownWrite => self.is_write_shut = true,
                Next::Yield => {}
                Next::Wait => panic!("nothing is out"),
                Next::Closed => {
                    self.is_over = true;
                    return;
                }
            }
        }
        panic!("it does not end");
    }
}

/// The first bytes of an output, wherever they lie.
fn first(output: &Output, count: usize) -> Vec<u8> {
    let mut bytes = output.head().to_vec();
    if let Some(frames) = output.frames() {
        let mut payload = payload(output, frames.iter().map(|(_, length)| length).sum());
        for (header, length) in frames.iter() {
            bytes.extend(header.iter().flatten());
            bytes.extend(payload.drain(..length));
        }
        bytes.truncate(count);
        return bytes;
    }
    match output.tail() {
        Tail::None => {}
        Tail::Memory(..) => bytes.extend(output.tail_in_memory()),
        Tail::File(entry, Range { start, .. }) if count > bytes.len() => {
            let mut tail = vec![0; count - bytes.len()];
            entry
                .file
                .read_exact_at(&mut tail, *start)
                .expect("a file as long as it was");
            bytes.extend(tail);
        }
        Tail::File(..) => {}
    }
    bytes.truncate(count);
    bytes
}

/// What is cut into frames.
fn payload(output: &Output, length: usize) -> Vec<u8> {
    let Tail::File(entry, range) = output.tail() else {
        return output.tail_in_memory().to_vec();
    };
    let mut payload = vec![0; length];
    let read = entry.file.read_exact_at(&mut payload, range.start);
    read.expect("a file as long as it was");
    payload
}
