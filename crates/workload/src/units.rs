//! Quantities as people type them. Every function here can serve as a `value_parser` on a command
//! line.
//!
//! | function | accepts | gives |
//! | --- | --- | --- |
//! | [`duration`] | `10s`, `500ms`, `1m`, `2m30s`, `1.5h`, `250us`; units ns, us or µs, ms, s, m or min, h, d | [`Duration`] |
//! | [`rate`] | `5000`, `1k`, `100/s`, `6000/m`, `1.5k/s`; per s (the default), m or min, h | events per second |
//! | [`size`] | `512`, `1k`, `16KB`, `1.5MiB`, `2g`; powers of 1024 whichever way the suffix is written | bytes |
//! | [`bit_rate`] | `20mbit`, `1gbit/s`, `56kbit`; powers of 1000 | bits per second |
//! | [`share`] | `0.5%`, `0.005` | a number from 0 to 1 |
//! | [`precision`] | `5%`, `0.05`; from 0.1% to 50% | how far a figure may be from the truth, as a share of it |
//! | [`count`] | `100`, `1k`, `2.5m`, `1g`; powers of 1000 | a number |
//!
//! A number may have an exponent, as programs print it: `1e3`, `7.926e-05s`. Letter case matters nowhere. A size is a power of 1024 and a
//! count one of 1000 because that is how pages and requests are counted.

use std::time::Duration;

/// What is wrong with a quantity, and what would have been right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} '{text}' {problem}; expected {accepted}")]
pub struct UnitError {
    what: &'static str,
    text: String,
    problem: &'static str,
    accepted: &'static str,
}

const DURATION: &str = "a number with a unit, like 500ms, 10s, 1m or 2m30s";
const RATE: &str = "a number per second, minute or hour, like 5000, 1k, 100/s or 6000/m";
const SIZE: &str = "bytes with an optional k, m or g (powers of 1024), like 512, 1k, 16KB or 2MiB";
const BIT_RATE: &str =
    "bits a second with their unit (powers of 1000), like 56kbit, 20mbit or 1gbit";
const SHARE: &str = "a percentage or a number from 0 to 1, like 0.5% or 0.005";
const PRECISION: &str = "a percentage from 0.1% to 50%, like 5%";
const COUNT: &str =
    "a whole number with an optional k, m or g (powers of 1000), like 100, 10k or 1m";

/// The highest rate: one event a nanosecond, which is how finely schedules are kept.
const MAX_RATE: f64 = 1e9;

/// The least and the most that can be asked for.
const PRECISIONS: std::ops::RangeInclusive<f64> = 0.001..=0.5;

/// Reads a length of time. Units may be strung together (`2m30s`); a number needs its unit, except
/// for 0.
pub fn duration(text: &str) -> Result<Duration, UnitError> {
    let error = |problem| UnitError {
        what: "duration",
        text: text.into(),
        problem,
        accepted: DURATION,
    };
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(error("is empty"));
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let (number, tail) = leading_number(rest);
        let number = number.ok_or_else(|| error("does not begin with a number"))?;
        let end = tail
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let nanos = match unit.to_lowercase().as_str() {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" | "sec" => 1e9,
            "m" | "min" => 60e9,
            "h" => 3600e9,
            "d" => 86400e9,
            "" => return Err(error("lacks a unit")),
            _ => return Err(error("has an unknown unit")),
        };
        // Schedules count nanoseconds in 64 bits; the conversion saturates, so that what is too
        // long overflows here at the latest.
        let part = (number * nanos).round() as u64;
        total = total
            .checked_add(part)
            .filter(|sum| *sum < u64::MAX)
            .ok_or_else(|| error("is too long"))?;
        rest = tail;
    }
    Ok(Duration::from_nanos(total))
}

/// Reads a rate, in events per second: above 0 and at most 10⁹.
pub fn rate(text: &str) -> Result<f64, UnitError> {
    let rate = rate_or_zero(text)?;
    if rate == 0.0 {
        return Err(UnitError {
            what: "rate",
            text: text.into(),
            problem: "is zero",
            accepted: RATE,
        });
    }
    Ok(rate)
}

/// As [`rate`], and 0 for a pause.
pub(crate) fn rate_or_zero(text: &str) -> Result<f64, UnitError> {
    let error = |problem| UnitError {
        what: "rate",
        text: text.into(),
        problem,
        accepted: RATE,
    };
    let (number, per) = text.trim().split_once('/').unwrap_or((text.trim(), "s"));
    let seconds = match per.to_lowercase().as_str() {
        "s" | "sec" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(error("is per an unknown unit")),
    };
    let (number, suffix) = leading_number(number);
    let number = number.ok_or_else(|| error("is not a number"))?;
    let factor = factor(suffix, 1000.0).ok_or_else(|| error("has an unknown suffix"))?;
    let rate = number * factor / seconds;
    if rate > MAX_RATE {
        return Err(error("is more than one a nanosecond"));
    }
    Ok(rate)
}

