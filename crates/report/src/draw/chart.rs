//! Series over two axes.

use super::axes::{self, Plot};
use super::canvas::{Canvas, Drawn, Group, Place, interval, line};
use super::legend::Legend;
use super::{Frame, labels, marker, panels};
use crate::error::Error;
use crate::figure::{Chart, Figure, Look, ScaleKind, Series};

const RADIUS: f64 = 3.6;

/// Series that are drawn into one plot; more get panels.
pub(crate) const TOGETHER: usize = 8;

pub(crate) fn draw(figure: &Figure, chart: &Chart, frame: Frame) -> Result<String, Error> {
    if chart
        .series
        .iter()
        .filter(|series| measured(series))
        .count()
        > TOGETHER
    {
        return panels::draw(figure, chart, frame);
    }
    match labelled_at_ends(figure, chart, frame)? {
        Some(drawn) => Ok(drawn),
        None => with_legend(figure, chart, frame),
    }
}

/// Names at the ends of lines, where there is room for all.
fn labelled_at_ends(figure: &Figure, chart: &Chart, frame: Frame) -> Result<Option<String>, Error> {
    let width = f64::from(frame.width);
    let Some(room) = labels::room(chart, width) else {
        return Ok(None);
    };
    let theory = chart.series.iter().enumerate();
    let theory = theory.filter(|(_, series)| !measured(series));
    let ground = Ground::new(chart, frame, theory, room);
    let Some(ends) = labels::ends(chart, &ground.plot) else {
        return Ok(None);
    };
    let mut canvas = ground.draw(figure, chart, frame)?;
    labels::draw(&mut canvas, chart, &ground.plot, &ends)?;
    Ok(Some(canvas.finish(
        &figure.id,
        &figure.title,
        &figure.about,
    )))
}

fn with_legend(figure: &Figure, chart: &Chart, frame: Frame) -> Result<String, Error> {
    let ground = Ground::new(chart, frame, chart.series.iter().enumerate(), 0.0);
    let canvas = ground.draw(figure, chart, frame)?;
    Ok(canvas.finish(&figure.id, &figure.title, &figure.about))
}

/// Where everything goes.
struct Ground {
    legend: Legend,
    height: f64,
    title: f64,
    plot: Plot,
}

impl Ground {
    /// With these series in the legend, and so many pixels at the right of the plot.
    fn new<'a>(
        chart: &Chart,
        frame: Frame,
        entries: impl Iterator<Item = (usize, &'a Series)>,
        room: f64,
    ) -> Self {
        let width = f64::from(frame.width);
        let title = if frame.titled { axes::TITLED } else { 4.0 };
        let entries = entries.map(|(number, series)| (number, series.label.as_str(), series.look));
        let legend = Legend::new(entries, has_invalid(chart), width - 20.0);
        // A legend of many rows makes the picture higher, not the plot lower.
        let height = f64::from(frame.height) + (legend.height() - 50.0).max(0.0);
        let top = title + legend.height() + axes::ABOVE;
        let right = width - axes::RIGHT.max(room);
        let plot = plot(chart, right, (top, height - axes::BELOW));
        Self {
            legend,
            height,
            title,
            plot,
        }
    }

    fn draw(&self, figure: &Figure, chart: &Chart, frame: Frame) -> Result<Canvas, Error> {
        let mut canvas = Canvas::new(f64::from(frame.width), self.height);
        let plot = &self.plot;
        if frame.titled {
            axes::title(&mut canvas, &figure.title)?;
        }
        self.legend.draw(&mut canvas, (10.0, self.title))?;
        axes::horizontal(&mut canvas, plot, &chart.x)?;
        let right = f64::from(frame.width) - 8.0;
        axes::horizontal_name(&mut canvas, &chart.x, (right, plot.bottom + 26.0))?;
        axes::vertical(&mut canvas, plot, &chart.y, true)?;
        axes::vertical_name(&mut canvas, &chart.y, plot.top - axes::ABOVE + 4.0)?;
        for (index, series) in chart.series.iter().enumerate() {
            draw_series(&mut canvas, plot, index, series)?;
        }
        for (index, series) in chart.series.iter().enumerate() {
            canvas.hits(index, &hits(plot, series));
        }
        Ok(canvas)
    }
}

pub(crate) fn measured(series: &Series) -> bool {
    !matches!(series.look, Look::Theory(_))
}

pub(crate) fn has_invalid(chart: &Chart) -> bool {
    let mut points = chart.series.iter().flat_map(|series| &series.points);
    points.any(|point| point.invalid)
}

/// What can be pointed at.
pub(crate) fn hits(plot: &Plot, series: &Series) -> Vec<(Place, String)> {
    let points = series.points.iter();
    let points = points.filter(|point| plot.holds(point.x, point.y));
    let hits = points.filter_map(|point| {
        let words = format!("{}\n{}", series.label, point.label.as_ref()?);
        Some((plot.place(point.x, point.y)?, words))
    });
    hits.collect()
}

/// The plot that ends there: at the right, at its top and bottom.
pub(crate) fn plot(chart: &Chart, right: f64, (top, bottom): (f64, f64)) -> Plot {
    // Theory runs to infinity; what was measured says how far one looks.
    let shown: Vec<_> = match chart.series.iter().any(measured) {
        true => chart
            .series
            .iter()
            .filter(|series| measured(series))
            .collect(),
        false => chart.series.iter().collect(),
    };
    let points = || shown.iter().flat_map(|series| &series.points);
    let x = axes::scale(&chart.x, points().map(|point| point.x));
    let ys = points().map(|point| point.y).collect();
    let ranges = points().filter_map(|point| point.range);
    let y = axes::scale(&chart.y, axes::with_ranges(ys, ranges).into_iter());
    Plot {
        left: 10.0 + axes::labels_width(&chart.y, &y, bottom - top),
        right,
        top,
        bottom,
        x,
        y,
    }
}

pub(crate) fn draw_series(
    canvas: &mut Canvas,
    plot: &Plot,
    index: usize,
    series: &Series,
) -> Drawn {
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
pub(crate) fn runs(plot: &Plot, series: &Series) -> Vec<Vec<Place>> {
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
