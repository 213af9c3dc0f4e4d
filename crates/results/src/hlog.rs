//! Histogram logs, read back.

mod decode;

use std::path::Path;
use std::time::Duration;

use base64::Engine;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use meter::formats::given_up_tag;
use stats::hist::Censored;

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
    /// Which metric: none for the first (response time; service time in a closed loop), `service`, `wait` or `lag` for others; or which of
    /// its requests that were given up, `given_up` and `service_given_up`.
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

    /// The times of one metric, those of requests that were given up marked; `None` if there are none. In logs that do not say which
    /// were given up, only those are that were answered.
    pub fn times(&self, tag: Option<&str>) -> Option<Censored> {
        let given_up = self.merged(Some(&given_up_tag(tag)));
        let none = || Histogram::new(3).ok();
        Some(Censored::among(self.merged(tag)?, &given_up.or_else(none)?))
    }

    /// The times of one interval, those of requests that were given up marked.
    pub fn times_of(&self, interval: &Interval) -> Censored {
        let tag = given_up_tag(interval.tag.as_deref());
        let mut given_up = interval.histogram.clone();
        given_up.reset();
        for other in self.of(Some(&tag)) {
            if other.start == interval.start {
                // Both have the bounds of one writer.
                let _ = given_up.add(&other.histogram);
            }
        }
        Censored::among(interval.histogram.clone(), &given_up)
    }

    /// How many of a metric's requests were given up; `None` where it does not say, as none were or logs did not say so yet.
    pub fn given_up(&self, tag: Option<&str>) -> Option<u64> {
        let tag = given_up_tag(tag);
        let mut counts = self.of(Some(&tag)).map(|interval| interval.histogram.len());
        let first = counts.next()?;
        Some(first + counts.sum::<u64>())
    }

    /// All intervals of one metric together, without the requests that were given up; `None` if there are none.
    pub fn answered(&self, tag: Option<&str>) -> Option<Histogram<u64>> {
        let mut answered = self.merged(tag)?;
        if let Some(given_up) = self.merged(Some(&given_up_tag(tag))) {
            // What is under both was added to both.
            let _ = answered.subtract(&given_up);
        }
        Some(answered)
    }

    /// All intervals of one metric together, requests that were given up among them; `None` if there are none.
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
    use meter::formats::IntervalLog;

    #[test]
    fn what_is_no_log_is_refused() {
        for text in ["{}", "0.0,1.0,5,HISTgarbage\n", "Tag=a,0,1,2,!!!\n"] {
            assert!(Hlog::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Hlog::parse(b"").is_ok_and(|log| log.merged(None).is_none()));
    }

    #[test]
    fn requests_that_were_given_up_are_among_the_others_and_told_apart() {
        let of = |values: &[u64]| {
            let mut histogram = Histogram::<u64>::new_with_bounds(1, 1 << 40, 3).unwrap();
            values
                .iter()
                .for_each(|value| histogram.record(*value).unwrap());
            histogram
        };
        let second = Duration::from_secs(1);
        let mut log = IntervalLog::new(std::time::SystemTime::UNIX_EPOCH, "");
        log.add(&of(&[1, 2, 3]), Duration::ZERO, second, None);
        log.add(&of(&[4, 900]), second, second, None);
        log.add(&of(&[900]), second, second, Some("given_up"));
        let log = Hlog::parse(log.text()).unwrap();
        let times = log.times(None).unwrap();
        assert_eq!((times.len(), times.given_up()), (5, 1));
        assert!(times.quantile(1.0).at_least && !times.quantile(0.8).at_least);
        let answered = log.answered(None).unwrap();
        assert_eq!((answered.len(), answered.max()), (4, 4));
        let of_each = log.of(None).map(|interval| log.times_of(interval));
        let of_each: Vec<_> = of_each
            .map(|times| (times.given_up(), times.max().at_least))
            .collect();
        assert_eq!(of_each, [(0, false), (1, true)]);
        assert_eq!(
            (log.given_up(None), log.given_up(Some("service"))),
            (Some(1), None)
        );
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
