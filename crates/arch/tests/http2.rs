//! What a connection of HTTP/2 holds and allocates, and how many works of it are out at a time.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::sync::Arc;
use std::time::Instant;

use arch::session::{Output, Scratch, Tail};
use arch::{Files, Next, ServeOptions, Session, Step, Work};
use clap::Parser;

#[global_allocator]
static HEAP: sys::heap::Counting = sys::heap::Counting;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: ServeOptions,
}

const STREAMS: u32 = 32;

/// A connection, a server's files, and its thread's scratch.
struct Served {
    session: Session,
    scratch: Scratch,
    files: Files,
    _root: tempfile::TempDir,
}

impl Served {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("file.txt"), [b'x'; 1000]).unwrap();
        std::fs::write(root.path().join("large.bin"), vec![b'x'; 60_000]).unwrap();
        // What has changed just now is not held in memory yet.
        std::thread::sleep(std::time::Duration::from_millis(100));
        let options = CommandLine::parse_from(["test", "--revalidate", "1h"]).options;
        let mut served = Self {
            session: Session::of_either(options.gather_from),
            scratch: Scratch::new(Arc::new(options.protocol())),
            files: arch::setup::files(&options, root.path()).unwrap(),
            _root: root,
        };
        served.receive(&hello());
        served.serve();
        served
    }

    fn receive(&mut self, mut input: &[u8]) {
        while !input.is_empty() {
            let taken = self.session.receive(input, &mut self.scratch);
            input = &input[taken..];
        }
    }

    /// Does all that is to be done, and lets others have their turn.
    fn serve(&mut self) {
        loop {
            match self.session.next(&mut self.scratch) {
                Next::Work(work) => {
                    let done = work.run(&self.files, Instant::now());
                    self.session.done(done, &mut self.scratch);
                }
                Next::Send(output) => {
                    let sent = length(&output);
                    self.session.sent(output, Ok(sent), &mut self.scratch);
                }
                Next::Yield => {}
                Next::Receive => break,
                other => panic!("{other:?}"),
            }
        }
        self.session.rest(&self.scratch);
        self.scratch.settled.clear();
    }
}

fn length(output: &Output) -> usize {
    match output.tail() {
        Tail::File(_, range) => output.head().len() + (range.end - range.start) as usize,
        _ => output.head().len() + output.tail_in_memory().len(),
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// What a client begins with who has room for much.
fn hello() -> Vec<u8> {
    let mut hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    hello.extend(frame(4, 0, 0, &[]));
    hello.extend(frame(8, 0, 0, &0x7000_0000u32.to_be_bytes()));
    hello
}

/// A GET of a path that has no more than 127 bytes, with a field that the server is to remember.
fn get(stream: u32, path: &str) -> Vec<u8> {
    let mut block = vec![0x82, 0x86, 0x41, 1, b'h', 0x04, path.len() as u8];
    block.extend_from_slice(path.as_bytes());
    frame(1, 5, stream, &block)
}

/// Many requests at a time on one connection, again and again.
#[test]
fn nothing_is_allocated_for_a_request() {
    let mut served = Served::new();
    let mut stream = 1;
    // From memory, and from the page cache. What is not there is looked up each time, which has its price over HTTP/1.1 as well.
    for path in ["/file.txt", "/large.bin"] {
        let rounds: Vec<Vec<u8>> = (0..60)
            .map(|_| {
                let mut round = Vec::new();
                for _ in 0..STREAMS {
                    round.extend(get(stream, path));
                    stream += 2;
                }
                round
            })
            .collect();
        let mut allocations = Vec::new();
        for round in &rounds {
            let before = sys::heap::allocations();
            served.receive(round);
            served.serve();
            allocations.push(sys::heap::allocations() - before);
        }
        assert_eq!(allocations[20..], [0; 40], "{path}");
    }
}

/// It has answered a hundred requests at a time; what requests need lies with the thread.
#[test]
fn an_idle_connection_holds_little() {
    let mut bytes = Vec::new();
    for number in 0..100 {
        bytes.extend(get(2 * number + 1, "/file.txt"));
    }
    let mut served = Served::new();
    served.receive(&bytes);
    served.serve();
    // Another connection of the same thread.
    let before = sys::heap::bytes_held();
    served.session = Session::of_either(8 << 10);
    served.receive(&hello());
    served.receive(&bytes);
    served.serve();
    let held = sys::heap::bytes_held() - before;
    // The first has gone: what it held, too.
    let first = size_of::<Session>() as i64;
    assert!(held.abs() <= 4 << 10, "{held} bytes");
    let before = sys::heap::bytes_held();
    let session = std::mem::replace(&mut served.session, Session::new(0));
    drop(session);
    let each = before - sys::heap::bytes_held() + first;
    assert!((600..=4 << 10).contains(&each), "{each} bytes");
}

/// Whoever has helpers can have several at work for one client.
#[test]
fn many_works_are_out_at_a_time() {
    let mut served = Served::new();
    let mut bytes = Vec::new();
    for number in 0..20 {
        bytes.extend(get(2 * number + 1, "/large.bin"));
    }
    served.receive(&bytes);
    let mut out: Vec<Work> = Vec::new();
    let mut most = 0;
    let mut sent = 0;
    loop {
        match served.session.next(&mut served.scratch) {
            Next::Work(work) => out.push(work),
            Next::Send(output) => {
                let length = length(&output);
                sent += length;
                served.session.sent(output, Ok(length), &mut served.scratch);
            }
            Next::Yield => {}
            Next::Receive if out.is_empty() => break,
            Next::Receive => {
                most = most.max(out.len());
                let loads = out.iter().filter(|work| work.step() == Some(Step::Load));
                assert!(
                    loads.count() <= 8,
                    "no more is at hand than can be sent soon"
                );
                // The last comes back first.
                let done = out.pop().unwrap().run(&served.files, Instant::now());
                served.session.done(done, &mut served.scratch);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(most, 20);
    assert!(sent > 20 * 60_000);
}
