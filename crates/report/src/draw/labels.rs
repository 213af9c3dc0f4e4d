//! Names at the ends of lines: nothing has to be looked up, where there is room for all of them.

use super::axes::Plot;
use super::canvas::{Canvas, Drawn, Group, Setting, TEXT, line, text, width};
use super::chart::measured;
use super::look;
use crate::figure::Chart;
use plotters::style::text_anchor::{HPos, VPos};

/// From one name to the next below it.
const PITCH: f64 = 16.0;
/// As far as a name may be moved away from the end of its line.
const FARTHEST: f64 = 30.0;
/// From the end of a line to its name.
const GAP: f64 = 12.0;
/// The share of the width that names may take.
const MOST: f64 = 0.26;
/// How far lines may end before the last one does.
const EVEN: f64 = 3.0;

/// The name of a series, by its number: the end of its line, and where its name stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct End {
    series: usize,
    x: f64,
    y: f64,
    name: f64,
}

/// What names need at the right of the plot, if they may have it.
pub(crate) fn room(chart: &Chart, across: f64) -> Option<f64> {
    let series = chart.series.iter().filter(|series| measured(series));
    let mut widest = 0.0_f64;
    for series in series {
        // What no line joins ends nowhere.
        if !series.joined {
            return None;
        }
        widest = widest.max(width(&series.label, TEXT));
    }
    let room = widest + GAP + 10.0;
    (widest > 0.0 && room <= MOST * across).then_some(room)
}

/// Where names go, if all lines end at the right of the plot and far enough from each other.
pub(crate) fn ends(chart: &Chart, plot: &Plot) -> Option<Vec<End>> {
    let mut ends = Vec::new();
    for (number, series) in chart.series.iter().enumerate() {
        if !measured(series) {
            continue;
        }
        let last = series.points.last()?;
        let (x, y) = plot.place(last.x, last.y)?;
        if !plot.holds(last.x, last.y) {
            return None;
        }
        ends.push(End {
            series: number,
            x,
            y,
            name: y,
        });
    }
    let farthest = ends.iter().map(|end| end.x).fold(0.0, f64::max);
    if ends.iter().any(|end| end.x < farthest - EVEN) {
        return None;
    }
    let places = spread(
        &ends.iter().map(|end| end.y).collect::<Vec<_>>(),
        (plot.top, plot.bottom),
    )?;
    for (end, place) in ends.iter_mut().zip(places) {
        end.name = place;
    }
    Some(ends)
}

/// Moves places apart as little as it takes for none to touch the next, within bounds; None where one would have to go too far. In the order given.
fn spread(places: &[f64], (top, bottom): (f64, f64)) -> Option<Vec<f64>> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|one, other| places[*one].total_cmp(&places[*other]));
    // Those that touch become a block, which stands where its middle is least far from all that it holds.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for &number in &order {
        let mut block = (places[number], 1);
        while let Some(&(middle, count)) = blocks.last() {
            let apart = (count + block.1) as f64 / 2.0 * PITCH;
            if block.0 - middle >= apart {
                break;
            }
            blocks.pop();
            let all = count + block.1;
            let sum = middle * count as f64 + block.0 * block.1 as f64;
            block = (sum / all as f64, all);
        }
        let half = (block.1 - 1) as f64 / 2.0 * PITCH;
        block.0 = block.0.max(top + half).min(bottom - half);
        blocks.push(block);
    }
    let mut moved = vec![0.0; places.len()];
    let mut left = order.iter();
    let mut free = f64::NEG_INFINITY;
    for (middle, count) in blocks {
        let first = middle - (count - 1) as f64 / 2.0 * PITCH;
        for (nth, number) in left.by_ref().take(count).enumerate() {
            moved[*number] = (first + nth as f64 * PITCH).max(free);
            free = moved[*number] + PITCH;
        }
    }
    let fits = |(from, to): (&f64, &f64)| {
        (from - to).abs() <= FARTHEST && (top - 1e-6..=bottom + 1e-6).contains(to)
    };
    places.iter().zip(&moved).all(fits).then_some(moved)
}

/// Draws the names, which are the keys of their series.
pub(crate) fn draw(canvas: &mut Canvas, chart: &Chart, plot: &Plot, ends: &[End]) -> Drawn {
    for end in ends {
        let series = &chart.series[end.series];
        let class = series.look.class();
        let key = format!("key {class}");
        let group = Group {
            class: &key,
            colour: series.look.colour(),
            series: Some(end.series),
            ..Group::default()
        };
        let left = plot.right.max(end.x) + GAP;
        canvas.nested(&group, |canvas| {
            canvas.target(
                (left - 4.0, end.name - PITCH / 2.0),
                (width(&series.label, TEXT) + 8.0, PITCH),
            );
            // Where the name had to be moved, a stroke says which line it is of.
            if (end.name - end.y).abs() > 2.0 {
                let stroke = Group {
                    class: &class,
                    colour: series.look.colour(),
                    ..Group::default()
                };
                let ends = [(end.x + 5.0, end.y), (left - 2.0, end.name)];
                canvas.group(&stroke, |area| line(area, &ends, 0.8))?;
            }
            let ink = Group {
                class: "ink",
                colour: look::INK,
                ..Group::default()
            };
            let setting = Setting::new(TEXT, HPos::Left, VPos::Center);
            canvas.group(&ink, |area| {
                text(area, &series.label, (left, end.name), setting)
            })
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sequence that looks random and is the same every time (Knuth's multiplicative one).
    fn places(seed: u64, count: usize) -> Vec<f64> {
        let mut state = seed;
        let next = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 40) as f64 / (1_u64 << 24) as f64 * 200.0
        };
        (0..count).map(next).collect()
    }

    #[test]
    fn no_name_touches_another_and_none_leaves_the_plot() {
        let mut placed = 0;
        for seed in 0..2000 {
            let wanted = places(seed, 1 + seed as usize % 10);
            let Some(mut moved) = spread(&wanted, (0.0, 200.0)) else {
                continue;
            };
            placed += 1;
            for (from, to) in wanted.iter().zip(&moved) {
                assert!((from - to).abs() <= FARTHEST && (-1e-6..=200.000_1).contains(to));
            }
            moved.sort_by(f64::total_cmp);
            for pair in moved.windows(2) {
                assert!(pair[1] - pair[0] >= PITCH - 1e-6, "{wanted:?} {moved:?}");
            }
        }
        assert!(placed > 1000, "{placed}");
        // Far enough apart they stay where they are; too many have no room.
        assert_eq!(spread(&[20.0, 60.0], (0.0, 200.0)), Some(vec![20.0, 60.0]));
        assert_eq!(spread(&[100.0; 8], (0.0, 200.0)), None);
    }
}
