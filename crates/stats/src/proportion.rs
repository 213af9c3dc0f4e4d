//! Whether something happens more often than it may.

use crate::error::{self, Error};
use statrs::distribution::{Binomial, DiscreteCDF};

/// The probability of `count` or more of `n` if each happens with probability `share`: the exact
/// binomial test (Clopper and Pearson, *Biometrika* 26, 1934). Of few, many may be bad by chance.
pub fn at_least(count: u64, n: u64, share: f64) -> Result<f64, Error> {
    error::inside("share", share)?;
    if count == 0 {
        return Ok(1.0);
    }
    if count > n {
        return Ok(0.0);
    }
    let binomial = Binomial::new(share, n).map_err(|_| Error::Parameter {
        name: "share",
        value: share,
        must: "between 0 and 1",
    })?;
    Ok(binomial.sf(count - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let is = |count, n, share, expected: f64| {
            let p = at_least(count, n, share).unwrap();
            assert!((p - expected).abs() < 1e-9, "{count} of {n}: {p}");
        };
        // A fair coin: 9 or 10 heads of 10 in 11 of 1024 cases.
        is(9, 10, 0.5, 11.0 / 1024.0);
        is(1, 3, 0.25, 1.0 - 0.75_f64.powi(3));
        is(3, 3, 0.25, 0.25_f64.powi(3));
        is(0, 3, 0.25, 1.0);
        is(4, 3, 0.25, 0.0);
        // Poisson's limit: P(X ≥ 3) with mean 1 is 1 − 5/(2e).
        let p = at_least(3, 1_000_000, 1e-6).unwrap();
        assert!((p - (1.0 - 2.5 * (-1.0_f64).exp())).abs() < 1e-6, "{p}");
        assert!(at_least(1, 2, 0.0).is_err() && at_least(1, 2, 1.0).is_err());
    }
}
