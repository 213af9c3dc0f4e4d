//! Latency by percentile, as the HdrHistogram tools draw it.

use super::overlay::{Overlay, Subject, chart};
use crate::figure::{Axis, Figure, Point, ScaleKind, Unit};

pub(crate) fn of(subject: &Subject, overlays: &[Overlay]) -> Option<Figure> {
    let what = (
        "percentiles",
        "Latency by percentile",
        "Each further nine is as wide as the one before, so that the slowest of a thousand has as much room as the slowest of ten.",
    );
    let x = Axis {
        kind: ScaleKind::Nines,
        ..Axis::linear("Share of requests", Unit::Share)
    };
    chart(
        what,
        subject,
        (x, Axis::log(&subject.times, Unit::Seconds)),
        overlays,
        |time, share, distribution| {
            let finest = 1.0 - 1.0 / distribution.count.max(2) as f64;
            Point::at(share.min(finest), time)
        },
    )
}
