//! A disk that is slow on purpose.
//!
//! Whether one slow file holds up all the others is the question that separates the architectures, and a modern
//! disk is too quick to show it to the eye. Files under a prefix can be given a service time: every look-up of
//! their names that reaches the disk, and the first read of each opened file, sleep that long in whichever
//! thread does them. Or only some of these do, as with a disk that is slow now and then; look-ups and reads are counted
//! apart, for what is opened need not be read.

use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Which files are slow, and how slow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slow {
    /// The beginning of their paths, without the leading slash.
    pub prefix: Vec<u8>,
    /// How long a look-up or a first read takes.
    pub delay: Duration,
    /// Of so many look-ups one does, and of so many first reads; 1: all.
    pub every: u64,
}

/// What takes its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    LookUp,
    FirstRead,
}

/// Look-ups of files that are slow now and then, and first reads of those that were opened, in this process.
static LOOK_UPS: AtomicU64 = AtomicU64::new(0);
static FIRST_READS: AtomicU64 = AtomicU64::new(0);

impl Slow {
    /// How long the file at `path` takes this time, if it is slow.
    pub(crate) fn delay(&self, path: &[u8], access: Access) -> Option<Duration> {
        let is_slow = path.starts_with(&self.prefix) && self.is_its_turn(access);
        is_slow.then_some(self.delay)
    }

    fn is_its_turn(&self, access: Access) -> bool {
        let count = match access {
            Access::LookUp => &LOOK_UPS,
            Access::FirstRead => &FIRST_READS,
        };
        self.every == 1 || count.fetch_add(1, Relaxed) % self.every == self.every - 1
    }
}

impl FromStr for Slow {
    type Err = String;

    /// Parses `PREFIX=MILLISECONDS` or `PREFIX=MILLISECONDS:N`, for instance `/archive/=200`.
    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            format!(
                "'{text}' is not PREFIX=MILLISECONDS, as in /archive/=200, or PREFIX=MILLISECONDS:N, as in /=50:100"
            )
        };
        let (prefix, time) = text.rsplit_once('=').ok_or_else(expected)?;
        let (milliseconds, every) = time.split_once(':').unwrap_or((time, "1"));
        let milliseconds = milliseconds
            .trim_end_matches("ms")
            .parse()
            .map_err(|_| expected())?;
        let every = every.parse().ok().filter(|every| *every > 0);
        Ok(Self {
            prefix: prefix.trim_start_matches('/').into(),
            delay: Duration::from_millis(milliseconds),
            every: every.ok_or_else(expected)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn now_and_then_is_one_of_so_many() {
        let slow: Slow = "/a/=5ms:10".parse().unwrap();
        // Each look-up is followed by a read, of which nothing may come.
        let mut delays = (0, 0);
        for _ in 0..1000 {
            delays.0 += usize::from(slow.delay(b"a/b", Access::LookUp).is_some());
            delays.1 += usize::from(slow.delay(b"a/b", Access::FirstRead).is_some());
        }
        assert_eq!(delays, (100, 100));
        assert_eq!(slow.delay(b"b", Access::LookUp), None);
        let always: Slow = "/a/=5".parse().unwrap();
        assert_eq!(
            (always.every, always.delay(b"a/b", Access::LookUp)),
            (1, Some(Duration::from_millis(5)))
        );
        for wrong in ["/a/", "/a/=x", "/a/=5:0", "/a/=5:", "/a/=:5"] {
            assert!(wrong.parse::<Slow>().is_err(), "{wrong}");
        }
    }
}
