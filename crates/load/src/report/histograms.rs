//! The formats of histogram tools.

use super::Report;
use crate::clock::Nanos;
use crate::metric::Metric;
use crate::record::Record;
use crate::verdict::{Finding, Validity};
use meter::formats::{self, IntervalLog};
use stats::hist::Censored;
use std::io;
use std::time::{Duration, SystemTime};

/// All distributions as rows, a column saying which.
pub fn csv(report: &Report<'_>) -> io::Result<Vec<u8>> {
    let verdict = report.level().to_string();
    let mut out = format!("{}\n", formats::CSV_HEADER).into_bytes();
    for metric in Metric::ALL {
        let times = report.figures.times(metric);
        // What comes first is there even where nothing was measured, to say so.
        let shown = |times: &&Censored| metric == Metric::Response || !times.is_empty();
        let Some(times) = times.filter(shown) else {
            continue;
        };
        let rows = formats::CsvTimes {
            metric: metric.name(),
            histogram: times.all(),
            bounds_from: times.bounds_from(),
            verdict: &verdict,
        };
        formats::csv_rows(rows, &mut out)?;
    }
    Ok(out)
}

/// The first figure's distribution, requests that were given up with the time they had been waited for, and what is thought of the run.
pub fn hgrm(report: &Report<'_>) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut comments = Vec::new();
    if let Some(times) = report.figures.times(Metric::Response) {
        formats::hgrm(times.all(), &mut out)?;
        let from = times.bounds_from();
        comments.extend(from.map(|from| formats::bounds_comment(times.given_up(), from)));
    }
    comments.extend(judgement(report.level(), &report.findings));
    for line in comments {
        out.extend_from_slice(formats::comment(&line).as_bytes());
    }
    Ok(out)
}

/// Whether a run may be believed, in lines for comments.
fn judgement(level: Validity, findings: &[Finding]) -> Vec<String> {
    let reasons = findings
        .iter()
        .map(|finding| format!("{}: {}", finding.level, finding.text));
    std::iter::once(formats::verdict_comment(level))
        .chain(reasons)
        .collect()
}

/// A log that grows by the second.
pub struct Log {
    log: IntervalLog,
    reached: Nanos,
    closed_loop: bool,
}

impl Log {
    /// An empty one of a run that measures from `warmup` on.
    pub fn new(closed_loop: bool, warmup: Nanos) -> Self {
        let comment = format!(
            "archbench load {}; values in nanoseconds, Interval_Max in milliseconds; untagged: {}; given_up: those of them that are lower bounds",
            env!("CARGO_PKG_VERSION"),
            if closed_loop {
                "service time"
            } else {
                "response time"
            }
        );
        Self {
            log: IntervalLog::new(SystemTime::now(), &comment),
            reached: warmup,
            closed_loop,
        }
    }

    /// Adds what was recorded up to `end`. An interval that is warming up only in part is as short as what was measured of it.
    pub fn add(&mut self, record: &Record, end: Nanos) {
        if end <= self.reached {
            return;
        }
        let from = Duration::from_nanos(self.reached);
        let length = Duration::from_nanos(end.saturating_sub(self.reached));
        self.reached = end;
        let metrics = [Metric::Response, Metric::Service, Metric::Wait, Metric::Lag];
        for metric in metrics {
            if self.closed_loop && metric == Metric::Service {
                continue;
            }
            let tag = (metric != Metric::Response).then(|| metric.name());
            let Some(times) = metric.times(record, self.closed_loop) else {
                continue;
            };
            self.log.add(times.all(), from, length, tag);
            let given_up = metric.censored(record, self.closed_loop);
            if let Some(given_up) = given_up.filter(|given_up| !given_up.is_empty()) {
                let tag = formats::given_up_tag(tag);
                self.log.add(given_up, from, length, Some(&tag));
            }
        }
    }

    /// Says what is thought of the run. Whoever has the log alone should know.
    pub fn judge(&mut self, level: Validity, findings: &[Finding]) {
        for line in judgement(level, findings) {
            self.log.comment(&line);
        }
    }

    /// The log so far.
    pub fn text(&self) -> &[u8] {
        self.log.text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use results::Hlog;

    fn log(closed_loop: bool) -> Hlog {
        let mut record = Record::default();
        record.service.saturating_record(1_000);
        if !closed_loop {
            record.response.saturating_record(3_000);
        }
        record.wait.saturating_record(2_000);
        record.lag.saturating_record(500);
        let mut log = Log::new(closed_loop, crate::clock::SECOND / 4);
        log.add(&Record::default(), crate::clock::SECOND / 5);
        log.add(&record, crate::clock::SECOND);
        log.add(&record, 2 * crate::clock::SECOND);
        log.judge(Validity::Invalid, &[]);
        Hlog::parse(log.text()).expect("a histogram log")
    }

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    /// Number and maximum of the values under a tag.
    fn of(log: &Hlog, tag: Option<&str>) -> Option<(u64, u64)> {
        log.merged(tag).map(|times| (times.len(), times.max()))
    }

    #[test]
    fn the_log_is_read_back_by_its_tags() {
        let (open, closed) = (log(false), log(true));
        assert_eq!(of(&open, None).map(|(count, _)| count), Some(2));
        assert!(of(&open, None).is_some_and(|(_, max)| max >= 3_000));
        assert_eq!(of(&open, Some("service")), Some((2, 1_000)));
        // In a closed loop the service time comes first, and is not there twice.
        assert_eq!(of(&closed, None), Some((2, 1_000)));
        assert_eq!(of(&closed, Some("service")), None);
        for log in [&open, &closed] {
            assert_eq!(log.verdict, Some(results::Validity::Invalid));
            assert!(of(log, Some("wait")).is_some_and(|(_, max)| max >= 2_000));
            assert_eq!(of(log, Some("lag")), Some((2, 500)));
            let first = log.intervals.first().expect("an interval");
            assert_eq!((first.start, first.length), (ms(250), ms(750)));
            let last = log.intervals.last().expect("an interval");
            assert_eq!(last.start + last.length, Duration::from_secs(2));
        }
    }
}
