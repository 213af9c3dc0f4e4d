//! Servers that do wrong: each wrong is counted in a class of its own, and no run hangs.

mod addresses;
mod connections;
mod exports;
mod idle;
mod models;
mod numbers;
mod outages;
mod reports;
#[path = "../support/mod.rs"]
mod support;
mod typed;

use load::failure::Failure;
use load::verdict::{Rule, Validity};
use load::verify::Expected;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use support::script::{Act, refused, server};
use support::{Done, go, run};

const SHORT: Duration = Duration::from_millis(300);

fn ok(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A closed loop of `n` requests by two clients.
fn ask(act: Act, n: u64) -> Done {
    let silent = matches!(act, Act::Silence);
    let mut run = run(server(act), Duration::from_secs(10));
    (run.clients, run.max_connections) = (2, 2);
    run.requests = Some(n);
    run.duration = None;
    if silent {
        run.timeout = 200 * support::MS;
    }
    let began = Instant::now();
    let done = go(run).expect("a run");
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "it took {:?}",
        began.elapsed()
    );
    done
}

#[track_caller]
fn fails_as(act: Act, class: &str) {
    let done = ask(act, 4);
    let counts = &done.outcome.record.counts;
    let failures: Vec<_> = counts.by_class(|_| true).collect();
    assert_eq!(failures, [(class, 4)]);
    assert_eq!(counts.completed, 0);
    let report = done.report();
    assert_eq!(report.level(), Validity::Invalid);
    assert_eq!(report.exit_status(), 4);
    assert!(
        report
            .findings
            .iter()
            .any(|finding| finding.rule == Rule::NothingAnswered)
    );
    // Every report can be made of it.
    assert!(load::report::text::render(&report).contains(class));
    let json: serde_json::Value =
        serde_json::from_slice(&load::report::json::render(&report)).expect("JSON");
    assert_eq!(json["requests"]["errors"][class], 4);
}

#[test]
fn good_answers_in_any_shape() {
    for act in [
        Act::Answer(ok("hello")),
        Act::Drip(ok("hello")),
        Act::AnswerAndClose(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello".to_vec(),
        ),
        Act::AnswerAndClose(b"HTTP/1.1 200 OK\r\n\r\nto the end".to_vec()),
        Act::AnswerAndClose(b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx".to_vec()),
        Act::Answer(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
                .to_vec(),
        ),
        Act::Answer(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n".to_vec()),
        Act::Answer(ok(&"large ".repeat(100_000))),
    ] {
        let done = ask(act, 6);
        let counts = &done.outcome.record.counts;
        assert_eq!(
            (counts.completed, counts.failed()),
            (6, 0),
            "{:?}",
            done.outcome.record.examples
        );
    }
}

#[test]
fn each_wrong_has_its_class() {
    let answer = |text: &str| Act::AnswerAndClose(text.as_bytes().to_vec());
    fails_as(Act::Close, "closed_before_response");
    fails_as(Act::Reset, "reset");
    fails_as(Act::Silence, "timeout");
    fails_as(answer("220 mail.example ESMTP\r\n"), "not_http");
    fails_as(answer("HTTP/1.1 200 OK\r\nContent-"), "closed_in_head");
    fails_as(
        answer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"),
        "closed_in_body",
    );
    fails_as(
        answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
        "bad_chunk_size",
    );
    fails_as(
        answer("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
        "bad_length",
    );
    fails_as(
        answer(
            "HTTP/1.1 302 Found\r\nLocation: /\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        ),
        "status_3xx",
    );
    fails_as(
        answer("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
        "status_4xx",
    );
    fails_as(
        Act::Answer(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n".to_vec()),
        "status_5xx",
    );
}

#[test]
fn bytes_that_answer_nothing_are_a_failure_beside_the_answers() {
    let done = ask(Act::Answer([ok("x"), b"more".to_vec()].concat()), 4);
    let counts = &done.outcome.record.counts;
    assert_eq!(counts.completed, 4);
    let class = Failure::Http(http::client::Error::Unsolicited);
    assert!(counts.of(class) > 0, "{:?}", counts.failures);
}

#[test]
fn a_refused_port_is_said_at_once() {
    let began = Instant::now();
    let error = go(run(refused(), Duration::from_secs(30)))
        .err()
        .expect("no figures");
    assert!(began.elapsed() < Duration::from_secs(3));
    let text = error.to_string();
    assert!(
        text.contains("is the server running") && text.contains("connect_refused"),
        "{text}"
    );
}

#[test]
fn a_wrong_body_is_found_and_placed() {
    let url = "http://h/";
    let mut run = run(server(Act::Answer(ok("hello"))), Duration::from_secs(10));
    (run.requests, run.duration, run.verify) = (Some(3), None, true);
    run.targets.targets[0].expected =
        Expected::FirstAnswer(OnceLock::from(b"help!".to_vec().into_boxed_slice()));
    run.targets.targets[0].url = url.to_owned();
    let done = go(run).expect("a run");
    assert_eq!(done.outcome.record.counts.of(Failure::Mismatch), 3);
    let examples = done.outcome.record.examples.iter();
    let words: Vec<_> = examples.map(|example| example.words.as_str()).collect();
    assert_eq!(
        words,
        [format!("{url}: the body is wrong from offset 3 on")]
    );
}
