//! As SVG that needs nothing but a browser.

use std::fmt::Write as _;

use super::layout::{HEIGHT, Layout, SMALL_LETTER};
use super::{Arrow, Drawn, Picture, Shape, colour};
use crate::syntax::Mode;

const INK: &str = "#1A1A1A";
const MUTED: &str = "#595959";
const ERROR: &str = "#B00020";
/// The height of a line of the legend.
const LEGEND: f64 = 20.0;

/// The picture as SVG.
pub fn svg(picture: &Picture, title: &str) -> String {
    let layout = Layout::of(picture);
    let mut drawn = String::new();
    for (arrow, way) in picture.arrows.iter().zip(&layout.ways) {
        draw_arrow(&mut drawn, picture, arrow, way);
    }
    for (one, &(x, y, width)) in picture.boxes.iter().zip(&layout.boxes) {
        draw_box(&mut drawn, one, x, y, width);
    }
    // Above the lines that cross them.
    for (arrow, way) in picture.arrows.iter().zip(&layout.ways) {
        let siblings = picture
            .arrows
            .iter()
            .filter(|other| other.from == arrow.from);
        draw_label(&mut drawn, arrow, way, siblings.count() > 1);
    }
    let legend = legend(picture, layout.height);
    let height = layout.height + LEGEND * picture.constraints.len() as f64;
    let width = layout.width.max(260.0);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         role=\"img\" font-family=\"sans-serif\">\n<title>{}</title>\n<defs>{}{}</defs>\n<rect width=\"100%\" height=\"100%\" fill=\"#FFFFFF\"/>\n{drawn}{legend}</svg>\n",
        escaped(title),
        head("head", INK),
        head("error", ERROR),
    )
}

fn head(id: &str, colour: &str) -> String {
    format!(
        "<marker id=\"{id}\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerUnits=\"userSpaceOnUse\" markerWidth=\"9\" markerHeight=\"9\" orient=\"auto\"><path d=\"M0 0 L10 5 L0 10 z\" fill=\"{colour}\"/></marker>"
    )
}

fn draw_arrow(text: &mut String, picture: &Picture, arrow: &Arrow, way: &[(f64, f64)]) {
    let half = |place: usize| match picture.boxes[place].shape {
        Shape::End => 5.0,
        Shape::Source | Shape::Node | Shape::Fork => HEIGHT / 2.0,
    };
    let last = way.len() - 1;
    let mut path = String::new();
    for (number, pair) in way.windows(2).enumerate() {
        let [(x0, mut y0), (x1, mut y1)] = [pair[0], pair[1]];
        if number == 0 {
            y0 += half(arrow.from);
            let _ = write!(path, "M{x0:.0} {y0:.0}");
        }
        if number + 1 == last {
            y1 -= half(arrow.to);
        }
        let middle = f64::midpoint(y0, y1);
        let _ = write!(
            path,
            " C{x0:.0} {middle:.0} {x1:.0} {middle:.0} {x1:.0} {y1:.0}"
        );
    }
    let (colour, dashes, marker) = if arrow.is_error {
        (ERROR, " stroke-dasharray=\"6 4\"", "error")
    } else {
        (INK, "", "head")
    };
    let width = arrow.share.map_or(1.4, |share| 0.6 + share * 7.0);
    let _ = writeln!(
        text,
        "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width:.1}\"{dashes} marker-end=\"url(#{marker})\"/>"
    );
}

/// What stands at an arrow: in the middle of its first piece, and lower where others begin at the same place.
fn draw_label(text: &mut String, arrow: &Arrow, way: &[(f64, f64)], is_one_of_several: bool) {
    let mut label = arrow.label.clone();
    if let Some(share) = arrow.share {
        label = format!("{label} {:.0} %", share * 100.0).trim().to_owned();
    }
    if label.is_empty() {
        return;
    }
    let part = if is_one_of_several { 0.66 } else { 0.5 };
    let between = |from: f64, to: f64| from + (to - from) * part;
    // Where the line is: it leaves straight down, and arrives so.
    let x = way[0].0 + (way[1].0 - way[0].0) * (3.0 - 2.0 * part) * part * part;
    let y = between(way[0].1, way[1].1) + 3.0;
    let width = label.chars().count() as f64 * SMALL_LETTER + 4.0;
    let _ = writeln!(
        text,
        "<rect x=\"{:.0}\" y=\"{:.0}\" width=\"{width:.0}\" height=\"13\" fill=\"#FFFFFF\" fill-opacity=\"0.85\"/><text x=\"{x:.0}\" y=\"{y:.0}\" font-size=\"10\" text-anchor=\"middle\" fill=\"{}\">{}</text>",
        x - width / 2.0,
        y - 10.0,
        if arrow.is_error { ERROR } else { MUTED },
        escaped(&label),
    );
}

