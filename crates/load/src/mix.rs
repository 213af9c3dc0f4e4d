//! Ways of asking for a file of a set, beside asking for all of it: what a browser with a cache, or a download manager, asks.
//!
//! The answer to each is known beforehand, so that a server's ranges and conditions can be verified as its files can: by status
//! and body. The field of a 206 that says which part it is (RFC 9110, section 15.3.7.1) is not looked at.

use crate::target::Field;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

/// A way of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A plain GET: 200.
    Whole,
    /// A part of it, from the beginning, the middle or the end: 206.
    Range,
    /// Only if it was modified since it was: 304.
    Unchanged,
    /// Only if it was modified since a time before it was: 200.
    Changed,
}

impl Way {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Whole, "whole"),
        (Self::Range, "range"),
        (Self::Unchanged, "unchanged"),
        (Self::Changed, "changed"),
    ];

    fn name(self) -> &'static str {
        let known = Self::ALL.iter().find(|(way, _)| *way == self);
        known.map_or("", |(_, name)| name)
    }
}

/// How often each way is taken, relative to the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Mix(Vec<(Way, f64)>);

impl Default for Mix {
    /// All of every file.
    fn default() -> Self {
        Self(vec![(Way::Whole, 1.0)])
    }
}

impl FromStr for Mix {
    type Err = String;

    /// Reads `whole=8,range=1,unchanged=1`.
    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected shares of whole, range, unchanged and changed, like whole=8,range=1,unchanged=1";
        let share = |part: &str| {
            let (name, share) = part.split_once('=')?;
            let (way, _) = Way::ALL.iter().find(|(_, known)| *known == name)?;
            let share = share.parse::<f64>().ok()?;
            (share > 0.0 && share.is_finite()).then_some((*way, share))
        };
        let mut ways = Vec::new();
        for part in text.split(',') {
            let (way, share) =
                share(part).ok_or_else(|| format!("'{part}' is no share; {expected}"))?;
            if ways.iter().any(|(other, _)| *other == way) {
                return Err(format!("'{}' is there twice; {expected}", way.name()));
            }
            ways.push((way, share));
        }
        Ok(Self(ways))
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (way, share)) in self.0.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            write!(out, "{comma}{}={share}", way.name())?;
        }
        Ok(())
    }
}

/// One request for a file, and its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// What it says beside a plain request.
    pub field: Option<Field>,
    /// How it must be answered.
    pub status: u16,
    /// The first byte of the file that must come.
    pub from: u64,
    /// And how many.
    pub length: u64,
    /// Its share of the requests for this file; those of all ways together are 1.
    pub share: f64,
}

impl Mix {
    /// All requests for a file of that length, last modified then.
    pub fn asks(&self, length: u64, modified: SystemTime) -> Vec<Ask> {
        let total: f64 = self.0.iter().map(|(_, share)| share).sum();
        let asks = self.0.iter().flat_map(|(way, share)| {
            let mut asks = asks(*way, length, modified);
            let each = share / total / asks.len() as f64;
            asks.iter_mut().for_each(|ask| ask.share = each);
            asks
        });
        asks.collect()
    }
}

fn asks(way: Way, length: u64, modified: SystemTime) -> Vec<Ask> {
    let ask = |field, status, from, length| Ask {
        field,
        status,
        from,
        length,
        share: 0.0,
    };
    let since = |time| {
        let date = httpdate::fmt_http_date(time);
        Some(Field::known("If-Modified-Since", date))
    };
    match way {
        // Of nothing there is no part.
        Way::Range if length > 0 => ranges(length)
            .into_iter()
            .map(|(range, from, length)| {
                let field = Field::known("Range", format!("bytes={range}"));
                ask(Some(field), 206, from, length)
            })
            .collect(),
        Way::Whole | Way::Range => vec![ask(None, 200, 0, length)],
        Way::Unchanged => vec![ask(since(modified), 304, 0, 0)],
        Way::Changed => {
            let before = modified - Duration::from_secs(1);
            vec![ask(since(before), 200, 0, length)]
        }
    }
}

/// Ranges of every form, with the first byte of each and how many there are.
fn ranges(length: u64) -> [(String, u64, u64); 5] {
    let last = length - 1;
    let first = length.min(1000);
    let (third, middle) = (length / 3, length.div_ceil(3));
    let tail = last - length / 7;
    let suffix = length.min(500);
    // The first and the fourth may ask for more than there is, and get what there is (RFC 9110, section 14.1.2).
    [
        ("0-999".into(), 0, first),
        (format!("{third}-{}", third + middle - 1), third, middle),
        (format!("{tail}-"), tail, length - tail),
        ("-500".into(), length - suffix, suffix),
        (format!("{last}-{length}"), last, 1),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODIFIED: SystemTime = SystemTime::UNIX_EPOCH;

    fn modified() -> SystemTime {
        MODIFIED + Duration::from_secs(784_111_777)
    }

    #[test]
    fn mixes_are_read_as_they_are_typed() {
        for text in ["whole=1", "range=1,unchanged=0.5", "changed=2,whole=8"] {
            assert_eq!(text.parse::<Mix>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "whole",
            "whole=0",
            "whole=-1",
            "whole=inf",
            "half=1",
            "whole=1,",
            "whole=1,whole=2",
        ] {
            let error = text.parse::<Mix>().unwrap_err();
            assert!(error.contains("whole=8,range=1"), "{text}: {error}");
        }
    }

    #[test]
    fn every_ask_is_for_a_part_of_the_file_and_shares_add_up() {
        let mix: Mix = "whole=5,range=3,unchanged=1,changed=1".parse().unwrap();
        for length in [
            0,
            1,
            2,
            3,
            6,
            7,
            499,
            500,
            501,
            1000,
            1001,
            12_345,
            u64::MAX / 2,
        ] {
            let asks = mix.asks(length, modified());
            assert_eq!(asks.len(), if length == 0 { 4 } else { 8 });
            let shares: f64 = asks.iter().map(|ask| ask.share).sum();
            assert!((shares - 1.0).abs() < 1e-9);
            for ask in asks {
                assert!(ask.from + ask.length <= length, "{length}: {ask:?}");
                match ask.status {
                    206 => assert!(ask.length > 0),
                    304 => assert_eq!(ask.length, 0),
                    _ => assert_eq!((ask.status, ask.length), (200, length)),
                }
            }
        }
    }

    #[test]
    fn fields_say_what_is_asked() {
        let fields = |text: &str| -> Vec<String> {
            let asks = text.parse::<Mix>().unwrap().asks(900, modified());
            let fields = asks.into_iter().filter_map(|ask| ask.field);
            fields.map(|field| field.to_string()).collect()
        };
        assert_eq!(fields("whole=1"), [""; 0]);
        assert_eq!(
            fields("range=1"),
            [
                "Range: bytes=0-999",
                "Range: bytes=300-599",
                "Range: bytes=771-",
                "Range: bytes=-500",
                "Range: bytes=899-900"
            ]
        );
        assert_eq!(
            fields("unchanged=1,changed=1"),
            [
                "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
                "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT"
            ]
        );
    }
}
