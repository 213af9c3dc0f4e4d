//! A driver for the machine, with files in memory and a clock that stands still.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::Range;
use std::sync::Arc;

use http::{Config, Connection, Entity, FileState, Missing, Phase, Scratch, Target, Want};

/// 6 November 1994, some hours after the files were made.
pub(crate) const NOW: u64 = 784_150_000;
pub(crate) const MTIME: i64 = 784_111_777;
pub(crate) const DATE: &str = "Sun, 06 Nov 1994 19:26:40 GMT";
pub(crate) const LAST_MODIFIED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

/// `GET <target>` of HTTP/1.1 with a Host and these field lines.
pub(crate) fn get(target: &str, fields: &str) -> String {
    request("GET", target, fields)
}

pub(crate) fn request(method: &str, target: &str, fields: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: h\r\n{fields}\r\n")
}

/// What is where: `ten.txt` is ten digits, `empty`, `big.bin` is 100,000 bytes, `dir/` has an
/// index.
pub(crate) fn find(target: &Target) -> Result<(Entity, Vec<u8>), Missing> {
    let content: Vec<u8> = match (target.path(), target.is_directory()) {
        (b"" | b"dir" | b"a b/\xe4", true) => b"<p>index</p>".to_vec(),
        (b"dir" | b"a b/\xe4" | b"a:b%", false) => return Err(Missing::NeedsSlash),
        (b"ten.txt", false) => b"0123456789".to_vec(),
        (b"empty", false) => Vec::new(),
        (b"big.bin", false) => (0..100_000u32).map(|i| (i % 251) as u8).collect(),
        (b"forbidden", false) => return Err(Missing::Forbidden),
        (b"busy", false) => return Err(Missing::Busy),
        (b"failed", false) => return Err(Missing::Failed),
        _ => return Err(Missing::NotFound),
    };
    let name = if target.is_directory() {
        b"index.html"
    } else {
        target.path()
    };
    let entity = Entity::new(
        name,
        FileState {
            len: content.len() as u64,
            modified: (MTIME, 5),
            changed: (MTIME, 6),
            revision: 0,
        },
    );
    Ok((entity, content))
}

/// How a connection ended, or that it did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Open,
    Linger,
    Close,
}

/// A connection, what it was given and what it gave.
pub(crate) struct Driver {
    pub(crate) connection: Connection,
    pub(crate) scratch: Scratch,
    /// What went over the wire.
    pub(crate) output: Vec<u8>,
    /// The statuses of the answers that were finished.
    pub(crate) statuses: Vec<u16>,
    /// Bytes of the input that the machine took.
    pub(crate) taken: usize,
    /// How many of them it had taken when each of the answers was finished.
    pub(crate) ends: Vec<usize>,
    /// Longest piece of a file that is sent at once.
    pub(crate) send: usize,
    /// An answer was finished although nothing had come since the one before.
    pub(crate) answered_unasked: bool,
    leftover: Vec<u8>,
    file: Option<(Entity, Vec<u8>)>,
    /// Something has come that no answer has been given to.
    asked: bool,
}