/// Reads a number of bytes.
pub fn size(text: &str) -> Result<u64, UnitError> {
    let error = |problem| UnitError {
        what: "size",
        text: text.into(),
        problem,
        accepted: SIZE,
    };
    let (number, suffix) = leading_number(text.trim());
    let number = number.ok_or_else(|| error("is not a number"))?;
    let suffix = suffix.to_lowercase();
    let letter = suffix
        .strip_suffix("ib")
        .or_else(|| suffix.strip_suffix('b'))
        .unwrap_or(&suffix);
    let factor = factor(letter, 1024.0).ok_or_else(|| error("has an unknown suffix"))?;
    whole(number * factor).ok_or_else(|| error("is not a whole number of bytes"))
}

/// Reads the rate of a line, in bits per second: more than none.
pub fn bit_rate(text: &str) -> Result<u64, UnitError> {
    let error = |problem| UnitError {
        what: "bit rate",
        text: text.into(),
        problem,
        accepted: BIT_RATE,
    };
    let (number, unit) = leading_number(text.trim());
    let number = number.ok_or_else(|| error("is not a number"))?;
    let unit = unit.to_lowercase();
    let prefix = unit
        .strip_suffix("bit/s")
        .or_else(|| unit.strip_suffix("bit"));
    let prefix = prefix.ok_or_else(|| error("lacks its unit"))?;
    let factor = factor(prefix, 1000.0).ok_or_else(|| error("has an unknown unit"))?;
    let rate = whole(number * factor).ok_or_else(|| error("is not a whole number of bits"))?;
    match rate {
        0 => Err(error("is zero")),
        rate => Ok(rate),
    }
}

/// Reads a share of a whole, from 0 to 1: as a percentage with its sign, or as a number.
pub fn share(text: &str) -> Result<f64, UnitError> {
    let error = |problem| UnitError {
        what: "share",
        text: text.into(),
        problem,
        accepted: SHARE,
    };
    let (number, unit) = leading_number(text.trim());
    let number = number.ok_or_else(|| error("is not a number"))?;
    let share = match unit.trim() {
        "" => number,
        "%" => number / 100.0,
        _ => return Err(error("has an unknown unit")),
    };
    if share > 1.0 {
        return Err(error("is more than all"));
    }
    Ok(share)
}

/// Reads how far a figure may be from the truth, as a share of it.
pub fn precision(text: &str) -> Result<f64, UnitError> {
    let error = |problem| UnitError {
        what: "precision",
        text: text.into(),
        problem,
        accepted: PRECISION,
    };
    let share = share(text).map_err(|_| error("is no percentage"))?;
    match PRECISIONS.contains(&share) {
        true => Ok(share),
        false => Err(error("is too small or too large")),
    }
}

/// Reads a count.
pub fn count(text: &str) -> Result<u64, UnitError> {
    let error = |problem| UnitError {
        what: "count",
        text: text.into(),
        problem,
        accepted: COUNT,
    };
    let (number, suffix) = leading_number(text.trim());
    let number = number.ok_or_else(|| error("is not a number"))?;
    let factor = factor(suffix, 1000.0).ok_or_else(|| error("has an unknown suffix"))?;
    whole(number * factor).ok_or_else(|| error("is not a whole number"))
}

/// A size as [`size`] reads it back: the largest suffix that divides it.
pub(crate) fn show_size(bytes: u64) -> String {
    let units = [(1 << 30, "g"), (1 << 20, "m"), (1 << 10, "k")];
    match units
        .iter()
        .find(|(unit, _)| bytes > 0 && bytes.is_multiple_of(*unit))
    {
        Some((unit, letter)) => format!("{}{letter}", bytes / unit),
        None => bytes.to_string(),
    }
}

/// A duration as [`duration`] reads it back: the largest unit that divides it.
pub(crate) fn show_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let units = [
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1000, "us"),
    ];
    match units
        .iter()
        .find(|(unit, _)| nanos > 0 && nanos.is_multiple_of(*unit))
    {
        Some((unit, letter)) => format!("{}{letter}", nanos / unit),
        None => format!("{nanos}ns"),
    }
}

/// The decimal number at the start (digits, one point, an exponent, no sign), and what follows it.
fn leading_number(text: &str) -> (Option<f64>, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(end + exponent(&text[end..]));
    (number.parse().ok().filter(|n: &f64| n.is_finite()), rest)
}

/// How long the exponent is that a text begins with, as in `1e3` or `5E-05`; 0 if it begins with
/// none.
fn exponent(text: &str) -> usize {
    let Some(power) = text.strip_prefix(['e', 'E']) else {
        return 0;
    };
    let digits = power.strip_prefix(['+', '-']).unwrap_or(power);
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    match count {
        0 => 0,
        count => text.len() - digits.len() + count,
    }
}

fn factor(letter: &str, base: f64) -> Option<f64> {
    match letter {
        "" => Some(1.0),
        "k" | "K" => Some(base),
        "m" | "M" => Some(base * base),
        "g" | "G" => Some(base * base * base),
        _ => None,
    }
}

/// The number as an integer, if it is one that a double holds exactly.
fn whole(number: f64) -> Option<u64> {
    (number.fract() == 0.0 && number < 9_007_199_254_740_992.0).then_some(number as u64)
}

#[cfg(test)]
mod tests;
