//! Distributions that are drawn over each other.

use crate::distribution::Distribution;
use crate::figure::{Axis, Chart, Content, Figure, Kind, Look, Point, Series};
use crate::quantity::Unit;
use crate::study::{Panel, Study};

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

/// Shares of requests that are marked on every line.
pub(crate) const MARKED: [f64; 6] = [0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999];

/// The distributions of the cells of a panel at one level of its axis.
pub(crate) fn overlays(study: &Study<'_>, panel: &Panel<'_>, level: f64) -> Vec<Overlay> {
    let mut overlays = Vec::new();
    for line in &panel.lines {
        let Some((_, cell)) = line.cells.iter().find(|(x, _)| *x == level) else {
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
    let series = overlays.iter().map(|overlay| {
        let distribution = &overlay.distribution;
        let line = distribution
            .steps
            .iter()
            .map(|(time, share)| (*share, place(*time, *share, distribution)));
        // Where distances shrink with each nine, markers would lie on each other.
        let marked = if y.kind == Kind::Linear && x.kind != Kind::Nines {
            3
        } else {
            MARKED.len()
        };
        let marks = MARKED[..marked].iter().filter_map(|share| {
            let time = distribution
                .quantile(*share)
                .filter(|_| (1.0 - share) * distribution.count as f64 >= 1.0)?;
            let label = format!(
                "{} within {}",
                Unit::Share.tick(*share),
                Unit::Seconds.show(time)
            );
            Some((*share, place(time, *share, distribution).labelled(label)))
        });
        let last = distribution.steps.last().map(|(time, share)| {
            let label = match distribution.answered {
                1.0 => format!("the slowest took {}", Unit::Seconds.show(*time)),
                answered => format!("{} were never answered", Unit::Share.show(1.0 - answered)),
            };
            (*share, place(*time, *share, distribution).labelled(label))
        });
        let mut points: Vec<(f64, Point)> = line.chain(marks).chain(last).collect();
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        Series {
            joined: distribution.histogram.is_some() || distribution.steps.len() > 20,
            label: match overlay.invalid {
                true => format!("{} (INVALID)", overlay.label),
                false => overlay.label.clone(),
            },
            look: overlay.look,
            points: points
                .into_iter()
                .map(|(_, point)| Point {
                    invalid: overlay.invalid && point.label.is_some(),
                    ..point
                })
                .collect(),
        }
    });
    let series: Vec<Series> = series.collect();
    (!series.is_empty()).then(|| Figure {
        id: match subject.id.as_str() {
            "" => id.into(),
            subject => format!("{id}-{subject}"),
        },
        title: super::sweep::titled(title, &subject.name),
        about: about.into(),
        content: Content::Chart(Chart { x, y, series }),
    })
}
