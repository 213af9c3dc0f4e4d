//! What a series over time (say, one value a second) says about its run: did it drift, are its
//! values independent?

use crate::error::{self, Error};
use crate::interval;
use crate::sample;

/// How much each value has to do with the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Autocorrelation {
    /// The correlation at lag 1, from −1 to 1.
    pub r: f64,
    /// The probability of one as far from 0 in a series of independent values.
    pub p: f64,
}

/// The correlation of each value with the next (Box and Jenkins, *Time Series Analysis*, 1970,
/// 2.1), and its significance by r√n being about normal in independent series (Bartlett,
/// *Supplement to the Journal of the Royal Statistical Society* 8, 1946). A constant series has
/// none.
pub fn autocorrelation(series: &[f64]) -> Result<Autocorrelation, Error> {
    error::sample(series, 3)?;
    let mean = sample::mean(series);
    let squares: f64 = series.iter().map(|v| (v - mean).powi(2)).sum();
    let products: f64 = series
        .windows(2)
        .map(|pair| (pair[0] - mean) * (pair[1] - mean))
        .sum();
    let r = if squares > 0.0 {
        products / squares
    } else {
        0.0
    };
    Ok(Autocorrelation {
        r,
        p: interval::normal_two_sided(r * (series.len() as f64).sqrt()),
    })
}

/// Whether a series goes anywhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// Kendall's τ between value and time: −1 falls throughout, 1 rises throughout.
    pub tau: f64,
    /// The probability of one as far from 0 in a series of independent values without a trend.
    pub p: f64,
    /// The median slope per step (Sen, *Journal of the American Statistical Association* 63, 1968).
    pub slope: f64,
    /// What the slope adds up to over the whole series, as a share of the median value; the effect
    /// size. 0 if the median is 0.
    pub drift: f64,
}

impl Trend {
    /// Whether the series drifts, surely (`p < alpha`) and by a margin that matters (`|drift| >
    /// effect`).
    pub fn drifts(&self, alpha: f64, effect: f64) -> bool {
        self.p < alpha && self.drift.abs() > effect
    }
}

/// The Mann–Kendall test for a monotonic trend, ties corrected for (Mann, *Econometrica* 13, 1945;
/// Kendall, *Rank Correlation Methods*, 1975). It assumes independent values: positive
/// autocorrelation makes it see trends that are none, so near saturation give it batch means.
///
/// It looks at every pair, so a series of more than 1000 values is first averaged down to no more.
pub fn mann_kendall(series: &[f64]) -> Result<Trend, Error> {
    const MOST: usize = 1000;
    error::sample(series, 4)?;
    let width = series.len().div_ceil(MOST);
    if width > 1 {
        let means: Vec<f64> = series.chunks_exact(width).map(sample::mean).collect();
        let trend = mann_kendall(&means)?;
        return Ok(Trend {
            slope: trend.slope / width as f64,
            ..trend
        });
    }
    let n = series.len();
    let mut s = 0_i64;
    let mut slopes = Vec::with_capacity(n * (n - 1) / 2);
    for (i, early) in series.iter().enumerate() {
        for (steps, late) in series[i + 1..].iter().enumerate() {
            s += i64::from(late > early) - i64::from(late < early);
            slopes.push((late - early) / (steps + 1) as f64);
        }
    }
    let spread = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let ties = tie_groups(series);
    let variance = (spread(n as f64) - ties.map(|t| spread(t as f64)).sum::<f64>()) / 18.0;
    // One step towards 0, as s moves in steps of 2 (continuity correction).
    let z = if variance > 0.0 {
        (s - s.signum()) as f64 / variance.sqrt()
    } else {
        0.0
    };
    let slope = sample::median(&mut slopes);
    let middle = sample::median(&mut series.to_vec());
    let drift = if middle == 0.0 {
        0.0
    } else {
        slope * (n - 1) as f64 / middle.abs()
    };
    let pairs = (n * (n - 1) / 2) as f64;
    Ok(Trend {
        tau: s as f64 / pairs,
        p: interval::normal_two_sided(z),
        slope,
        drift,
    })
}

/// The sizes of the groups of equal values.
fn tie_groups(values: &[f64]) -> impl Iterator<Item = usize> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let sizes: Vec<usize> = sorted.chunk_by(|a, b| a == b).map(<[f64]>::len).collect();
    sizes.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_xoshiro::Xoshiro256PlusPlus;
    use rand_xoshiro::rand_core::{Rng, SeedableRng};

    /// Independent values, uniform on [0, 1).
    fn noise(n: usize, seed: u64) -> Vec<f64> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        (0..n)
            .map(|_| (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64)
            .collect()
    }

    #[test]
    fn autocorrelations() {
        // By hand: mean 3, squares 4+1+0+1+4, products 2+0+0+2.
        assert!((autocorrelation(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap().r - 0.4).abs() < 1e-12);
        let alternating: Vec<f64> = (0..100).map(|k| f64::from(k % 2)).collect();
        let found = autocorrelation(&alternating).unwrap();
        assert!((found.r + 0.99).abs() < 1e-9 && found.p < 1e-10);
        assert!(autocorrelation(&noise(1000, 1)).unwrap().p > 0.05);
        assert_eq!(
            autocorrelation(&[2.0; 10]),
            Ok(Autocorrelation { r: 0.0, p: 1.0 })
        );
        assert!(autocorrelation(&[1.0, 2.0]).is_err());
    }

    #[test]
    fn trends() {
        // All of the 10 pairs rise: s = 10, variance 5·4·15/18, z = 9/√16.67 = 2.2045, p = 0.0275.
        let rising = mann_kendall(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!((rising.tau, rising.slope), (1.0, 1.0));
        assert!((rising.p - 0.0275).abs() < 1e-4 && (rising.drift - 4.0 / 3.0).abs() < 1e-12);
        // With ties: s = 21, three pairs of equal values, variance (8·7·21 − 3·(2·1·9))/18.
        let tied = mann_kendall(&[10.0, 22.0, 21.0, 30.0, 22.0, 30.0, 40.0, 40.0]).unwrap();
        let z = 20.0 / ((8.0 * 7.0 * 21.0 - 54.0) / 18.0_f64).sqrt();
        assert!(
            (tied.p - interval::normal_two_sided(z)).abs() < 1e-12,
            "{tied:?}"
        );
        let long: Vec<f64> = (0..100_000).map(f64::from).collect();
        let found = mann_kendall(&long).unwrap();
        assert!((found.slope - 1.0).abs() < 1e-9 && (found.drift - 2.0).abs() < 0.01);
        assert_eq!(mann_kendall(&[5.0; 10]).unwrap().p, 1.0);
        assert!(mann_kendall(&[1.0, 2.0]).is_err());
    }

    #[test]
    fn drift_is_called_and_noise_is_not() {
        let series = |slope: f64, seed| {
            noise(60, seed)
                .iter()
                .enumerate()
                .map(|(t, e)| 10.0 + e + slope * t as f64)
                .collect::<Vec<_>>()
        };
        let called = |slope| {
            (0..200)
                .filter(|seed| mann_kendall(&series(slope, *seed)).unwrap().p < 0.05)
                .count()
        };
        let false_alarms = called(0.0);
        assert!(
            (2..=20).contains(&false_alarms),
            "{false_alarms} of 200 at the 5 % level"
        );
        assert!(called(0.02) > 190);
        let found = mann_kendall(&series(0.05, 1)).unwrap();
        assert!(found.drifts(0.01, 0.1) && !found.drifts(0.01, 0.9));
    }
}
