//! Quantities in words: a unit, thousands separators, and no more digits than were measured.

use std::time::Duration;

/// What an axis or a column counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Time; shown in ns, µs, ms or s, whichever reads best.
    Seconds,
    /// A length of time on a clock: always seconds.
    Clock,
    /// Bytes, in powers of 1024.
    Bytes,
    /// Bytes in a second, in powers of 1000, as networks count them.
    Traffic,
    /// Events in a second.
    PerSecond,
    /// Things, or a ratio; `of` is in the axis name.
    Plain,
    /// A share from 0 to 1, shown in per cent.
    Share,
}

/// The steps of a unit that is shown with prefixes, the largest first.
const SECONDS: &[(f64, &str)] = &[(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")];
const BYTES: &[(f64, &str)] = &[
    ((1_u64 << 40) as f64, "TiB"),
    ((1_u64 << 30) as f64, "GiB"),
    ((1_u64 << 20) as f64, "MiB"),
    ((1_u64 << 10) as f64, "KiB"),
    (1.0, "B"),
];
const TRAFFIC: &[(f64, &str)] = &[
    (1e12, "TB/s"),
    (1e9, "GB/s"),
    (1e6, "MB/s"),
    (1e3, "kB/s"),
    (1.0, "B/s"),
];

impl Unit {
    /// A value with its unit, to three significant digits.
    pub fn show(self, value: f64) -> String {
        self.with(value, |scaled| significant(scaled, 3))
    }

    /// A value with its unit, where it is known to be round: the label of a tick.
    pub fn tick(self, value: f64) -> String {
        self.with(value, |scaled| trimmed(scaled, 6))
    }

    fn with(self, value: f64, number: impl Fn(f64) -> String) -> String {
        if !value.is_finite() {
            return if value.is_nan() {
                "–".into()
            } else {
                "∞".into()
            };
        }
        match self {
            Self::Seconds => prefixed(value, SECONDS, number),
            Self::Bytes => prefixed(value, BYTES, number),
            Self::Traffic => prefixed(value, TRAFFIC, number),
            Self::Clock => format!("{} s", number(value)),
            Self::PerSecond => format!("{}/s", number(value)),
            Self::Plain => number(value),
            Self::Share => format!("{} %", trimmed(value * 100.0, 5)),
        }
    }

    /// An interval; the unit once, if both ends have the same.
    pub fn range(self, (low, high): (f64, f64)) -> String {
        let (low, high) = (self.show(low), self.show(high));
        match (low.rsplit_once(' '), high.rsplit_once(' ')) {
            (Some((number, one)), Some((_, other))) if one == other => {
                format!("{number} to {high}")
            }
            _ => format!("{low} to {high}"),
        }
    }

    /// As [`Self::tick`], where the axis's name has the unit already.
    pub fn axis(self, value: f64) -> String {
        match self {
            Self::PerSecond | Self::Clock => trimmed(value, 6),
            _ => self.tick(value),
        }
    }
}

fn prefixed(value: f64, steps: &[(f64, &str)], number: impl Fn(f64) -> String) -> String {
    let Some(smallest) = steps.last() else {
        return number(value);
    };
    if value == 0.0 {
        return "0".into();
    }
    // A value that would be rounded up to the next step is shown in that step: 1 ms, not 1,000 µs.
    let fits = |(size, _): &&(f64, &str)| value.abs() >= size * 0.999_5;
    let (size, name) = steps.iter().find(fits).unwrap_or(smallest);
    format!("{} {name}", number(value / size))
}

/// `digits` significant ones, at least all those before the point, with thousands separators.
pub fn significant(value: f64, digits: i32) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    if value == 0.0 {
        return "0".into();
    }
    // After rounding: 0.9999 has the magnitude of 1.
    let rounded = format!("{value:.0$e}", digits.max(1) as usize - 1);
    let magnitude = rounded
        .split_once('e')
        .and_then(|(_, exponent)| exponent.parse().ok())
        .unwrap_or(0);
    let places = (digits - 1 - magnitude).clamp(0, 9) as usize;
    separated(&format!("{value:.places$}"))
}

/// With at most `places` after the point and no zeros at its end.
pub fn trimmed(value: f64, places: usize) -> String {
    let text = format!("{value:.places$}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    separated(if text == "-0" { "0" } else { text })
}

/// A whole number with thousands separators.
pub fn count(value: u64) -> String {
    separated(&value.to_string())
}

/// So many of something, in words that agree: `1 file`, `2 files`, `1,000 processes`.
pub fn counted(value: u64, one: &str) -> String {
    let ending = match value {
        1 => "",
        _ if one.ends_with('s') => "es",
        _ => "s",
    };
    format!("{} {one}{ending}", count(value))
}

/// A length of time, to three significant digits.
pub fn time(time: Duration) -> String {
    Unit::Seconds.show(time.as_secs_f64())
}

/// A share in percent, to three significant digits.
pub fn percent(share: f64) -> String {
    format!("{} %", significant(share * 100.0, 3))
}

fn separated(number: &str) -> String {
    let (sign, number) = match number.strip_prefix('-') {
        Some(rest) => ("−", rest),
        None => ("", number),
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, format!(".{fraction}")),
        None => (number, String::new()),
    };
    let mut text = String::from(sign);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + &fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_can_read_them() {
        let cases = [
            (Unit::Seconds, 0.001, "1.00 ms"),
            (Unit::Seconds, 0.000_999_9, "1.00 ms"),
            (Unit::Seconds, 0.000_123_4, "123 µs"),
            (Unit::Seconds, 75.0, "75.0 s"),
            (Unit::Seconds, 0.0, "0"),
            (Unit::Seconds, f64::NAN, "–"),
            (Unit::PerSecond, 123_456.7, "123,457/s"),
            (Unit::Bytes, 1536.0, "1.50 KiB"),
            (Unit::Traffic, 71.34e6, "71.3 MB/s"),
            (Unit::Share, 0.9999, "99.99 %"),
            (Unit::Plain, -1234.0, "−1,234"),
            (Unit::Plain, 1e9, "1,000,000,000"),
        ];
        for (unit, value, text) in cases {
            assert_eq!(unit.show(value), text);
        }
        assert_eq!(Unit::Seconds.tick(0.01), "10 ms");
        assert_eq!(Unit::Seconds.tick(0.000_25), "250 µs");
        assert_eq!(Unit::PerSecond.axis(20_000.0), "20,000");
        assert_eq!(Unit::Share.tick(0.999_99), "99.999 %");
        assert_eq!(Unit::Seconds.range((1e-3, 2e-3)), "1.00 to 2.00 ms");
        assert_eq!(Unit::Seconds.range((1e-4, 2e-3)), "100 µs to 2.00 ms");
        assert_eq!(Unit::Plain.range((1.0, 2.0)), "1.00 to 2.00");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000_000), "1,000,000");
        assert_eq!(counted(1, "process"), "1 process");
        assert_eq!(counted(2000, "process"), "2,000 processes");
        assert_eq!(counted(0, "file"), "0 files");
        assert_eq!(percent(0.001_234), "0.123 %");
    }
}
