//! Colours, dashes and markers that can be told apart: also by the colour-blind, also without colour.

use crate::figure::Look;

/// A colour in three shades: on a light ground, and on a dark one.
type Shades = [[&'static str; 3]; 2];

/// Okabe and Ito's colours (*Color Universal Design*, 2008), without the yellow, which is too faint on white, and the black, which is the text's; the
/// grey of Wong's selection (*Nature Methods* 8, 2011) and a brown of Tol's muted scheme come first, for families of few. Each has a darker shade, and
/// one whose hue is a neighbour's.
const COLOURS: [Shades; 8] = [
    [
        ["#6E6E6E", "#3D3D3D", "#8A7F70"],
        ["#B5B5B5", "#E2E2E2", "#9A8F80"],
    ],
    [
        ["#882255", "#4F0F2F", "#B0487C"],
        ["#D76A9C", "#F2A9C8", "#B2497C"],
    ],
    [
        ["#009E73", "#00573F", "#5B9A1F"],
        ["#2FC79B", "#9CEBD2", "#86C447"],
    ],
    [
        ["#0072B2", "#003A5D", "#5A7BD8"],
        ["#4AA3E0", "#A3D2F5", "#8A9CF2"],
    ],
    [
        ["#D55E00", "#863B00", "#E0584B"],
        ["#F08A3C", "#FFC59B", "#F2786B"],
    ],
    [
        ["#E69F00", "#805800", "#B59B00"],
        ["#F2C14E", "#FBE5B0", "#C9B52E"],
    ],
    [
        ["#CC79A7", "#85416A", "#B06AD0"],
        ["#E39CC4", "#F8D8E8", "#C793E0"],
    ],
    [
        ["#56B4E9", "#1F6E9C", "#4FB3B3"],
        ["#A5DAF7", "#DAF0FD", "#7FD0D0"],
    ],
];

/// Of things without a family the first is green, the second blue, the third orange: the colours that are farthest apart.
const FIRST: usize = 2;

/// Lengths of strokes and gaps, in pixels. Seven, so that they meet eight colours, and three shades, in as many ways as there are.
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
/// The colour of lines that are only there to be compared with.
pub(crate) const GHOST: &str = "#CFCFCF";
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
    /// What the n-th of things without a family looks like.
    pub(crate) fn nth(place: usize) -> Self {
        Self::Measured(FIRST + place)
    }

    /// Its colour and its shade.
    fn shade(self) -> Option<(usize, usize)> {
        match self {
            Self::Family { family, place } => Some((family % COLOURS.len(), place % 3)),
            Self::Measured(place) | Self::Simulated(place) => {
                Some((place % COLOURS.len(), place / COLOURS.len() % 3))
            }
            Self::Theory(_) => None,
        }
    }

    /// The classes of its colour and its shade.
    pub(crate) fn class(self) -> String {
        match self.shade() {
            Some((colour, 0)) => format!("c{colour}"),
            Some((colour, shade)) => format!("c{colour} s{shade}"),
            None => "theory".into(),
        }
    }

    pub(crate) fn colour(self) -> &'static str {
        self.shade()
            .map_or(MUTED, |(colour, shade)| COLOURS[colour][0][shade])
    }

    pub(crate) fn dashes(self) -> &'static [u32] {
        match self {
            // The first of each family has none: its colour is enough.
            Self::Family { place, .. } | Self::Measured(place) => DASHES[place % DASHES.len()],
            Self::Simulated(_) => &[3, 3],
            Self::Theory(place) => [&[1, 3][..], &[6, 3, 1, 3]][place % 2],
        }
    }

    pub(crate) fn shape(self) -> Option<Shape> {
        let place = match self {
            Self::Family { family, place } => family + 3 * place,
            // A colour that comes again comes with another shape.
            Self::Measured(place) | Self::Simulated(place) => place + 3 * (place / COLOURS.len()),
            Self::Theory(_) => return None,
        };
        Some(SHAPES[place % SHAPES.len()])
    }
}

/// The rules of a page for the colours of all classes, on a light ground or on a dark one.
pub(crate) fn rules(dark: bool) -> String {
    let grounds = COLOURS.iter().map(|shades| shades[usize::from(dark)]);
    let rules = grounds.enumerate().flat_map(|(colour, shades)| {
        let shades = shades.into_iter().enumerate();
        shades.map(move |(shade, value)| match shade {
            0 => format!(".c{colour} {{ color: {value}; }}"),
            _ => format!(".c{colour}.s{shade} {{ color: {value}; }}"),
        })
    });
    rules.collect::<Vec<_>>().join(" ")
}

/// All by which it can be told from others.
#[cfg(test)]
pub(crate) fn distinction(look: Look) -> (&'static str, &'static [u32], String) {
    (look.colour(), look.dashes(), format!("{:?}", look.shape()))
}
