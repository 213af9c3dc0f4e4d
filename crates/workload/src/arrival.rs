//! When each request is due: arrival processes.
//!
//! [`Arrival`] is the choice as people write it, [`Schedule`] the stream. The stream depends on the
//! stages and the seed and nothing else: not on the clock, not on how many threads or processes share
//! it. For partly open load it gives the starts of the sessions.

mod schedule;
mod thinning;

pub use schedule::Schedule;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// An arrival process by name: `constant`, `poisson` or `trace:FILE`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Arrival {
    /// The k-th arrival when the cumulative rate reaches k: even spacing at a constant rate.
    #[default]
    Constant,
    /// Independent exponential gaps: many clients that know nothing of each other.
    Poisson,
    /// The times in a file, read by [`Times::read`](crate::trace::Times::read); the rate is that of the file.
    Trace(PathBuf),
}

/// A text that names no arrival process.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("arrival process '{0}' is unknown; expected constant, poisson or trace:FILE")]
pub struct ArrivalError(String);

impl FromStr for Arrival {
    type Err = ArrivalError;

    fn from_str(text: &str) -> Result<Self, ArrivalError> {
        match (text, text.strip_prefix("trace:")) {
            ("constant", _) => Ok(Self::Constant),
            ("poisson", _) => Ok(Self::Poisson),
            (_, Some(file)) if !file.is_empty() => Ok(Self::Trace(file.into())),
            _ => Err(ArrivalError(text.into())),
        }
    }
}

impl fmt::Display for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant => f.write_str("constant"),
            Self::Poisson => f.write_str("poisson"),
            Self::Trace(file) => write!(f, "trace:{}", file.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for text in ["constant", "poisson", "trace:a/b.txt"] {
            assert_eq!(text.parse::<Arrival>().unwrap().to_string(), text);
        }
        assert_eq!(
            "trace:".parse::<Arrival>().unwrap_err().to_string(),
            "arrival process 'trace:' is unknown; expected constant, poisson or trace:FILE"
        );
    }
}
