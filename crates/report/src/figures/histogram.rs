//! How often which latency occurred: a row for each, so that none covers another.

use super::overlay::{Overlay, Subject, marked};
use super::sweep::titled;
use crate::figure::{Axis, Content, Figure, Mark, Row, Rows, Unit};

/// Steps of equal ratio.
const TO_A_DECADE: f64 = 20.0;

pub(crate) fn of(subject: &Subject, overlays: &[Overlay]) -> Option<Figure> {
    let rows = overlays.iter().filter_map(|overlay| {
        let bins = overlay.distribution.bins(TO_A_DECADE)?;
        let (from, to, highest) = *bins.iter().max_by(|one, other| one.2.total_cmp(&other.2))?;
        let hover = format!(
            "most often between {} and {}: {} of requests",
            Unit::Seconds.show(from),
            Unit::Seconds.show(to),
            Unit::Share.show(highest)
        );
        Some(Row {
            label: marked(&overlay.label, overlay.invalid),
            look: overlay.look,
            mark: Mark::Ridge(
                bins.iter()
                    .map(|(from, to, share)| (*from, *to, share / highest))
                    .collect(),
            ),
            hover,
            invalid: overlay.invalid,
        })
    });
    let rows: Vec<Row> = rows.collect();
    (!rows.is_empty()).then(|| Figure {
        id: subject.identifier("histogram"),
        title: titled("Histogram of latency", &subject.name),
        about: "How often each latency occurred, in steps of a twentieth of a decade; each row is scaled to its own highest step.".into(),
        content: Content::Rows(Rows {
            x: Axis::log(&subject.times, Unit::Seconds),
            rows,
        }),
    })
}
