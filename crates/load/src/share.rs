//! A run of several parts, each a process of its own, on whatever host: which part this is, and when all begin.
//!
//! No part talks to another. What is to be divided is divided by arithmetic, or by a stream that all draw alike from the seed, and
//! the parts begin together because their clocks agree.

use crate::clock::nanos;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use workload::units;

mod launcher;

pub use launcher::{Placed, placed};

/// The most parts of a run.
const MOST: u32 = 100_000;
/// A start that is farther away was mistyped, as by milliseconds in the place of seconds.
const FARTHEST: Duration = Duration::from_secs(24 * 3600);

/// Which part of how many, counted from 0; people count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The part.
    pub number: u32,
    /// Of so many.
    pub of: u32,
}

impl Share {
    /// Part `number`, counted from 0, of `of`.
    ///
    /// # Errors
    /// Where there is no such part.
    pub fn new(number: u64, of: u64) -> Result<Self, String> {
        match (u32::try_from(number), u32::try_from(of)) {
            (Ok(number), Ok(of)) if number < of && of <= MOST => Ok(Self { number, of }),
            (_, Ok(of)) if (1..=MOST).contains(&of) => Err(format!(
                "there is no part {} of {of}: parts are counted from 1",
                number.wrapping_add(1)
            )),
            _ => Err(format!("a run has from 1 to {MOST} parts, not {of}")),
        }
    }

    /// What of `all` is this part's, and how many belong to the parts before it. The first parts have one more where it does not come out
    /// even.
    pub fn divide(self, all: u64) -> (u64, u64) {
        divided(all, self.number.into(), self.of.into())
    }
}

impl fmt::Display for Share {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.number + 1, self.of)
    }
}

/// The `part`-th of `parts` even portions of `all`, and the sum of those before it; the first have one more where it does not come out even.
pub(crate) fn divided(all: u64, part: u64, parts: u64) -> (u64, u64) {
    let before = |part: u64| all / parts * part + (all % parts).min(part);
    (before(part + 1) - before(part), before(part))
}

/// A share as it is typed: `3/8`, or `auto` for the one that the launcher's environment tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedShare {
    /// This one.
    Given(Share),
    /// The launcher knows.
    Auto,
}

impl FromStr for AskedShare {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let number = |text: &str| text.parse::<u64>().ok();
        let read = text
            .split_once('/')
            .and_then(|(part, parts)| Some((number(part)?, number(parts)?)));
        match read {
            Some((0, of)) => Err(format!(
                "parts are counted from 1: expected 1/{of} to {of}/{of}"
            )),
            Some((part, of)) => Share::new(part - 1, of).map(Self::Given),
            None => Err("expected a part of how many, like 3/8, or auto".to_owned()),
        }
    }
}

/// A part of a run: which, and what came before it of what is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which.
    pub share: Share,
    /// Clients of the parts before it.
    pub clients_before: usize,
    /// Clients of all parts.
    pub clients_of_all: usize,
}

/// When a run begins, once it is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartAt {
    /// At this time.
    Time(SystemTime),
    /// When the clock next shows a multiple of this.
    NextMultiple(Duration),
}

impl StartAt {
    /// The time that is meant by whoever is ready at `now`.
    pub fn time(self, now: SystemTime) -> SystemTime {
        match self {
            Self::Time(time) => time,
            Self::NextMultiple(length) => {
                let since = nanos(now.duration_since(UNIX_EPOCH).unwrap_or_default());
                let until = since.checked_next_multiple_of(nanos(length).max(1));
                UNIX_EPOCH + Duration::from_nanos(until.unwrap_or(since))
            }
        }
    }
}

impl FromStr for StartAt {
    type Err = String;

    /// Reads seconds since 1970 as `date +%s` prints them, or `next:10s`.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(length) = text.strip_prefix("next:") {
            return match units::duration(length) {
                Ok(Duration::ZERO) => Err("must be a multiple of more than nothing".to_owned()),
                Ok(length) => Ok(Self::NextMultiple(length)),
                Err(error) => Err(error.to_string()),
            };
        }
        let time = text
            .parse::<f64>()
            .ok()
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .and_then(|since| UNIX_EPOCH.checked_add(since));
        let time =
            time.ok_or("expected seconds since 1970, as date +%s prints them, or next:10s")?;
        match time.duration_since(SystemTime::now()) {
            Ok(left) if left > FARTHEST => Err(format!(
                "this is {:.0} days from now; expected seconds since 1970, as date +%s prints them",
                left.as_secs_f64() / 86_400.0
            )),
            _ => Ok(Self::Time(time)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_read_as_people_count() {
        let third = Share { number: 2, of: 8 };
        assert_eq!("3/8".parse(), Ok(AskedShare::Given(third)));
        assert_eq!(third.to_string(), "3/8");
        assert_eq!("auto".parse(), Ok(AskedShare::Auto));
        for text in [
            "", "3", "0/8", "9/8", "1/0", "-1/8", "a/b", "1/100001", "Auto",
        ] {
            assert!(text.parse::<AskedShare>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_divided_is_all_there_and_the_first_have_one_more() {
        for (all, of) in [(0, 1), (1, 4), (10, 4), (64, 64), (1000, 7)] {
            let mut sum = 0;
            let mut last = u64::MAX;
            for number in 0..of {
                let (mine, before) = Share { number, of }.divide(all);
                assert_eq!(before, sum);
                assert!(mine <= last && last.saturating_sub(mine) <= 1 || number == 0);
                (sum, last) = (sum + mine, mine);
            }
            assert_eq!(sum, all);
        }
    }

    #[test]
    fn a_start_is_a_time_or_the_next_multiple_of_one() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs_f64(seconds);
        let ten = StartAt::NextMultiple(Duration::from_secs(10));
        assert_eq!("next:10s".parse(), Ok(ten));
        assert_eq!(ten.time(at(1001.5)), at(1010.0));
        assert_eq!(ten.time(at(1010.0)), at(1010.0));
        assert_eq!(
            "1764201600.25".parse(),
            Ok(StartAt::Time(at(1_764_201_600.25)))
        );
        // Of milliseconds something is said.
        for text in ["", "soon", "-5", "next:", "next:0s", "1764201600000", "nan"] {
            assert!(text.parse::<StartAt>().is_err(), "{text}");
        }
    }
}
