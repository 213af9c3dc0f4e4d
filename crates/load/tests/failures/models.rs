//! Who asks, when, and over which connections.

use crate::support::script::{Act, server};
use crate::support::{self, go, open_loop, run};
use crate::{SHORT, ok};
use load::verdict::{Finding, Rule, Validity};
use load::verify::Expected;
use std::sync::OnceLock;
use std::time::Duration;

#[test]
fn a_new_connection_for_each_request_or_for_each_few() {
    for (each, connections) in [(1, 12), (3, 4)] {
        // This server keeps what it is asked to close: the generator must do it.
        for open in [false, true] {
            let address = server(Act::Answer(ok("x")));
            let mut run = match open {
                true => open_loop(address, Duration::from_secs(1), 60.0, true, 1),
                false => run(address, Duration::from_secs(10)),
            };
            (run.requests, run.requests_per_connection) = (Some(12), each);
            let done = go(run).expect("a run");
            let counts = &done.outcome.record.counts;
            assert_eq!((counts.completed, counts.failed()), (12, 0));
            assert_eq!(
                (counts.connected, done.outcome.record.connect.len()),
                (connections, connections)
            );
        }
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let mut run = run(server(Act::Answer(ok("hello"))), Duration::from_secs(10));
    (run.requests, run.duration, run.depth, run.verify) = (Some(200), None, 8, true);
    run.targets.targets[0].expected = Expected::FirstAnswer(OnceLock::new());
    let done = go(run).expect("a run");
    let counts = &done.outcome.record.counts;
    assert_eq!(
        (counts.completed, counts.failed(), counts.verified),
        (200, 0, 200)
    );
}

/// A client whose connection has carried its last request opens another for what it would pipeline behind that.
#[test]
fn pipelining_ends_with_the_connection() {
    for (per_connection, connections) in [(12, 17), (3, 67), (1, 200)] {
        let mut run = run(server(Act::Answer(ok("hello"))), Duration::from_secs(10));
        (run.requests, run.duration, run.depth) = (Some(200), None, 8);
        run.requests_per_connection = per_connection;
        let done = go(run).expect("a run");
        let counts = &done.outcome.record.counts;
        assert_eq!((counts.completed, counts.failed()), (200, 0));
        assert_eq!(counts.connected, connections);
    }
}

#[test]
fn a_schedule_that_cannot_be_offered_in_time_is_called_so() {
    // Twenty thousand in twenty microseconds, over a connection that takes them all.
    let length = Duration::from_micros(20);
    let mut run = open_loop(server(Act::Answer(ok("x"))), length, 1e9, false, 1);
    run.depth = 20_000;
    let done = go(run).expect("a run");
    let report = done.report();
    let is_behind = |found: &&Finding| found.rule == Rule::ScheduleNotOffered;
    let found = report.findings.iter().find(is_behind);
    assert_eq!(
        found.map(|found| found.level),
        Some(Validity::Invalid),
        "{:?}",
        report.findings
    );
}

#[test]
fn what_waited_for_a_connection_past_the_end_is_not_the_generators_fault() {
    // Each answer takes longer than the schedule, and the one connection with it.
    let slow = Act::Drip(ok(&"x".repeat(6000)));
    let run = open_loop(server(slow), SHORT, 100.0, false, 1);
    let counts = go(run).expect("a run").outcome.record.counts;
    assert!(counts.behind <= 1, "{counts:?}");
}

#[test]
fn connections_are_added_up_to_their_bound() {
    let mut run = open_loop(server(Act::Silence), SHORT, 100.0, false, 1);
    run.max_connections = 5;
    run.timeout = 10 * support::MS;
    run.timeout = 250 * support::MS;
    let done = go(run).expect("a run");
    assert_eq!(done.outcome.connections, 5);
    assert!(done.outcome.record.counts.waited > 0);
    let report = done.report();
    assert!(
        report
            .notes
            .iter()
            .any(|note| note.contains("--max-connections")),
        "{:?}",
        report.notes
    );
}

#[test]
fn threads_share_the_work() {
    let mut run = open_loop(
        server(Act::Answer(ok("x"))),
        Duration::from_secs(1),
        300.0,
        true,
        7,
    );
    run.threads = 3;
    run.requests = Some(100);
    let done = go(run).expect("a run");
    assert_eq!(
        (done.outcome.scheduled, done.outcome.record.counts.completed),
        (100, 100)
    );
    assert_eq!(done.outcome.connections, 7);
}

#[test]
fn sessions_are_timed_from_their_intended_start() {
    let mut run = open_loop(
        server(Act::Answer(ok("x"))),
        Duration::from_secs(1),
        50.0,
        true,
        4,
    );
    let load::run::Model::Open(arrivals) = run.model else {
        panic!("an open loop");
    };
    run.model = load::run::Model::PartlyOpen(arrivals, 3);
    run.think = load::schedule::Think::Constant(Duration::from_millis(10));
    run.requests = Some(30);
    let done = go(run).expect("a run");
    let record = &done.outcome.record;
    assert_eq!((record.counts.completed, record.session.len()), (30, 10));
    assert!(record.session.min() >= 20 * support::MS);
}

#[test]
fn what_comes_before_the_warm_up_is_not_measured() {
    let mut run = open_loop(
        server(Act::Answer(ok("x"))),
        Duration::from_secs(1),
        100.0,
        false,
        2,
    );
    run.warmup = 500 * support::MS;
    let done = go(run).expect("a run");
    let counts = &done.outcome.record.counts;
    assert_eq!((counts.sent, counts.completed), (100, 50));
    let report = done.report();
    assert!(report.figures.window_s() <= 0.5);
    let text = load::report::text::render(&report);
    assert!(
        text.contains("50 answered of 50 due after the warm-up"),
        "{text}"
    );
}

#[test]
fn nothing_of_the_warm_up_is_measured_well_answered_or_not() {
    for act in [Act::Answer(ok("x")), Act::Silence] {
        for open in [false, true] {
            let address = server(act.clone());
            let mut run = match open {
                true => open_loop(address, SHORT, 100.0, false, 2),
                false => run(address, SHORT),
            };
            run.timeout = 100 * support::MS;
            // All of it.
            run.warmup = u64::MAX;
            let outcome = go(run).expect("a run").outcome;
            let (record, counts) = (&outcome.record, &outcome.record.counts);
            assert!(counts.sent > 0);
            let measured = [
                counts.completed,
                counts.failed(),
                counts.in_window,
                counts.bytes,
            ];
            assert_eq!(measured, [0; 4]);
            assert_eq!(record.batches.means(1).0.len(), 0, "open: {open}");
            assert_eq!(counts.warming_up, outcome.scheduled, "open: {open}");
        }
    }
}

#[test]
fn the_burst_of_the_start_is_no_lag() {
    let mut run = run(server(Act::Answer(ok("x"))), Duration::from_secs(10));
    (run.clients, run.max_connections) = (32, 32);
    (run.requests, run.duration) = (Some(50), None);
    let done = go(run).expect("a run");
    let record = &done.outcome.record;
    assert_eq!((record.service.len(), record.lag.len()), (50, 18));
}

/// A server with one worker for three clients that keep their connections: who waits at the end is answered when the others leave.
#[test]
fn who_still_waits_at_the_end_is_not_given_up() {
    let one_worker = || support::script::workers(1, Act::Answer(ok("hello")));
    let closed = |requests, duration| {
        let mut run = run(one_worker(), SHORT);
        (run.clients, run.max_connections) = (3, 3);
        (run.requests, run.duration) = (requests, duration);
        run
    };
    for run in [
        closed(None, Some(SHORT)),
        closed(Some(100), None),
        open_loop(one_worker(), SHORT, 200.0, false, 3),
    ] {
        let outcome = go(run).expect("a run").outcome;
        let counts = &outcome.record.counts;
        assert_eq!((outcome.unfinished, counts.failed()), (0, 0));
        assert!(counts.completed >= 3, "{}", counts.completed);
    }
}
