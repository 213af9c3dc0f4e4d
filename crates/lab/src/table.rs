//! Tables for people.

use std::fmt;

use command::quantity::Unit;
use results::{Factor, Factors, Figure};
use stats::Interval;

/// Columns as wide as they must be; all but the first to the right.
#[derive(Debug, Clone)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty one with these heads.
    pub fn new(heads: impl IntoIterator<Item = String>) -> Self {
        Self {
            rows: vec![heads.into_iter().collect()],
        }
    }

    /// Adds a head.
    pub fn column(&mut self, head: &str) {
        self.rows[0].push(head.into());
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let padding = " ".repeat(width(column) - cell.chars().count());
                match column {
                    0 => line.push_str(&format!("{cell}{padding}")),
                    _ => line.push_str(&format!("  {padding}{cell}")),
                }
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// A cell in words: the model, then what else differs.
pub fn label(factors: &Factors, swept: &[&Factor]) -> String {
    let mut words = Vec::new();
    if let Some(model) = factors.get("model") {
        words.push(model.to_string());
    }
    // A size says which files they are.
    let sized = factors.contains_key("dataset") || factors.contains_key("file_size");
    let told = |name: &str| name == "model" || (name == "files" && sized);
    for factor in swept.iter().filter(|factor| !told(&factor.name)) {
        let Some(level) = factors.get(&factor.name) else {
            continue;
        };
        words.push(match (factor.name.as_str(), level.number()) {
            (name, Some(number)) if factor.unit == "B" => {
                format!("{name}={}", Unit::Bytes.tick(number))
            }
            (_, None) => level.to_string(),
            (name, Some(_)) => format!("{name}={level}"),
        });
    }
    words.join(" ")
}

/// A figure with half the width of its interval.
pub fn spread(figure: Figure, interval: &Interval) -> String {
    let half = (interval.high - interval.low) / 2.0 / interval.estimate.abs() * 100.0;
    let estimate = show(figure, interval.estimate);
    match half {
        ..=100.0 => format!("{estimate} ±{half:.0}%"),
        // Of two or three repeats an interval on logarithms may span orders of magnitude.
        _ => format!("{estimate} ±>100%"),
    }
}

/// A figure with its unit.
pub fn show(figure: Figure, value: f64) -> String {
    match figure {
        Figure::Time(..) | Figure::CpuPerRequest => Unit::Seconds.show(value * 1e-6),
        Figure::PeakResident | Figure::MemoryPerConnection => Unit::Bytes.show(value),
        Figure::Bandwidth => Unit::Traffic.show(value),
        Figure::ErrorPercent => format!("{value:.2}%"),
        Figure::Availability | Figure::AvailableSeconds => format!("{value:.3}%"),
        _ if value.abs() >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(["a".to_owned(), "long".to_owned()]);
        table.row(vec!["µs".into(), "1".into()]);
        assert_eq!(table.to_string(), "a   long\nµs     1\n");
    }

    #[test]
    fn figures_have_units() {
        let figure = |name: &str| name.parse::<Figure>().unwrap();
        assert_eq!(show(figure("p99"), 1234.0), "1.23 ms");
        assert_eq!(show(figure("throughput"), 1234.4), "1234");
        assert_eq!(show(figure("peak_resident"), 1536.0), "1.50 KiB");
        assert_eq!(show(figure("memory_per_connection"), 512.0), "512 B");
        assert_eq!(show(figure("availability"), 99.95), "99.950%");
    }
}
