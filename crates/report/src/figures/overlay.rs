//! Distributions that are drawn over each other.

use crate::distribution::Distribution;
use crate::figure::{Axis, Chart, Content, Figure, Look, Point, ScaleKind, Series};
use crate::study::{Panel, Study};
use command::quantity::Unit;

/// A distribution and whose it is.
#[derive(Debug, Clone)]
pub(crate) struct Overlay {
    pub(crate) label: String,
    pub(crate) look: Look,
    pub(crate) distribution: Distribution,
    pub(crate) invalid: bool,
}

/// What is said of all figures of one set of overlays.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// The end of identifiers.
    pub(crate) id: String,
    /// The end of titles.
    pub(crate) name: String,
    /// What the times are, like `Response time`.
    pub(crate) times: String,
}

impl Subject {
    /// The identifier of a figure about it.
    pub(crate) fn identifier(&self, figure: &str) -> String {
        match self.id.as_str() {
            "" => figure.into(),
            subject => format!("{figure}-{subject}"),
        }
    }
}

/// Shares of requests that are marked on every line.
pub(crate) const MARKED: [f64; 6] = [0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999];

/// Steps that are too few for a line through them.
const FEW: usize = 20;

/// A name in a legend.
pub(crate) fn marked(label: &str, invalid: bool) -> String {
    match invalid {
        true => format!("{label} (INVALID)"),
        false => label.into(),
    }
}

/// The distributions of the cells of a panel at one level of its axis.
pub(crate) fn overlays(study: &Study<'_>, panel: &Panel<'_>, level: f64) -> Vec<Overlay> {
    let mut overlays = Vec::new();
    for line in &panel.lines {
        let Some(cell) = line.at(level) else {
            continue;
        };
        if let Some((distribution, invalid)) = Distribution::of_cell(study, cell) {
            overlays.push(Overlay {
                label: line.model.clone(),
                look: line.look,
                distribution,
                invalid,
            });
        }
    }
    overlays
}

/// A chart with a line for each of them: `place` says where a time and the share of requests it is enough for are drawn.
pub(crate) fn chart(
    (id, title, about): (&str, &str, &str),
    subject: &Subject,
    (x, y): (Axis, Axis),
    overlays: &[Overlay],
    place: impl Fn(f64, f64, &Distribution) -> Point,
) -> Option<Figure> {
    // Where distances shrink with each nine, markers of further nines would lie on each other.
    let dense = y.kind == ScaleKind::Linear && x.kind != ScaleKind::Nines;
    let marks = if dense { &MARKED[..3] } else { &MARKED };
    let series = overlays.iter().map(|overlay| {
        let distribution = &overlay.distribution;
        let joined = distribution.histogram.is_some() || distribution.steps.len() > FEW;
        let points = labelled(distribution, if joined { marks } else { &[] }, joined).into_iter();
        // Up to one in a hundred lies on the very edge of an axis of nines: a stroke down to the quickest of all, which takes half the room.
        let points = points.filter(|(_, share, label)| {
            x.kind != ScaleKind::Nines || *share >= 0.01 || label.is_some()
        });
        Series {
            joined,
            label: marked(&overlay.label, overlay.invalid),
            look: overlay.look,
            points: points
                .map(|(time, share, label)| Point {
                    invalid: overlay.invalid && label.is_some(),
                    label,
                    ..place(time, share, distribution)
                })
                .collect(),
        }
    });
    let series: Vec<Series> = series.collect();
    (!series.is_empty()).then(|| Figure {
        id: subject.identifier(id),
        title: super::sweep::titled(title, &subject.name),
        about: about.into(),
        content: Content::Chart(Chart { x, y, series }),
    })
}

/// The steps of a distribution with, in between, those that are marked; all are, if no line joins them.
fn labelled(
    distribution: &Distribution,
    marks: &[f64],
    joined: bool,
) -> Vec<(f64, f64, Option<String>)> {
    let within = |time: f64, share: f64| {
        Some(format!(
            "{} within {}",
            Unit::Share.tick(share),
            Unit::Seconds.show(time)
        ))
    };
    let line = distribution.steps.iter().map(|(time, share)| {
        let label = if joined { None } else { within(*time, *share) };
        (*time, *share, label)
    });
    let marks = marks.iter().filter_map(|share| {
        // One request in a thousand is no percentile of a hundred.
        let known = (1.0 - share) * distribution.count as f64 >= 1.0;
        let time = distribution.quantile(*share).filter(|_| known)?;
        Some((time, *share, within(time, *share)))
    });
    let last = distribution
        .steps
        .last()
        .filter(|(_, share)| *share >= distribution.answered);
    let last = last.map(|(time, share)| {
        let label = match distribution.answered {
            1.0 => format!("the slowest took {}", Unit::Seconds.show(*time)),
            answered => format!(
                "{} took longer, or were never answered",
                Unit::Share.show(1.0 - answered)
            ),
        };
        (*time, *share, Some(label))
    });
    let mut all: Vec<_> = line.chain(marks).chain(last).collect();
    all.sort_by(|one, other| one.1.total_cmp(&other.1));
    all
}
