//! A straight line through points, and how well it is known.

use crate::error::{self, Error};

/// The line `intercept + slope · x`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// How much y grows with x.
    pub slope: f64,
    /// The standard error of the slope.
    pub slope_error: f64,
    /// Where the line crosses x = 0.
    pub intercept: f64,
    /// The standard error of the intercept.
    pub intercept_error: f64,
}

/// A point, and how much it counts: in inverse proportion to the variance of its y.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Known without error.
    pub x: f64,
    /// What is to be explained.
    pub y: f64,
    /// Above 0; only ratios of weights matter.
    pub weight: f64,
}

impl Line {
    /// The line of the least weighted squares through at least three points, of which two differ in x. The scale of the errors is taken
    /// from what is left beside the line (Draper and Smith, *Applied Regression Analysis*, third edition, sections 1.4 and 9.2; R's
    /// `lm` with weights).
    pub fn fit(points: &[Point]) -> Result<Self, Error> {
        let coordinates: Vec<f64> = points.iter().flat_map(|point| [point.x, point.y]).collect();
        error::sample(&coordinates, 6)?;
        for point in points {
            error::positive("weight", point.weight)?;
        }
        let sum = |of: &dyn Fn(&Point) -> f64| -> f64 {
            points.iter().map(|point| point.weight * of(point)).sum()
        };
        let weight = sum(&|_| 1.0);
        let (mean_x, mean_y) = (
            sum(&|point| point.x) / weight,
            sum(&|point| point.y) / weight,
        );
        let spread = sum(&|point| (point.x - mean_x).powi(2));
        error::positive("the spread of x", spread)?;
        let slope = sum(&|point| (point.x - mean_x) * (point.y - mean_y)) / spread;
        let intercept = mean_y - slope * mean_x;
        let beside = sum(&|point| (point.y - intercept - slope * point.x).powi(2));
        let variance = beside / (points.len() as f64 - 2.0);
        Ok(Self {
            slope,
            slope_error: (variance / spread).sqrt(),
            intercept,
            intercept_error: (variance * (1.0 / weight + mean_x * mean_x / spread)).sqrt(),
        })
    }

    /// Its y at an x.
    pub fn at(&self, x: f64) -> f64 {
        self.intercept + self.slope * x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(x: &[f64], y: &[f64]) -> Vec<Point> {
        let pairs = x.iter().zip(y);
        pairs
            .map(|(x, y)| Point {
                x: *x,
                y: *y,
                weight: 1.0,
            })
            .collect()
    }

    #[test]
    fn as_published() {
        // Anscombe, The American Statistician 27, 1973, the first of his four: 3.00 + 0.500 x, the slope's standard error 0.118.
        let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
        let y = [
            8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68,
        ];
        let line = Line::fit(&points(&x, &y)).unwrap();
        assert!((line.slope - 0.500_09).abs() < 1e-5, "{line:?}");
        assert!((line.intercept - 3.000_09).abs() < 1e-5, "{line:?}");
        assert!((line.slope_error - 0.1179).abs() < 1e-4, "{line:?}");
        // R's lm gives 1.1247.
        assert!((line.intercept_error - 1.1247).abs() < 1e-4, "{line:?}");
    }

    #[test]
    fn a_point_of_weight_two_is_one_that_was_seen_twice() {
        let mut weighted = points(&[0.0, 1.0, 2.0, 5.0], &[1.0, 3.5, 4.0, 12.0]);
        weighted[1].weight = 2.0;
        let twice = points(&[0.0, 1.0, 1.0, 2.0, 5.0], &[1.0, 3.5, 3.5, 4.0, 12.0]);
        let (one, other) = (Line::fit(&weighted).unwrap(), Line::fit(&twice).unwrap());
        assert!((one.slope - other.slope).abs() < 1e-12);
        assert!((one.intercept - other.intercept).abs() < 1e-12);
    }

    #[test]
    fn a_line_that_leaves_nothing_beside_it_is_known_exactly() {
        let line = Line::fit(&points(&[0.0, 1.0, 4.0], &[1.0, 3.0, 9.0])).unwrap();
        assert!((line.at(2.0) - 5.0).abs() < 1e-12 && line.slope_error < 1e-12);
    }

    #[test]
    fn there_are_points_that_no_line_is_known_from() {
        assert!(Line::fit(&points(&[0.0, 1.0], &[1.0, 3.0])).is_err());
        assert!(Line::fit(&points(&[1.0, 1.0, 1.0], &[1.0, 3.0, 4.0])).is_err());
        assert!(Line::fit(&points(&[1.0, 2.0, f64::NAN], &[1.0, 3.0, 4.0])).is_err());
        let mut weightless = points(&[0.0, 1.0, 2.0], &[1.0, 3.0, 4.0]);
        weightless[0].weight = 0.0;
        assert!(Line::fit(&weightless).is_err());
    }
}
