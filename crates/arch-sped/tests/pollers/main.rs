//! SPED with each way to ask who is ready: what depends on readiness, and where one interface ends.
//!
//! Answers are the business of the conformance battery. A server is a process of its own here, started from this program, so that its
//! descriptors and its processor time are nobody else's.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod cases;
mod select;
mod server;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

/// The pollers, each with its options.
const POLLERS: [&str; 5] = [
    "epoll",
    "epoll-level",
    "poll",
    "select",
    "scan --scan-pause 2ms",
];

/// Most of a case is waiting.
const AT_A_TIME: usize = 8;

fn main() -> ExitCode {
    if std::env::args()
        .nth(1)
        .is_some_and(|first| first == server::SERVE)
    {
        server::serve();
        return ExitCode::SUCCESS;
    }
    let mut trials = Vec::new();
    for poller in POLLERS {
        let name = poller.split(' ').next().unwrap_or_default();
        for &(case, run) in cases::CASES {
            let run = move || {
                run(poller);
                Ok(())
            };
            trials.push(Trial::test(format!("{name}::{case}"), run));
        }
    }
    for &(case, run) in select::CASES {
        let run = move || {
            run();
            Ok(())
        };
        trials.push(Trial::test(format!("select::{case}"), run));
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_A_TIME);
    libtest_mimic::run(&arguments, trials).exit_code()
}
