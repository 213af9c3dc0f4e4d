//! The streams have the distributions they are named after: Kolmogorov–Smirnov with the known rate, and an effect size.

use stats::ks::{self, Binned, Fit};
use stats::series::autocorrelation;
use workload::{RateStages, Schedule};

/// Gaps in units of the mean gap that was asked for at their time.
fn gaps(stages: &RateStages, times: impl Iterator<Item = u64>) -> Vec<f64> {
    let due: Vec<f64> = times.map(|at| stages.cumulative(at)).collect();
    due.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

fn fit(gaps: &[f64], shape: u32) -> Fit {
    let mut binned = Binned::new();
    gaps.iter()
        .for_each(|gap| binned.add(ks::erlang_cdf(shape, *gap)));
    binned.fit().expect("there are gaps")
}

#[test]
fn poisson_at_any_rate_and_along_ramps() {
    for text in [
        "20s@5000",
        "1000s@100",
        "2s@100k",
        "30s@500..5000,10s@0,10s@5k..1k",
    ] {
        let stages: RateStages = text.parse().unwrap();
        let gaps = gaps(&stages, Schedule::poisson(stages.clone(), 1));
        let found = fit(&gaps, 1);
        assert!(
            found.p > 0.01 && found.d_at_most < 0.02,
            "{text}: {found:?}"
        );
        assert!(autocorrelation(&gaps).unwrap().p > 0.01, "{text}");
        // The count is Poisson too: within four standard deviations.
        let total = stages.total();
        assert!(
            (gaps.len() as f64 - total).abs() < 4.0 * total.sqrt(),
            "{text}"
        );
    }
}

#[test]
fn every_third_arrival_has_erlang_gaps() {
    let stages: RateStages = "20s@5000".parse().unwrap();
    let part = Schedule::poisson(stages.clone(), 2).split(1, 3);
    let gaps = gaps(&stages, part);
    assert!(fit(&gaps, 3).p > 0.01);
    assert!(fit(&gaps, 1).rejects(1e-6, 0.1));
}

#[test]
fn p_is_uniform_over_seeds() {
    let stages: RateStages = "1s@1000".parse().unwrap();
    let ps: Vec<f64> = (0..300)
        .map(|seed| fit(&gaps(&stages, Schedule::poisson(stages.clone(), seed)), 1).p)
        .collect();
    let found = ks::one_sample(&ps, |p| p).unwrap();
    assert!(found.p > 0.01, "{found:?}");
}

#[test]
fn what_is_not_poisson_fails() {
    let stages: RateStages = "10s@1000".parse().unwrap();
    assert!(fit(&gaps(&stages, Schedule::constant(stages.clone())), 1).rejects(1e-9, 0.3));
    // A generator on a millisecond timer sends in clumps.
    let clumped =
        Schedule::poisson("10s@5000".parse().unwrap(), 1).map(|at| at.next_multiple_of(1_000_000));
    assert!(fit(&gaps(&"10s@5000".parse().unwrap(), clumped), 1).rejects(1e-9, 0.1));
    // The right process at a rate 5 % too low.
    let slow = Schedule::poisson("10s@4750".parse().unwrap(), 1);
    assert!(fit(&gaps(&"10s@5000".parse().unwrap(), slow), 1).rejects(0.001, 0.01));
}
