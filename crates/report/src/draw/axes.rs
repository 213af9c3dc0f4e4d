//! The ground of a figure: grid lines, ticks, names of axes.

use super::canvas::{Canvas, Drawn, Group, Place, SMALL, Setting, TITLE, line, text, width};
use super::look;
use crate::figure::{Axis, ScaleKind, Unit};
use crate::scale::{Scale, Tick};
use plotters::style::text_anchor::{HPos, VPos};

/// Room for tick labels below, and for the axis's name below them.
pub(crate) const BELOW: f64 = 46.0;
/// Room for a title above.
pub(crate) const TITLED: f64 = 32.0;
/// Room for an axis's name above the plot.
pub(crate) const ABOVE: f64 = 26.0;
/// Room at the right, for half a tick label.
pub(crate) const RIGHT: f64 = 22.0;

/// As many ticks are tried at the most where fewer have no two labels.
const MOST_TICKS: usize = 8;

/// The rectangle in which values have places.
#[derive(Debug, Clone)]
pub(crate) struct Plot {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
    pub(crate) x: Scale,
    pub(crate) y: Scale,
}

impl Plot {
    /// Where a value of the horizontal axis lies.
    pub(crate) fn across(&self, x: f64) -> Option<f64> {
        let (low, high) = self.x.ends();
        let share = (self.x.place(x)? - low) / (high - low);
        Some(self.left + share * (self.right - self.left))
    }

    /// Where a value of the vertical axis lies.
    pub(crate) fn down(&self, y: f64) -> Option<f64> {
        let (low, high) = self.y.ends();
        let share = (self.y.place(y)? - low) / (high - low);
        Some(self.bottom - share * (self.bottom - self.top))
    }

    pub(crate) fn place(&self, x: f64, y: f64) -> Option<Place> {
        Some((self.across(x)?, self.down(y)?))
    }

    /// The horizontal axis's ticks, as many as there is room for: two with labels at least, if any can be had, for one tells no distance.
    fn x_ticks(&self, axis: &Axis) -> Vec<(f64, Tick, String)> {
        let ticks = |about| {
            let ticks = self.x.ticks(about).into_iter();
            let placed =
                ticks.filter_map(|tick| Some((self.across(tick.value)?, tick, label(axis, tick))));
            let placed: Vec<_> = placed.collect();
            let free = spread(placed.clone(), |(place, _, label)| {
                let half = width(label, SMALL) / 2.0 + 4.0;
                (place - half, place + half)
            });
            (free == placed, free)
        };
        let labels = |ticks: &[(f64, Tick, String)]| {
            let labelled = ticks.iter().filter(|(_, tick, _)| tick.labelled);
            labelled.count()
        };
        let most = (((self.right - self.left) / 50.0) as usize).max(2);
        let mut all = (2..=most).rev().chain(most + 1..=MOST_TICKS).map(ticks);
        let fitting = all.find(|(fits, ticks)| *fits && labels(ticks) > 1);
        let any = || (2..=MOST_TICKS).rev().map(|about| ticks(about).1);
        let fullest = || any().max_by_key(|ticks| labels(ticks));
        fitting
            .map(|(_, ticks)| ticks)
            .or_else(fullest)
            .unwrap_or_default()
    }

    fn y_ticks(&self, axis: &Axis) -> Vec<(f64, Tick, String)> {
        let about = ((self.bottom - self.top) / room(axis)) as usize;
        let ticks = self.y.ticks(about.max(2)).into_iter();
        let placed =
            ticks.filter_map(|tick| Some((self.down(tick.value)?, tick, label(axis, tick))));
        spread(placed.collect(), |(place, ..)| (-place - 9.0, -place + 9.0))
    }
}

/// The scale of an axis: its limits, or what its values need.
pub(crate) fn scale(axis: &Axis, values: impl Iterator<Item = f64>) -> Scale {
    let scale = match axis.limits {
        Some((low, high)) => Scale::new(axis.kind, low, high),
        None => Scale::over(axis.kind, values, axis.from_zero),
    };
    Scale {
        binary: axis.unit == Unit::Bytes,
        ..scale
    }
}

