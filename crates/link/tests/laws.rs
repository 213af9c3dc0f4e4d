//! The model against the laws that it claims, on a virtual clock.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use link::{Direction, Fate, Model};
use statrs::distribution::{Binomial, DiscreteCDF};
use stats::ks;
use stats::queueing::Mg1;
use workload::{RateStages, Schedule};

const MS: Duration = Duration::from_millis(1);
const BYTES: u64 = 1000;

fn model() -> Model {
    Model {
        round_trip: 80 * MS,
        rate_bits_per_s: Some(8_000_000),
        loss: 0.0,
        jitter: Duration::ZERO,
        queue_bytes: u64::MAX,
        seed: 3,
    }
}

#[test]
fn losses_are_binomial() {
    for (loss, packets) in [(0.005, 200_000), (0.1, 20_000), (0.9, 20_000)] {
        let mut direction = Direction::new(Model { loss, ..model() }, 0);
        let lost = (0..packets)
            .map(|n| direction.offer(n * MS, BYTES))
            .filter(|fate| *fate == Fate::Lost)
            .count();
        let law = Binomial::new(loss, u64::from(packets)).unwrap();
        let below = law.cdf(lost as u64);
        assert!(
            (0.005..0.995).contains(&below),
            "{lost} of {packets} at {loss}: {below}"
        );
    }
}

#[test]
fn losses_are_independent_of_each_other() {
    let mut direction = Direction::new(
        Model {
            loss: 0.2,
            ..model()
        },
        1,
    );
    let lost: Vec<bool> = (0..100_000)
        .map(|n| direction.offer(n * MS, BYTES) == Fate::Lost)
        .collect();
    let after_a_loss: Vec<_> = lost.windows(2).filter(|pair| pair[0]).collect();
    let again = after_a_loss.iter().filter(|pair| pair[1]).count() as u64;
    let law = Binomial::new(0.2, after_a_loss.len() as u64).unwrap();
    assert!((0.005..0.995).contains(&law.cdf(again)), "{again}");
}

#[test]
fn jitter_is_uniform_where_packets_are_far_apart() {
    let jitter = 30 * MS;
    let mut direction = Direction::new(Model { jitter, ..model() }, 0);
    let ways: Vec<f64> = (0..10_000)
        .map(|n| {
            let now = n * 100 * MS;
            match direction.offer(now, BYTES) {
                Fate::Arrives { at, .. } => (at - now - MS).as_secs_f64(),
                other => panic!("{other:?}"),
            }
        })
        .collect();
    let fit = ks::one_sample(&ways, |way| ((way - 0.010) / 0.060).clamp(0.0, 1.0)).unwrap();
    assert!(!fit.rejects(0.01, 0.0), "{fit:?}");
}

#[test]
fn jitter_keeps_the_order() {
    let mut direction = Direction::new(
        Model {
            jitter: 30 * MS,
            ..model()
        },
        0,
    );
    let mut last = Duration::ZERO;
    for n in 0..10_000 {
        let Fate::Arrives { at, .. } = direction.offer(n * MS, BYTES / 2) else {
            panic!("{n} does not arrive");
        };
        assert!(at >= last, "{n}");
        last = at;
    }
}

#[test]
fn poisson_packets_of_one_size_wait_as_in_m_d_1() {
    let service_s = 0.001;
    for rho in [0.3, 0.5, 0.8] {
        let packets = 400_000.0;
        let rate = rho / service_s;
        let length = Duration::from_secs_f64(packets / rate);
        let stages = RateStages::steady(rate, Some(length)).unwrap();
        let mut direction = Direction::new(model(), 0);
        let (mut waited, mut count) = (Duration::ZERO, 0);
        for at in Schedule::poisson(stages, 11) {
            if let Fate::Arrives { waits, .. } = direction.offer(Duration::from_nanos(at), BYTES) {
                waited += waits;
                count += 1;
            }
        }
        let found = waited.as_secs_f64() / f64::from(count);
        let expected = Mg1::constant(rate, service_s).unwrap().mean_wait();
        assert!(
            (found / expected - 1.0).abs() < 0.03,
            "{found} instead of {expected}"
        );
    }
}

#[test]
fn a_line_that_is_asked_for_twice_its_rate_sends_its_rate_and_drops_the_rest() {
    let mut direction = Direction::new(
        Model {
            queue_bytes: 20 * BYTES,
            ..model()
        },
        0,
    );
    let (mut arrived, mut last) = (0_u32, Duration::ZERO);
    for n in 0..20_000 {
        if let Fate::Arrives { at, waits } = direction.offer(n * MS / 2, BYTES) {
            assert!(waits <= 20 * MS);
            (arrived, last) = (arrived + 1, at);
        }
    }
    let rate = f64::from(arrived) / (last - 40 * MS).as_secs_f64();
    assert!(
        (rate / 1000.0 - 1.0).abs() < 0.001,
        "{rate} packets/s instead of 1000"
    );
}
