//! Colours, dashes and markers that can be told apart: also by the colour-blind, also without colour.

use crate::figure::Look;

/// Okabe and Ito's colours (*Color Universal Design*, 2008), without the yellow, which is too faint on white, and the black, which is the text's; the
/// grey of Wong's selection (*Nature Methods* 8, 2011) and a brown of Tol's muted scheme follow. A page may replace them by class for a dark ground.
const COLOURS: [&str; 8] = [
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#6E6E6E",
];

/// Lengths of strokes and gaps, in pixels. Seven, so that they meet the eight colours in 56 ways.
const DASHES: [&[u32]; 7] = [
    &[],
    &[7, 3],
    &[2, 2],
    &[9, 3, 2, 3],
    &[12, 4],
    &[4, 2],
    &[9, 2, 2, 2, 2, 2],
];

/// The colour of text.
pub(crate) const INK: &str = "#1A1A1A";
/// The colour of what is only there to be looked up.
pub(crate) const MUTED: &str = "#595959";
/// The colour of grid lines.
pub(crate) const GRID: &str = "#DEDEDE";
/// The ground.
pub(crate) const PAPER: &str = "#FFFFFF";

/// The shape of a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Circle,
    Square,
    Triangle,
    Diamond,
    Down,
    Cross,
    Plus,
    Bar,
}

const SHAPES: [Shape; 8] = [
    Shape::Circle,
    Shape::Square,
    Shape::Triangle,
    Shape::Diamond,
    Shape::Down,
    Shape::Cross,
    Shape::Plus,
    Shape::Bar,
];

impl Look {
    /// The class of its colour.
    pub(crate) fn class(self) -> String {
        match self {
            Self::Measured(place) => format!("c{}", place % COLOURS.len()),
            Self::Theory(_) => "theory".into(),
        }
    }

    pub(crate) fn colour(self) -> &'static str {
        match self {
            Self::Measured(place) => COLOURS[place % COLOURS.len()],
            Self::Theory(_) => MUTED,
        }
    }

    pub(crate) fn dashes(self) -> &'static [u32] {
        match self {
            Self::Measured(place) => DASHES[place % DASHES.len()],
            Self::Theory(place) => [&[1, 3][..], &[6, 3, 1, 3]][place % 2],
        }
    }

    pub(crate) fn shape(self) -> Option<Shape> {
        match self {
            // A colour that comes again comes with another shape.
            Self::Measured(place) => {
                Some(SHAPES[(place + 3 * (place / COLOURS.len())) % SHAPES.len()])
            }
            Self::Theory(_) => None,
        }
    }
}
