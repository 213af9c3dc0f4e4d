//! A chart of many series: a panel for each family, in which all others are grey lines behind it.
//!
//! All panels have the same axes. What lies behind is written once and drawn in each.

use super::axes::{self, Plot};
use super::canvas::{Canvas, Drawn, Group, line};
use super::chart::{TOGETHER, draw_series, has_invalid, hits, measured, plot, runs};
use super::legend::Legend;
use super::{Frame, look};
use crate::error::Error;
use crate::figure::{Chart, Figure, Look};

/// The least width of a panel with its margin.
const WIDTH: f64 = 168.0;
/// The height of each plot.
const HEIGHT: f64 = 130.0;
/// Between two columns: half a label of each.
const BETWEEN: f64 = 34.0;
/// Below each plot: tick labels, and room before the next.
const BELOW: f64 = 34.0;

pub(crate) fn draw(figure: &Figure, chart: &Chart, frame: Frame) -> Result<String, Error> {
    let groups = groups(chart);
    let width = f64::from(frame.width);
    let title = if frame.titled { axes::TITLED } else { 4.0 };
    // Theory is in each of them, and named once.
    let theory = chart.series.iter().enumerate();
    let theory = theory.filter(|(_, series)| !measured(series));
    let theory = theory.map(|(number, series)| (number, series.label.as_str(), series.look));
    let legend = Legend::new(theory, has_invalid(chart), width - 20.0);
    let top = title + legend.height() + axes::ABOVE;
    let first = plot(chart, width - axes::RIGHT, (top, top + HEIGHT));
    let across = width - axes::RIGHT - first.left + BETWEEN;
    let columns = ((across / WIDTH) as usize).clamp(1, groups.len());
    let pitch = across / columns as f64;
    let legends: Vec<Legend> = groups
        .iter()
        .map(|group| {
            let entries = group.iter().map(|number| {
                let series = &chart.series[*number];
                (*number, series.label.as_str(), series.look)
            });
            let across = pitch - BETWEEN + axes::RIGHT - 4.0;
            Legend::new(entries, false, across).in_columns(across)
        })
        .collect();
    let mut rows = Vec::new();
    let mut bottom = top;
    for row in legends.chunks(columns) {
        let heads = row.iter().map(Legend::height).fold(0.0, f64::max);
        rows.push((bottom, heads));
        bottom += heads + HEIGHT + BELOW;
    }
    let mut canvas = Canvas::new(width, bottom + 22.0);
    if frame.titled {
        axes::title(&mut canvas, &figure.title)?;
    }
    legend.draw(&mut canvas, (10.0, title))?;
    axes::vertical_name(&mut canvas, &chart.y, top - axes::ABOVE + 4.0)?;
    let plot_at = |column: usize, top: f64| {
        let left = first.left + pitch * column as f64;
        Plot {
            left,
            right: left + pitch - BETWEEN,
            top,
            bottom: top + HEIGHT,
            ..first.clone()
        }
    };
    let behind = format!("{}-behind", figure.id);
    let model = plot_at(0, 0.0);
    canvas.define(&behind, |canvas| ghosts(canvas, chart, &model))?;
    let mut marked = Vec::new();
    for (place, (group, legend)) in groups.iter().zip(&legends).enumerate() {
        let (column, (row, heads)) = (place % columns, rows[place / columns]);
        let plot = plot_at(column, row + heads);
        legend.draw(&mut canvas, (plot.left, plot.top - legend.height()))?;
        axes::horizontal(&mut canvas, &plot, &chart.x)?;
        axes::vertical(&mut canvas, &plot, &chart.y, column == 0)?;
        let ghost = Group {
            class: "ghost",
            colour: look::GHOST,
            ..Group::default()
        };
        canvas.again(&behind, (plot.left - model.left, plot.top), &ghost);
        let theory = chart.series.iter().enumerate();
        let theory = theory.filter(|(_, series)| !measured(series));
        let own = group.iter().map(|number| (*number, &chart.series[*number]));
        for (number, series) in theory.chain(own) {
            draw_series(&mut canvas, &plot, number, series)?;
        }
        marked.extend(group.iter().map(|number| (*number, plot.clone())));
    }
    for (number, plot) in marked {
        canvas.hits(number, &hits(&plot, &chart.series[number]));
    }
    axes::horizontal_name(&mut canvas, &chart.x, (width - 8.0, bottom - 2.0))?;
    Ok(canvas.finish(&figure.id, &figure.title, &figure.about))
}

/// The numbers of the series of each panel: a family's, or as many as may be together.
fn groups(chart: &Chart) -> Vec<Vec<usize>> {
    let family = |number: usize| match chart.series[number].look {
        Look::Family { family, .. } => Some(family),
        _ => None,
    };
    let mut numbers: Vec<usize> = (0..chart.series.len()).collect();
    numbers.retain(|number| measured(&chart.series[*number]));
    numbers.sort_by_key(|number| chart.series[*number].look);
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for number in numbers {
        match groups.last_mut() {
            Some(group) if group.len() < TOGETHER && family(group[0]) == family(number) => {
                group.push(number);
            }
            _ => groups.push(vec![number]),
        }
    }
    groups
}

/// All lines, without their markers.
fn ghosts(canvas: &mut Canvas, chart: &Chart, plot: &Plot) -> Drawn {
    let series = chart.series.iter().filter(|series| measured(series));
    let lines: Vec<_> = series
        .filter(|series| series.joined)
        .flat_map(|series| runs(plot, series))
        .collect();
    canvas.group(&Group::default(), |area| {
        lines.iter().try_for_each(|run| line(area, run, 1.0))
    })
}
