//! Processor time of the server for each request.

use super::sweep::{Quantity, figures};
use crate::estimate::named;
use crate::figure::{Figure, Kind, Unit};
use crate::study::Study;

pub(crate) fn of(study: &Study<'_>) -> Vec<Figure> {
    let quantity = Quantity {
        id: "cpu",
        title: "Processor time for each request",
        about: "Time that all processes of the server spent on a processor, in user mode and in the kernel, for each request answered.",
        axis: "Processor time for each request",
        unit: Unit::Seconds,
        kind: Kind::Linear,
    };
    figures(study, &quantity, |cell| {
        named(cell, results::Figure::CpuPerRequest)
    })
}
