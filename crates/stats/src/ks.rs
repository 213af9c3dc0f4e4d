//! The Kolmogorov–Smirnov test of one sample against a distribution that is known beforehand,
//! parameters and all.
//!
//! A load generator asks it whether the arrivals that really went out are the Poisson process that
//! was asked for. With T the asked cumulative rate, the gaps T(tₖ) − T(tₖ₋₁) of a Poisson process
//! of any rate are exponential with mean 1, so u = 1 − e^−gap is uniform on [0, 1]; [`Binned`]
//! tests that with flat memory. A thread that sends every n-th arrival sees Erlang gaps, for which
//! [`erlang_cdf`] gives u. With many arrivals every real stream is rejected, as no clock is
//! perfect: ask for a large D as well.
//!
//! The test is not for evenly spaced arrivals, whose distribution has no width: see
//! [`crate::spacing`].

use crate::error::{self, Error};
use statrs::function::gamma::checked_gamma_lr;
use std::f64::consts::PI;

/// The outcome of a test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// How many values went in.
    pub n: u64,
    /// The greatest distance between the empirical and the asked distribution function, from 0 to
    /// 1: the effect size. From bins, the part of it that is certain.
    pub d: f64,
    /// The same from above: no less than the true distance, and equal to `d` without bins.
    pub d_at_most: f64,
    /// The probability of a `d` as large if the distribution is the asked one.
    pub p: f64,
}

impl Fit {
    /// Whether the sample is not of the asked distribution, surely (`p < alpha`) and by a margin
    /// that matters (`d > effect`).
    pub fn rejects(&self, alpha: f64, effect: f64) -> bool {
        self.p < alpha && self.d > effect
    }
}

/// Tests a whole sample against the distribution function `cdf`.
pub fn one_sample(sample: &[f64], cdf: impl Fn(f64) -> f64) -> Result<Fit, Error> {
    error::sample(sample, 1)?;
    let mut u: Vec<f64> = sample.iter().map(|x| cdf(*x)).collect();
    error::sample(&u, 1)?;
    u.sort_unstable_by(f64::total_cmp);
    let n = u.len() as f64;
    let d = u.iter().enumerate().fold(0.0, |d: f64, (i, u)| {
        d.max((i + 1) as f64 / n - u).max(u - i as f64 / n)
    });
    let n = sample.len() as u64;
    Ok(Fit {
        n,
        d,
        d_at_most: d,
        p: p_value(d, n),
    })
}

/// The test for streams: keeps counts of u = F(x) in bins of equal width instead of the values.
///
/// The empirical distribution is known exactly at the edges of the bins, so the D found there is
/// never too large, and the p never too small; between the edges D is bounded from above. Adding
/// allocates nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binned {
    counts: Box<[u64; Binned::BINS]>,
    n: u64,
}

impl Binned {
    /// How many bins there are: D is known to 1/1024.
    pub const BINS: usize = 1024;

    /// Nothing counted yet.
    pub fn new() -> Self {
        Self {
            counts: Box::new([0; Self::BINS]),
            n: 0,
        }
    }

    /// Counts a value by its u = F(x). What lies outside [0, 1] falls into the nearest bin, NaN
    /// into the first.
    pub fn add(&mut self, u: f64) {
        // The conversion saturates at 0 and is 0 for NaN.
        let bin = ((u * Self::BINS as f64) as usize).min(Self::BINS - 1);
        self.counts[bin] += 1;
        self.n += 1;
    }

    /// Adds the counts of another stream that was asked to have the same distribution.
    pub fn merge(&mut self, other: &Self) {
        self.counts
            .iter_mut()
            .zip(other.counts.iter())
            .for_each(|(mine, theirs)| *mine = mine.saturating_add(*theirs));
        self.n = self.n.saturating_add(other.n);
    }

    /// The bins that are not empty: number and count.
    pub fn bins(&self) -> impl Iterator<Item = (usize, u64)> {
        let all = self.counts.iter().copied().enumerate();
        all.filter(|(_, count)| *count > 0)
    }

    /// Adds what was counted elsewhere in one bin; what would lie beyond the last falls into it.
    pub fn add_to_bin(&mut self, bin: usize, count: u64) {
        let mine = &mut self.counts[bin.min(Self::BINS - 1)];
        *mine = mine.saturating_add(count);
        self.n = self.n.saturating_add(count);
    }

