//! What becomes of stacks that are not enough, or too many; each in a process of its own, which this one is made to be.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

use sys::coroutine::{Coroutine, Stopped, Suspension};
use sys::overflow::HandlerStack;
use sys::stack::{Arena, Guards};

/// Runs one of these tests as a process of its own, which does what it is told by this variable.
const PART: &str = "STACKS_TEST_PART";

fn run(test: &str, part: &str) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--nocapture"])
        .env(PART, part);
    command.output().unwrap()
}

fn is_part(part: &str) -> bool {
    std::env::var(PART).is_ok_and(|own| own == part)
}

#[allow(unconditional_recursion, reason = "that is what is tried")]
fn overflow(depth: u64) -> u64 {
    std::hint::black_box(overflow(std::hint::black_box(depth + 1)) + depth)
}

/// In words and by the process's end, in whichever thread, and whether it has stopped before.
#[test]
fn an_overflow_ends_the_process_and_says_why() {
    const NAME: &str = "an_overflow_ends_the_process_and_says_why";
    for guards in [Guards::Marks, Guards::Mappings] {
        if is_part(&format!("{guards:?}")) {
            let arena = Arena::with_guards(3, 64 << 10, Some(guards)).unwrap();
            let neighbour = arena.take().unwrap();
            let body = |suspension: &Suspension<'_, ()>| {
                suspension.suspend(());
                overflow(0)
            };
            let mut coroutine = Coroutine::new(arena.take().unwrap(), body);
            assert!(matches!(coroutine.resume(), Stopped::Suspended(())));
            let resume = move || {
                let _handler_stack = HandlerStack::of_this_thread().unwrap();
                coroutine.resume();
            };
            std::thread::spawn(resume).join().unwrap();
            drop(neighbour);
            unreachable!("it goes on after an overflow");
        }
    }
    for guards in [Guards::Marks, Guards::Mappings] {
        if Arena::with_guards(1, 4096, Some(guards))
            .unwrap()
            .take()
            .is_err()
        {
            continue;
        }
        let output = run(NAME, &format!("{guards:?}"));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // SIGABRT, as where a thread of the standard library overflows.
        assert_eq!(output.status.signal(), Some(6), "{said}");
        let words = "a stack of 65536 bytes has overflowed";
        assert!(said.contains(words), "{guards:?}: {said}");
    }
}

/// Another fault is what it would have been.
#[test]
fn an_overflow_of_a_thread_is_still_told_as_one() {
    const NAME: &str = "an_overflow_of_a_thread_is_still_told_as_one";
    if is_part("thread") {
        let _arena = Arena::new(3, 64 << 10).unwrap();
        let overflow = || std::hint::black_box(overflow(0));
        std::thread::Builder::new()
            .stack_size(64 << 10)
            .spawn(overflow)
            .unwrap()
            .join()
            .unwrap();
    }
    if std::env::var(PART).is_err() {
        let output = run(NAME, "thread");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.signal(), Some(6), "{said}");
        assert!(said.contains("has overflowed its stack"), "{said}");
        assert!(!said.contains("bytes has overflowed"), "{said}");
    }
}

/// Before Linux 6.13 a guard takes two mappings, of which a process has so many.
#[test]
fn guards_that_are_mappings_have_a_limit_and_marks_have_none() {
    const NAME: &str = "guards_that_are_mappings_have_a_limit_and_marks_have_none";
    let limit = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap();
    let limit: usize = limit.trim().parse().unwrap();
    let stacks = limit / 2 + 100;
    for (part, guards) in [("marks", Guards::Marks), ("mappings", Guards::Mappings)] {
        if is_part(part) {
            let arena = Arena::with_guards(stacks, 4096, Some(guards)).unwrap();
            let mut taken = Vec::new();
            let error = loop {
                match arena.take() {
                    Ok(stack) => taken.push(stack),
                    Err(error) => break error,
                }
            };
            eprintln!("{} stacks, then: {error}", taken.len());
            // The process has no mapping left, for whatever ends it either.
            drop(taken);
            drop(arena);
        }
    }
    if std::env::var(PART).is_ok() {
        return;
    }
    let said = |part| String::from_utf8_lossy(&run(NAME, part).stderr).into_owned();
    let mappings = said("mappings");
    let made = mappings
        .lines()
        .find_map(|line| line.split_once(" stacks, then: no room for a stack"));
    let made: usize = made.expect(&mappings).0.parse().unwrap();
    assert!((limit / 2 - 500..=limit / 2).contains(&made), "{mappings}");
    assert!(mappings.contains("vm.max_map_count"), "{mappings}");
    if Arena::new(1, 4096).unwrap().guards() == Guards::Marks {
        let marks = said("marks");
        let all = format!("{stacks} stacks, then: all {stacks} stacks are in use");
        assert!(marks.contains(&all), "{marks}");
    }
}
