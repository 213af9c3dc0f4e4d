//! From a figure to a picture.
//!
//! plotters draws onto a canvas of tenths of pixels, since its coordinates are whole numbers. What belongs together (the grid, a series, an entry of
//! the legend) is drawn by itself and set into a group of the final SVG, so that a page can colour or hide it as one; plotters' SVG has no groups.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `canvas` | groups of drawings |
//! | `chart`, `rows` | the forms of a figure; graphs are drawn by the crate `graph-drawing` |
//! | `panels` | a chart of many series: a panel for each family, the others grey behind it |
//! | `axes`, `legend`, `labels`, `marker` | their parts |
//! | `look` | colours, dashes and markers |
//! | `png` | an SVG as pixels |

mod axes;
mod canvas;
mod chart;
mod labels;
mod legend;
pub(crate) mod look;
mod marker;
mod panels;
mod png;
mod rows;

use crate::error::Error;
use crate::figure::{Content, Figure};

pub use png::png;

/// How large a picture is, and whether it speaks for itself.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// In pixels.
    pub width: u32,
    /// In pixels; figures of rows are as high as they have to be.
    pub height: u32,
    /// Whether the title is drawn; a page has it in its text.
    pub titled: bool,
}

impl Frame {
    /// A picture of its own.
    pub const ALONE: Self = Self {
        width: 720,
        height: 460,
        titled: true,
    };
    /// One of many in a page: narrow enough for its text to be read on a phone.
    pub const IN_PAGE: Self = Self {
        width: 410,
        height: 312,
        titled: false,
    };
}

/// Draws a figure as SVG.
pub fn svg(figure: &Figure, frame: Frame) -> Result<String, Error> {
    match &figure.content {
        Content::Chart(chart) => chart::draw(figure, chart, frame),
        Content::Rows(rows) => rows::draw(figure, rows, frame),
        // As large as it has to be.
        Content::Graph(edges) => Ok(graph_drawing::svg(
            edges,
            &figure.id,
            &figure.title,
            &figure.about,
        )),
    }
}

#[cfg(test)]
mod tests;