fn draw_box(text: &mut String, drawn: &Drawn, x: f64, y: f64, width: f64) {
    let (left, right) = (x - width / 2.0, x + width / 2.0);
    let (top, bottom) = (y - HEIGHT / 2.0, y + HEIGHT / 2.0);
    // Where the time goes, the ground is warm.
    let ground = match drawn.shape {
        Shape::Source => "#E8F0F8".to_owned(),
        _ => format!(
            "rgb(255,{:.0},{:.0})",
            255.0 - drawn.share * 90.0,
            255.0 - drawn.share * 160.0
        ),
    };
    let stroke = format!("fill=\"{ground}\" stroke=\"{INK}\" stroke-width=\"1.2\"");
    let _ = match drawn.shape {
        Shape::End => writeln!(
            text,
            "<circle cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"5\" fill=\"{INK}\"/>"
        ),
        Shape::Fork => writeln!(
            text,
            "<polygon points=\"{x:.0},{top:.0} {right:.0},{y:.0} {x:.0},{bottom:.0} {left:.0},{y:.0}\" {stroke}/>"
        ),
        Shape::Source => writeln!(
            text,
            "<rect x=\"{left:.0}\" y=\"{top:.0}\" width=\"{width:.0}\" height=\"{HEIGHT:.0}\" rx=\"17\" {stroke}/>"
        ),
        Shape::Node => {
            if drawn.may_wait {
                let _ = writeln!(
                    text,
                    "<rect x=\"{:.0}\" y=\"{:.0}\" width=\"{:.0}\" height=\"{:.0}\" fill=\"none\" stroke=\"{INK}\" stroke-width=\"1\"/>",
                    left - 3.0,
                    top - 3.0,
                    width + 6.0,
                    HEIGHT + 6.0
                );
            }
            writeln!(
                text,
                "<rect x=\"{left:.0}\" y=\"{top:.0}\" width=\"{width:.0}\" height=\"{HEIGHT:.0}\" {stroke}/>"
            )
        }
    };
    if drawn.shape == Shape::End {
        return;
    }
    let _ = writeln!(
        text,
        "<text x=\"{x:.0}\" y=\"{:.0}\" font-size=\"13\" text-anchor=\"middle\" fill=\"{INK}\">{}</text>",
        y + 4.0,
        escaped(&drawn.name)
    );
    if !drawn.note.is_empty() {
        let _ = writeln!(
            text,
            "<text x=\"{x:.0}\" y=\"{:.0}\" font-size=\"10\" text-anchor=\"middle\" fill=\"{MUTED}\">{}</text>",
            bottom + 12.0,
            escaped(&drawn.note)
        );
    }
    // What is held: a bar for each at the side, hollow where it is read only.
    for (number, &(constraint, mode)) in drawn.held.iter().enumerate() {
        let colour = colour(constraint);
        let fill = match mode {
            Mode::Writer => colour,
            Mode::Reader => "#FFFFFF",
        };
        let _ = writeln!(
            text,
            "<rect x=\"{:.0}\" y=\"{top:.0}\" width=\"5\" height=\"{HEIGHT:.0}\" fill=\"{fill}\" stroke=\"{colour}\" stroke-width=\"1.4\"/>",
            right + 5.0 + number as f64 * 8.0
        );
    }
}

/// Which colour is whose.
fn legend(picture: &Picture, from: f64) -> String {
    let mut text = String::new();
    for (number, name) in picture.constraints.iter().enumerate() {
        let y = from + LEGEND * number as f64;
        let _ = writeln!(
            text,
            "<rect x=\"20\" y=\"{:.0}\" width=\"5\" height=\"14\" fill=\"{}\"/><text x=\"32\" y=\"{:.0}\" font-size=\"12\" fill=\"{INK}\">{} is held (hollow: as reader)</text>",
            y - 11.0,
            colour(number),
            y,
            escaped(name)
        );
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
