//! A row for each of a few things, named where it stands: no legend is needed.

use super::axes::{self, Plot};
use super::canvas::{
    Area, Canvas, Drawn, Group, Setting, TEXT, interval, line, refused, text, width,
};
use super::legend::shortened;
use super::{Frame, look, marker};
use crate::error::Error;
use crate::figure::{Figure, Mark, Row, Rows};
use crate::scale::{Scale, ScaleKind};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

const RADIUS: f64 = 4.4;

pub(crate) fn draw(figure: &Figure, rows: &Rows, frame: Frame) -> Result<String, Error> {
    let ridges = rows
        .rows
        .iter()
        .any(|row| matches!(row.mark, Mark::Ridge(_)));
    let each = if ridges { 42.0 } else { 30.0 };
    let wide = f64::from(frame.width);
    let top = if frame.titled { axes::TITLED } else { 4.0 } + 6.0;
    let bottom = top + each * rows.rows.len().max(1) as f64 + 4.0;
    let mut canvas = Canvas::new(wide, bottom + axes::BELOW);
    let longest = wide * 0.42;
    let labels = rows
        .rows
        .iter()
        .map(|row| width(&row.label, TEXT))
        .fold(0.0, f64::max);
    let plot = Plot {
        left: 10.0 + labels.min(longest) + 16.0,
        right: wide - axes::RIGHT,
        top,
        bottom,
        x: scale(rows),
        y: Scale::new(ScaleKind::Linear, 0.0, 1.0),
    };
    if frame.titled {
        axes::title(&mut canvas, &figure.title)?;
    }
    axes::horizontal(&mut canvas, &plot, &rows.x)?;
    let below = (plot.right + axes::RIGHT - 8.0, plot.bottom + 26.0);
    axes::horizontal_name(&mut canvas, &rows.x, below)?;
    let ink = Group {
        class: "ink",
        colour: look::INK,
        ..Group::default()
    };
    for (index, row) in rows.rows.iter().enumerate() {
        let floor = top + each * (index as f64 + 1.0);
        let middle = floor - each / 2.0;
        let y = if ridges { floor - 11.0 } else { middle };
        canvas.group(&ink, |area| {
            let setting = Setting::new(TEXT, HPos::Right, VPos::Center);
            text(
                area,
                &shortened(&row.label, longest),
                (plot.left - 10.0, y),
                setting,
            )
        })?;
        let class = format!("series {}", row.look.class());
        let group = Group {
            class: &class,
            colour: row.look.colour(),
            series: Some(index),
            ..Group::default()
        };
        let place = match &row.mark {
            Mark::Dot { value, .. } => plot.across(*value).map(|x| (x, middle)),
            Mark::Ridge(bins) => {
                let highest = bins.iter().max_by(|one, other| one.2.total_cmp(&other.2));
                let x = highest.and_then(|(from, to, _)| {
                    Some((plot.across(*from)? + plot.across(*to)?) / 2.0)
                });
                x.map(|x| (x, middle))
            }
        };
        canvas.group(&group, |area| match &row.mark {
            Mark::Dot { .. } => dot(area, &plot, row, middle),
            Mark::Ridge(bins) => ridge(area, &plot, bins, (floor, each - 5.0)),
        })?;
        if let Some(place) = place {
            canvas.hits(index, &[(place, format!("{}\n{}", row.label, row.hover))]);
        }
    }
    Ok(canvas.finish(&figure.id, &figure.title, &figure.about))
}

fn scale(rows: &Rows) -> Scale {
    let marks = || rows.rows.iter().map(|row| &row.mark);
    let values = marks().flat_map(|mark| match mark {
        Mark::Dot { value, each, .. } => {
            let each = each.iter().map(|(value, _)| *value);
            each.chain([*value]).collect::<Vec<_>>()
        }
        Mark::Ridge(bins) => bins.iter().flat_map(|(from, to, _)| [*from, *to]).collect(),
    });
    let ranges = marks().filter_map(|mark| match mark {
        Mark::Dot { range, .. } => *range,
        Mark::Ridge(_) => None,
    });
    let values = axes::with_ranges(values.collect(), ranges);
    axes::scale(&rows.x, values.into_iter())
}

fn dot(area: &Area<'_>, plot: &Plot, row: &Row, y: f64) -> Drawn {
    let Mark::Dot { value, range, each } = &row.mark else {
        return Ok(());
    };
    let inside = |value: f64| {
        let shown = value.clamp(plot.x.low, plot.x.high);
        Some(((plot.across(shown)?, y), shown != value))
    };
    let ends = range.and_then(|(low, high)| Some([inside(low)?, inside(high)?]));
    if let Some(ends) = ends {
        interval(area, ends, 1.6)?;
    }
    for (value, invalid) in each {
        let Some(x) = plot.across(*value).filter(|_| plot.x.holds(*value)) else {
            continue;
        };
        if *invalid {
            marker::draw(area, marker::ANY, (x, y + 7.0), 2.4, true)?;
        } else {
            line(area, &[(x, y + 6.0), (x, y + 11.0)], 1.0)?;
        }
    }
    match (plot.across(*value), row.look.shape()) {
        (Some(x), Some(shape)) => marker::draw(area, shape, (x, y), RADIUS, row.invalid),
        _ => Ok(()),
    }
}

fn ridge(
    area: &Area<'_>,
    plot: &Plot,
    bins: &[(f64, f64, f64)],
    (floor, height): (f64, f64),
) -> Drawn {
    let mut outline = Vec::with_capacity(bins.len() * 2 + 2);
    for (from, to, share) in bins {
        let ends = (
            plot.across(from.max(plot.x.low)),
            plot.across(to.min(plot.x.high)),
        );
        let (Some(left), Some(right)) = ends else {
            continue;
        };
        let y = floor - share * height;
        if outline.is_empty() {
            outline.push((left, floor));
        }
        outline.extend([(left, y), (right, y)]);
    }
    let Some((last, _)) = outline.last().copied() else {
        return Ok(());
    };
    outline.push((last, floor));
    let corners: Vec<_> = outline.iter().copied().map(super::canvas::at).collect();
    area.draw(&Polygon::new(corners, BLACK.mix(0.35)))
        .map_err(refused)?;
    line(area, &outline, 1.3)
}
