use super::*;
use proptest::prelude::*;
use std::time::Duration;

fn stages(text: &str) -> RateStages {
    text.parse().unwrap()
}

/// Streams with steps, ramps and pauses.
fn of_each_kind(seed: u64) -> [Schedule; 3] {
    let changing = || stages("1s@100..500,1s@0,200ms@999");
    let times = Times::from_nanos((0..500).map(|k| k * k)).unwrap();
    [
        Schedule::constant(changing()),
        Schedule::poisson(changing(), seed),
        Schedule::trace(times),
    ]
}

#[test]
fn a_constant_rate_does_not_drift() {
    let all: Vec<u64> = Schedule::constant(stages("30s@500")).collect();
    assert_eq!(all.len(), 15_000);
    assert!(
        all.iter()
            .enumerate()
            .all(|(k, at)| *at == k as u64 * 2_000_000)
    );
    // A rate that divides nothing, after an hour: still the nearest nanosecond.
    let far = Schedule::constant(RateStages::steady(7.0, None).unwrap())
        .nth(25_200)
        .unwrap();
    assert_eq!(far, 3_600_000_000_000);
    let rate = 2_999.0;
    for (k, at) in Schedule::constant(RateStages::steady(rate, None).unwrap())
        .enumerate()
        .take(1_000_000)
        .step_by(997)
    {
        let exact = (k as u128 * 1_000_000_000 + 1499) / 2999;
        assert_eq!(u128::from(at), exact, "arrival {k}");
    }
}

#[test]
fn a_ramp_has_the_arrivals_it_should() {
    let all: Vec<u64> = Schedule::constant(stages("10s@0..100")).collect();
    assert_eq!(all.len(), 500);
    let first_half = all.iter().filter(|at| **at < 5_000_000_000).count();
    assert_eq!(first_half, 125);
}

#[test]
fn the_same_seed_is_the_same_stream() {
    let first = |seed| {
        Schedule::poisson(stages("1s@1000"), seed)
            .take(3)
            .collect::<Vec<_>>()
    };
    assert_eq!(first(1), [919_569, 1_084_467, 4_368_859]);
    assert_ne!(first(1), first(2));
}

#[test]
fn an_end_is_an_end() {
    let mut short = Schedule::poisson(stages("10ms@1000"), 3);
    assert!(short.by_ref().count() < 40);
    assert_eq!((short.next(), short.next()), (None, None));
    let mut trace = Schedule::trace(Times::from_nanos([5, 7]).unwrap());
    assert_eq!(
        [trace.next(), trace.next(), trace.next()],
        [Some(5), Some(7), None]
    );
    assert_eq!(
        Schedule::poisson(
            RateStages::steady(1.0, Some(Duration::from_nanos(1))).unwrap(),
            1
        )
        .split(9, 0)
        .count(),
        0
    );
}

/// Of a constant rate too, each has his part of the arrivals, and of a Poisson process a Poisson process of his part of the rate.
#[test]
fn shares_are_equal_but_for_chance_and_poisson_again() {
    let rate = 20_000.0;
    let all = RateStages::steady(rate, Some(Duration::from_secs(10))).unwrap();
    for (share, shares) in [(0, 4_u32), (3, 4), (1, 3)] {
        let part: Vec<u64> = Schedule::poisson(all.clone(), 7)
            .thin(share, shares.into(), 7)
            .collect();
        let mean = 10.0 * rate / f64::from(shares);
        assert!((part.len() as f64 - mean).abs() < 5.0 * mean.sqrt());
        // The variance of counts in equal intervals is their mean, and neighbours are not alike.
        let mut counts = vec![0.0; 1000];
        for at in &part {
            counts[(at / 10_000_000) as usize] += 1.0;
        }
        let mean = part.len() as f64 / 1000.0;
        let variance = counts.iter().map(|n| (n - mean) * (n - mean)).sum::<f64>() / 999.0;
        assert!(
            (variance / mean - 1.0_f64).abs() < 0.2,
            "{}",
            variance / mean
        );
    }
    let constant = Schedule::constant(all).thin(2, 4, 7).count() as f64;
    assert!((constant - 50_000.0).abs() < 1_000.0, "{constant}");
}

proptest! {
    #![proptest_config(crate::cases(60))]

    #[test]
    fn parts_are_together_the_whole(seed: u64, threads in 1..9_usize, again in 1..4_usize) {
        for whole in of_each_kind(seed) {
            let expected: Vec<u64> = whole.clone().collect();
            let mut parts = Vec::new();
            for thread in 0..threads {
                for sub in 0..again {
                    let part = whole.clone().split(thread, threads).split(sub, again);
                    let first = thread + sub * threads;
                    parts.extend(part.enumerate().map(|(j, at)| (first + j * threads * again, at)));
                }
            }
            parts.sort_unstable();
            let numbers: Vec<usize> = parts.iter().map(|(number, _)| *number).collect();
            prop_assert!(numbers.iter().copied().eq(0..expected.len()));
            prop_assert!(parts.into_iter().map(|(_, at)| at).eq(expected));
        }
    }

    #[test]
    fn shares_are_together_the_whole_whoever_splits_his_own(seed: u64, shares in 1..9_u64, threads in 1..4_usize) {
        for whole in of_each_kind(seed) {
            let expected: Vec<u64> = whole.clone().collect();
            let mut parts = Vec::new();
            for share in 0..shares {
                let part = whole.clone().thin(share, shares, seed);
                for thread in 0..threads {
                    let mut own = part.clone().split(thread, threads);
                    parts.extend(std::iter::from_fn(|| own.next_numbered()));
                }
            }
            parts.sort_unstable();
            prop_assert!(parts.iter().map(|(number, _)| *number).eq(0..expected.len() as u64));
            prop_assert!(parts.into_iter().map(|(_, at)| at).eq(expected));
        }
    }
}
