//! Requests answered each second.

use super::sweep::{Quantity, figures};
use crate::estimate::named;
use crate::figure::{Content, Figure, Look, Point, ScaleKind, Series, Unit};
use crate::study::Study;
use results::Better;

const QUANTITY: Quantity = Quantity {
    id: "throughput",
    title: "Throughput",
    about: "Good answers each second: the median over repeats, with its 95\u{a0}% interval.",
    axis: "Throughput (requests/s)",
    unit: Unit::PerSecond,
    kind: ScaleKind::Linear,
    better: Better::Higher,
};

pub(crate) fn of(study: &Study<'_>) -> Vec<Figure> {
    let mut figures = figures(study, &QUANTITY, |cell| {
        named(cell, results::Figure::Throughput)
    });
    let by_rate = study
        .panels
        .iter()
        .filter(|panel| panel.is_by_rate())
        .map(|panel| super::sweep::identifier(QUANTITY.id, panel));
    let by_rate: Vec<String> = by_rate.collect();
    for figure in figures
        .iter_mut()
        .filter(|figure| by_rate.contains(&figure.id))
    {
        answer_to_all(figure);
    }
    figures
}

/// Adds the line on which everything that is asked for is answered.
fn answer_to_all(figure: &mut Figure) {
    let Content::Chart(chart) = &mut figure.content else {
        return;
    };
    let most = chart
        .series
        .iter()
        .flat_map(|series| &series.points)
        .map(|point| point.x)
        .fold(0.0, f64::max);
    chart.series.insert(
        0,
        Series {
            joined: true,
            label: "all that is asked for".into(),
            look: Look::Theory(0),
            points: vec![Point::at(0.0, 0.0), Point::at(most * 1.05, most * 1.05)],
        },
    );
}
