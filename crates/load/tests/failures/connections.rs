//! Connections as servers end them: what was never answered is asked again, and is no failure.

use crate::ok;
use crate::support::script::{Act, server};
use crate::support::{Done, MS, go, open_loop, run};
use load::failure::Failure;
use load::record::Counts;
use load::run::{Arrivals, Model, Run};
use load::schedule::Think;
use load::target::{Field, Order, Target};
use load::url::Url;
use load::verdict::Rule;
use load::verify::Expected;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// So many requests to a server that does this, in a closed loop and in an open one.
fn both(act: &Act, requests: u64, change: impl Fn(&mut Run)) -> [Done; 2] {
    [false, true].map(|open| {
        let address = server(act.clone());
        let mut run = match open {
            true => open_loop(address, Duration::from_secs(10), 2000.0, false, 2),
            false => run(address, Duration::from_secs(10)),
        };
        run.requests = Some(requests);
        change(&mut run);
        go(run).expect("a run")
    })
}

#[track_caller]
fn all_answered(done: &Done, requests: u64) -> &Counts {
    let record = &done.outcome.record;
    assert_eq!(
        (record.counts.completed, record.counts.failed()),
        (requests, 0),
        "{:?}",
        record.examples
    );
    assert_eq!((done.outcome.unsent, done.outcome.unfinished), (0, 0));
    assert_eq!(done.outcome.scheduled, requests);
    &record.counts
}

fn with_field(run: &mut Run, field: &str) {
    let url = Url::parse(&run.targets.targets[0].url).expect("a URL");
    let fields = [Field::parse(field).expect("a field")];
    run.targets.targets = vec![Target::new(&url, false, &fields, Expected::Anything)];
}

fn closing(body: &str) -> Vec<u8> {
    let text = String::from_utf8(ok(body)).expect("ASCII");
    text.replacen("\r\n", "\r\nConnection: close\r\n", 1)
        .into_bytes()
}

/// RFC 9112, section 9.6: whoever says close sends nothing more, whatever the server says or does.
#[test]
fn a_request_that_says_close_is_the_last_of_its_connection() {
    for act in [Act::CloseWhenAsked(ok("x")), Act::Answer(ok("x"))] {
        for (depth, field) in [
            (1, "Connection: close"),
            (8, "Connection: close"),
            (8, "connection: x, Close"),
        ] {
            for done in both(&act, 40, |run| {
                run.depth = depth;
                with_field(run, field);
            }) {
                let counts = all_answered(&done, 40);
                assert_eq!(counts.connected, 40);
            }
        }
    }
}

/// RFC 9112, section 9.3.2: what is pipelined behind an announced close was never answered, and may be sent again.
#[test]
fn requests_behind_an_announced_close_stay_due() {
    for last in [closing("x"), b"HTTP/1.1 200 OK\r\n\r\nto the end".to_vec()] {
        let last = Act::Late(
            Duration::from_millis(3),
            Box::new(Act::AnswerAndClose(last)),
        );
        let act = Act::First(2, Box::new([Act::Answer(ok("x")), last]));
        for retry in [true, false] {
            for done in both(&act, 60, |run| {
                (run.depth, run.retry, run.clients, run.max_connections) = (8, retry, 1, 1);
            }) {
                let counts = all_answered(&done, 60);
                assert_eq!((counts.connected, counts.retried), (20, 0));
                assert!(counts.behind_close > 0);
                assert_eq!(counts.sent, 60 + counts.behind_close);
                assert_eq!(counts.asked(), 60);
            }
        }
    }
}

#[test]
fn what_stays_due_keeps_its_intended_time() {
    // Both are due at once; the second is behind the first, whose answer takes its time and ends the connection.
    let act = Act::Late(
        Duration::from_millis(200),
        Box::new(Act::AnswerAndClose(closing("x"))),
    );
    for done in both(&act, 2, |run| {
        (run.depth, run.clients, run.max_connections) = (2, 1, 1);
    }) {
        let record = &done.outcome.record;
        assert_eq!(all_answered(&done, 2).behind_close, 1);
        let times = match done.run.is_closed_loop() {
            true => &record.service,
            false => &record.response,
        };
        assert!(times.max() >= 395 * MS, "{} ns", times.max());
        // That it was sent late is none of the generator's doing.
        assert!(record.lag.max() < 190 * MS, "{} ns", record.lag.max());
    }
}

/// A connection that was used, and that the server has closed by the time it is used again.
fn gone_when_used_again(how: Act) -> Act {
    Act::First(1, Box::new([Act::Answer(ok("x")), how]))
}