    /// The test; an error if nothing was counted.
    pub fn fit(&self) -> Result<Fit, Error> {
        if self.n == 0 {
            return Err(Error::TooFew { need: 1, got: 0 });
        }
        let (mut below, mut d, mut d_at_most) = (0, 0.0_f64, 0.0_f64);
        for (bin, count) in self.counts.iter().enumerate() {
            let (left, right) = (
                bin as f64 / Self::BINS as f64,
                (bin + 1) as f64 / Self::BINS as f64,
            );
            let at_left = below as f64 / self.n as f64;
            below = count.saturating_add(below);
            let at_right = below as f64 / self.n as f64;
            d = d.max((at_right - right).abs());
            d_at_most = d_at_most.max(at_right - left).max(right - at_left);
        }
        Ok(Fit {
            n: self.n,
            d,
            d_at_most,
            p: p_value(d, self.n),
        })
    }
}

impl Default for Binned {
    fn default() -> Self {
        Self::new()
    }
}

/// The probability that n values of the asked distribution have a distance of `d` or more.
///
/// Kolmogorov's limiting distribution at (√n + 0.12 + 0.11/√n)·d, the modification of Stephens
/// (*Journal of the Royal Statistical Society B* 32, 1970), which in the range of tables is within
/// some 4 % of the exact probability from n = 10 on.
pub fn p_value(d: f64, n: u64) -> f64 {
    let root = (n as f64).sqrt();
    kolmogorov_tail((root + 0.12 + 0.11 / root) * d)
}

/// P(K > x) of Kolmogorov's distribution: 2 Σ (−1)^(j−1) e^(−2j²x²), and for small x the series
/// that converges there (Feller, *Annals of Mathematical Statistics* 19, 1948).
fn kolmogorov_tail(x: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return 1.0;
    }
    let tail = if x < 1.18 {
        let term = |j: i32| (-(f64::from(2 * j - 1) * PI / x).powi(2) / 8.0).exp();
        1.0 - (2.0 * PI).sqrt() / x * (1..=4).map(term).sum::<f64>()
    } else {
        let term = |j: i32| if j % 2 == 1 { 2.0 } else { -2.0 } * (-2.0 * (f64::from(j) * x).powi(2)).exp();
        (1..=4).map(term).sum()
    };
    tail.clamp(0.0, 1.0)
}

