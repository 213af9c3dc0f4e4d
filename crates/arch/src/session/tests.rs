//! Several works of one connection at a time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use clap::Parser;
use http::Config;

use meter::Event;

use super::multiplexed::bytes;
use super::*;
use crate::{Files, ServeOptions};

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: ServeOptions,
}

/// A directory of files, each of which holds its own name.
fn files(names: &str) -> (tempfile::TempDir, Files) {
    let root = tempfile::tempdir().unwrap();
    for name in names.chars().map(String::from) {
        std::fs::write(root.path().join(&name), format!("file {name}")).unwrap();
    }
    let options = CommandLine::parse_from(["test"]).options;
    let files = crate::setup::files(&options, root.path()).unwrap();
    (root, files)
}

fn scratch() -> Scratch {
    Scratch::new(Arc::new(Config::default()))
}

/// Takes all the works that there are, then sends what can be sent.
fn turn(
    session: &mut Session,
    scratch: &mut Scratch,
    works: &mut VecDeque<Work>,
    wire: &mut Vec<u8>,
) {
    loop {
        match session.next(scratch) {
            Next::Work(work) => works.push_back(work),
            Next::Send(output) => {
                let bytes = bytes(&output);
                wire.extend_from_slice(&bytes);
                session.sent(output, Ok(bytes.len()), scratch);
            }
            Next::Receive | Next::Wait | Next::Closed => return,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn works_of_one_connection_end_in_any_order() {
    let (_root, files) = files("abc");
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let (mut session, mut scratch) = (Session::multiplexed(), scratch());
        let (mut works, mut wire) = (VecDeque::new(), Vec::new());
        assert!(matches!(session.next(&mut scratch), Next::Receive));
        assert_eq!(session.receive(b"abc", &mut scratch), 3);
        // Each is found as it was asked for, and then loaded in this order.
        for (step, order) in [(Step::Find, [0, 1, 2]), (Step::Load, order)] {
            turn(&mut session, &mut scratch, &mut works, &mut wire);
            assert_eq!(works.len(), 3, "all are under way at a time");
            let mut taken: Vec<_> = works.drain(..).map(Some).collect();
            for place in order {
                let work = taken[place].take().unwrap();
                assert_eq!(work.step(), Some(step));
                session.done(work.run(&files, Instant::now()), &mut scratch);
                if step == Step::Load {
                    turn(&mut session, &mut scratch, &mut works, &mut wire);
                }
            }
        }
        let expected: String = order
            .map(|place| ["afile a\n", "bfile b\n", "cfile c\n"][place])
            .concat();
        assert_eq!(String::from_utf8(wire).unwrap(), expected);
        assert!(scratch.events.is_empty() && scratch.is_clear());
    }
}

/// While a work is out, its session takes no deadline, answers others, and ends without it.
#[test]
fn a_session_that_ends_forgets_its_works() {
    let (_root, files) = files("ab");
    let (mut session, mut scratch) = (Session::multiplexed(), scratch());
    let (mut works, mut wire) = (VecDeque::new(), Vec::new());
    session.receive(b"ab", &mut scratch);
    turn(&mut session, &mut scratch, &mut works, &mut wire);
    assert_eq!(session.phase(), None);
    session.expire(&mut scratch);
    assert!(scratch.events.is_empty());
    session.abandon(&mut scratch);
    assert_eq!(scratch.events, [Event::Abandoned]);
    for work in works {
        session.done(work.run(&files, Instant::now()), &mut scratch);
    }
    assert!(matches!(session.next(&mut scratch), Next::Closed));
    assert!(wire.is_empty() && scratch.is_clear() && scratch.events.len() == 1);
}

/// A buffer for each of many outputs that are out at a time, and none allocated anew once they have all been.
#[test]
fn outputs_that_are_out_have_buffers_of_their_own() {
    let mut scratch = scratch();
    let mut round = || {
        let outputs: Vec<_> = (0..10)
            .map(|number| {
                scratch.http.out.extend_from_slice(&[number; 100]);
                Output::collect(&mut scratch, false)
            })
            .collect();
        let heads: Vec<_> = outputs
            .iter()
            .map(|output| output.head().as_ptr())
            .collect();
        for (number, output) in outputs.into_iter().enumerate() {
            assert_eq!(output.head(), [number as u8; 100]);
            output.recycle(&mut scratch);
        }
        let mut heads = heads;
        heads.sort_unstable();
        heads
    };
    let (_, second, third) = (round(), round(), round());
    let fresh = third.iter().filter(|head| !second.contains(head));
    assert!(fresh.count() <= 1, "one waits to be filled");
}

/// A work that is done while its client has yet to take what came before: nothing of it lies where the next session collects.
#[test]
fn what_comes_of_a_work_waits_behind_what_was_not_taken() {
    let (_root, files) = files("a");
    let (mut session, mut scratch) = (Session::new(8192), scratch());
    let requests = b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n";
    let mut taken = 0;
    let mut load = loop {
        match session.next(&mut scratch) {
            Next::Receive => taken += session.receive(&requests[taken..], &mut scratch),
            Next::Work(work) if work.step() == Some(Step::Load) => break Some(work),
            Next::Work(work) => session.done(work.run(&files, Instant::now()), &mut scratch),
            other => panic!("{other:?}"),
        }
    };
    let output = session.collected(&mut scratch).unwrap();
    let mut wire = bytes(&output)[..10].to_vec();
    session.sent(output, Ok(10), &mut scratch);
    session.done(
        load.take().unwrap().run(&files, Instant::now()),
        &mut scratch,
    );
    for room in [0, 5] {
        assert_eq!(session.phase(), Some(Phase::Answer));
        let Next::Send(output) = session.next(&mut scratch) else {
            panic!("it has something to send");
        };
        assert!(scratch.is_clear(), "others are worked on now");
        wire.extend_from_slice(&bytes(&output)[..room]);
        session.sent(output, Ok(room), &mut scratch);
        assert!(scratch.is_clear(), "others are worked on now");
    }
    turn(&mut session, &mut scratch, &mut VecDeque::new(), &mut wire);
    let text = String::from_utf8(wire).unwrap();
    assert!(
        text.starts_with("HTTP/1.1 204 ") && text.ends_with("\r\n\r\nfile a"),
        "{text}"
    );
    assert_eq!(text.matches("HTTP/1.1 ").count(), 2, "{text}");
}

/// Parts of a file come from what is at hand of it, and not from what lies elsewhere.
#[test]
fn ranges_out_of_order_are_loaded_each() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("file"), "0123456789").unwrap();
    let options = CommandLine::parse_from(["test", "--content-cache", "0"]).options;
    let files = crate::setup::files(&options, root.path()).unwrap();
    let path = files::Path {
        bytes: b"file",
        directory: false,
    };
    let entry = files.find(path, Instant::now()).unwrap();
    let (mut session, mut scratch) = (Session::new(1), scratch());
    let request = b"GET /file HTTP/1.1\r\nHost: h\r\nRange: bytes=6-8,1-2\r\n\r\n";
    assert_eq!(session.receive(request, &mut scratch), request.len());
    let (mut works, mut wire) = (VecDeque::new(), Vec::new());
    let mut ranges = [6..9, 1..3].into_iter();
    loop {
        turn(&mut session, &mut scratch, &mut works, &mut wire);
        let Some(work) = works.pop_front() else { break };
        let work = match work.step() {
            Some(Step::Load) => {
                let range = ranges.next().expect("two ranges");
                Work::load(0, Arc::clone(&entry), range, Delivery::Memory)
            }
            _ => work,
        };
        session.done(work.run(&files, Instant::now()), &mut scratch);
    }
    let text = String::from_utf8(wire).unwrap();
    let at = |part: &str| {
        text.find(part)
            .unwrap_or_else(|| panic!("{part} in {text}"))
    };
    assert!(
        at("6-8/10\r\n\r\n678\r\n") < at("1-2/10\r\n\r\n12\r\n"),
        "{text}"
    );
    assert_eq!(ranges.next(), None);
}
