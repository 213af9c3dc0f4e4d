//! The cumulative distribution: which share of requests took no longer.

use super::overlay::{Overlay, Subject, chart};
use crate::figure::{Axis, Figure, Point, Unit};

pub(crate) fn of(subject: &Subject, overlays: &[Overlay]) -> Option<Figure> {
    let what = (
        "cdf",
        "Distribution of latency",
        "The share of requests that took no longer. Markers stand at 50, 90 and 99 % and at the slowest; what lies between them is in the figure of the tail.",
    );
    let y = Axis {
        limits: Some((0.0, 1.0)),
        ..Axis::linear("Share of requests", Unit::Share)
    };
    let axes = (Axis::log(&subject.times, Unit::Seconds), y);
    chart(what, subject, axes, overlays, |time, share, _| {
        Point::at(time, share)
    })
}
