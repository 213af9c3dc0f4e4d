//! Exact checks against servers whose delays are known. They can fail: a generator that omits, and one that invents, are put to the same ones.

mod parts;
mod protocols;
mod queues;
#[path = "../support/mod.rs"]
mod support;
mod verdicts;

use load::metric::Metric;
use load::run::{Fault, Model, Run};
use stats::queueing::{Mm1, Stall};
use std::time::Duration;
use support::golden::golden;
use support::peer::Spoken;
use support::queue::{Queue, Served, Service};
use support::{Checked, Done, at_most, go, near, one_at_a_time, open_loop};

const TIMES: usize = 4;
/// What writing, reading and two unoptimised programs may add to a time, in seconds.
const OVERHEAD: f64 = 400e-6;

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// One run against a fresh server.
fn against(queue: Queue, run: impl FnOnce(&Queue) -> Run) -> (Done, Served) {
    let run = run(&queue);
    let done = go(run).expect("a run");
    (done, queue.end())
}

fn disturbed(done: &Done, served: &Served) -> Vec<String> {
    let findings = done.disturbances().into_iter().map(|finding| finding.text);
    findings.chain(served.disturbances()).collect()
}

/// The intended times of a run, in seconds.
fn arrivals(run: &Run) -> impl Iterator<Item = f64> {
    let Model::Open(arrivals) = &run.model else {
        panic!("an open loop");
    };
    arrivals.times.clone().map(load::clock::seconds)
}

/// What the way there and back adds to a service. Where requests wait for a connection, it is part of what each occupies it for.
fn way(done: &Done, served: &Served, servers: usize) -> f64 {
    if done.run.clients * done.run.depth > servers {
        return 0.0;
    }
    (done.mean(Metric::Service) - served.mean()).max(0.0)
}

/// A broken generator may have as many responses as it likes: it is the times that must give it away.
fn has_all(done: &Done, must_be: usize) -> Checked {
    if done.run.fault != Fault::None {
        return Ok(());
    }
    let is = done.outcome.record.response.len();
    near(
        "the number of responses",
        is as f64,
        must_be as f64,
        0.0,
        0.0,
    )
}

#[track_caller]
fn found_out_by_its_times(checked: Checked) {
    let why = checked.expect_err("found out");
    assert!(why.starts_with('p') || why.starts_with("the mean"), "{why}");
}

/// The times of the run against those of the same arrivals and services in an ideal queue.
fn as_ideal(done: &Done, served: &Served, servers: usize) -> Checked {
    let mut ideal = served.responses(arrivals(&done.run), servers, way(done, served, servers));
    ideal.sort_unstable_by(f64::total_cmp);
    has_all(done, ideal.len())?;
    let mean = ideal.iter().sum::<f64>() / ideal.len() as f64;
    near(
        "the mean against an ideal queue",
        done.mean(Metric::Response),
        mean,
        0.08,
        OVERHEAD,
    )?;
    for quantile in [0.25, 0.5, 0.75, 0.9, 0.99] {
        let must_be = ideal[((ideal.len() as f64 * quantile) as usize).min(ideal.len() - 1)];
        let is = done.quantile(Metric::Response, quantile);
        near(
            &format!("p{} against an ideal queue", quantile * 100.0),
            is,
            must_be,
            0.08,
            OVERHEAD,
        )?;
    }
    Ok(())
}

/// How long the server stands still, and how often, in seconds.
const STALL: (f64, f64) = (0.2, 0.8);

fn stalls(spoken: &Spoken, periods: u32, fault: Fault) -> (Checked, Vec<String>) {
    let (stop, period) = STALL;
    let queue = Queue::stalling(spoken, stop, period);
    let (done, served) = against(queue, |queue| {
        let time = seconds(f64::from(periods) * period);
        let mut run = open_loop(queue.address, time, 1000.0, false, 1);
        run.fault = fault;
        spoken.by(run)
    });
    (a_stall_is_seen(&done, periods), disturbed(&done, &served))
}