/// What an axis over values, and intervals around some of them, must hold. Intervals of very few repeats are so wide that they would leave no room for what was
/// measured: of those it holds only the nearer part.
pub(crate) fn with_ranges(
    mut values: Vec<f64>,
    ranges: impl Iterator<Item = (f64, f64)>,
) -> Vec<f64> {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    values.extend(ranges.flat_map(|(low, high)| [low.max(least / 2.0), high.min(most * 1.5)]));
    values
}

/// Room for a label of a vertical axis: lines that are ten times as far apart need less air.
fn room(axis: &Axis) -> f64 {
    match axis.kind {
        ScaleKind::Log => 30.0,
        _ => 34.0,
    }
}

fn label(axis: &Axis, tick: Tick) -> String {
    match tick.labelled {
        true => axis.unit.axis(tick.value),
        false => String::new(),
    }
}

/// Takes the label from each tick that would touch the one before.
fn spread(
    mut ticks: Vec<(f64, Tick, String)>,
    extent: impl Fn(&(f64, Tick, String)) -> (f64, f64),
) -> Vec<(f64, Tick, String)> {
    let mut taken = f64::NEG_INFINITY;
    for tick in &mut ticks {
        if !tick.1.labelled {
            continue;
        }
        let (from, to) = extent(tick);
        if from < taken {
            tick.1.labelled = false;
        } else {
            taken = to;
        }
    }
    ticks
}

/// How much room the labels of a vertical axis take.
pub(crate) fn labels_width(axis: &Axis, scale: &Scale, height: f64) -> f64 {
    let ticks = scale
        .ticks(((height / room(axis)) as usize).max(2))
        .into_iter();
    let widths = ticks
        .filter(|tick| tick.labelled)
        .map(|tick| width(&axis.unit.axis(tick.value), SMALL));
    widths.fold(24.0, f64::max) + 12.0
}

/// Writes the title, if the picture is to have one.
pub(crate) fn title(canvas: &mut Canvas, words: &str) -> Drawn {
    let setting = Setting {
        bold: true,
        ..Setting::new(TITLE, HPos::Left, VPos::Top)
    };
    canvas.group(&group("ink title", look::INK), |area| {
        text(area, words, (10.0, 9.0), setting)
    })
}

/// Draws the horizontal axis: grid lines upwards, ticks, labels.
pub(crate) fn horizontal(canvas: &mut Canvas, plot: &Plot, axis: &Axis) -> Drawn {
    let ticks = plot.x_ticks(axis);
    canvas.group(&group("grid", look::GRID), |area| {
        let labelled = ticks.iter().filter(|(_, tick, _)| tick.labelled);
        labelled
            .map(|(x, ..)| [(*x, plot.top), (*x, plot.bottom)])
            .try_for_each(|ends| line(area, &ends, 1.0))
    })?;
    canvas.group(&group("muted", look::MUTED), |area| {
        for (x, tick, label) in &ticks {
            let length = if tick.labelled { 5.0 } else { 3.0 };
            line(area, &[(*x, plot.bottom), (*x, plot.bottom + length)], 0.8)?;
            if tick.labelled {
                let setting = Setting::new(SMALL, HPos::Center, VPos::Top);
                text(area, label, (*x, plot.bottom + 8.0), setting)?;
            }
        }
        line(
            area,
            &[(plot.left, plot.bottom), (plot.right, plot.bottom)],
            0.8,
        )
    })
}

/// Writes its name with its right end there.
pub(crate) fn horizontal_name(canvas: &mut Canvas, axis: &Axis, (right, top): Place) -> Drawn {
    canvas.group(&group("ink", look::INK), |area| {
        let setting = Setting::new(SMALL, HPos::Right, VPos::Top);
        text(area, &named(axis), (right, top), setting)
    })
}