#[test]
fn a_request_on_a_connection_that_was_closed_meanwhile_is_sent_again() {
    for how in [Act::Close, Act::Reset] {
        for done in both(&gone_when_used_again(how), 11, |run| {
            (run.clients, run.max_connections) = (1, 1);
        }) {
            let counts = all_answered(&done, 11);
            assert_eq!((counts.retried, counts.sent), (10, 21));
            let report = done.report();
            let text = load::report::text::render(&report);
            assert!(text.contains("10 sent again"), "{text}");
            let json: serde_json::Value =
                serde_json::from_slice(&load::report::json::render(&report)).expect("JSON");
            assert_eq!(json["requests"]["retried"], 10);
        }
    }
}

#[test]
fn no_request_is_sent_again_where_that_is_not_wanted() {
    for (how, class) in [
        (Act::Close, "closed_before_response"),
        (Act::Reset, "reset"),
    ] {
        for done in both(&gone_when_used_again(how), 11, |run| {
            (run.retry, run.clients, run.max_connections) = (false, 1, 1);
        }) {
            let counts = &done.outcome.record.counts;
            assert_eq!((counts.completed, counts.retried), (6, 0));
            let failures: Vec<_> = counts.by_class(|_| true).collect();
            assert_eq!(failures, [(class, 5)]);
        }
    }
}

#[test]
fn a_request_that_is_sent_again_counts_from_when_it_was_due() {
    let act = gone_when_used_again(Act::Late(Duration::from_millis(200), Box::new(Act::Close)));
    for done in both(&act, 2, |run| {
        (run.clients, run.max_connections) = (1, 1);
    }) {
        let record = &done.outcome.record;
        assert_eq!(all_answered(&done, 2).retried, 1);
        let times = match done.run.is_closed_loop() {
            true => &record.service,
            false => &record.response,
        };
        assert!(times.max() >= 195 * MS, "{} ns", times.max());
        assert!(record.lag.max() < 190 * MS, "{} ns", record.lag.max());
    }
}

/// Connections that were opened ahead may be closed before anything is asked for on them.
#[test]
fn a_request_on_a_connection_that_was_opened_long_before_is_sent_again() {
    let crossed = Act::AnswerAndClose(TIMEOUT_408.to_vec());
    for how in [Act::Close, Act::Reset, crossed] {
        let acts = Box::new([how, Act::Answer(ok("x"))]);
        let act = Act::Stale(Duration::from_millis(250), acts);
        for open in [false, true] {
            let address = server(act.clone());
            let mut run = match open {
                true => open_loop(address, Duration::from_secs(10), 2.0, false, 2),
                false => run(address, Duration::from_secs(10)),
            };
            (run.requests, run.clients, run.max_connections) = (Some(2), 2, 2);
            if !open {
                run.think = Think::Constant(Duration::from_secs(1));
            }
            // The second is due after half a second, on a connection of its own.
            let done = go(run).expect("a run");
            assert_eq!(all_answered(&done, 2).retried, 1, "open: {open}");
        }
    }
}

/// RFC 9110, section 15.5.9: the server gave up waiting as the request was on its way.
#[test]
fn a_request_that_crossed_a_408_is_sent_again() {
    let crossed = Act::AnswerAndClose(TIMEOUT_408.to_vec());
    for retry in [true, false] {
        for done in both(&gone_when_used_again(crossed.clone()), 10, |run| {
            (run.retry, run.clients, run.max_connections) = (retry, 1, 1);
        }) {
            let counts = &done.outcome.record.counts;
            let (completed, retried) = if retry { (10, 9) } else { (5, 0) };
            assert_eq!((counts.completed, counts.retried), (completed, retried));
            assert_eq!(counts.of(Failure::Status4xx), 10 - completed);
        }
    }
    // One that is an answer to every request is the server's answer.
    for done in both(&crossed, 4, |_| {}) {
        let counts = &done.outcome.record.counts;
        assert_eq!((counts.completed, counts.of(Failure::Status4xx)), (0, 4));
    }
}

/// What met the end of two connections in turn fails: a server that answers nobody is no server that was idle.
#[test]
fn a_request_is_sent_again_once() {
    let address = server(Act::Close);
    let mut run = open_loop(address, Duration::from_secs(10), 1.0, false, 3);
    // One, due when all connections have been idle for a while.
    let times = workload::trace::Times::read(&b"0.1\n"[..]).expect("a trace");
    run.model = Model::Open(Arrivals {
        times: workload::Schedule::trace(times),
        asked: None,
    });
    let done = go(run).expect("a run");
    let counts = &done.outcome.record.counts;
    assert_eq!((counts.sent, counts.retried), (2, 1));
    let failures: Vec<_> = counts.by_class(|_| true).collect();
    assert_eq!(failures, [("closed_before_response", 1)]);
}

