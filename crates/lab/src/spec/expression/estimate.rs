//! Figures that are not known exactly, and what they come to together; none of them is below 0.

use std::ops::{Add, Div, Mul, Sub};

/// A figure as it was read, and between what it lies for certain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// It is not less.
    pub low: f64,
    /// What was read.
    pub read: f64,
    /// It is not more.
    pub high: f64,
}

impl Estimate {
    /// What was read is what it is.
    pub fn exact(read: f64) -> Self {
        Self {
            low: read,
            read,
            high: read,
        }
    }

    /// What was read is a lower bound.
    pub fn at_least(read: f64) -> Self {
        Self {
            high: f64::INFINITY,
            ..Self::exact(read)
        }
    }
}

impl Mul for Estimate {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self {
            low: self.low * other.low,
            read: self.read * other.read,
            high: self.high * other.high,
        }
    }
}

impl Div for Estimate {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        Self {
            low: self.low / other.high,
            read: self.read / other.read,
            high: self.high / other.low,
        }
    }
}

impl Add for Estimate {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            low: self.low + other.low,
            read: self.read + other.read,
            high: self.high + other.high,
        }
    }
}

impl Sub for Estimate {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            low: self.low - other.high,
            read: self.read - other.read,
            high: self.high - other.low,
        }
    }
}
