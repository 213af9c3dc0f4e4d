//! Context switches of the server for each request.

use super::sweep::{Quantity, figures};
use crate::estimate::named;
use crate::figure::{Figure, Kind, Unit};
use crate::study::Study;

pub(crate) fn of(study: &Study<'_>) -> Vec<Figure> {
    let quantity = Quantity {
        id: "switches",
        title: "Context switches for each request",
        about: "Voluntary and involuntary ones of all threads of the server, for each request answered.",
        axis: "Context switches for each request",
        unit: Unit::Plain,
        kind: Kind::Linear,
    };
    figures(study, &quantity, |cell| {
        named(cell, results::Figure::SwitchesPerRequest)
    })
}
