//! The network, in memory: a client's bytes in pieces, and a transport that takes as much as it is told to.

use std::collections::VecDeque;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Instant;

use arch::session::{Delivery, FileAnswer, Output, Scratch, SendError, Tail};
use arch::{Files, Next, ServeOptions, Session};
use clap::Parser;
use meter::Event;
use tempfile::TempDir;

pub(crate) const KEPT: usize = 300;
pub(crate) const LARGE: usize = 2000;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: ServeOptions,
}

/// What sessions are served from.
pub(crate) struct Place {
    _root: TempDir,
    pub(crate) files: Files,
    pub(crate) options: ServeOptions,
    now: Instant,
}

impl Place {
    pub(crate) fn new(options: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("small.txt"), "small\n").unwrap();
        std::fs::write(root.path().join("kept.bin"), [b'k'; KEPT]).unwrap();
        std::fs::write(root.path().join("large.bin"), [b'l'; LARGE]).unwrap();
        let options = CommandLine::parse_from(["test"].iter().chain(options)).options;
        Self {
            files: arch::setup::files(&options, root.path()).unwrap(),
            _root: root,
            options,
            now: Instant::now(),
        }
    }

    /// Every way for bytes to leave: copied beside the head, gathered with it, from the file, in each order of the caches.
    pub(crate) fn each() -> Vec<Self> {
        [
            &["--content-cache", "64k"][..],
            &["--content-cache", "64k", "--gather-from", "1"],
            &["--content-cache", "0"],
            &[
                "--content-cache",
                "0",
                "--name-cache",
                "0",
                "--header-cache",
                "off",
            ],
        ]
        .map(Self::new)
        .into()
    }

    pub(crate) fn scratch(&self) -> Scratch {
        let mut scratch = Scratch::new(Arc::new(self.options.protocol()));
        scratch.set_time(784_111_777);
        scratch
    }

    /// For a session that hands requests over as values.
    pub(crate) fn scratch_of_values(&self) -> Scratch {
        let config = http::Config {
            keep_fields: true,
            ..self.options.protocol()
        };
        let mut scratch = Scratch::new(Arc::new(config));
        scratch.set_time(784_111_777);
        scratch
    }

    /// The steps of answering a request with the file that it means.
    pub(crate) fn answer_with_file(&self, request: &Arc<http::Request>) -> FileAnswer {
        FileAnswer::new(
            Arc::clone(request),
            784_111_777,
            self.options.protocol().max_ranges,
            Delivery::PageCache,
        )
    }

    pub(crate) fn session(&self) -> Session {
        Session::new(self.options.gather_from)
    }

    pub(crate) fn do_now(&self, work: arch::Work) -> arch::Done {
        work.run(&self.files, self.now)
    }
}

/// The bytes of an output, wherever they lie.
pub(crate) fn bytes(output: &Output) -> Vec<u8> {
    let mut bytes = [output.head(), output.tail_in_memory()].concat();
    if let Tail::File(entry, range) = output.tail() {
        let mut tail = vec![0; usize::try_from(range.end - range.start).unwrap()];
        entry.file.read_exact_at(&mut tail, range.start).unwrap();
        bytes.extend(tail);
    }
    assert_eq!(bytes.len() as u64, output.len());
    bytes
}

/// What a transport does with an output of so many bytes.
pub(crate) type Take<'a> = &'a mut dyn FnMut(usize) -> Result<usize, SendError>;

/// One connection, both ends.
pub(crate) struct Wire<'p> {
    place: &'p Place,
    pub(crate) session: Session,
    pub(crate) scratch: Scratch,
    /// What the client has sent, as it was cut on the way; after the last piece it sends no more.
    pieces: VecDeque<Vec<u8>>,
    /// What the session has not taken of the piece before.
    rest: Vec<u8>,
    /// What the client has received.
    pub(crate) received: Vec<u8>,
    pub(crate) statuses: Vec<u16>,
    pub(crate) events: Vec<Event>,
    /// How often the session was asked what is next.
    pub(crate) asked: usize,
    pub(crate) yields: usize,
}

impl<'p> Wire<'p> {
    pub(crate) fn new(
        place: &'p Place,
        pieces: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> Self {
        Self {
            place,
            session: place.session(),
            scratch: place.scratch(),
            pieces: pieces
                .into_iter()
                .map(|piece| piece.as_ref().to_vec())
                .collect(),
            rest: Vec::new(),
            received: Vec::new(),
            statuses: Vec::new(),
            events: Vec::new(),
            asked: 0,
            yields: 0,
        }
    }

    /// Gives the session what it needs next, once; false when it is over, or waits for what will not come.
    pub(crate) fn step(&mut self, take: Take<'_>) -> bool {
        let next = self.session.next(&mut self.scratch);
        self.asked += 1;
        let goes_on = self.give(next, take);
        self.account();
        goes_on
    }

    pub(crate) fn give(&mut self, next: Next, take: Take<'_>) -> bool {
        match next {
            Next::Receive => return self.receive(),
            Next::Send(output) => {
                let bytes = bytes(&output);
                let taken = take(bytes.len());
                if let Ok(taken) = taken {
                    self.received.extend_from_slice(&bytes[..taken]);
                }
                self.session.sent(output, taken, &mut self.scratch);
            }
            Next::Work(work) => {
                let done = self.place.do_now(work);
                self.session.done(done, &mut self.scratch);
            }
            Next::ShutdownWrite => {}
            Next::Yield => self.yields += 1,
            Next::Wait => panic!("nothing is out"),
            Next::Closed => return false,
        }
        true
    }

    fn receive(&mut self) -> bool {
        if self.rest.is_empty() {
            assert!(self.scratch.is_clear(), "{:?}", self.session);
            self.session.rest(&self.scratch);
            let Some(piece) = self.pieces.pop_front() else {
                self.session.end_of_input(&mut self.scratch);
                return true;
            };
            self.rest = piece;
        }
        let taken = self.session.receive(&self.rest, &mut self.scratch);
        assert!(taken > 0, "it asks for bytes and takes none");
        self.rest.drain(..taken);
        true
    }

    pub(crate) fn account(&mut self) {
        let settled = self.scratch.settled.drain(..);
        self.statuses.extend(settled.map(|answer| answer.status));
        self.events.append(&mut self.scratch.events);
    }

    /// Until it is over; returns how many calls that took.
    pub(crate) fn run(&mut self, take: Take<'_>) -> usize {
        let mut steps = 0;
        while self.step(take) {
            steps += 1;
            assert!(steps < 100_000, "it does not end");
        }
        steps
    }

    /// As [`run`](Self::run), over a transport that takes everything.
    pub(crate) fn run_whole(&mut self) -> usize {
        self.run(&mut Ok)
    }
}
