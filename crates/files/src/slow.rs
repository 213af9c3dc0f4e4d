//! A disk that is slow on purpose.
//!
//! Whether one slow file holds up all the others is the question that separates the architectures, and a modern
//! disk is too quick to show it to the eye. Files under a prefix can be given a service time: every look-up of
//! their names that reaches the disk, and the first read of each opened file, sleep that long in whichever
//! thread does them.

use std::str::FromStr;
use std::time::Duration;

/// Which files are slow, and how slow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slow {
    /// The beginning of their paths, without the leading slash.
    pub prefix: Vec<u8>,
    /// How long a look-up or a first read takes.
    pub delay: Duration,
}

impl Slow {
    /// How long the file at `path` takes, if it is slow.
    pub(crate) fn delay(&self, path: &[u8]) -> Option<Duration> {
        path.starts_with(&self.prefix).then_some(self.delay)
    }
}

impl FromStr for Slow {
    type Err = String;

    /// Parses `PREFIX=MILLISECONDS`, for instance `/archive/=200`.
    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("'{text}' is not PREFIX=MILLISECONDS, as in /archive/=200");
        let (prefix, milliseconds) = text.rsplit_once('=').ok_or_else(expected)?;
        let milliseconds = milliseconds
            .trim_end_matches("ms")
            .parse()
            .map_err(|_| expected())?;
        Ok(Self {
            prefix: prefix.trim_start_matches('/').into(),
            delay: Duration::from_millis(milliseconds),
        })
    }
}
