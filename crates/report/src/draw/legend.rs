//! The legend: above the plot, never in it.

use super::canvas::{Canvas, Drawn, Group, Setting, TEXT, line, text, width};
use super::{look, marker};
use crate::figure::Look;
use plotters::style::text_anchor::{HPos, VPos};

pub(crate) const ROW: f64 = 21.0;
const SAMPLE: f64 = 26.0;
const GAP: f64 = 18.0;
/// The same between columns, which can be told apart as such.
const COLUMN_GAP: f64 = 6.0;
/// The longest label, in pixels; a longer one is cut, and whole in the table.
const LONGEST: f64 = 240.0;

/// What the marker of a measurement that is not to be believed means.
const INVALID: &str = "INVALID";

/// An entry and where it goes.
#[derive(Debug)]
struct Entry {
    /// None: not of a series, but what the crossed-out marker means.
    series: Option<usize>,
    label: String,
    look: Look,
    left: f64,
    row: usize,
}

/// A legend, laid out.
#[derive(Debug, Default)]
pub(crate) struct Legend {
    entries: Vec<Entry>,
    rows: usize,
}

impl Legend {
    /// Sets entries, each with the number of its series, in rows of so many pixels; behind them, if there is any, what the marker of invalid measurements means.
    pub(crate) fn new<'a>(
        entries: impl Iterator<Item = (usize, &'a str, Look)>,
        invalid: bool,
        across: f64,
    ) -> Self {
        let mut legend = Self::default();
        let mut left = 0.0;
        let series = entries.map(|(number, label, look)| (Some(number), label, look));
        let meaning = invalid.then_some((None, INVALID, Look::Theory(0)));
        for (series, label, look) in series.chain(meaning) {
            let label = shortened(label, LONGEST.min(across - SAMPLE - 6.0));
            let wide = SAMPLE + 6.0 + width(&label, TEXT);
            if left > 0.0 && left + wide > across {
                legend.rows += 1;
                left = 0.0;
            }
            legend.entries.push(Entry {
                series,
                label,
                look,
                left,
                row: legend.rows,
            });
            left += wide + GAP;
        }
        legend.rows += usize::from(!legend.entries.is_empty());
        legend
    }

    /// The same entries below each other in as many columns as find room; as they were where they stand in one row, or columns take more
    /// rows.
    pub(crate) fn in_columns(mut self, across: f64) -> Self {
        let count = self.entries.len();
        let all = (1..count).rev().map(|columns| self.lefts(columns));
        let fitting = all.into_iter().find(|(_, right)| *right <= across);
        let Some((lefts, _)) =
            fitting.filter(|(lefts, _)| self.rows > 1 && count.div_ceil(lefts.len()) <= self.rows)
        else {
            return self;
        };
        for (place, entry) in self.entries.iter_mut().enumerate() {
            (entry.row, entry.left) = (place / lefts.len(), lefts[place % lefts.len()]);
        }
        self.rows = count.div_ceil(lefts.len());
        self
    }

    /// Where so many columns begin, and where the last one ends.
    fn lefts(&self, columns: usize) -> (Vec<f64>, f64) {
        let mut left = 0.0;
        let mut lefts = Vec::with_capacity(columns);
        for column in 0..columns {
            let entries = self.entries.iter().skip(column).step_by(columns);
            let wide = entries.map(|entry| width(&entry.label, TEXT));
            lefts.push(left);
            left += SAMPLE + 6.0 + wide.fold(0.0, f64::max) + COLUMN_GAP;
        }
        (lefts, left - COLUMN_GAP)
    }

    /// How high it is, in pixels.
    pub(crate) fn height(&self) -> f64 {
        match self.rows {
            0 => 0.0,
            rows => rows as f64 * ROW + 8.0,
        }
    }

    /// Draws it with its upper left corner there.
    pub(crate) fn draw(&self, canvas: &mut Canvas, (left, top): (f64, f64)) -> Drawn {
        for entry in &self.entries {
            let (x, y) = (left + entry.left, top + (entry.row as f64 + 0.5) * ROW);
            // Only what stands for a series can be pressed.
            let class = match entry.series {
                Some(_) => format!("key {}", entry.look.class()),
                None => entry.look.class(),
            };
            let sample = Group {
                class: &entry.look.class(),
                colour: entry.look.colour(),
                dashes: entry.look.dashes(),
                ..Group::default()
            };
            let key = Group {
                class: &class,
                colour: entry.look.colour(),
                series: entry.series,
                ..Group::default()
            };
            canvas.nested(&key, |canvas| {
                canvas.target(
                    (x - 4.0, y - ROW / 2.0),
                    (SAMPLE + 12.0 + width(&entry.label, TEXT), ROW),
                );
                canvas.group(&sample, |area| match entry.series {
                    Some(_) => line(area, &[(x, y), (x + SAMPLE, y)], 2.0),
                    None => Ok(()),
                })?;
                canvas.group(
                    &Group {
                        dashes: &[],
                        ..sample
                    },
                    |area| {
                        let middle = (x + SAMPLE / 2.0, y);
                        match (entry.series, entry.look.shape()) {
                            (None, _) => marker::draw(area, marker::ANY, middle, 3.6, true),
                            (_, Some(shape)) => marker::draw(area, shape, middle, 3.6, false),
                            _ => Ok(()),
                        }
                    },
                )?;
                let words = Group {
                    class: "ink",
                    colour: look::INK,
                    ..Group::default()
                };
                let setting = Setting::new(TEXT, HPos::Left, VPos::Center);
                canvas.group(&words, |area| {
                    text(area, &entry.label, (x + SAMPLE + 6.0, y), setting)
                })
            })?;
        }
        Ok(())
    }
}

/// Cut at the end if it is too long.
pub(crate) fn shortened(label: &str, pixels: f64) -> String {
    if width(label, TEXT) <= pixels {
        return label.into();
    }
    let mut short = String::new();
    for letter in label.chars() {
        if width(&short, TEXT) + 2.0 * TEXT > pixels {
            break;
        }
        short.push(letter);
    }
    short + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_wrap_and_long_ones_are_cut() {
        let long = "x".repeat(500);
        let labels = ["amped", "sped", "mt", long.as_str()];
        let legend = Legend::new(
            labels.iter().map(|label| (0, *label, Look::Measured(0))),
            false,
            300.0,
        );
        assert_eq!(
            legend
                .entries
                .iter()
                .map(|entry| entry.row)
                .collect::<Vec<_>>(),
            [0, 0, 0, 1]
        );
        assert!(legend.entries[3].label.ends_with('…'));
        assert_eq!(Legend::new(std::iter::empty(), false, 300.0).height(), 0.0);
        let meaning = Legend::new(std::iter::empty(), true, 300.0);
        assert_eq!(meaning.entries[0].label, INVALID);
    }

    #[test]
    fn what_takes_several_rows_stands_in_columns() {
        let labels = [
            "sped", "symped", "amped", "async", "service", "uring", "flux",
        ];
        let of = |across: f64| {
            let entries = labels.iter().map(|label| (0, *label, Look::Measured(0)));
            Legend::new(entries, false, across).in_columns(across)
        };
        let legend = of(190.0);
        let rows: Vec<usize> = legend.entries.iter().map(|entry| entry.row).collect();
        assert_eq!(rows, [0, 0, 1, 1, 2, 2, 3]);
        let left = |row: usize| legend.entries[row * 2 + 1].left;
        assert!(left(0) == left(1) && left(1) == left(2) && left(0) > 0.0);
        let last = |across: f64| of(across).entries[6].row;
        assert_eq!((last(2000.0), last(60.0)), (0, 6));
    }
}
