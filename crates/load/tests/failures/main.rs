//! Servers that do wrong: each wrong is counted in a class of its own, and no run hangs.

mod addresses;
mod connections;
mod numbers;
mod outages;
#[path = "../support/mod.rs"]
mod support;
mod typed;

use load::failure::Failure;
use load::target::{Order, Target};
use load::url::Url;
use load::verdict::{Finding, Rule, Validity};
use load::verify::Expected;
use results::Figure;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use support::script::{Act, refused, server};
use support::{Done, go, open_loop, run};

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

#[test]
fn requests_without_an_answer_are_part_of_the_percentiles() {
    let mut run = open_loop(server(Act::Silence), SHORT, 100.0, false, 4);
    run.timeout = 150 * support::MS;
    let done = go(run).expect("a run");
    let report = done.report();
    assert_eq!(report.outcome.record.counts.completed, 0);
    // All thirty were due; four could be sent at a time, and none came back.
    assert_eq!(report.outcome.scheduled, 30);
    assert_eq!(report.figures.censored(), 30);
    let times = report
        .figures
        .times(load::report::figures::Metric::Response)
        .expect("times");
    assert_eq!(times.len(), 30);
    let median = times.quantile(0.5);
    assert!(
        median.at_least && median.value >= 100 * support::MS,
        "{median:?}"
    );
    assert!(report.outcome.elapsed < 10 * SHORT.as_nanos() as u64);
    assert_eq!(report.slos.len(), 0);
}

#[test]
fn a_lower_bound_does_not_meet_an_objective() {
    let mut run = open_loop(server(Act::Silence), SHORT, 100.0, false, 4);
    run.timeout = 150 * support::MS;
    let done = go(run).expect("a run");
    let slos =
        ["p(99)<1h", "errors<50%", "throughput>=1"].map(|slo| slo.parse().expect("an objective"));
    let report = done.report_on(&slos);
    let met: Vec<bool> = report.slos.iter().map(|slo| slo.met).collect();
    assert_eq!(met, [false, true, false], "{:?}", report.slos);
    // A run that is not to be believed missed nothing either.
    assert_eq!(report.exit_status(), 4);
}

#[test]
fn failures_are_the_same_figures_to_the_generator_and_in_results() {
    let mut run = open_loop(server(Act::Silence), SHORT, 100.0, false, 4);
    run.timeout = 150 * support::MS;
    let without_answers = go(run).expect("a run");
    let with_others = ask(Act::Answer([ok("x"), b"more".to_vec()].concat()), 4);
    for done in [without_answers, with_others] {
        let slos = ["errors<5%", "errors<5"].map(|slo| slo.parse().expect("an objective"));
        let report = done.report_on(&slos);
        let trial: results::Trial = serde_json::from_value(serde_json::json!({
            "schema": results::SCHEMA, "id": "c000-r1", "cell": 0, "factors": {}, "repeat": 1, "block": 1, "order": 1,
            "verdict": "VALID", "started_unix_s": 0.0, "elapsed_s": 1.0,
            "load": serde_json::from_slice::<serde_json::Value>(&load::report::json::render(&report)).expect("JSON"),
        }))
        .expect("a trial");
        for (slo, figure) in report
            .slos
            .iter()
            .zip([Figure::ErrorPercent, Figure::Errors])
        {
            let (to_one, to_other) = (
                slo.value.expect("a figure"),
                figure.of(&trial).expect("it too"),
            );
            // Reading JSON may cost the last digit.
            assert!(
                (to_one - to_other).abs() < 1e-9,
                "{}: {to_one}, {to_other}",
                slo.slo
            );
        }
    }
}

