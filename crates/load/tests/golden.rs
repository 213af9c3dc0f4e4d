//! Exact checks against servers whose delays are known. They can fail: a generator that omits, and one that invents, are put to the same ones.

mod support;

use load::metric::Metric;
use load::run::{Fault, Model, Run};
use load::schedule::Think;
use load::verdict::{Rule, Validity};
use stats::queueing::{Mg1, Mm1, Mmc, Stall, closed_clients, overload_slope};
use std::time::Duration;
use support::golden::{Attempt, Ledger, Outcome, golden};
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
    if done.run.clients > servers {
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

fn stalls(fault: Fault) -> (Checked, Vec<String>) {
    let (stop, period) = (0.2, 0.8);
    let queue = Queue::stalling(stop, period);
    let (done, served) = against(queue, |queue| {
        let mut run = open_loop(queue.address, seconds(4.0 * period), 1000.0, false, 1);
        run.fault = fault;
        run
    });
    let must = Stall::new(stop, period).expect("a stall");
    let check = || {
        has_all(&done, 3200)?;
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
    };
    (check(), disturbed(&done, &served))
}

#[test]
fn a_stall_is_seen_whole() {
    let _turn = one_at_a_time();
    golden("stall", TIMES, || stalls(Fault::None));
}

#[test]
fn a_generator_that_omits_fails_the_stall() {
    let _turn = one_at_a_time();
    found_out_by_its_times(stalls(Fault::CoordinatedOmission).0);
}

#[test]
fn a_generator_that_invents_fails_the_stall() {
    let _turn = one_at_a_time();
    let interval = 1_000_000;
    found_out_by_its_times(stalls(Fault::InventedSamples { interval }).0);
}

fn mm1(rho: f64, time: f64, connections: usize, fault: Fault) -> (Checked, Vec<String>) {
    let mean = 1e-3;
    let queue = Queue::new(Service::Exponential(mean), 1);
    let (done, served) = against(queue, |queue| {
        let mut run = open_loop(queue.address, seconds(time), rho / mean, true, connections);
        run.fault = fault;
        run
    });
    let check = || {
        as_ideal(&done, &served, 1)?;
        // The formulas hold on average over many runs; this one may be off by what its length allows.
        let lambda = served.services.len() as f64 / time;
        let service = served.mean() + way(&done, &served, 1);
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
    };
    (check(), disturbed(&done, &served))
}

#[test]
fn mm1_responses_are_exponential_at_every_load() {
    let _turn = one_at_a_time();
    for (rho, time) in [(0.3, 2.5), (0.5, 2.5), (0.7, 3.0), (0.9, 4.0)] {
        golden(&format!("M/M/1 at {rho}"), TIMES, || {
            mm1(rho, time, 64, Fault::None)
        });
    }
}

#[test]
fn mm1_is_the_same_when_requests_wait_for_the_one_connection() {
    let _turn = one_at_a_time();
    golden("M/M/1 over one connection", TIMES, || {
        mm1(0.7, 3.0, 1, Fault::None)
    });
}

/// One that invents would pass: an exponential distribution has no memory, so what is left of a long response after each interval is
/// distributed as all are. The stall finds it out.
#[test]
fn a_generator_that_omits_fails_mm1() {
    let _turn = one_at_a_time();
    found_out_by_its_times(mm1(0.7, 2.0, 1, Fault::CoordinatedOmission).0);
}

fn mg1(service: Service, mean: f64) -> (Checked, Vec<String>) {
    let (rho, time) = (0.7, 3.0);
    let queue = Queue::new(service, 1);
    let (done, served) = against(queue, |queue| {
        open_loop(queue.address, seconds(time), rho / mean, true, 64)
    });
    let check = || {
        as_ideal(&done, &served, 1)?;
        let lambda = served.services.len() as f64 / time;
        let law = Mg1::new(lambda, served.mean(), served.second_moment());
        let must_be = law.map_err(|error| error.to_string())?.mean_wait();
        let is = done.mean(Metric::Response) - served.mean();
        near(
            "the mean wait (Pollaczek and Khinchine)",
            is,
            must_be,
            0.35,
            OVERHEAD,
        )
    };
    (check(), disturbed(&done, &served))
}

#[test]
fn md1_waits_half_as_long() {
    let _turn = one_at_a_time();
    golden("M/D/1", TIMES, || mg1(Service::Constant(1e-3), 1e-3));
}

#[test]
fn mg1_waits_by_the_second_moment() {
    let _turn = one_at_a_time();
    golden("M/G/1, bimodal", TIMES, || {
        mg1(Service::Bimodal(0.5e-3, 5.5e-3), 1e-3)
    });
}

#[test]
fn mmc_waits_for_a_pool_by_erlang_c() {
    let _turn = one_at_a_time();
    let (servers, mean, rho, time) = (4_u32, 4e-3, 0.7, 4.0);
    golden("M/M/4", TIMES, || {
        let queue = Queue::new(Service::Exponential(mean), servers as usize);
        // As many connections as servers: then all waiting is waiting for a connection.
        let (done, served) = against(queue, |queue| {
            let rate = rho * f64::from(servers) / mean;
            open_loop(queue.address, seconds(time), rate, true, servers as usize)
        });
        let check = || {
            as_ideal(&done, &served, servers as usize)?;
            let lambda = served.services.len() as f64 / time;
            let service = served.mean() + way(&done, &served, servers as usize);
            let law =
                Mmc::new(lambda, 1.0 / service, servers).map_err(|error| error.to_string())?;
            let wait = &done.outcome.record.wait;
            for t in [0.2e-3, 2e-3, 5e-3] {
                let longer = wait.len() - wait.count_between(0, (t * 1e9) as u64);
                let is = longer as f64 / wait.len() as f64;
                near(&format!("P(wait > {t} s)"), is, law.wait_tail(t), 0.3, 0.03)?;
            }
            Ok(())
        };
        (check(), disturbed(&done, &served))
    });
}

#[test]
fn dd1_has_no_queue_and_shows_the_noise_floor() {
    let _turn = one_at_a_time();
    golden("D/D/1", TIMES, || {
        let queue = Queue::new(Service::Constant(1e-3), 1);
        let (done, served) = against(queue, |queue| {
            open_loop(queue.address, seconds(2.0), 500.0, false, 8)
        });
        let check = || {
            near(
                "p50",
                done.quantile(Metric::Response, 0.5),
                served.mean(),
                0.0,
                OVERHEAD,
            )?;
            near(
                "p90",
                done.quantile(Metric::Response, 0.9),
                served.mean(),
                0.0,
                OVERHEAD,
            )?;
            at_most("p90 of the lag", done.quantile(Metric::Lag, 0.9), 100e-6)?;
            at_most("p90 of the wait", done.quantile(Metric::Wait, 0.9), 0.0)
        };
        (check(), disturbed(&done, &served))
    });
}

#[test]
fn a_closed_loop_obeys_littles_law() {
    let _turn = one_at_a_time();
    for think in [
        Think::Constant(seconds(5e-3)),
        Think::Exponential(seconds(5e-3)),
        Think::Constant(Duration::ZERO),
    ] {
        let clients = 6;
        golden("Little's law", TIMES, || {
            let queue = Queue::new(Service::Exponential(1e-3), 1);
            let (done, served) = against(queue, |queue| {
                let mut run = support::run(queue.address, seconds(1.5));
                (run.clients, run.max_connections, run.think) = (clients, clients, think);
                run
            });
            let report = done.report();
            let throughput = report.figures.requests_per_s();
            let think = match think {
                Think::Constant(time) | Think::Exponential(time) => time.as_secs_f64(),
            };
            let law = closed_clients(throughput, done.mean(Metric::Service), think);
            let checked = near("N = X(R+Z)", law, clients as f64, 0.05, 0.0);
            (checked, disturbed(&done, &served))
        });
    }
}

#[test]
fn overload_is_called_what_it_is() {
    let _turn = one_at_a_time();
    golden("overload", TIMES, || {
        let mean = 1e-3;
        let queue = Queue::new(Service::Constant(mean), 1);
        let (done, served) = against(queue, |queue| {
            let mut run = open_loop(queue.address, seconds(2.5), 1.5 / mean, true, 16);
            run.timeout = 300 * support::MS;
            run
        });
        let report = done.report();
        let check = || {
            let trend = report.trend.ok_or("no trend")?;
            if trend.steady
                || !report
                    .findings
                    .iter()
                    .any(|finding| finding.rule == Rule::Drift)
            {
                return Err(format!("it is called steady: {trend:?}"));
            }
            let lambda = report.outcome.scheduled as f64 / 2.5;
            let must_be =
                overload_slope(lambda, 1.0 / served.mean()).map_err(|error| error.to_string())?;
            // What the server would have needed for all that came in a second, less that second: response grows by it.
            near("the slope", trend.slope_s_per_s, must_be, 0.2, 0.0)?;
            let text = load::report::text::render(&report);
            let p99 = text
                .lines()
                .find(|line| line.starts_with("  p99 "))
                .unwrap_or_default();
            if !p99.contains('–') || !text.contains("no steady p99") {
                return Err(format!("a steady p99 is given: {text}"));
            }
            if report.outcome.unsent == 0 || report.figures.censored() == 0 {
                return Err("nothing was cut off".to_owned());
            }
            Ok(())
        };
        (check(), disturbed(&done, &served))
    });
}

#[test]
fn a_starved_generator_says_so() {
    let _turn = one_at_a_time();
    // A neighbour with precedence on the generator's only core.
    let allowed = rustix::thread::sched_getaffinity(None).expect("cores");
    let core = (0..1024)
        .find(|core| allowed.is_set(*core))
        .expect("a core");
    let queue = Queue::new(Service::Constant(0.0), 1);
    let over = std::sync::atomic::AtomicBool::new(false);
    let done = std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut set = rustix::thread::CpuSet::new();
                set.set(core);
                rustix::thread::sched_setaffinity(None, &set).expect("pinned");
                while !over.load(std::sync::atomic::Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let generator = scope.spawn(|| {
            // Threads inherit it.
            rustix::process::nice(19).expect("anybody may be nicer");
            let mut run = open_loop(queue.address, seconds(1.5), 4000.0, true, 16);
            run.cores = vec![core];
            go(run).expect("a run")
        });
        let done = generator.join().expect("the run ends");
        over.store(true, std::sync::atomic::Ordering::Relaxed);
        done
    });
    let report = done.report();
    assert_eq!(report.level(), Validity::Invalid, "{:?}", report.findings);
    assert_eq!(report.exit_status(), 4);
    queue.end();
}

