//! Arrival times from a file.

use std::io::{self, BufRead};
use std::sync::Arc;

/// Times since the start, in nanoseconds, never decreasing. Clones share them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times(Arc<[u64]>);

/// Why a text holds no arrival times.
#[derive(Debug, thiserror::Error)]
pub enum TimesError {
    /// The text could not be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// A line that is no time.
    #[error("line {line}: '{text}' is not a number of seconds since the start, like 0.25")]
    NotATime {
        /// Counted from 1.
        line: u64,
        /// What it says.
        text: String,
    },
    /// A time before the one above it.
    #[error("line {line}: times must not decrease")]
    Decreasing {
        /// Counted from 1.
        line: u64,
    },
    /// Not one time.
    #[error("holds no times: expected seconds since the start, one a line")]
    Empty,
}

impl Times {
    /// Reads seconds since the start, one a line, in order, as decimal numbers without sign; an
    /// exponent may follow, as in `7.926e-05`. Empty lines and lines that begin with `#` are passed
    /// over. The first time need not be 0: what comes before it is waited for.
    pub fn read(reader: impl BufRead) -> Result<Self, TimesError> {
        let mut times = Vec::new();
        for (index, text) in reader.lines().enumerate() {
            let text = text?;
            let text = text.trim();
            let line = index as u64 + 1;
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let nanos = nanos(text).ok_or_else(|| TimesError::NotATime {
                line,
                text: text.chars().take(40).collect(),
            })?;
            if times.last().is_some_and(|last| *last > nanos) {
                return Err(TimesError::Decreasing { line });
            }
            times.push(nanos);
        }
        if times.is_empty() {
            Err(TimesError::Empty)
        } else {
            Ok(Self(times.into()))
        }
    }

    /// These times, if there are any and they do not decrease.
    pub fn from_nanos(nanos: impl IntoIterator<Item = u64>) -> Result<Self, TimesError> {
        let times: Arc<[u64]> = nanos.into_iter().collect();
        if times.is_empty() {
            return Err(TimesError::Empty);
        }
        match times.windows(2).position(|pair| pair[0] > pair[1]) {
            Some(index) => Err(TimesError::Decreasing {
                line: index as u64 + 2,
            }),
            None => Ok(Self(times)),
        }
    }

    /// The times themselves.
    pub fn as_nanos(&self) -> &[u64] {
        &self.0
    }
}

/// A decimal number of seconds in nanoseconds, exactly; what is less than one is cut.
fn nanos(text: &str) -> Option<u64> {
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    if digits().all(|digit| digit == b'0') {
        return Some(0);
    }
    // So many digits, with zeros behind the last of them, are whole nanoseconds.
    let places = i64::try_from(whole.len()).ok()? + i64::from(exponent) + 9;
    digits()
        .chain(std::iter::repeat(b'0'))
        .take(usize::try_from(places).unwrap_or(0))
        .try_fold(0_u64, |sum, digit| {
            sum.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<u64>, String> {
        Times::read(text.as_bytes())
            .map(|t| t.as_nanos().to_vec())
            .map_err(|e| e.to_string())
    }

    #[test]
    fn seconds_one_a_line() {
        let text = "# a comment\n0\n\n.5\n0.5\n 1.000000001\n1.0000000019\n86400\n";
        assert_eq!(
            read(text),
            Ok(vec![
                0,
                500_000_000,
                500_000_000,
                1_000_000_001,
                1_000_000_001,
                86_400_000_000_000
            ])
        );
    }

    #[test]
    fn numbers_may_have_exponents() {
        let text = "0e9\n0.0e-2147483648\n1e-400\n7.926e-05\n1.2e-4\n12E1\n1.2345e+2\n1e9\n";
        let expected = vec![
            0,
            0,
            0,
            79_260,
            120_000,
            120_000_000_000,
            123_450_000_000,
            1_000_000_000_000_000_000,
        ];
        assert_eq!(read(text), Ok(expected));
    }

    #[test]
    fn errors_name_the_line() {
        assert_eq!(
            read("1\n2\n1.5\n"),
            Err("line 3: times must not decrease".into())
        );
        assert_eq!(
            read("# c\nx1\n"),
            Err("line 2: 'x1' is not a number of seconds since the start, like 0.25".into())
        );
        for bad in [
            "-1",
            "1e",
            "1e2.5",
            "e5",
            "1e2000000000",
            "1,5",
            "1.2.3",
            ".",
            "nan",
            "99999999999999999999",
            "1 2",
        ] {
            assert!(read(bad).is_err_and(|e| e.starts_with("line 1: ")), "{bad}");
        }
        assert!(read("\n#\n").is_err_and(|e| e.starts_with("holds no times")));
        assert!(Times::read(&b"\xff\xfe\n"[..]).is_err());
        assert!(Times::from_nanos([2, 1]).is_err());
    }
}
