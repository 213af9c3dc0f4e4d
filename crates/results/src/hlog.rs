//! Histogram logs, read back.

mod decode;

use std::path::Path;
use std::time::Duration;

use base64::Engine;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

use crate::Validity;
use crate::error::{Error, io_error};

/// What a generator recorded, an interval at a time, in nanoseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Hlog {
    /// In the order of the file.
    pub intervals: Vec<Interval>,
    /// Whether its writer thought that it may be believed, if the log says so in a comment.
    pub verdict: Option<Validity>,
}

/// One interval of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Interval {
    /// Which metric: none for the first (response time; service time in a closed loop), `service`, `wait` or `lag` for others.
    pub tag: Option<String>,
    /// When it began, since the start of the log.
    pub start: Duration,
    /// How long it is.
    pub length: Duration,
    /// In nanoseconds.
    pub histogram: Histogram<u64>,
}

/// Whether the writer of a file in one of the histogram tools' formats thought that it may be believed, if a comment in it says so: the worst, if several do.
pub fn verdict(text: &str) -> Option<Validity> {
    meter::formats::verdicts_of(text)
        .filter_map(Validity::named)
        .max()
}

impl Hlog {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or is no histogram log.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(io_error("read", path))?;
        Self::parse(&bytes).map_err(|what| Error::Histogram {
            path: path.into(),
            what,
        })
    }

    /// Reads the bytes of one.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        // The library's reader knows no legend; the standard one does.
        let body: Vec<u8> = bytes
            .split_inclusive(|byte| *byte == b'\n')
            .filter(|line| !line.starts_with(b"\""))
            .flatten()
            .copied()
            .collect();
        let mut deserializer = Deserializer::new();
        let mut intervals = Vec::new();
        for entry in IntervalLogIterator::new(&body) {
            let number = intervals.len() + 1;
            let entry =
                entry.map_err(|_| format!("what follows interval {} is none", number - 1))?;
            let LogEntry::Interval(interval) = entry else {
                continue;
            };
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(interval.encoded_histogram())
                .map_err(|error| format!("interval {number}: {error}"))?;
            let histogram = decode::histogram(&bytes, &mut deserializer)
                .map_err(|what| format!("interval {number}: {what}"))?;
            intervals.push(Interval {
                tag: interval.tag().map(|tag| tag.as_str().to_owned()),
                start: interval.start_timestamp(),
                length: interval.duration(),
                histogram,
            });
        }
        let verdict = verdict(&String::from_utf8_lossy(bytes));
        Ok(Self { intervals, verdict })
    }

    /// The intervals of one metric.
    pub fn of<'a>(&'a self, tag: Option<&'a str>) -> impl Iterator<Item = &'a Interval> {
        self.intervals
            .iter()
            .filter(move |interval| interval.tag.as_deref() == tag)
    }

    /// All intervals of one metric together; `None` if there are none.
    pub fn merged(&self, tag: Option<&str>) -> Option<Histogram<u64>> {
        let mut all: Option<Histogram<u64>> = None;
        for interval in self.of(tag) {
            match &mut all {
                None => all = Some(interval.histogram.clone()),
                Some(all) => {
                    all.auto(true);
                    // One that grows by itself takes every value.
                    let _ = all.add(&interval.histogram);
                }
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_log_is_refused() {
        for text in ["{}", "0.0,1.0,5,HISTgarbage\n", "Tag=a,0,1,2,!!!\n"] {
            assert!(Hlog::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Hlog::parse(b"").is_ok_and(|log| log.merged(None).is_none()));
    }

    #[test]
    fn a_comment_may_hold_the_verdict() {
        let verdict = |text: &str| Hlog::parse(text.as_bytes()).unwrap().verdict;
        let head = "#[Histogram log format version 1.3]\n";
        assert_eq!(verdict(head), None);
        for known in [Validity::Valid, Validity::Suspect, Validity::Invalid] {
            let line = meter::formats::comment(&meter::formats::verdict_comment(known));
            assert_eq!(verdict(&format!("{head}{line}")), Some(known));
        }
        assert_eq!(verdict("#[Verdict: FINE]\n"), None);
        let together = "#[Verdict: SUSPECT]\n#[Verdict: INVALID]\n#[Verdict: VALID]\n";
        assert_eq!(verdict(together), Some(Validity::Invalid));
    }
}
