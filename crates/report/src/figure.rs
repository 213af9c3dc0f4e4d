//! What a figure says, before it is drawn.

pub use crate::scale::ScaleKind;
pub use command::quantity::Unit;
use contracts::serve::BlockingEdge;

/// A figure.
#[derive(Debug, Clone)]
pub struct Figure {
    /// Its name among the figures: also its address in the page.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// How to read it, in a sentence or two.
    pub about: String,
    /// What is in it.
    pub content: Content,
}

/// The forms of a figure.
#[derive(Debug, Clone)]
pub enum Content {
    /// Series over two axes.
    Chart(Chart),
    /// A row for each of a few things, over one axis.
    Rows(Rows),
    /// A blocking graph: nodes, and edges between them, without an axis.
    Graph(Vec<BlockingEdge>),
}

/// An axis.
#[derive(Debug, Clone)]
pub struct Axis {
    /// Its name, with the unit unless the ticks have it.
    pub name: String,
    /// What it counts in.
    pub unit: Unit,
    /// How values lie along it.
    pub kind: ScaleKind,
    /// Whether a linear axis begins at 0.
    pub from_zero: bool,
    /// Values beyond these are cut off.
    pub limits: Option<(f64, f64)>,
}

impl Axis {
    /// A linear axis from 0.
    pub fn linear(name: &str, unit: Unit) -> Self {
        Self {
            name: name.into(),
            unit,
            kind: ScaleKind::Linear,
            from_zero: true,
            limits: None,
        }
    }

    /// A logarithmic axis.
    pub fn log(name: &str, unit: Unit) -> Self {
        Self {
            kind: ScaleKind::Log,
            from_zero: false,
            ..Self::linear(name, unit)
        }
    }
}

/// Series over two axes.
#[derive(Debug, Clone)]
pub struct Chart {
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What is drawn, the last on top.
    pub series: Vec<Series>,
}

/// One thing in a chart, with an entry in its legend.
#[derive(Debug, Clone)]
pub struct Series {
    /// Its name in the legend.
    pub label: String,
    /// Its colour, dashes and marker.
    pub look: Look,
    /// Its points, from left to right.
    pub points: Vec<Point>,
    /// Whether a line joins them; not where nothing is known of what lies between.
    pub joined: bool,
}

/// How a series looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Look {
    /// An architecture: its family has a colour, and its place in it says in which shade, dashes and shape.
    Family {
        /// The family's place in the catalogue.
        family: usize,
        /// Its own in the family.
        place: usize,
    },
    /// Another thing that was measured: by its place in an order that does not change.
    Measured(usize),
    /// What theory says: the n-th such curve of a figure.
    Theory(usize),
    /// What a simulation says of a thing, whose colour it has: always dashed, for nobody has measured it.
    Simulated(usize),
}

/// A point of a series.
#[derive(Debug, Clone, Default)]
pub struct Point {
    /// Along the horizontal axis.
    pub x: f64,
    /// Along the vertical axis.
    pub y: f64,
    /// An interval around `y`.
    pub range: Option<(f64, f64)>,
    /// What can be read off it; points without are no more than parts of the line.
    pub label: Option<String>,
    /// A measurement that is not to be believed.
    pub invalid: bool,
}

impl Point {
    /// A point of a line.
    pub fn at(x: f64, y: f64) -> Self {
        Self {
            x,
            y,
            ..Self::default()
        }
    }

    /// The same with a label, and so a marker.
    pub fn labelled(self, label: String) -> Self {
        Self {
            label: Some(label),
            ..self
        }
    }
}

/// A row for each of a few things.
#[derive(Debug, Clone)]
pub struct Rows {
    /// The only axis.
    pub x: Axis,
    /// From the top.
    pub rows: Vec<Row>,
}

/// A row.
#[derive(Debug, Clone)]
pub struct Row {
    /// What it is about.
    pub label: String,
    /// Its colour and marker.
    pub look: Look,
    /// What is drawn.
    pub mark: Mark,
    /// What can be read off it.
    pub hover: String,
    /// Whether any of its measurements is not to be believed.
    pub invalid: bool,
}

/// What a row shows.
#[derive(Debug, Clone)]
pub enum Mark {
    /// An estimate, its interval, and the measurements that it comes from, with whether each is invalid.
    Dot {
        /// The estimate.
        value: f64,
        /// Its interval.
        range: Option<(f64, f64)>,
        /// The measurements.
        each: Vec<(f64, bool)>,
    },
    /// How often values fell where: ends of each bin, and its height as a share of the highest.
    Ridge(Vec<(f64, f64, f64)>),
}
