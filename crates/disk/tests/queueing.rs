//! The model of the arms against queueing theory, on a virtual clock.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use disk::{Arms, Distribution, Model, Work};
use stats::queueing::{Mg1, Mm1, Mmc};
use workload::{RateStages, Schedule};

const SERVICE_S: f64 = 0.008;

/// Mean wait in seconds, and utilisation, of Poisson arrivals at load `rho` for each arm.
fn simulate(distribution: Distribution, arms: usize, rho: f64, requests: usize) -> (f64, f64) {
    let mut disk = Arms::new(Model {
        seek: Duration::from_secs_f64(SERVICE_S),
        distribution,
        transfer_bytes_per_s: 1,
        arms,
        always_seek: false,
        seed: 7,
    });
    let rate = rho * arms as f64 / SERVICE_S;
    let length = Duration::from_secs_f64(requests as f64 / rate);
    let stages = RateStages::steady(rate, Some(length)).unwrap();
    let mut last = Duration::ZERO;
    let (mut waits, mut count) = (0.0, 0.0);
    for at in Schedule::poisson(stages, 11) {
        last = Duration::from_nanos(at);
        waits += disk.serve(last, Work::Seek).wait.as_secs_f64();
        count += 1.0;
    }
    let utilisation = disk.busy(last).as_secs_f64() / last.as_secs_f64() / arms as f64;
    (waits / count, utilisation)
}

#[track_caller]
fn assert_near(found: f64, expected: f64, tolerance: f64) {
    let error = (found / expected - 1.0).abs();
    assert!(error < tolerance, "{found} instead of {expected}");
}

#[test]
fn constant_seeks_on_one_arm_are_m_d_1() {
    for rho in [0.3, 0.5, 0.8] {
        let (wait, utilisation) = simulate(Distribution::Constant, 1, rho, 400_000);
        let theory = Mg1::constant(rho / SERVICE_S, SERVICE_S).unwrap();
        assert_near(wait, theory.mean_wait(), 0.03);
        assert_near(utilisation, rho, 0.01);
    }
}

#[test]
fn exponential_seeks_on_one_arm_are_m_m_1() {
    for rho in [0.3, 0.5, 0.8] {
        let (wait, utilisation) = simulate(Distribution::Exponential, 1, rho, 400_000);
        let theory = Mm1::new(rho / SERVICE_S, 1.0 / SERVICE_S).unwrap();
        assert_near(wait, theory.mean_wait(), 0.05);
        assert_near(utilisation, rho, 0.01);
    }
}

#[test]
fn exponential_seeks_on_four_arms_are_m_m_4() {
    let (wait, utilisation) = simulate(Distribution::Exponential, 4, 0.7, 400_000);
    let theory = Mmc::new(4.0 * 0.7 / SERVICE_S, 1.0 / SERVICE_S, 4).unwrap();
    assert_near(wait, theory.mean_wait(), 0.05);
    assert_near(utilisation, 0.7, 0.01);
}
