//! The complementary cumulative distribution: which share of requests took longer; the tail, enlarged.

use super::overlay::{Overlay, Subject, chart};
use crate::figure::{Axis, Figure, Point, Unit};

pub(crate) fn of(subject: &Subject, overlays: &[Overlay]) -> Option<Figure> {
    let what = (
        "ccdf",
        "Tail of latency",
        "The share of requests that took longer, on a log axis: each line down is ten times rarer.",
    );
    let axes = (
        Axis::log(&subject.times, Unit::Seconds),
        Axis::log("Share of requests that took longer", Unit::Share),
    );
    chart(
        what,
        subject,
        axes,
        overlays,
        |time, share, distribution| {
            // The slowest one has nothing beyond it; it stands at itself.
            Point::at(
                time,
                (1.0 - share).max(1.0 / distribution.count.max(1) as f64),
            )
        },
    )
}
