//! Queues with one server or several, open and closed, steady and not.

use super::{OVERHEAD, TIMES, against, as_ideal, disturbed, seconds, way};
use crate::support::golden::golden;
use crate::support::queue::{Queue, Service};
use crate::support::{self, Checked, at_most, near, one_at_a_time, open_loop};
use load::metric::Metric;
use load::schedule::Think;
use load::verdict::Rule;
use stats::queueing::{Mg1, Mmc, closed_clients, overload_slope};
use std::time::Duration;

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