/// Response times of so many periods of [`STALL`] are those that follow from it.
fn a_stall_is_seen(done: &Done, periods: u32) -> Checked {
    let must = Stall::new(STALL.0, STALL.1).expect("a stall");
    has_all(done, 800 * periods as usize)?;
    for quantile in [0.8, 0.85, 0.9, 0.95, 0.99] {
        let is = done.quantile(Metric::Response, quantile);
        near(
            &format!("p{}", quantile * 100.0),
            is,
            must.response_quantile(quantile),
            0.05,
            0.012,
        )?;
    }
    near(
        "the mean",
        done.mean(Metric::Response),
        must.mean_response(),
        0.1,
        0.002,
    )?;
    at_most(
        "the service time's p99",
        done.quantile(Metric::Service, 0.99),
        0.02,
    )
}

#[test]
fn a_stall_is_seen_whole() {
    let _turn = one_at_a_time();
    golden("stall", TIMES, || {
        stalls(&Spoken::default(), 4, Fault::None)
    });
}

#[test]
fn a_generator_that_omits_fails_the_stall() {
    let _turn = one_at_a_time();
    let omits = Fault::CoordinatedOmission;
    found_out_by_its_times(stalls(&Spoken::default(), 4, omits).0);
}

#[test]
fn a_generator_that_invents_fails_the_stall() {
    let _turn = one_at_a_time();
    let interval = 1_000_000;
    let invents = Fault::InventedSamples { interval };
    found_out_by_its_times(stalls(&Spoken::default(), 4, invents).0);
}

/// `connections` take `depth` requests each at a time.
fn mm1(
    spoken: &Spoken,
    (rho, time): (f64, f64),
    (connections, depth): (usize, usize),
    fault: Fault,
) -> (Checked, Vec<String>) {
    let mean = 1e-3;
    let queue = Queue::over(spoken, Service::Exponential(mean));
    let (done, served) = against(queue, |queue| {
        let mut run = open_loop(queue.address, seconds(time), rho / mean, true, connections);
        (run.fault, run.depth) = (fault, depth);
        spoken.by(run)
    });
    (
        mm1_holds(&done, &served, (rho, time)),
        disturbed(&done, &served),
    )
}

/// Response times are those of an ideal queue, and as the law of M/M/1 has them at this utilisation and length.
fn mm1_holds(done: &Done, served: &Served, (rho, time): (f64, f64)) -> Checked {
    as_ideal(done, served, 1)?;
    // The formulas hold on average over many runs; this one may be off by what its length allows.
    let lambda = served.services.len() as f64 / time;
    let service = served.mean() + way(done, served, 1);
    let law = Mm1::new(lambda, 1.0 / service).map_err(|error| error.to_string())?;
    let n = served.services.len() as f64;
    let chance = 3.0 * (4.0 / ((1.0 - rho).powi(2) * n)).sqrt();
    let is = done.mean(Metric::Response);
    near(
        "the mean of M/M/1",
        is,
        law.mean_response(),
        chance,
        OVERHEAD,
    )?;
    let is = done.quantile(Metric::Response, 0.9);
    near(
        "p90 of M/M/1",
        is,
        law.response_quantile(0.9),
        chance,
        OVERHEAD,
    )
}

#[test]
fn mm1_responses_are_exponential_at_every_load() {
    let _turn = one_at_a_time();
    for (rho, time) in [(0.3, 2.5), (0.5, 2.5), (0.7, 3.0), (0.9, 4.0)] {
        golden(&format!("M/M/1 at {rho}"), TIMES, || {
            mm1(&Spoken::default(), (rho, time), (64, 1), Fault::None)
        });
    }
}

#[test]
fn mm1_is_the_same_when_requests_wait_for_the_one_connection() {
    let _turn = one_at_a_time();
    golden("M/M/1 over one connection", TIMES, || {
        mm1(&Spoken::default(), (0.7, 3.0), (1, 1), Fault::None)
    });
}

/// One that invents would pass: an exponential distribution has no memory, so what is left of a long response after each interval is
/// distributed as all are. The stall finds it out.
#[test]
fn a_generator_that_omits_fails_mm1() {
    let _turn = one_at_a_time();
    let omits = Fault::CoordinatedOmission;
    found_out_by_its_times(mm1(&Spoken::default(), (0.7, 2.0), (1, 1), omits).0);
}