#[test]
fn the_same_server_twice_makes_no_difference() {
    let _turn = one_at_a_time();
    golden("A/A", 3, || {
        let mut noise = Vec::new();
        let mut means = [Vec::new(), Vec::new()];
        for repeat in 0..8 {
            let queue = Queue::new(Service::Constant(0.5e-3), 1);
            let (done, served) = against(queue, |queue| {
                open_loop(queue.address, seconds(0.6), 600.0, true, 16)
            });
            means[repeat % 2].push(done.mean(Metric::Response));
            noise.extend(disturbed(&done, &served));
        }
        let compared = stats::compare::paired(&means[0], &means[1], 0.99).expect("enough");
        let checked = match compared.verdict(0.05) {
            stats::compare::Difference::None => Ok(()),
            other => Err(format!("{other:?}: {compared:?}")),
        };
        (checked, noise)
    });
}

#[test]
fn checks_that_cannot_be_shown_are_counted() {
    let attempt = |wrong: bool, disturbed: bool, others: f64| Attempt {
        checked: if wrong { Err("wrong".into()) } else { Ok(()) },
        disturbed: vec!["late".to_owned(); usize::from(disturbed)],
        others,
    };
    let mut ledger = Ledger::default();
    let mut check = |of: &[(bool, bool, f64)]| {
        let mut attempts = of.iter();
        let next = || {
            let (wrong, disturbed, others) = *attempts.next().expect("no more than these");
            attempt(wrong, disturbed, others)
        };
        match ledger.check(of.len(), next, |_| true) {
            Outcome::Shown => "shown",
            Outcome::NotShown(_) => "not shown",
            Outcome::Wrong(_) => "wrong",
        }
    };
    assert_eq!(check(&[(false, true, 0.0)]), "shown");
    assert_eq!(check(&[(true, true, 0.5), (false, false, 0.0)]), "shown");
    assert_eq!(check(&[(true, false, 0.5)]), "wrong");
    // With others at work nothing is shown, however often.
    for _ in 0..5 {
        assert_eq!(check(&[(true, true, 0.5), (true, true, 0.0)]), "not shown");
    }
    // With nobody at work it is believed twice.
    for expected in ["not shown", "not shown", "wrong"] {
        assert_eq!(check(&[(true, true, 0.0), (true, true, 0.0)]), expected);
    }
}