/// Draws the vertical axis: grid lines across and, if it is to be `labelled`, its labels.
pub(crate) fn vertical(canvas: &mut Canvas, plot: &Plot, axis: &Axis, labelled: bool) -> Drawn {
    let ticks = plot.y_ticks(axis);
    canvas.group(&group("grid", look::GRID), |area| {
        let labelled = ticks.iter().filter(|(_, tick, _)| tick.labelled);
        labelled
            .map(|(y, ..)| [(plot.left, *y), (plot.right, *y)])
            .try_for_each(|ends| line(area, &ends, 1.0))
    })?;
    if !labelled {
        return Ok(());
    }
    canvas.group(&group("muted", look::MUTED), |area| {
        for (y, tick, label) in &ticks {
            if tick.labelled {
                let setting = Setting::new(SMALL, HPos::Right, VPos::Center);
                text(area, label, (plot.left - 7.0, *y), setting)?;
            } else if axis.kind == ScaleKind::Log {
                line(area, &[(plot.left - 4.0, *y), (plot.left - 1.0, *y)], 0.8)?;
            }
        }
        Ok(())
    })
}

/// Writes its name above the axis, where it can be read without turning one's head.
pub(crate) fn vertical_name(canvas: &mut Canvas, axis: &Axis, top: f64) -> Drawn {
    canvas.group(&group("ink", look::INK), |area| {
        let setting = Setting::new(SMALL, HPos::Left, VPos::Top);
        text(area, &named(axis), (10.0, top), setting)
    })
}

fn named(axis: &Axis) -> String {
    match axis.kind {
        ScaleKind::Log => format!("{}, log scale", axis.name),
        _ => axis.name.clone(),
    }
}

fn group<'a>(class: &'a str, colour: &'a str) -> Group<'a> {
    Group {
        class,
        colour,
        ..Group::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_as_many_labels_as_fit() {
        let plot = |across: f64, x| Plot {
            left: 0.0,
            right: across,
            top: 0.0,
            bottom: 100.0,
            x,
            y: Scale::new(ScaleKind::Linear, 0.0, 1.0),
        };
        let labels = |across, x: Scale, axis: &Axis| -> Vec<String> {
            let ticks = plot(across, x).x_ticks(axis).into_iter();
            ticks
                .filter(|(_, tick, _)| tick.labelled)
                .map(|(.., label)| label)
                .collect()
        };
        let axis = Axis::linear("Mean", Unit::Seconds);
        let x = Scale::new(ScaleKind::Linear, 0.0, 860e-6);
        let five = ["0", "200 µs", "400 µs", "600 µs", "800 µs"];
        assert_eq!(labels(310.0, x, &axis), five);
        assert_eq!(labels(110.0, x, &axis), ["0", "500 µs"]);
        // As narrow as panels are.
        let rates = Axis::linear("Offered load", Unit::Plain);
        let x = Scale::new(ScaleKind::Linear, 0.0, 4992.0);
        assert_eq!(labels(147.0, x, &rates), ["0", "2,000", "4,000"]);
        let clients = Scale::new(ScaleKind::Log, 14.3, 287.0);
        assert_eq!(labels(147.0, clients, &rates), ["20", "50", "100", "200"]);
        for high in [1.0, 1.7, 3.1, 4.9, 7.7, 9.9] {
            for kind in [ScaleKind::Linear, ScaleKind::Log] {
                let low = if kind == ScaleKind::Log { 1.1 } else { 0.0 };
                let x = Scale::new(kind, low * 1e3, high * 1e4);
                assert!(labels(130.0, x, &rates).len() > 1, "{x:?}");
            }
        }
    }

    #[test]
    fn wide_intervals_leave_room_for_what_was_measured() {
        let held = with_ranges(vec![1.0, 2.0], [(0.9, 2.2), (0.01, 90.0)].into_iter());
        assert_eq!(held, [1.0, 2.0, 0.9, 2.2, 0.5, 3.0]);
    }
}
