//! Whether all clients got the same.

use crate::error::{self, Error};

/// Jain's fairness index (Σx)² / (n Σx²) of what each of n clients got: 1 if all got the same, 1/n
/// if one got everything (Jain, Chiu and Hawe, DEC-TR-301, 1984). It hides tails: a few starved
/// among many barely move it. Where nobody got anything it is 1.
pub fn jain(shares: &[f64]) -> Result<f64, Error> {
    error::sample(shares, 1)?;
    if let Some(value) = shares.iter().copied().find(|share| *share < 0.0) {
        return Err(Error::Parameter {
            name: "share",
            value,
            must: "at least 0",
        });
    }
    // In units of the largest, no square can overflow.
    let largest = shares.iter().copied().fold(0.0, f64::max);
    if largest == 0.0 {
        return Ok(1.0);
    }
    let (sum, squares) = shares.iter().fold((0.0, 0.0), |(sum, squares), share| {
        let share = share / largest;
        (sum + share, squares + share * share)
    });
    Ok(sum * sum / (shares.len() as f64 * squares))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        assert_eq!(jain(&[3.0; 7]), Ok(1.0));
        assert_eq!(jain(&[1.0, 0.0, 0.0, 0.0]), Ok(0.25));
        // k of n served alike: k/n. And the report's own kind of example: (1 + 3)² / (2 · 10).
        assert_eq!(jain(&[1e300, 1e300, 0.0, 0.0]), Ok(0.5));
        assert!((jain(&[1.0, 3.0]).unwrap() - 0.8).abs() < 1e-15);
        assert_eq!(jain(&[0.0, 0.0]), Ok(1.0));
        assert!(jain(&[]).is_err() && jain(&[-1.0]).is_err() && jain(&[f64::NAN]).is_err());
    }
}
