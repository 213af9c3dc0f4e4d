//! What a connection holds between two requests: nothing but the few bytes of its session.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::sync::Arc;
use std::time::Instant;

use arch::session::{Output, Scratch, Tail};
use arch::{Endpoint, Next, ServeOptions, Session};
use clap::Parser;

#[global_allocator]
static HEAP: sys::heap::Counting = sys::heap::Counting;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: ServeOptions,
}

const SESSIONS: usize = 1000;
/// Two requests, the second of which comes in two pieces.
const PIECES: [&str; 3] = [
    "GET /file.txt HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET /nowhere HTT",
    "P/1.1\r\nHost: h\r\n\r\n",
];

#[test]
fn an_idle_session_owns_no_buffer() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("file.txt"), vec![b'x'; 30_000]).unwrap();
    let options = CommandLine::parse_from(["test"]).options;
    let files = arch::setup::files(&options, root.path()).unwrap();
    let mut scratch = Scratch::new(Arc::new(options.protocol()));
    let mut sessions: Vec<Session> = Vec::with_capacity(SESSIONS);
    let serve = |session: &mut Session, scratch: &mut Scratch| {
        for piece in PIECES {
            let taken = session.receive(piece.as_bytes(), scratch);
            assert_eq!(taken, piece.len());
            let mut refuses = true;
            loop {
                match session.next(scratch) {
                    Next::Work(work) => session.done(work.run(&files, Instant::now()), scratch),
                    Next::Send(output) => {
                        // At first the transport takes a part only.
                        let length = length(&output);
                        let sent = if refuses { length / 3 } else { length };
                        refuses = false;
                        session.sent(output, Ok(sent), scratch);
                    }
                    Next::Receive => break,
                    other => panic!("{other:?}"),
                }
            }
            session.rest(scratch);
            scratch.settled.clear();
        }
    };
    // What is made once, and kept for all.
    let mut first = Session::new(options.gather_from);
    serve(&mut first, &mut scratch);
    let before = sys::heap::bytes_held();
    for _ in 0..SESSIONS {
        let mut session = Session::new(options.gather_from);
        serve(&mut session, &mut scratch);
        sessions.push(session);
    }
    // A buffer that all share may have grown; of the sessions, none holds a byte.
    let grown = sys::heap::bytes_held() - before;
    assert!(grown < SESSIONS as i64, "{grown} bytes");
    // With its socket, it fits into what is promised of ten thousand.
    let each = std::mem::size_of::<Endpoint>() + std::mem::size_of::<Session>();
    assert!(each <= 700, "{each} bytes");
}

fn length(output: &Output) -> usize {
    match output.tail() {
        Tail::File(_, range) => output.head().len() + (range.end - range.start) as usize,
        _ => output.head().len() + output.tail_in_memory().len(),
    }
}
