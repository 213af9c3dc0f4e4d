//! Histograms as files that other tools open.
//!
//! | format | opened by |
//! | --- | --- |
//! | [`hgrm`] | the HdrHistogram plotter, and whatever reads the output of `wrk2` |
//! | [`IntervalLog`] (hlog) | HistogramLogProcessor, HistogramLogAnalyzer, the HdrHistogram libraries |
//! | [`csv_rows`] | spreadsheets |
//!
//! Histograms here hold nanoseconds. Files hold what is usual in each format: milliseconds in `hgrm`, nanoseconds in the log, microseconds in CSV.
//!
//! A request that was given up is a value too, the time that it had been waited for; from the least of these on, values are lower bounds. Each
//! format marks them in its own way: `hgrm` with a [comment](bounds_comment), the log with a [tag](given_up_tag) of their own, CSV with a column.

mod interval_log;

use hdrhistogram::Histogram;
pub use interval_log::IntervalLog;
use std::io::{self, Write};

/// Steps of the percentile axis for each halving of the distance to 100 %.
const TICKS: u32 = 5;
const NANOS_PER_MS: f64 = 1e6;

/// Writes the percentile distribution as `HdrHistogram.outputPercentileDistribution` does, in milliseconds.
///
/// # Errors
/// What `out` reports.
pub fn hgrm(histogram: &Histogram<u64>, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{:>12} {:>14} {:>10} {:>14}\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    )?;
    for step in steps(histogram) {
        let value = step.nanos as f64 / NANOS_PER_MS;
        write!(out, "{value:12.3} {:2.12} {:10}", step.quantile, step.count)?;
        match step.quantile {
            quantile if quantile < 1.0 => writeln!(out, " {:14.2}", 1.0 / (1.0 - quantile))?,
            _ => writeln!(out)?,
        }
    }
    let mean = mean(histogram) / NANOS_PER_MS;
    let deviation = if histogram.is_empty() {
        0.0
    } else {
        histogram.stdev() / NANOS_PER_MS
    };
    let max = histogram.max() as f64 / NANOS_PER_MS;
    writeln!(
        out,
        "#[Mean    = {mean:12.3}, StdDeviation   = {deviation:12.3}]"
    )?;
    writeln!(
        out,
        "#[Max     = {max:12.3}, Total count    = {:12}]",
        histogram.len()
    )?;
    writeln!(
        out,
        "#[Buckets = {:12}, SubBuckets     = {:12}]",
        histogram.buckets(),
        2048
    )
}

/// What comes before a verdict in a comment.
const VERDICT: &str = "Verdict: ";

/// A line that readers of `hgrm` and of the log pass over; whatever would end it early is taken out.
pub fn comment(text: &str) -> String {
    let text: String = text.chars().filter(|letter| !letter.is_control()).collect();
    format!("#[{text}]\n")
}

/// The text of a comment that says whether the figures of a file may be believed: VALID, SUSPECT or INVALID.
pub fn verdict_comment(verdict: impl std::fmt::Display) -> String {
    format!("{VERDICT}{verdict}")
}

/// What such comments in a file say: one that was put together from several has several.
pub fn verdicts_of(text: &str) -> impl Iterator<Item = &str> {
    let comments = text.lines().filter_map(|line| line.strip_prefix("#["));
    let verdicts = comments.filter_map(|comment| comment.strip_prefix(VERDICT));
    verdicts.map(|verdict| verdict.trim_end().trim_end_matches(']'))
}

/// What comes before what [`bounds_comment`] says.
const GIVEN_UP: &str = "Given up";
const BOUNDS_FROM: &str = "Lower bounds from";

/// The text of a comment in `hgrm` that says how many of the values were given up, and from which one on (in nanoseconds) values are lower bounds.
pub fn bounds_comment(given_up: u64, from: u64) -> String {
    let from = from as f64 / NANOS_PER_MS;
    format!("{GIVEN_UP} = {given_up:11}, {BOUNDS_FROM} = {from:11.3}")
}

/// What such a comment in a file says: how many, and from which value on, in the unit of the file.
pub fn bounds_of(text: &str) -> Option<(u64, f64)> {
    let comments = text
        .lines()
        .filter_map(|line| line.strip_prefix("#[")?.strip_suffix(']'));
    let mut fields =
        comments.filter_map(|comment| comment.strip_prefix(GIVEN_UP)?.split_once(BOUNDS_FROM));
    let (given_up, from) = fields.next()?;
    let bare = |field: &str| field.trim_matches([' ', '=', ',']).to_owned();
    Some((bare(given_up).parse().ok()?, bare(from).parse().ok()?))
}

/// The tag of the values that were given up among those of `tag`. They are under both.
pub fn given_up_tag(tag: Option<&str>) -> String {
    match tag {
        None => "given_up".to_owned(),
        Some(tag) => format!("{tag}_given_up"),
    }
}

/// The columns of [`csv_rows`].
pub const CSV_HEADER: &str =
    "metric,value_us,percentile,count,one_by_one_minus_percentile,at_least,verdict";