/// The distribution function of the sum of `shape` exponential gaps of mean 1, at `x`: 1 − e^−x Σ
/// xʲ/j! over j below `shape` (Erlang, 1909). With a shape of 1 it is the exponential distribution.
/// Shape 0 counts as 1.
pub fn erlang_cdf(shape: u32, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if shape <= 1 {
        return -(-x).exp_m1();
    }
    if x > 700.0 {
        // e^−x would leave the doubles; the incomplete gamma function is the same, and slower.
        return checked_gamma_lr(f64::from(shape), x).unwrap_or(1.0);
    }
    let (mut term, mut sum) = ((-x).exp(), 0.0);
    for j in 0..shape {
        sum += term;
        term *= x / f64::from(j + 1);
    }
    (1.0 - sum).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// u at (k + ½)/n: the sample closest to uniform that there is.
    #[test]
    fn bins_that_are_written_down_and_added_are_the_same() {
        let mut seen = Binned::new();
        even(1000).for_each(|u| seen.add(u * u));
        let mut read = Binned::new();
        seen.bins()
            .for_each(|(bin, count)| read.add_to_bin(bin, count));
        assert_eq!(read, seen);
    }

    fn even(n: usize) -> impl Iterator<Item = f64> {
        (0..n).map(move |k| (k as f64 + 0.5) / n as f64)
    }

    #[test]
    fn kolmogorovs_table() {
        // Smirnov's table: critical values of the limiting distribution.
        for (x, p) in [
            (1.0727, 0.20),
            (1.2238, 0.10),
            (1.3581, 0.05),
            (1.4802, 0.025),
            (1.6276, 0.01),
            (1.9495, 0.001),
        ] {
            assert!((kolmogorov_tail(x) - p).abs() < 2e-5 + p * 1e-3, "{x}");
        }
        assert_eq!(kolmogorov_tail(0.0), 1.0);
        // Both series agree where they meet.
        assert!((kolmogorov_tail(1.179_999_999) - kolmogorov_tail(1.180_000_001)).abs() < 1e-8);
    }

    #[test]
    fn critical_values_of_small_samples() {
        // Miller, Journal of the American Statistical Association 51 (1956), table 1, two-sided.
        for (n, d, p) in [
            (10, 0.409_25, 0.05),
            (20, 0.294_08, 0.05),
            (50, 0.188_45, 0.05),
            (100, 0.134_03, 0.05),
            (10, 0.488_93, 0.01),
            (20, 0.231_56, 0.20),
        ] {
            assert!(
                (p_value(d, n) / p - 1.0).abs() < 0.045,
                "n = {n}: {}",
                p_value(d, n)
            );
        }
    }

    #[test]
    fn a_worked_example() {
        // By hand: against the uniform distribution, the largest step is 3/4 − 0.3 at the third
        // value.
        let fit = one_sample(&[0.1, 0.3, 0.2, 0.9], |x| x).unwrap();
        assert!((fit.d - 0.45).abs() < 1e-12);
        assert_eq!(fit.n, 4);
    }

    #[test]
    fn even_samples_pass_and_others_fail() {
        let fit = one_sample(&even(1000).collect::<Vec<_>>(), |x| x).unwrap();
        assert!((fit.d - 0.0005).abs() < 1e-12 && fit.p > 0.999);
        let shifted = one_sample(&even(1000).map(|u| u * 0.9).collect::<Vec<_>>(), |x| x).unwrap();
        assert!(shifted.rejects(0.001, 0.05) && !shifted.rejects(0.001, 0.2));
        assert!(one_sample(&[], |x| x).is_err());
        assert!(one_sample(&[f64::NAN], |x| x).is_err());
    }

    #[test]
    fn streams_of_nothing_and_of_nonsense() {
        let mut binned = Binned::new();
        assert!(binned.fit().is_err());
        [-1.0, 2.0, f64::NAN, f64::INFINITY]
            .into_iter()
            .for_each(|u| binned.add(u));
        assert_eq!(binned.fit().unwrap().n, 4);
        let mut twice = binned.clone();
        twice.merge(&binned);
        let (twice, once) = (twice.fit().unwrap(), binned.fit().unwrap());
        assert_eq!((twice.n, twice.d), (8, once.d));
    }

    #[test]
    fn erlang() {
        // 1 − e^−2 (1 + 2 + 2) and the like, and a chi-square table: P(χ²₁₀ ≤ 18.307) = 0.95.
        assert!((erlang_cdf(1, 1.0) - (1.0 - (-1.0_f64).exp())).abs() < 1e-15);
        assert!((erlang_cdf(3, 2.0) - (1.0 - 5.0 * (-2.0_f64).exp())).abs() < 1e-15);
        assert!((erlang_cdf(5, 18.307 / 2.0) - 0.95).abs() < 1e-5);
        // Both ways of computing it agree, and a sum of many gaps is about normal.
        for (shape, x) in [(2, 1.0), (400, 390.0), (500, 690.0), (700, 699.0)] {
            let gamma = checked_gamma_lr(f64::from(shape), x).unwrap();
            assert!((erlang_cdf(shape, x) - gamma).abs() < 1e-9, "{shape}");
        }
        assert!((erlang_cdf(10_000, 10_000.0) - 0.5).abs() < 0.01);
        assert_eq!(erlang_cdf(5, f64::INFINITY), 1.0);
        assert_eq!((erlang_cdf(4, 0.0), erlang_cdf(4, -1.0)), (0.0, 0.0));
    }

    proptest! {
        #![proptest_config(crate::cases(200))]

        #[test]
        fn bins_bound_the_distance(values in prop::collection::vec(0.0..1.0, 1..400), power in 0.5..2.0) {
            let values: Vec<f64> = values.into_iter().map(|u: f64| u.powf(power)).collect();
            let exact = one_sample(&values, |x| x).unwrap();
            let mut binned = Binned::new();
            values.iter().for_each(|u| binned.add(*u));
            let fit = binned.fit().unwrap();
            prop_assert!(fit.d <= exact.d + 1e-12 && exact.d <= fit.d_at_most + 1e-12);
            prop_assert!(fit.d_at_most - fit.d <= 1.0 / Binned::BINS as f64 + 1e-12);
            prop_assert!(fit.p + 1e-12 >= exact.p);
        }
    }
}
