//! One figure, from a results folder or from what load generators wrote, as SVG or PNG.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `source` | what a file is, and how it is read |
//! | `percentiles` | distributions that others have worked out, in columns or commas |
//! | `kind` | the kinds of figures |
//! | `choose` | the figures of a results folder by kind and circumstances |

mod choose;
mod kind;
mod percentiles;
mod source;

use crate::draw::{self, Frame};
use crate::error::Error;
use crate::figure::{Axis, Content, Figure};
use crate::scale;
use contracts::models::Model;
use source::Source;
use std::path::{Path, PathBuf};

pub use kind::FigureKind;

/// What is to be drawn.
#[derive(Debug, Clone)]
pub struct Request {
    /// The kind of figure.
    pub kind: FigureKind,
    /// Results folders and files.
    pub sources: Vec<PathBuf>,
    /// Names for the sources, in their order; where there are none, the names of the files.
    pub labels: Vec<String>,
    /// Of a results folder the circumstances, like `4,000 requests/s`; the most telling if not given.
    pub at: Option<String>,
    /// The title, if it is to be another.
    pub title: Option<String>,
    /// Whether the horizontal axis is logarithmic, if that is to be other than usual.
    pub x_log: Option<bool>,
    /// The same of the vertical axis.
    pub y_log: Option<bool>,
}

/// Makes a figure. The `catalogue` lists all architectures in an order that does not change.
pub fn figure(request: &Request, catalogue: &[Model]) -> Result<Figure, Error> {
    let sources = request.sources.iter().enumerate().map(|(place, path)| {
        let label = request.labels.get(place).cloned();
        Source::read(
            path,
            label.unwrap_or_else(|| name_of(path, &request.sources)),
        )
    });
    let sources = sources.collect::<Result<Vec<_>, _>>()?;
    if request.kind == FigureKind::Histogram && request.x_log == Some(false) {
        return Err(Error::NoData {
            kind: request.kind,
            problem: "its steps are of equal ratio, which a linear axis would distort".into(),
        });
    }
    let mut figure = choose::figure(request.kind, &sources, request.at.as_deref(), catalogue)?;
    if let Some(title) = &request.title {
        figure.title.clone_from(title);
    }
    match &mut figure.content {
        Content::Chart(chart) => {
            set(&mut chart.x, request.x_log);
            set(&mut chart.y, request.y_log);
        }
        Content::Rows(rows) => set(&mut rows.x, request.x_log),
        Content::Graph(_) => {}
    }
    Ok(figure)
}

/// What a picture may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Lines and text.
    Svg,
    /// Pixels.
    Png,
}

/// What the name of a file says that it is to be.
///
/// # Errors
/// When it does not.
pub fn format_of(path: &Path) -> Result<Format, Error> {
    let extension = path
        .extension()
        .map(|extension| extension.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("svg") => Ok(Format::Svg),
        Some("png") => Ok(Format::Png),
        _ => Err(Error::Format(path.into())),
    }
}

/// Draws a figure into a file whose name says what it is to be; a PNG has `scale` pixels for each of the figure's.
pub fn write(figure: &Figure, frame: Frame, scale: f32, path: &Path) -> Result<(), Error> {
    let format = format_of(path)?;
    let svg = draw::svg(figure, frame)?;
    let bytes = match format {
        Format::Svg => svg.into_bytes(),
        Format::Png => draw::png(&svg, scale)?,
    };
    results::write_atomically(path, &bytes)?;
    Ok(())
}

fn set(axis: &mut Axis, log: Option<bool>) {
    // The axis of nines is the figure itself.
    if axis.kind == scale::ScaleKind::Nines {
        return;
    }
    match log {
        Some(true) => {
            axis.kind = scale::ScaleKind::Log;
            axis.limits = axis.limits.filter(|(low, _)| *low > 0.0);
        }
        Some(false) => {
            axis.kind = scale::ScaleKind::Linear;
            axis.from_zero = true;
        }
        None => {}
    }
}

/// The name of a file without its extension, if that tells it from the others.
fn name_of(path: &Path, others: &[PathBuf]) -> String {
    let alike = others
        .iter()
        .filter(|other| other.file_stem() == path.file_stem())
        .count()
        > 1;
    if command::is_standard(path) {
        return command::input::name(path);
    }
    let name = if alike {
        path.file_name()
    } else {
        path.file_stem()
    };
    name.map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}
