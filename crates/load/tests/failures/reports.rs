//! What reports make of failures.

use crate::support::script::{Act, server};
use crate::support::{self, go, open_loop, run};
use crate::{SHORT, ask, ok};
use load::target::{Order, Target};
use load::url::Url;
use load::verdict::{Rule, Validity};
use load::verify::Expected;
use results::Figure;
use std::time::Duration;

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
        .times(load::metric::Metric::Response)
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
    let objectives = [
        ("p(99)<1h", false),
        ("errors<50%", true),
        ("throughput>=1", false),
        ("availability>=1%", false),
        ("available_seconds>=1%", false),
    ];
    let slos = objectives.map(|(slo, _)| slo.parse().expect("an objective"));
    let report = done.report_on(&slos);
    let met: Vec<bool> = report.slos.iter().map(|slo| slo.met).collect();
    assert_eq!(met, objectives.map(|(_, met)| met), "{:?}", report.slos);
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
        let objectives = [
            ("errors<5%", Figure::ErrorPercent),
            ("errors<5", Figure::Errors),
            ("availability>=99%", Figure::Availability),
            ("available_seconds>=99%", Figure::AvailableSeconds),
        ];
        let slos = objectives.map(|(slo, _)| slo.parse().expect("an objective"));
        let report = done.report_on(&slos);
        let trial: results::Trial = serde_json::from_value(serde_json::json!({
            "schema": results::SCHEMA, "id": "c000-r1", "cell": 0, "factors": {}, "repeat": 1, "block": 1, "order": 1,
            "verdict": "VALID", "started_unix_s": 0.0, "elapsed_s": 1.0,
            "load": serde_json::from_slice::<serde_json::Value>(&load::report::json::render(&report)).expect("JSON"),
        }))
        .expect("a trial");
        for (slo, (_, figure)) in report.slos.iter().zip(objectives) {
            let (to_one, to_other) = (slo.value, figure.of(&trial));
            // A run of a few milliseconds has no second of which a share could be told. Reading JSON may cost the last digit.
            let same = match (to_one, to_other) {
                (Some(one), Some(other)) => (one - other).abs() < 1e-9,
                (None, None) => figure == Figure::AvailableSeconds,
                _ => false,
            };
            assert!(same, "{}: {to_one:?}, {to_other:?}", slo.slo);
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
