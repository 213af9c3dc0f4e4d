//! The formats of histogram tools.

use super::figures::Metric;
use crate::clock::Nanos;
use crate::record::Record;
use meter::formats::{self, IntervalLog};
use std::io;
use std::time::{Duration, SystemTime};

/// All distributions as rows, a column saying which.
pub fn csv(record: &Record, closed_loop: bool) -> io::Result<Vec<u8>> {
    let mut out = format!("{}\n", formats::CSV_HEADER).into_bytes();
    for metric in Metric::ALL {
        if let Some(times) = metric.of(record, closed_loop)
            && !times.is_empty()
        {
            formats::csv_rows(metric.name(), times, &mut out)?;
        }
    }
    Ok(out)
}

/// The first figure's distribution, requests that were given up with the time they had been waited for.
pub fn hgrm(record: &Record, closed_loop: bool) -> io::Result<Vec<u8>> {
    let (answered, given_up) = if closed_loop {
        (&record.service, &record.censored_service)
    } else {
        (&record.response, &record.censored_response)
    };
    let mut all = answered.clone();
    // Both have the same bounds.
    let _ = all.add(given_up);
    let mut out = Vec::new();
    formats::hgrm(&all, &mut out)?;
    Ok(out)
}

/// A log that grows by the second.
pub struct Log {
    log: IntervalLog,
    reached: Nanos,
    closed_loop: bool,
}

impl Log {
    /// An empty one.
    pub fn new(closed_loop: bool) -> Self {
        let comment = format!(
            "archbench load {}; nanoseconds; untagged: {}",
            env!("CARGO_PKG_VERSION"),
            if closed_loop {
                "service time"
            } else {
                "response time"
            }
        );
        Self {
            log: IntervalLog::new(SystemTime::now(), &comment),
            reached: 0,
            closed_loop,
        }
    }

    /// Adds what was recorded up to `end`.
    pub fn add(&mut self, record: &Record, end: Nanos) {
        let from = Duration::from_nanos(self.reached);
        let length = Duration::from_nanos(end.saturating_sub(self.reached));
        self.reached = end;
        let metrics = [Metric::Response, Metric::Service, Metric::Wait, Metric::Lag];
        for metric in metrics {
            if self.closed_loop && metric == Metric::Service {
                continue;
            }
            let tag = (metric != Metric::Response).then(|| metric.name());
            if let Some(times) = metric.of(record, self.closed_loop) {
                self.log.add(times, from, length, tag);
            }
        }
    }

    /// The log so far.
    pub fn text(&self) -> &[u8] {
        self.log.text()
    }
}
