//! Servers that go away, or that have no time for some.

use crate::ok;
use crate::support::queue::{Queue, Service};
use crate::support::script::{Act, server, workers};
use crate::support::{self, Done, go, open_loop, run};
use load::failure::Failure;
use load::run::Run;
use load::verdict::{Rule, Validity};
use std::time::Duration;

/// The server goes away once it has answered: a run that finds nobody does not begin.
fn with_outage(queue: Queue, run: Run) -> Done {
    std::thread::scope(|scope| {
        let run = scope.spawn(|| go(run).expect("a run"));
        while !queue.has_answered() && !run.is_finished() {
            std::thread::sleep(Duration::from_millis(1));
        }
        queue.end();
        run.join().expect("the run ends")
    })
}

#[test]
fn an_outage_of_an_open_loop_fails_no_more_than_was_due() {
    let queue = Queue::new(Service::Constant(0.0), 1);
    let mut run = open_loop(queue.address, Duration::from_secs(1), 200.0, false, 8);
    run.timeout = 300 * support::MS;
    let done = with_outage(queue, run);
    let (outcome, report) = (&done.outcome, done.report());
    let counts = &outcome.record.counts;
    // It knocks on and on, which is counted by itself.
    assert!(counts.connects_failed() > 8, "{:?}", counts.failures);
    assert!(counts.completed > 0 && counts.of(Failure::NoConnection) > 0);
    assert_eq!(counts.of(Failure::NoConnection), outcome.unsent);
    assert_eq!(
        counts.completed + counts.failed() + outcome.unfinished,
        outcome.scheduled
    );
    assert!(report.figures.error_percent() < 100.0);
    let text = load::report::text::render(&report);
    assert!(
        text.contains("never sent: no connection could be made")
            && text.contains("connect_refused"),
        "{text}"
    );
    assert!(
        text.contains("lower bounds") && !text.contains("busy to the end"),
        "{text}"
    );
    let json: serde_json::Value =
        serde_json::from_slice(&load::report::json::render(&report)).expect("JSON");
    assert!(json["requests"]["errors"]["connect_refused"].is_null());
    assert!(json["requests"]["connects_failed"]["connect_refused"].is_u64());
}

#[test]
fn a_request_whose_connection_is_refused_fails_in_a_closed_loop() {
    let queue = Queue::new(Service::Constant(0.0), 1);
    let mut run = run(queue.address, Duration::from_secs(1));
    run.timeout = 300 * support::MS;
    let done = with_outage(queue, run);
    let counts = &done.outcome.record.counts;
    let refused = counts.of(Failure::NoConnection);
    assert!(refused > 0, "{:?}", counts.failures);
    assert_eq!(refused, counts.connects_failed());
}

#[test]
fn more_clients_than_the_server_has_workers_are_named() {
    for open in [false, true] {
        let address = workers(2, Act::Answer(ok("x")));
        let length = Duration::from_millis(600);
        let mut run = match open {
            true => open_loop(address, length, 200.0, false, 6),
            false => run(address, length),
        };
        (run.clients, run.max_connections) = (6, 6);
        run.timeout = 300 * support::MS;
        let done = go(run).expect("a run");
        assert_eq!(done.outcome.unheard, 4, "open: {open}");
        let report = done.report();
        let found = report
            .findings
            .iter()
            .find(|found| found.rule == Rule::Unheard);
        let text = &found.expect("it is named").text;
        assert!(
            text.contains("4 of 6") && text.contains("--keep-alive off"),
            "{text}"
        );
        assert!(report.level() >= Validity::Suspect);
    }
}

/// The server goes on for a while, and then does something else, on every connection.
fn turns(after: Duration, act: Act) -> std::net::SocketAddr {
    server(Act::Turn(
        std::time::Instant::now() + after,
        Box::new([Act::Answer(ok("x")), act]),
    ))
}

#[test]
fn a_server_that_stops_answering_in_the_middle_has_measured_nothing() {
    for (act, open) in [
        (Act::Silence, false),
        (Act::Silence, true),
        (Act::Close, false),
        (Act::Close, true),
    ] {
        let address = turns(Duration::from_millis(500), act);
        let length = Duration::from_millis(1500);
        let mut run = match open {
            true => open_loop(address, length, 200.0, false, 6),
            false => run(address, length),
        };
        (run.clients, run.max_connections) = (6, 6);
        run.timeout = 500 * support::MS;
        let done = go(run).expect("a run");
        assert!(done.outcome.record.counts.completed > 0);
        let report = done.report();
        let found = report
            .findings
            .iter()
            .find(|found| found.rule == Rule::FellSilent);
        let found = found.unwrap_or_else(|| panic!("open: {open}; {:?}", report.findings));
        assert!(
            found
                .text
                .contains("s after the start it answered for the last time"),
            "{}",
            found.text
        );
        assert_eq!(report.level(), Validity::Invalid);
    }
}

#[test]
fn answers_that_are_none_are_named_however_few() {
    let address = turns(
        Duration::from_millis(700),
        Act::Answer(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n".to_vec()),
    );
    let mut run = open_loop(address, Duration::from_millis(800), 100.0, false, 2);
    run.timeout = 300 * support::MS;
    let done = go(run).expect("a run");
    let report = done.report();
    let found = report
        .findings
        .iter()
        .find(|found| found.rule == Rule::UnsoundAnswers);
    let text = &found.expect("it is named").text;
    assert!(text.contains("bad_length, like http://"), "{text}");
    assert_eq!(report.level(), Validity::Invalid);
}
