//! Series over two axes.

use super::axes::{self, Plot};
use super::canvas::{Canvas, Drawn, Group, Place, interval, line};
use super::legend::Legend;
use super::{Frame, marker};
use crate::error::Error;
use crate::figure::{Chart, Figure, Look, ScaleKind, Series};

const RADIUS: f64 = 3.6;

pub(crate) fn draw(figure: &Figure, chart: &Chart, frame: Frame) -> Result<String, Error> {
    let (width, title) = (
        f64::from(frame.width),
        if frame.titled { axes::TITLED } else { 4.0 },
    );
    let entries = chart
        .series
        .iter()
        .map(|series| (series.label.as_str(), series.look));
    let points = || chart.series.iter().flat_map(|series| &series.points);
    let invalid = points().any(|point| point.invalid);
    let legend = Legend::new(entries, invalid, width - 20.0);
    // A legend of many rows makes the picture higher, not the plot lower.
    let height = f64::from(frame.height) + (legend.height() - 50.0).max(0.0);
    let mut canvas = Canvas::new(width, height);
    let top = title + legend.height() + axes::ABOVE;
    let plot = plot(chart, (width, top, height - axes::BELOW));
    if frame.titled {
        axes::title(&mut canvas, &figure.title)?;
    }
    legend.draw(&mut canvas, (10.0, title))?;
    axes::horizontal(&mut canvas, &plot, &chart.x)?;
    axes::vertical(&mut canvas, &plot, &chart.y)?;
    for (index, series) in chart.series.iter().enumerate() {
        draw_series(&mut canvas, &plot, index, series)?;
    }
    for (index, series) in chart.series.iter().enumerate() {
        let hits = series
            .points
            .iter()
            .filter(|point| plot.holds(point.x, point.y))
            .filter_map(|point| {
                let words = format!("{}\n{}", series.label, point.label.as_ref()?);
                Some((plot.place(point.x, point.y)?, words))
            });
        canvas.hits(index, &hits.collect::<Vec<_>>());
    }
    Ok(canvas.finish(&figure.id, &figure.title, &figure.about))
}

fn plot(chart: &Chart, (width, top, bottom): (f64, f64, f64)) -> Plot {
    let measured = |series: &&Series| matches!(series.look, Look::Measured(_));
    // Theory runs to infinity; what was measured says how far one looks.
    let shown: Vec<_> = match chart.series.iter().any(|series| measured(&series)) {
        true => chart.series.iter().filter(measured).collect(),
        false => chart.series.iter().collect(),
    };
    let points = || shown.iter().flat_map(|series| &series.points);
    let x = axes::scale(&chart.x, points().map(|point| point.x));
    let ys = points().map(|point| point.y).collect();
    let ranges = points().filter_map(|point| point.range);
    let y = axes::scale(&chart.y, axes::with_ranges(ys, ranges).into_iter());
    Plot {
        left: 10.0 + axes::labels_width(&chart.y, &y, bottom - top),
        right: width - axes::RIGHT,
        top,
        bottom,
        x,
        y,
    }
}

fn draw_series(canvas: &mut Canvas, plot: &Plot, index: usize, series: &Series) -> Drawn {
    let class = format!("series {}", series.look.class());
    let theory = matches!(series.look, Look::Theory(_));
    let group = Group {
        class: &class,
        colour: series.look.colour(),
        series: Some(index),
        ..Group::default()
    };
    let dashed = Group {
        dashes: series.look.dashes(),
        ..group
    };
    canvas.group(&dashed, |area| {
        let stroke = if theory { 1.4 } else { 1.8 };
        let runs = if series.joined {
            runs(plot, series)
        } else {
            Vec::new()
        };
        runs.iter().try_for_each(|run| line(area, run, stroke))
    })?;
    canvas.group(&group, |area| {
        for point in &series.points {
            let Some(place) = plot
                .place(point.x, point.y)
                .filter(|_| plot.holds(point.x, point.y))
            else {
                continue;
            };
            if let Some((low, high)) = point.range {
                let inside = |value: f64| {
                    let shown = value.clamp(plot.y.low, plot.y.high);
                    Some(((place.0, plot.down(shown)?), shown != value))
                };
                if let (Some(low), Some(high)) = (inside(low), inside(high)) {
                    interval(area, [low, high], 1.2)?;
                }
            }
            if let (Some(shape), Some(_)) = (series.look.shape(), &point.label) {
                marker::draw(area, shape, place, RADIUS, point.invalid)?;
            }
        }
        Ok(())
    })
}

impl Plot {
    pub(crate) fn holds(&self, x: f64, y: f64) -> bool {
        (self.x.holds(x) || self.x.kind == ScaleKind::Nines) && self.y.holds(y)
    }
}

/// The stretches of a line that lie within the plot, cut where it leaves.
fn runs(plot: &Plot, series: &Series) -> Vec<Vec<Place>> {
    let mut runs = vec![Vec::new()];
    let mut before: Option<Place> = None;
    for point in &series.points {
        let Some(place) = plot.place(point.x, point.y) else {
            // No place on this axis, like 0 on a logarithmic one: the line has a gap.
            before = None;
            runs.push(Vec::new());
            continue;
        };
        if let Some((from, to)) = before.and_then(|before| within(plot, before, place))
            && let Some(run) = runs.last_mut()
        {
            if run.last() != Some(&from) {
                run.push(from);
            }
            run.push(to);
            if to != place {
                runs.push(Vec::new());
            }
        }
        before = Some(place);
    }
    runs.retain(|run| run.len() > 1);
    runs
}

/// The part of a stretch that lies within the plot (Liang and Barsky, *ACM Transactions on Graphics* 3, 1984).
fn within(plot: &Plot, (x0, y0): Place, (x1, y1): Place) -> Option<(Place, Place)> {
    let (across, down) = (x1 - x0, y1 - y0);
    let edges = [
        (-across, x0 - plot.left),
        (across, plot.right - x0),
        (-down, y0 - plot.top),
        (down, plot.bottom - y0),
    ];
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    for (speed, room) in edges {
        if speed == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if speed < 0.0 {
            enter = enter.max(room / speed);
        } else {
            leave = leave.min(room / speed);
        }
    }
    let at = |share: f64| match share {
        1.0 => (x1, y1),
        0.0 => (x0, y0),
        _ => (x0 + share * across, y0 + share * down),
    };
    (enter < leave).then(|| (at(enter), at(leave)))
}
