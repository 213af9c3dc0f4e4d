//! Runs that end by number, and what their throughput is over.

use crate::ok;
use crate::support::script::{Act, server};
use crate::support::{Done, MS, go, open_loop, run};
use load::clock::Nanos;
use load::run::{Arrivals, Model, Run};
use load::verdict::Rule;
use std::time::Duration;
use workload::Schedule;

fn ask(mut run: Run, change: impl Fn(&mut Run)) -> Done {
    change(&mut run);
    go(run).expect("a run")
}

fn quick() -> std::net::SocketAddr {
    server(Act::Answer(ok("x")))
}

#[test]
fn throughput_is_over_all_the_time_that_was_asked_for() {
    // Two requests are due, the last of them in the middle.
    for requests in [None, Some(2), Some(5)] {
        let run = open_loop(quick(), Duration::from_millis(900), 2.0, false, 1);
        let done = ask(run, |run| run.requests = requests);
        assert_eq!(done.outcome.record.counts.completed, 2);
        assert_eq!(done.outcome.window, 900 * MS);
    }
}

/// So many requests at a rate are due in as many gaps, the last of which ends when the next request would be due.
#[test]
fn a_number_of_requests_at_a_rate_takes_as_many_gaps() {
    let times = |poisson: bool| {
        let run = open_loop(
            ([127, 0, 0, 1], 9).into(),
            Duration::from_secs(10),
            100.0,
            poisson,
            1,
        );
        let Model::Open(arrivals) = run.model else {
            panic!("an open loop");
        };
        arrivals.times
    };
    for (poisson, threads, sessions) in [(false, 1, 1), (false, 3, 1), (true, 2, 1), (false, 1, 2)]
    {
        let run = open_loop(quick(), Duration::from_secs(10), 100.0, poisson, 3);
        let done = ask(run, |run| {
            (run.requests, run.threads) = (Some(10 * u64::from(sessions)), threads);
            if sessions > 1 {
                let Model::Open(arrivals) = std::mem::replace(&mut run.model, Model::Closed) else {
                    panic!("an open loop");
                };
                run.model = Model::PartlyOpen(arrivals, sessions);
            }
        });
        let next = times(poisson).nth(10).expect("another arrival");
        let window = done.outcome.window;
        // Requests of sessions follow answers, which may come later.
        let late = sessions > 1 && window > next;
        assert!(window == next || late, "{window}, {next}");
        let report = done.report();
        let most = 10.0 * f64::from(sessions) * 1e9 / next as f64;
        assert!(report.figures.requests_per_s() <= most * (1.0 + 1e-9));
        assert_eq!(
            done.outcome.record.counts.completed,
            10 * u64::from(sessions)
        );
    }
}

/// A recording says nothing of what came after it: its rate is that of its gaps.
#[test]
fn a_recording_lasts_a_gap_longer_than_its_last_arrival() {
    let window = |times: &[f64], requests: Option<u64>| -> Nanos {
        let text: String = times.iter().map(|time| format!("{time}\n")).collect();
        let times = workload::trace::Times::read(text.as_bytes()).expect("a trace");
        let arrivals = Arrivals {
            times: Schedule::trace(times),
            asked: None,
        };
        let mut run = run(quick(), Duration::from_secs(10));
        (run.model, run.duration, run.requests) = (Model::Open(arrivals), None, requests);
        go(run).expect("a run").outcome.window
    };
    assert_eq!(window(&[0.0, 0.01, 0.06, 0.09], None), 120 * MS);
    assert_eq!(window(&[0.0, 0.01, 0.06, 0.09], Some(7)), 120 * MS);
    assert_eq!(window(&[0.0, 0.01, 0.06, 0.09], Some(2)), 60 * MS);
    // Of a single arrival there is no gap.
    assert!(window(&[0.05], None) >= 50 * MS);
}

#[test]
fn a_run_that_was_used_up_by_its_warm_up_says_so() {
    for open in [false, true] {
        let run = match open {
            true => open_loop(quick(), Duration::from_secs(10), 1000.0, false, 1),
            false => run(quick(), Duration::from_secs(10)),
        };
        let done = ask(run, |run| {
            (run.requests, run.warmup) = (Some(20), 5000 * MS)
        });
        let report = done.report();
        let found = report
            .findings
            .iter()
            .find(|found| found.rule == Rule::NothingAnswered);
        let text = &found.expect("it is told").text;
        assert!(
            text.contains("20 requests") && text.contains("--warmup"),
            "{text}"
        );
    }
}
