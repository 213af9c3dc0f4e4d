//! What ends the process, each in one of its own, which this one is made to be.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use fiber::{Fiber, Guards, Place, Settings};
use support::{SETTINGS, run, start_with};

static HERE: Place = Place::new("here");

/// Runs a test of this file as a process of its own, which does `part`; what it said before it was ended by SIGABRT.
fn aborts(test: &str, part: impl FnOnce()) -> Option<String> {
    const PART: &str = "FIBER_TEST_PART";
    if std::env::var_os(PART).is_some() {
        part();
        return None;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--nocapture"])
        .env(PART, "1");
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.signal(), Some(6), "{said}");
    Some(said)
}

#[allow(unconditional_recursion, reason = "that is what is tried")]
fn overflow(depth: u64) -> u64 {
    std::hint::black_box(overflow(std::hint::black_box(depth + 1)) + depth)
}

/// With guards of this kind, a fiber whose stack has others below and above it overflows.
fn overflows(test: &str, guards: Option<Guards>) {
    let part = || {
        let running = start_with(&Settings {
            workers: 2,
            guards,
            ..SETTINGS
        });
        running.spawn(|fiber| {
            fiber.spawn(|fiber| fiber.park(&HERE)).unwrap();
            fiber.yield_now();
            overflow(0);
        });
        running.join();
    };
    if let Some(said) = aborts(test, part) {
        assert!(
            said.contains("a stack of 131072 bytes has overflowed"),
            "{said}"
        );
    }
}

#[test]
fn an_overflow_ends_the_process_and_says_why() {
    overflows("an_overflow_ends_the_process_and_says_why", None);
}

/// As on kernels before Linux 6.13.
#[test]
fn an_overflow_is_told_by_guards_of_mappings_too() {
    overflows(
        "an_overflow_is_told_by_guards_of_mappings_too",
        Some(Guards::Mappings),
    );
}

#[test]
fn no_fiber_parks_while_it_unwinds() {
    struct ParksWhenDropped<'a>(&'a Fiber<'a>);
    impl Drop for ParksWhenDropped<'_> {
        fn drop(&mut self) {
            self.0.park(&HERE);
        }
    }
    let part = || {
        run(1, |fiber| {
            let _parks = ParksWhenDropped(fiber);
            panic!("a defect");
        });
    };
    if let Some(said) = aborts("no_fiber_parks_while_it_unwinds", part) {
        assert!(
            said.contains("must not stop while a panic unwinds"),
            "{said}"
        );
    }
}
