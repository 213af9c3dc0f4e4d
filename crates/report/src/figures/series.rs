//! How it went by the second.

use super::overlay::{Subject, marked};
use super::sweep::titled;
use crate::figure::{Axis, Chart, Content, Figure, Look, Point, Series, Unit};

/// What happened in each second.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    pub(crate) label: String,
    pub(crate) look: Look,
    pub(crate) invalid: bool,
    pub(crate) seconds: Vec<SeriesPoint>,
}

/// One of them, or whatever the interval was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SeriesPoint {
    /// Its middle, since the start.
    pub(crate) at: f64,
    /// Answers per second.
    pub(crate) rate: f64,
    /// The 99th percentile in seconds; None without answers and requests that were given up.
    pub(crate) tail: Option<f64>,
    /// Whether that is only a lower bound.
    pub(crate) at_least: bool,
}

/// An interval that is shorter, in seconds.
const FRAGMENT: f64 = 0.2;

/// Points with labels, at most; the others are parts of the line.
const LABELLED: usize = 20;

impl Course {
    /// From a log's intervals, of which nothing before `measured_from` (in seconds) was recorded.
    pub(crate) fn of(
        label: &str,
        look: Look,
        invalid: bool,
        log: &results::Hlog,
        measured_from: f64,
    ) -> Option<Self> {
        let seconds = log.of(None).filter_map(|interval| {
            let start = interval.start.as_secs_f64();
            let (at, length) = measured(
                (start, start + interval.length.as_secs_f64()),
                measured_from,
            )?;
            let times = log.times_of(interval);
            let tail = times.quantile(0.99);
            Some(SeriesPoint {
                at,
                rate: (times.len() - times.given_up()) as f64 / length,
                tail: (!times.is_empty()).then_some(tail.value as f64 * 1e-9),
                at_least: tail.at_least,
            })
        });
        let seconds: Vec<SeriesPoint> = seconds.collect();
        (seconds.len() > 1).then(|| Self {
            label: label.into(),
            look,
            invalid,
            seconds,
        })
    }
}

/// The middle of what was measured of an interval, and its length; None of a fragment, whose rate is chance.
pub(crate) fn measured((start, end): (f64, f64), from: f64) -> Option<(f64, f64)> {
    let start = start.max(from);
    let length = end - start;
    (length >= FRAGMENT).then_some((start + length / 2.0, length))
}

/// Throughput over time.
pub(crate) fn throughput(subject: &Subject, courses: &[Course]) -> Option<Figure> {
    let axis = Axis::linear("Throughput (requests/s)", Unit::PerSecond);
    let what = (
        "series-throughput",
        "Throughput by the second",
        "Of one repeat of each.",
    );
    figure(what, subject, axis, courses, |second| {
        Some((second.rate, false))
    })
}

/// The tail over time.
pub(crate) fn tail(subject: &Subject, courses: &[Course]) -> Option<Figure> {
    let axis = Axis::log(
        &format!("{}, 99th percentile", subject.times),
        Unit::Seconds,
    );
    let what = (
        "series-p99",
        "99th percentile by the second",
        "Of one repeat of each. A stall shows as a spike that a mean would hide. ≥ marks lower bounds: requests were given up.",
    );
    figure(what, subject, axis, courses, |second| {
        Some((second.tail?, second.at_least))
    })
}

/// A line through values over time, in order; some of them are labelled, and marked where they are not to be believed.
pub(crate) fn over_time(
    who: (&str, Look, bool),
    unit: Unit,
    values: impl Iterator<Item = (f64, f64)>,
) -> Series {
    bounded_over_time(who, unit, values.map(|(at, value)| (at, value, false)))
}

/// The same through values of which some are only lower bounds; those are all labelled.
fn bounded_over_time(
    (label, look, invalid): (&str, Look, bool),
    unit: Unit,
    values: impl Iterator<Item = (f64, f64, bool)>,
) -> Series {
    let values: Vec<_> = values.collect();
    let every = values.len().div_ceil(LABELLED).max(1);
    let points = values.iter().enumerate().map(|(place, value)| {
        let &(at, value, at_least) = value;
        let point = Point::at(at, value);
        if place % every != 0 && !at_least {
            return point;
        }
        let bound = if at_least { "≥ " } else { "" };
        let words = format!("at {}: {bound}{}", Unit::Clock.show(at), unit.show(value));
        Point {
            invalid,
            ..point.labelled(words)
        }
    });
    Series {
        joined: true,
        label: marked(label, invalid),
        look,
        points: points.collect(),
    }
}

fn figure(
    (id, title, about): (&str, &str, &str),
    subject: &Subject,
    y: Axis,
    courses: &[Course],
    of: impl Fn(&SeriesPoint) -> Option<(f64, bool)>,
) -> Option<Figure> {
    let unit = y.unit;
    let series = courses.iter().map(|course| {
        let seconds = course.seconds.iter();
        let values = seconds.filter_map(|second| {
            let (value, at_least) = of(second)?;
            Some((second.at, value, at_least))
        });
        bounded_over_time((&course.label, course.look, course.invalid), unit, values)
    });
    let series: Vec<Series> = series.filter(|series| series.points.len() > 1).collect();
    let ys = series.iter().flat_map(|series| &series.points);
    let kind = super::sweep::fitting(y.kind, ys.map(|point| point.y));
    let y = Axis {
        kind,
        from_zero: true,
        ..y
    };
    (!series.is_empty()).then(|| Figure {
        id: subject.identifier(id),
        title: titled(title, &subject.name),
        about: about.into(),
        content: Content::Chart(Chart {
            x: Axis::linear("Time since the start (s)", Unit::Clock),
            y,
            series,
        }),
    })
}
