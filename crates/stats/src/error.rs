//! What no statistic can be computed from.

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Error {
    /// A sample too small for the method.
    #[error("too few values: {got} where at least {need} are needed")]
    TooFew {
        /// How many the method needs.
        need: usize,
        /// How many there were.
        got: usize,
    },
    /// A sample that holds an infinity or a NaN.
    #[error("a value is infinite or not a number")]
    NotFinite,
    /// Samples that belong together and differ in length.
    #[error("paired samples have {0} and {1} values")]
    Unpaired(usize, usize),
    /// A parameter out of its range.
    #[error("{name} is {value} and must be {must}")]
    Parameter {
        /// Which one.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What would be right.
        must: &'static str,
    },
    /// A queue that is given more than it can serve has no steady state.
    #[error("no steady state: {load} arrives and {capacity} can be served")]
    Unstable {
        /// Arrivals per unit of time.
        load: f64,
        /// Services per unit of time.
        capacity: f64,
    },
}

/// At least `need` values, all finite.
pub(crate) fn sample(values: &[f64], need: usize) -> Result<(), Error> {
    if values.len() < need {
        return Err(Error::TooFew {
            need,
            got: values.len(),
        });
    }
    if values.iter().all(|v| v.is_finite()) {
        Ok(())
    } else {
        Err(Error::NotFinite)
    }
}

/// Above 0 and finite.
pub(crate) fn positive(name: &'static str, value: f64) -> Result<f64, Error> {
    let must = "above 0 and finite";
    if value.is_finite() && value > 0.0 {
        Ok(value)
    } else {
        Err(Error::Parameter { name, value, must })
    }
}

/// At least 0 and finite.
pub(crate) fn not_negative(name: &'static str, value: f64) -> Result<f64, Error> {
    let must = "at least 0 and finite";
    if value.is_finite() && value >= 0.0 {
        Ok(value)
    } else {
        Err(Error::Parameter { name, value, must })
    }
}

/// Above 0 and below 1.
pub(crate) fn inside(name: &'static str, value: f64) -> Result<f64, Error> {
    let must = "above 0 and below 1";
    if value > 0.0 && value < 1.0 {
        Ok(value)
    } else {
        Err(Error::Parameter { name, value, must })
    }
}
