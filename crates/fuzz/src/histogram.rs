//! Histogram logs.

use std::io::Write;
use std::time::{Duration, SystemTime};

use base64::Engine;
use flate2::{Compression, write::ZlibEncoder};
use hdrhistogram::Histogram;
use meter::formats::{CsvTimes, IntervalLog};
use results::Hlog;
use results::hlog::Interval;

/// The cookies of the format's second version, plain and compressed.
const PLAIN: u32 = 0x1c84_9313;
const COMPRESSED: u32 = 0x1c84_9314;
/// More places than a histogram of ours has.
const LARGE: usize = 1 << 16;

/// Reads `bytes` as a log, and as what is inside one: a fuzzer would not come through base 64 and zlib.
///
/// # Panics
/// When what was read is not what would be written.
pub fn check(bytes: &[u8]) {
    read(bytes);
    read(&log(bytes));
    if let Some((digits, payload)) = bytes.split_first() {
        read(&log(&plain(u32::from(digits % 4), 1, 1 << 30, payload)));
    }
}

/// A histogram with a sound head.
fn plain(digits: u32, low: u64, high: u64, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in [PLAIN, payload.len() as u32, 0, digits] {
        bytes.extend(word.to_be_bytes());
    }
    for long in [low, high, 1.0_f64.to_bits()] {
        bytes.extend(long.to_be_bytes());
    }
    bytes.extend(payload);
    bytes
}

/// A log of one interval.
fn log(histogram: &[u8]) -> Vec<u8> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    let packed = zlib.write_all(histogram).and_then(|()| zlib.finish());
    let packed = packed.expect("memory takes what is written");
    let mut bytes = COMPRESSED.to_be_bytes().to_vec();
    bytes.extend((packed.len() as u32).to_be_bytes());
    bytes.extend(packed);
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    format!("#[a comment]\nTag=a,0.5,1.0,2.0,{text}\n").into_bytes()
}

fn read(bytes: &[u8]) {
    let log = match Hlog::parse(bytes) {
        Ok(log) => log,
        Err(what) => return assert!(!what.is_empty()),
    };
    // Some have millions of places, and looking at them would be all that is done.
    let is_small = |interval: &&Interval| interval.histogram.distinct_values() < LARGE;
    let mut again = IntervalLog::new(SystemTime::UNIX_EPOCH, "");
    for interval in log.intervals.iter().filter(is_small) {
        let Hlog { intervals, .. } = {
            let mut one = IntervalLog::new(SystemTime::UNIX_EPOCH, "");
            one.add(
                &interval.histogram,
                interval.start,
                interval.length,
                interval.tag.as_deref(),
            );
            Hlog::parse(one.text()).expect("what we write we read")
        };
        assert_eq!(intervals.len(), 1);
        same(&interval.histogram, &intervals[0].histogram);
        again.add(&interval.histogram, Duration::ZERO, Duration::ZERO, None);
        look(&interval.histogram);
    }
    if log.intervals.iter().all(|interval| is_small(&interval)) {
        for tag in [None, Some("a"), Some("service")] {
            if let Some(all) = log.merged(tag) {
                look(&all);
            }
        }
    }
    let count = Hlog::parse(again.text()).map(|log| log.intervals.len());
    assert_eq!(count, Ok(log.intervals.iter().filter(is_small).count()));
}

fn same(one: &Histogram<u64>, other: &Histogram<u64>) {
    assert_eq!(one.len(), other.len());
    for quantile in [0.0, 0.5, 0.99, 1.0] {
        assert_eq!(
            one.value_at_quantile(quantile),
            other.value_at_quantile(quantile)
        );
    }
}

/// What tables, figures and exports ask of a histogram.
fn look(histogram: &Histogram<u64>) {
    let mut out = Vec::new();
    let written = meter::formats::hgrm(histogram, &mut out).and_then(|()| {
        meter::formats::csv_rows(
            CsvTimes {
                metric: "x",
                histogram,
                bounds_from: None,
                verdict: "VALID",
            },
            &mut out,
        )
    });
    written.expect("memory takes what is written");
    assert!(histogram.value_at_quantile(0.5) <= histogram.value_at_quantile(0.99));
}