/// A distribution in CSV, and what is said of it in each row.
#[derive(Debug, Clone, Copy)]
pub struct CsvTimes<'a> {
    /// Which metric it is of.
    pub metric: &'a str,
    /// Its values, those that were given up among them.
    pub histogram: &'a Histogram<u64>,
    /// The value from which on they are lower bounds, if any was given up.
    pub bounds_from: Option<u64>,
    /// Whether they may be believed: VALID, SUSPECT or INVALID.
    pub verdict: &'a str,
}

/// Writes the percentile distribution as rows of comma-separated values, in microseconds. Of a distribution without values, a row that says so.
///
/// # Errors
/// What `out` reports.
pub fn csv_rows(times: CsvTimes<'_>, out: &mut impl Write) -> io::Result<()> {
    let CsvTimes {
        metric, verdict, ..
    } = times;
    if times.histogram.is_empty() {
        return writeln!(out, "{metric},,,0,,,{verdict}");
    }
    for step in steps(times.histogram) {
        let (us, percentile) = (step.nanos as f64 / 1e3, step.quantile * 100.0);
        let ratio = match step.quantile {
            quantile if quantile < 1.0 => format!("{:.2}", 1.0 / (1.0 - quantile)),
            _ => "inf".to_owned(),
        };
        let at_least = times.bounds_from.is_some_and(|from| from <= step.nanos);
        writeln!(
            out,
            "{metric},{us:.3},{percentile:.10},{},{ratio},{at_least},{verdict}",
            step.count
        )?;
    }
    Ok(())
}

struct Step {
    nanos: u64,
    quantile: f64,
    count: u64,
}

fn steps(histogram: &Histogram<u64>) -> impl Iterator<Item = Step> {
    let mut count = 0;
    histogram.iter_quantiles(TICKS).map(move |step| {
        count += step.count_since_last_iteration();
        Step {
            nanos: step.value_iterated_to().min(histogram.max()),
            quantile: step.quantile_iterated_to(),
            count,
        }
    })
}

fn mean(histogram: &Histogram<u64>) -> f64 {
    if histogram.is_empty() {
        0.0
    } else {
        histogram.mean()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn thousand() -> Histogram<u64> {
        let mut histogram = Histogram::new_with_bounds(1, 3_600_000_000_000, 3).unwrap();
        (1..=1000).for_each(|ms| histogram.saturating_record(ms * 1_000_000));
        histogram
    }

    #[test]
    fn hgrm_is_the_percentile_distribution_in_milliseconds() {
        let mut text = Vec::new();
        hgrm(&thousand(), &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.starts_with("       Value     Percentile TotalCount 1/(1-Percentile)\n\n"));
        let rows: Vec<Vec<f64>> = text
            .lines()
            .skip(2)
            .filter(|line| !line.starts_with('#'))
            .map(|line| {
                line.split_whitespace()
                    .map(|field| field.parse().unwrap())
                    .collect()
            })
            .collect();
        let median = rows.iter().find(|row| row[1] >= 0.5).unwrap();
        assert!(
            (median[0] - 500.0).abs() < 1.0 && median[2] == 500.0,
            "{median:?}"
        );
        let last = rows.last().unwrap();
        assert_eq!((last[1], last[2], last.len()), (1.0, 1000.0, 3));
        assert!(text.contains("#[Mean    =      500.5"), "{text}");
        hgrm(&Histogram::new(3).unwrap(), &mut Vec::new()).unwrap();
    }

    #[test]
    fn csv_has_one_row_for_each_step() {
        let mut text = Vec::new();
        let times = CsvTimes {
            metric: "response_time",
            histogram: &thousand(),
            bounds_from: Some(900_000_000),
            verdict: "VALID",
        };
        csv_rows(times, &mut text).unwrap();
        let none = CsvTimes {
            metric: "session",
            histogram: &Histogram::new(3).unwrap(),
            ..times
        };
        csv_rows(none, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
        let columns = CSV_HEADER.split(',').count();
        assert!(rows.iter().all(|row| row.len() == columns), "{text}");
        let (none, some) = rows.split_last().unwrap();
        assert_eq!(none[..], ["session", "", "", "0", "", "", "VALID"]);
        assert_eq!(
            some.last().unwrap()[2..5],
            ["100.0000000000", "1000", "inf"]
        );
        for row in some {
            let us: f64 = row[1].parse().unwrap();
            assert_eq!(row[5], (us >= 900_000.0).to_string(), "{row:?}");
            assert_eq!(row[6], "VALID");
        }
    }

    #[test]
    fn what_was_given_up_is_said_in_a_comment_and_read_back() {
        let line = comment(&bounds_comment(12, 2_000_683_000));
        assert_eq!(
            line,
            "#[Given up =          12, Lower bounds from =    2000.683]\n"
        );
        assert_eq!(bounds_of(&format!("1 2\n{line}")), Some((12, 2000.683)));
        for text in [
            "",
            "#[Given up]",
            "#[Given up = x, Lower bounds from = 1]",
            "Given up = 1",
        ] {
            assert_eq!(bounds_of(text), None, "{text}");
        }
    }
}
