//! Figures of one sample. All of them are NaN for an empty one.

/// The arithmetic mean.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The unbiased variance, with n − 1 below the line; NaN for fewer than two values.
pub fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0)
}

/// The median. Sorts the values.
pub fn median(values: &mut [f64]) -> f64 {
    quantile(values, 0.5)
}

/// The quantile at `p` from 0 to 1, by linear interpolation between order statistics (type 7 of
/// Hyndman and Fan, *The American Statistician* 50, 1996; the default of R and NumPy). Sorts the
/// values.
pub fn quantile(values: &mut [f64], p: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let Some(last) = values.len().checked_sub(1) else {
        return f64::NAN;
    };
    let at = p.clamp(0.0, 1.0) * last as f64;
    let below = at.floor() as usize;
    let above = (below + 1).min(last);
    values[below] + (at - at.floor()) * (values[above] - values[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let mut values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(mean(&values), 2.5);
        assert!((variance(&values) - 5.0 / 3.0).abs() < 1e-15);
        // R: quantile(1:4, c(0, .25, .5, .9, 1)) is 1, 1.75, 2.5, 3.7, 4.
        for (p, expected) in [(0.0, 1.0), (0.25, 1.75), (0.5, 2.5), (0.9, 3.7), (1.0, 4.0)] {
            assert!((quantile(&mut values, p) - expected).abs() < 1e-12);
        }
        assert_eq!(median(&mut [5.0]), 5.0);
        assert!(median(&mut []).is_nan() && mean(&[]).is_nan() && variance(&[1.0]).is_nan());
    }
}