#[test]
fn objectives_decide_the_exit_status() {
    let mut run = run(server(Act::Answer(ok("x"))), Duration::from_secs(10));
    (run.requests, run.duration) = (Some(50), None);
    let done = go(run).expect("a run");
    let judge = |slo: &str| {
        let report = done.report_on(&[slo.parse().expect("an objective")]);
        // On a disturbed machine the run may be refused, which outranks objectives.
        let refused = report.level() == Validity::Invalid;
        (
            report.slos[0].met,
            if refused {
                None
            } else {
                Some(report.exit_status())
            },
        )
    };
    for (slo, met, status) in [
        ("p(99)<1h", true, 0),
        ("service:max<1ns", false, 3),
        ("errors<0.1%", true, 0),
        ("throughput>=1000000", false, 3),
    ] {
        let (was_met, had) = judge(slo);
        assert_eq!(was_met, met, "{slo}");
        assert!(had.is_none_or(|had| had == status), "{slo}: {had:?}");
    }
}

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
fn what_each_client_got_is_counted_over_all_threads() {
    let mut run = run(server(Act::Answer(ok("x"))), SHORT);
    (run.clients, run.max_connections, run.threads) = (5, 5, 2);
    run.think = load::schedule::Think::Constant(Duration::from_millis(10));
    let done = go(run).expect("a run");
    let answered = &done.outcome.answered_of;
    assert_eq!(answered.len(), 5);
    let completed = done.outcome.record.counts.completed;
    assert_eq!(answered.iter().sum::<u64>(), completed);
    let report = done.report();
    let json: serde_json::Value =
        serde_json::from_slice(&load::report::json::render(&report)).expect("JSON");
    let jain = json["fairness"]["jain"].as_f64().expect("an index");
    assert!((0.5..=1.0).contains(&jain), "{answered:?}");
    assert_eq!(json["fairness"]["clients"], 5);
    assert!(load::report::text::render(&report).contains(" over 5 clients (fewest "));
}

#[test]
fn an_open_loop_has_no_clients_to_be_fair_to() {
    let address = server(Act::Answer(ok("x")));
    let done = go(open_loop(address, SHORT, 100.0, false, 2)).expect("a run");
    let report = done.report();
    let json: serde_json::Value =
        serde_json::from_slice(&load::report::json::render(&report)).expect("JSON");
    assert!(json["fairness"].is_null());
    assert!(!load::report::text::render(&report).contains("fairness"));
}

#[test]
fn statuses_are_told_with_an_example_and_what_to_look_at() {
    let not_found = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec();
    for (act, rule) in [
        (Act::Answer(not_found.clone()), Rule::NothingAnswered),
        (Act::Only(ok("x"), not_found.clone()), Rule::Failures),
    ] {
        let address = server(act);
        let mut run = run(address, Duration::from_secs(10));
        (run.requests, run.duration) = (Some(40), None);
        let url = |path: &str| Url::parse(&format!("http://{address}{path}")).expect("a URL");
        let target = |path| Target::new(&url(path), false, &[], Expected::Anything);
        run.targets.targets = vec![target("/"), target("/nix")];
        let sampler = workload::Sampler::new([1.0, 1.0]).expect("weights");
        run.targets.order = Order::Drawn(sampler.choices(1));
        let done = go(run).expect("a run");
        let report = done.report();
        let found = report.findings.iter().find(|found| found.rule == rule);
        let text = &found.expect("it is told").text;
        let example = match rule {
            Rule::Failures => format!("http://{address}/nix;"),
            _ => format!("http://{address}/"),
        };
        for part in ["status 404", "--files", example.as_str()] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}

#[test]
fn which_statuses_are_good_is_said_for_each_run() {
    let status = |line: &str| format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n").into_bytes();
    for (line, expect, class) in [
        ("404 Not Found", "404", None),
        ("503 Busy", "200-299,500-599", None),
        ("404 Not Found", "200", Some("status_4xx")),
        ("200 OK", "404", Some("status_2xx")),
        ("304 Not Modified", "200-299", Some("status_3xx")),
    ] {
        let mut run = run(server(Act::Answer(status(line))), Duration::from_secs(10));
        (run.requests, run.duration) = (Some(10), None);
        run.expect = expect.parse().expect("statuses");
        let done = go(run).expect("a run");
        let counts = &done.outcome.record.counts;
        let failures: Vec<_> = counts.by_class(|_| true).collect();
        let expected: Vec<_> = class.into_iter().map(|class| (class, 10)).collect();
        assert_eq!(failures, expected, "{line}, {expect}");
        assert_eq!(counts.completed, if class.is_none() { 10 } else { 0 });
        let text = load::report::text::render(&done.report());
        let told = text.contains("--expect");
        assert_eq!(
            told,
            class.is_some_and(|class| class != "status_4xx"),
            "{text}"
        );
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
