//! Numbers as people read them.

/// A time in nanoseconds: three significant digits and a unit.
pub(crate) fn time(nanos: f64) -> String {
    let (value, unit) = match nanos {
        n if n < 999.5 => (n, "ns"),
        n if n < 999.5e3 => (n / 1e3, "µs"),
        n if n < 999.5e6 => (n / 1e6, "ms"),
        n if n < 119.5e9 => (n / 1e9, "s "),
        n => (n / 60e9, "m "),
    };
    format!("{} {unit}", three_digits(value))
}

/// Three significant digits.
fn three_digits(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        v if v < 9.995 => format!("{v:.2}"),
        v if v < 99.95 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    }
}

/// A count with separated thousands.
pub(crate) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A rate: whole where it is large.
pub(crate) fn rate(per_s: f64) -> String {
    if per_s >= 1000.0 {
        count(per_s.round() as u64)
    } else {
        three_digits(per_s)
    }
}

/// Bytes, in powers of 1000 as network rates are.
pub(crate) fn bytes(bytes: f64) -> String {
    let (value, unit) = match bytes {
        b if b < 999.5 => (b, "B"),
        b if b < 999.5e3 => (b / 1e3, "kB"),
        b if b < 999.5e6 => (b / 1e6, "MB"),
        b if b < 999.5e9 => (b / 1e9, "GB"),
        b => (b / 1e12, "TB"),
    };
    format!("{} {unit}", three_digits(value))
}

/// A share as a percentage.
pub(crate) fn percent(share: f64) -> String {
    format!("{} %", three_digits(share.abs() * 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_have_their_units() {
        assert_eq!(time(0.0), "0 ns");
        assert_eq!(time(123_456.0), "123 µs");
        assert_eq!(time(9_996.0), "10.0 µs");
        assert_eq!(time(1.2345e9), "1.23 s ");
        assert_eq!(time(3600e9), "60.0 m ");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(999), "999");
        assert_eq!(bytes(71.3e6), "71.3 MB");
        assert_eq!(rate(4999.6), "5,000");
        assert_eq!(percent(0.00123), "0.12 %");
    }
}
