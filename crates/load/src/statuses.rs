//! Which status codes are good answers.

use crate::failure::Failure;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// The status codes that there may be: three digits, and none of an interim response.
const ALL: RangeInclusive<u16> = 200..=999;

/// A set of status codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statuses {
    ranges: Vec<RangeInclusive<u16>>,
    /// A bit for each code.
    bits: [u64; 16],
}

impl Statuses {
    fn new(ranges: Vec<RangeInclusive<u16>>) -> Self {
        let mut bits = [0; 16];
        for status in ranges.iter().cloned().flatten() {
            bits[usize::from(status) / 64] |= 1 << (status % 64);
        }
        Self { ranges, bits }
    }

    /// What an answer with this status is, if it is a failure.
    #[inline]
    pub fn failure(&self, status: u16) -> Option<Failure> {
        let bits = self.bits.get(usize::from(status) / 64);
        match bits.is_some_and(|bits| bits >> (status % 64) & 1 == 1) {
            true => None,
            false => Some(Failure::of_status(status)),
        }
    }
}

impl Default for Statuses {
    /// Success, and that nothing was modified since.
    fn default() -> Self {
        Self::new(vec![200..=299, 304..=304])
    }
}

impl FromStr for Statuses {
    type Err = String;

    /// Reads `200,304,404` or `200-299,404`.
    fn from_str(text: &str) -> Result<Self, String> {
        let status = |text: &str| {
            let digits = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            digits?.parse().ok().filter(|status| ALL.contains(status))
        };
        let range = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let range = status(first)?..=status(last)?;
            (!range.is_empty()).then_some(range)
        };
        let ranges = text.split(',').map(|part| {
            range(part).ok_or_else(|| {
                format!("'{part}' is no status code from 200 to 999, nor a range of them; expected a list like 200,304,404 or 200-299,404")
            })
        });
        Ok(Self::new(ranges.collect::<Result<_, _>>()?))
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, range) in self.ranges.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            write!(out, "{comma}{}", range.start())?;
            if range.start() != range.end() {
                write!(out, "-{}", range.end())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_ranges_are_read_as_they_are_typed() {
        for text in [
            "200",
            "200,304,404",
            "200-299,304",
            "404-404,999",
            "200-999",
        ] {
            let statuses: Statuses = text.parse().unwrap();
            assert_eq!(statuses.to_string(), text.replace("404-404", "404"));
        }
        for text in [
            "", "99", "100", "1000", "200,", "2xx", "299-200", "-200", "200-", "+200", "200 ",
        ] {
            assert!(text.parse::<Statuses>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_not_listed_is_a_failure_of_its_class() {
        let statuses: Statuses = "404,500-599".parse().unwrap();
        for (status, failure) in [
            (200, Some(Failure::Status2xx)),
            (302, Some(Failure::Status3xx)),
            (404, None),
            (403, Some(Failure::Status4xx)),
            (500, None),
            (599, None),
            (600, Some(Failure::StatusOther)),
        ] {
            assert_eq!(statuses.failure(status), failure, "{status}");
        }
        let usual = Statuses::default();
        let good = (0..=u16::MAX).filter(|status| usual.failure(*status).is_none());
        assert_eq!(
            good.collect::<Vec<_>>(),
            (200..300).chain([304]).collect::<Vec<_>>()
        );
    }
}