#[test]
fn an_answer_that_has_begun_is_not_asked_for_again() {
    for (cut, class) in [
        ("HTTP/1.1 200 OK\r\nContent-", "closed_in_head"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",
            "closed_in_body",
        ),
        ("HTTP/1.1 100 Continue\r\n\r\n", "closed_in_head"),
    ] {
        let act = gone_when_used_again(Act::AnswerAndClose(cut.as_bytes().to_vec()));
        for done in both(&act, 10, |run| {
            (run.clients, run.max_connections) = (1, 1);
        }) {
            let counts = &done.outcome.record.counts;
            assert_eq!((counts.completed, counts.retried), (5, 0));
            let failures: Vec<_> = counts.by_class(|_| true).collect();
            assert_eq!(failures, [(class, 5)]);
        }
    }
}

/// What is pipelined behind an answer that never came, on a connection that ended without saying so.
#[test]
fn requests_behind_an_unannounced_close_are_sent_again() {
    let act = Act::First(2, Box::new([Act::Answer(ok("x")), Act::Close]));
    for done in both(&act, 40, |run| {
        (run.depth, run.clients, run.max_connections) = (2, 1, 1);
    }) {
        let counts = all_answered(&done, 40);
        assert!(counts.retried >= 19, "{counts:?}");
        assert_eq!(counts.behind_close, 0);
    }
}

const TIMEOUT_408: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n";

/// Node, HAProxy and others tell whoever was silent for long that they close; connections that were opened ahead are silent.
#[test]
fn a_response_to_nobody_before_a_close_is_the_end_of_a_connection() {
    let unannounced = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n";
    for (said, closes) in [
        (TIMEOUT_408, true),
        (TIMEOUT_408, false),
        (unannounced, true),
    ] {
        // Three are used by then, and the others told.
        let try_it = || {
            let then = Box::new(Act::Answer(ok("x")));
            let act = Act::Bored(Duration::from_millis(250), said.to_vec(), closes, then);
            let run = open_loop(server(act), Duration::from_millis(600), 10.0, false, 8);
            go(run).expect("a run")
        };
        let mut done = try_it();
        // Where the machine has no time, a request goes out at the very moment, and the answer is its own.
        for _ in 0..5 {
            if done.outcome.record.counts.failed() > 0 {
                done = try_it();
            }
        }
        let counts = all_answered(&done, 6);
        assert_eq!(
            counts.of(Failure::Http(http::client::Error::Unsolicited)),
            0
        );
        let rules: Vec<_> = done
            .report()
            .findings
            .iter()
            .map(|found| found.rule.clone())
            .collect();
        assert!(!rules.contains(&Rule::UnsoundAnswers), "{rules:?}");
    }
}

/// A server that answers twice has lost count: whose answer the next one is cannot be known.
#[test]
fn a_response_to_nobody_on_a_connection_that_goes_on_is_unsound() {
    for done in both(&Act::Answer([ok("x"), ok("y")].concat()), 1, |_| {}) {
        let class = Failure::Http(http::client::Error::Unsolicited);
        assert!(done.outcome.record.counts.of(class) > 0);
        let report = done.report();
        assert!(
            report
                .findings
                .iter()
                .any(|found| found.rule == Rule::UnsoundAnswers)
        );
    }
}

/// What waits for its client's connection goes out in the order in which it was due.
#[test]
fn requests_that_wait_for_a_connection_keep_their_order() {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let act = Act::Noted(notes.clone(), Box::new(Act::Answer(ok("x"))));
    let address = server(act);
    let mut run = run(address, Duration::from_secs(10));
    (
        run.requests,
        run.duration,
        run.depth,
        run.requests_per_connection,
    ) = (Some(24), None, 8, 3);
    let target = |number| {
        let url = Url::parse(&format!("http://{address}/{number}")).expect("a URL");
        Target::new(&url, false, &[], Expected::Anything)
    };
    run.targets.targets = (0..24).map(target).collect();
    run.targets.order = Order::Recorded((0..24).collect());
    let done = go(run).expect("a run");
    assert_eq!(done.outcome.record.counts.completed, 24);
    let notes = notes.lock().expect("notes");
    let came: Vec<_> = notes
        .iter()
        .map(|head| {
            let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
            String::from_utf8_lossy(line).into_owned()
        })
        .collect();
    let due: Vec<_> = (0..24)
        .map(|number| format!("GET /{number} HTTP/1.1"))
        .collect();
    assert_eq!(came, due);
}
