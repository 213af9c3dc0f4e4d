//! A figure of each cell, over what differs between cells: a chart where that is a number, rows where only names differ.

use super::overlay::marked;
use crate::estimate::Estimate;
use crate::figure::{
    Axis, Chart, Content, Figure, Mark, Point, Row, Rows, ScaleKind, Series, Unit,
};
use crate::study::{Panel, Study, level, slug};
use command::quantity::percent;
use results::{Better, Cell, Factor};

/// Panels without an axis that each get a figure.
const FEW: usize = 3;

/// What is shown of each cell.
pub(crate) struct Quantity {
    /// As part of identifiers.
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) about: &'static str,
    /// The name of its axis; `{times}` stands for what times are in its loop.
    pub(crate) axis: &'static str,
    pub(crate) unit: Unit,
    pub(crate) kind: ScaleKind,
    pub(crate) better: Better,
}

impl Quantity {
    fn axis_of(&self, open: bool) -> String {
        self.axis.replace(
            "{times}",
            if open {
                "response time"
            } else {
                "service time"
            },
        )
    }
}

/// One figure for each panel that has an axis, and one for all the others together.
pub(crate) fn figures(
    study: &Study<'_>,
    quantity: &Quantity,
    of: impl Fn(&Cell<'_>) -> Option<Estimate>,
) -> Vec<Figure> {
    let mut figures: Vec<Figure> = study
        .panels
        .iter()
        .filter_map(|panel| chart(panel, quantity, &of))
        .collect();
    let panels: Vec<&Panel<'_>> = study
        .panels
        .iter()
        .filter(|panel| panel.x.is_none())
        .collect();
    // A few each have a figure of their own; many are compared in one.
    let size = if panels.len() <= FEW { 1 } else { panels.len() };
    figures.extend(
        panels
            .chunks(size)
            .filter_map(|panels| rows(panels, quantity, &of)),
    );
    figures
}

/// The same of one panel, if it has an axis.
pub(crate) fn chart(
    panel: &Panel<'_>,
    quantity: &Quantity,
    of: impl Fn(&Cell<'_>) -> Option<Estimate>,
) -> Option<Figure> {
    let x = panel.x?;
    let axis = axis(x, &panel.levels());
    let series = panel.lines.iter().map(|line| Series {
        joined: true,
        label: line.model.clone(),
        look: line.look,
        points: line
            .cells
            .iter()
            .filter_map(|(at, cell)| Some((*at, of(cell)?)))
            .map(|(at, estimate)| point((at, &level(x, at)), &estimate, quantity.unit))
            .collect(),
    });
    let series: Vec<Series> = series.filter(|series| !series.points.is_empty()).collect();
    if series.is_empty() {
        return None;
    }
    let ys = series
        .iter()
        .flat_map(|series| &series.points)
        .map(|point| point.y);
    let kind = fitting(quantity.kind, ys);
    Some(Figure {
        id: identifier(quantity.id, panel),
        title: titled(quantity.title, &panel.name),
        about: quantity.about.into(),
        content: Content::Chart(Chart {
            x: axis,
            y: Axis {
                kind,
                from_zero: kind == ScaleKind::Linear,
                ..Axis::linear(&quantity.axis_of(panel.is_open()), quantity.unit)
            },
            series,
        }),
    })
}

/// A log axis is for values of different magnitudes: those within a factor of twenty are seen better, and compared more honestly, from 0.
pub(crate) fn fitting(kind: ScaleKind, values: impl Iterator<Item = f64>) -> ScaleKind {
    let (low, high) = values.fold((f64::INFINITY, 0.0_f64), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    match kind {
        ScaleKind::Log if high <= 20.0 * low || low <= 0.0 => ScaleKind::Linear,
        other => other,
    }
}

fn point((at, name): (f64, &str), estimate: &Estimate, unit: Unit) -> Point {
    Point {
        x: at,
        y: estimate.value,
        range: estimate.range,
        label: Some(format!("at {name}: {}", words(estimate, unit))),
        invalid: estimate.invalid,
    }
}

/// An estimate in words.
pub(crate) fn words(estimate: &Estimate, unit: Unit) -> String {
    let bound = if estimate.at_least { "≥ " } else { "" };
    let mut words = format!("{bound}{}", unit.show(estimate.value));
    if let Some(range) = estimate.range {
        words += &format!(" ({})", unit.range(range));
    }
    if let Some(within) = estimate.within_run {
        words += &format!(" ±{} within its run", percent(within));
    }
    if estimate.invalid {
        words += ", INVALID";
    }
    words
}

fn rows(
    panels: &[&Panel<'_>],
    quantity: &Quantity,
    of: impl Fn(&Cell<'_>) -> Option<Estimate>,
) -> Option<Figure> {
    let several = panels.len() > 1;
    let rows = panels
        .iter()
        .flat_map(|panel| panel.lines.iter().map(move |line| (panel, line)));
    let rows = rows.filter_map(|(panel, line)| {
        let estimate = line.cells.iter().find_map(|(_, cell)| of(cell))?;
        let label = if several {
            titled(&line.model, &panel.name)
        } else {
            line.model.clone()
        };
        Some(Row {
            label: marked(&label, estimate.invalid),
            look: line.look,
            hover: words(&estimate, quantity.unit),
            invalid: estimate.invalid,
            mark: Mark::Dot {
                value: estimate.value,
                range: estimate.range,
                each: estimate.each,
            },
        })
    });
    let mut rows: Vec<Row> = rows.collect();
    if rows.is_empty() {
        return None;
    }
    // Of several panels those of one stay together.
    if !several {
        sort(&mut rows, quantity.better);
    }
    let values = rows.iter().filter_map(|row| match row.mark {
        Mark::Dot { value, .. } => Some(value),
        Mark::Ridge(_) => None,
    });
    let kind = fitting(quantity.kind, values);
    let open = panels.iter().any(|panel| panel.is_open());
    let common = panels
        .first()
        .filter(|_| !several)
        .map_or("", |panel| panel.name.as_str());
    Some(Figure {
        id: match slug(common).as_str() {
            "" => quantity.id.into(),
            slug => format!("{}-{slug}", quantity.id),
        },
        title: titled(quantity.title, common),
        about: format!("{} The small strokes are single repeats.", quantity.about),
        content: Content::Rows(Rows {
            x: Axis {
                kind,
                ..Axis::linear(&quantity.axis_of(open), quantity.unit)
            },
            rows,
        }),
    })
}

/// From the best on; what does not count comes last.
fn sort(rows: &mut [Row], better: Better) {
    let place = |row: &Row| match (&row.mark, better) {
        (Mark::Dot { value, .. }, Better::Lower) => *value,
        (Mark::Dot { value, .. }, Better::Higher) => -value,
        (Mark::Ridge(_), _) => 0.0,
    };
    rows.sort_by(|one, other| {
        let counts = one.invalid.cmp(&other.invalid);
        counts.then(place(one).total_cmp(&place(other)))
    });
}

/// A title, and under which circumstances.
pub(crate) fn titled(title: &str, name: &str) -> String {
    match name {
        "" => title.into(),
        name => format!("{title}, {name}"),
    }
}

/// The identifier of a panel's figure.
pub(crate) fn identifier(id: &str, panel: &Panel<'_>) -> String {
    let x = panel.x.map_or(String::new(), |x| slug(&x.name));
    let parts = [id.to_owned(), panel.slug(), x];
    parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

/// The axis of a factor.
pub(crate) fn axis(factor: &Factor, levels: &[f64]) -> Axis {
    let rate = factor.column.ends_with("_per_s");
    let unit = match factor.unit.as_str() {
        "bytes" | "B" => Unit::Bytes,
        "s" | "seconds" => Unit::Seconds,
        _ => Unit::Plain,
    };
    let name = match (rate, factor.unit.as_str(), unit) {
        (true, ..) => "Offered load (requests/s)".into(),
        (_, "", _) | (.., Unit::Bytes | Unit::Seconds) => capitalised(&factor.name),
        (_, with, _) if with == factor.name => capitalised(with),
        (_, with, _) => format!("{} ({with})", capitalised(&factor.name)),
    };
    let (first, last) = (
        levels.first().copied().unwrap_or(0.0),
        levels.last().copied().unwrap_or(0.0),
    );
    // What is offered stays linear: the hockey stick is bent there, not by its axis.
    if !rate && first > 0.0 && last / first > 15.0 {
        Axis::log(&name, unit)
    } else {
        Axis::linear(&name, unit)
    }
}

fn capitalised(name: &str) -> String {
    let mut letters = name
        .chars()
        .map(|letter| if letter == '_' { ' ' } else { letter });
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
