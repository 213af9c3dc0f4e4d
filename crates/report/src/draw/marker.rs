//! Markers: a shape for each architecture, hollow and crossed out where a measurement is invalid.

use super::canvas::{Area, Drawn, Place, at, refused, units};
use super::look::Shape;
use plotters::prelude::*;

/// For those that are invalid, which all look alike.
pub(crate) const ANY: Shape = Shape::Circle;

/// Draws one, `radius` in pixels.
pub(crate) fn draw(
    area: &Area<'_>,
    shape: Shape,
    place: Place,
    radius: f64,
    invalid: bool,
) -> Drawn {
    let corners = corners(shape, place, radius);
    if invalid {
        return hollow(area, place, radius);
    }
    match shape {
        Shape::Circle => area
            .draw(&Circle::new(at(place), units(radius), BLACK.filled()))
            .map_err(refused),
        Shape::Cross | Shape::Plus => corners
            .chunks(2)
            .try_for_each(|ends| super::canvas::line(area, ends, radius * 0.55)),
        _ => {
            let corners: Vec<_> = corners.into_iter().map(at).collect();
            area.draw(&Polygon::new(corners, BLACK)).map_err(refused)
        }
    }
}

fn hollow(area: &Area<'_>, (x, y): Place, radius: f64) -> Drawn {
    let reach = radius * 1.5;
    area.draw(&Circle::new(at((x, y)), units(reach), WHITE.filled()))
        .map_err(refused)?;
    area.draw(&Circle::new(
        at((x, y)),
        units(reach),
        BLACK.stroke_width(12),
    ))
    .map_err(refused)?;
    let arm = reach * 0.7;
    super::canvas::line(area, &[(x - arm, y - arm), (x + arm, y + arm)], 1.2)
}

fn corners(shape: Shape, (x, y): Place, radius: f64) -> Vec<Place> {
    let corners: &[(f64, f64)] = match shape {
        Shape::Circle => &[],
        Shape::Square => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
        Shape::Triangle => &[(0.0, -1.25), (1.15, 0.85), (-1.15, 0.85)],
        Shape::Diamond => &[(0.0, -1.35), (1.2, 0.0), (0.0, 1.35), (-1.2, 0.0)],
        Shape::Down => &[(0.0, 1.25), (1.15, -0.85), (-1.15, -0.85)],
        Shape::Cross => &[(-1.0, -1.0), (1.0, 1.0), (-1.0, 1.0), (1.0, -1.0)],
        Shape::Plus => &[(-1.3, 0.0), (1.3, 0.0), (0.0, -1.3), (0.0, 1.3)],
        Shape::Bar => &[(-0.55, -1.4), (0.55, -1.4), (0.55, 1.4), (-0.55, 1.4)],
    };
    corners
        .iter()
        .map(|(across, down)| (x + across * radius, y + down * radius))
        .collect()
}