impl Driver {
    pub(crate) fn new() -> Driver {
        Driver::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Driver {
        let mut scratch = Scratch::new(Arc::new(config));
        scratch.set_time(NOW);
        Driver {
            connection: Connection::new(),
            scratch,
            output: Vec::new(),
            statuses: Vec::new(),
            taken: 0,
            ends: Vec::new(),
            answered_unasked: false,
            send: usize::MAX,
            leftover: Vec::new(),
            file: None,
            asked: false,
        }
    }

    /// Brings input, and works until more is needed or the connection is over.
    pub(crate) fn feed(&mut self, input: impl AsRef<[u8]>) -> &mut Self {
        self.leftover.extend_from_slice(input.as_ref());
        while self.step() {}
        self
    }

    pub(crate) fn end_of_input(&mut self) -> &mut Self {
        self.asked = true;
        self.connection.end_of_input(&mut self.scratch);
        while self.step() {}
        self
    }

    pub(crate) fn expire(&mut self) -> &mut Self {
        self.asked = true;
        self.connection.expire(&mut self.scratch);
        while self.step() {}
        self
    }

    /// One step. `false`: nothing to do.
    pub(crate) fn step(&mut self) -> bool {
        self.flush();
        match self.connection.want() {
            Want::Request => {
                if self.leftover.is_empty() {
                    return false;
                }
                let taken = self.connection.receive(&self.leftover, &mut self.scratch);
                assert!(taken <= self.leftover.len());
                let stuck = taken == 0 && self.connection.want() == Want::Request;
                assert!(!stuck, "a connection that wants more takes what is there");
                self.leftover.drain(..taken);
                self.taken += taken;
                self.asked |= taken > 0;
            }
            Want::Find => {
                assert_eq!(self.connection.phase(), Phase::Answer);
                let found = find(self.connection.target());
                let answer = found
                    .as_ref()
                    .map(|(entity, _)| entity)
                    .map_err(|&missing| missing);
                self.connection.found(answer, &mut self.scratch);
                self.file = found.ok();
            }
            Want::Load(range) => {
                self.check(&range);
                if let Some((entity, _)) = &self.file {
                    self.connection.loaded(entity, &mut self.scratch);
                }
            }
            Want::Send(range) => {
                self.check(&range);
                let (start, end) = (range.start as usize, range.end as usize);
                let end = end.min(start.saturating_add(self.send));
                if let Some((_, content)) = &self.file {
                    self.output.extend_from_slice(&content[start..end]);
                }
                self.connection
                    .sent((end - start) as u64, &mut self.scratch);
            }
            Want::Linger | Want::Close => {
                self.flush();
                return false;
            }
        }
        self.flush();
        true
    }

    fn check(&self, range: &Range<u64>) {
        let (entity, _) = self.file.as_ref().expect("a file was found");
        assert!(range.start < range.end && range.end <= entity.len());
    }

    fn flush(&mut self) {
        self.output.append(&mut self.scratch.out);
        for finished in self.scratch.finished.drain(..) {
            self.answered_unasked |= !self.asked;
            self.asked = false;
            self.statuses.push(finished.status);
            self.ends.push(self.taken);
        }
    }

    pub(crate) fn end(&self) -> End {
        match self.connection.want() {
            Want::Linger => End::Linger,
            Want::Close => End::Close,
            _ => End::Open,
        }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.output).into_owned()
    }

    /// The answers, taken apart as a client would.
    pub(crate) fn answers(&self) -> Vec<Answer> {
        let mut answers = Vec::new();
        let mut rest = &self.output[..];
        while !rest.is_empty() {
            let heads = self.statuses.len();
            assert!(
                answers.len() < heads.max(1) + 1,
                "more answers than were finished"
            );
            let (answer, after) = Answer::parse(rest);
            answers.push(answer);
            rest = after;
        }
        answers
    }
}

/// One answer to a request that is not a HEAD.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> (Answer, &[u8]) {
        let end = bytes
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("a whole head")
            + 4;
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.strip_prefix("HTTP/1.1 ").unwrap()[..3]
            .parse()
            .unwrap();
        let mut answer = Answer {
            status,
            head,
            body: Vec::new(),
        };
        let length = answer
            .field("Content-Length")
            .map_or(0, |length| length.parse().unwrap());
        answer.body = bytes[end..end + length].to_vec();
        (answer, &bytes[end + length..])
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut values = self
            .head
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let value = values.next();
        assert_eq!(values.next(), None, "{name} twice in {}", self.head);
        value
    }
}

/// Feeds one input in one piece.
pub(crate) fn serve(input: impl AsRef<[u8]>) -> Driver {
    let mut driver = Driver::new();
    driver.feed(input);
    driver
}

/// Checks the answers' statuses and what becomes of the connection, the input coming whole and byte
/// by byte.
#[track_caller]
pub(crate) fn check(input: impl AsRef<[u8]>, statuses: &[u16], end: End) {
    let input = input.as_ref();
    let shown = String::from_utf8_lossy(&input[..input.len().min(200)]).into_owned();
    let whole = serve(input);
    assert_eq!(
        (&whole.statuses[..], whole.end()),
        (statuses, end),
        "{shown:?}"
    );
    let mut bytewise = Driver::new();
    for byte in input {
        bytewise.feed([*byte]);
    }
    assert_eq!(
        (&bytewise.statuses[..], bytewise.end()),
        (statuses, end),
        "{shown:?} byte by byte"
    );
    assert_eq!(whole.output, bytewise.output, "{shown:?} byte by byte");
}
