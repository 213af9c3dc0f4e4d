//! A driver for the machine: files in memory, and works that come back when the test says so.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::h2::{Connection, Fault, Want};
use http::{Config, Entity, Missing, Phase, Scratch};

use crate::frames::{Answer, Heard, hello};
use crate::support::{NOW, find};

type File = Result<(Entity, Vec<u8>), Missing>;

/// A connection, what it was given and what it gave.
pub(crate) struct Driver {
    pub(crate) connection: Connection,
    pub(crate) scratch: Scratch,
    pub(crate) heard: Heard,
    pub(crate) statuses: Vec<u16>,
    /// Works are kept for the test to end.
    pub(crate) holds_works: bool,
    /// Places of streams whose works are out, and whether those load.
    pub(crate) out: Vec<(usize, bool)>,
    /// As many bytes as a transport takes at a time.
    pub(crate) takes: u64,
    /// How often bytes of files were wanted sent.
    pub(crate) sends: usize,
    /// After so many of them the driver stops with each.
    pub(crate) most_sends: usize,
    pub(crate) ended: Option<Want>,
    files: BTreeMap<usize, File>,
}

impl Driver {
    /// A connection on which nothing has come.
    pub(crate) fn silent(config: Config) -> Driver {
        let mut scratch = Scratch::new(Arc::new(config));
        scratch.set_time(NOW);
        Driver {
            connection: Connection::new(),
            scratch,
            heard: Heard::default(),
            statuses: Vec::new(),
            holds_works: false,
            out: Vec::new(),
            takes: u64::MAX,
            sends: 0,
            most_sends: usize::MAX,
            ended: None,
            files: BTreeMap::new(),
        }
    }

    /// One whose client has said hello.
    pub(crate) fn new() -> Driver {
        Driver::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Driver {
        let mut driver = Driver::silent(config);
        driver.feed(hello());
        driver
    }

    /// One that sends several frames at a time.
    pub(crate) fn gathering() -> Driver {
        Driver::with(Config {
            gather_frames: true,
            ..Config::default()
        })
    }

    /// Brings input, and works until more is needed or the connection is over.
    pub(crate) fn feed(&mut self, input: impl AsRef<[u8]>) -> &mut Self {
        for piece in input.as_ref().chunks(16 << 10) {
            self.run();
            let taken = self.connection.receive(piece, &mut self.scratch);
            assert_eq!(taken, piece.len());
        }
        self.run()
    }

    /// Works for as long as there is anything to do.
    pub(crate) fn run(&mut self) -> &mut Self {
        loop {
            match self.connection.want(&mut self.scratch) {
                Want::Receive => break,
                Want::Wait => {
                    assert!(!self.out.is_empty(), "it waits for nothing");
                    break;
                }
                want @ (Want::Find(place) | Want::Load(place, _)) => {
                    self.connection.begin(place);
                    self.out.push((place, matches!(want, Want::Load(..))));
                    if !self.holds_works {
                        self.done(self.out.len() - 1);
                    }
                }
                Want::Send(place, range) => {
                    self.flush();
                    let (_, content) = self.files[&place].as_ref().unwrap();
                    let mut payload = &content[range.start as usize..range.end as usize];
                    let frames = self.connection.frames().unwrap();
                    let mut wire = Vec::new();
                    for (header, length) in frames.iter() {
                        wire.extend(header.iter().flatten());
                        wire.extend(&payload[..length]);
                        payload = &payload[length..];
                    }
                    assert!(payload.is_empty() && wire.len() as u64 == frames.bytes());
                    wire.truncate(self.takes.try_into().unwrap_or(usize::MAX));
                    self.heard.read(&wire);
                    let sent = frames.after(wire.len() as u64);
                    if let Some((header, begun)) = sent.header {
                        self.heard.read(&header[begun..]);
                    }
                    self.sends += 1;
                    self.connection.sent_in_frames(
                        sent.payload,
                        sent.header.is_some(),
                        &mut self.scratch,
                    );
                    if self.sends >= self.most_sends {
                        break;
                    }
                }
                end @ (Want::Linger | Want::Close) => {
                    self.ended = Some(end);
                    break;
                }
            }
        }
        self.flush();
        self
    }

    /// Ends one of the works that are out.
    pub(crate) fn done(&mut self, which: usize) {
        let (place, loads) = self.out.remove(which);
        if loads {
            let (entity, content) = self.files[&place].as_ref().unwrap();
            let end = content.len() as u64;
            self.connection
                .loaded(place, entity, end, &mut self.scratch);
            return;
        }
        let found = find(self.connection.target(place));
        let entity = found.as_ref().map(|(entity, _)| entity);
        let entity = entity.map_err(|&missing| missing);
        self.connection.found(place, entity, &mut self.scratch);
        self.files.insert(place, found);
    }

    fn flush(&mut self) {
        let out = std::mem::take(&mut self.scratch.out);
        self.heard.read(&out);
        let finished = self.scratch.finished.drain(..);
        self.statuses
            .extend(finished.map(|finished| finished.status));
    }

    pub(crate) fn answer(&self, stream: u32) -> &Answer {
        let answer = self.heard.answers.get(&stream);
        answer.unwrap_or_else(|| panic!("nothing has come of stream {stream}"))
    }

    /// The answer of a stream, which must be whole.
    #[track_caller]
    pub(crate) fn whole(&self, stream: u32) -> &Answer {
        let answer = self.answer(stream);
        assert!(answer.is_whole, "{:?}", answer.fields);
        answer
    }

    pub(crate) fn phase(&self) -> Phase {
        self.connection.phase()
    }

    pub(crate) fn expire(&mut self) -> &mut Self {
        self.connection.expire(&mut self.scratch);
        self.run()
    }

    pub(crate) fn fault(&mut self) -> Option<Fault> {
        self.connection.fault()
    }
}
