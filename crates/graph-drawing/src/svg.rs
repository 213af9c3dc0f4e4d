//! As SVG.

use std::fmt::Write;

use contracts::serve::BlockingEdge;

use crate::layout::{self, Curve, Point, Rectangle};
use crate::{Shown, label};

/// The size of a node's name, and of what stands at an edge, in pixels.
const NAME: f64 = 13.0;
const LABEL: f64 = 11.0;
/// How wide a letter is beside its size, about: exact widths would need the reader's font.
const LETTER: f64 = 0.56;
/// How high a line is beside the size of its text.
const LINE: f64 = 1.18;
/// Letters of a name that are shown.
const MOST_LETTERS: usize = 60;
/// Room around the whole.
const MARGIN: f64 = 8.0;
/// The colours of the report's figures.
const INK: &str = "#1A1A1A";
const MUTED: &str = "#595959";
const PAPER: &str = "#FFFFFF";

/// The graph as SVG, `id` being where it is addressed in a page.
pub fn svg(edges: &[BlockingEdge], id: &str, title: &str, about: &str) -> String {
    let shown = Shown::of(edges);
    let names: Vec<_> = shown.nodes.iter().map(|name| shortened(name)).collect();
    let labels: Vec<_> = shown.edges.iter().map(|(.., edge)| label(edge)).collect();
    let joins: Vec<_> = shown
        .edges
        .iter()
        .map(|&(from, to, _)| (from, to))
        .collect();
    let sizes: Vec<_> = names
        .iter()
        .map(|name| Point {
            x: wide(name, NAME) + 20.0,
            y: NAME + 14.0,
        })
        .collect();
    let nodes = layout::nodes(&sizes, &joins);
    let curves = layout::edges(&nodes, &joins);
    let sizes: Vec<_> = labels.iter().map(|lines| extent(lines)).collect();
    let places = layout::labels(&nodes, &curves, &sizes);

    let mut drawing = Drawing::default();
    for (curve, (.., edge)) in curves.iter().zip(&shown.edges) {
        drawing.edge(curve, 0.6 + 2.4 * shown.weight(edge));
    }
    for (place, lines) in places.iter().zip(&labels) {
        drawing.corner(place);
        drawing.words(place, lines, LABEL);
    }
    for (place, name) in nodes.iter().zip(names) {
        drawing.node(place);
        drawing.words(place, &[name], NAME);
    }
    drawing.finish(id, title, about)
}

fn wide(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * LETTER * size
}

fn extent(lines: &[String]) -> Point {
    let widest = lines.iter().map(|line| wide(line, LABEL));
    Point {
        x: widest.fold(0.0, f64::max) + 6.0,
        y: lines.len() as f64 * LINE * LABEL,
    }
}

/// An SVG in the making.
#[derive(Default)]
struct Drawing {
    lines: String,
    /// The ground behind what stands on lines.
    grounds: String,
    boxes: String,
    words: String,
    /// The corner nearest to the origin, and that farthest from it.
    least: Point,
    most: Point,
}

impl Drawing {
    fn reach(&mut self, place: Point) {
        self.least.x = self.least.x.min(place.x);
        self.least.y = self.least.y.min(place.y);
        self.most.x = self.most.x.max(place.x);
        self.most.y = self.most.y.max(place.y);
    }

    /// The upper left corner of a rectangle that is drawn.
    fn corner(&mut self, place: &Rectangle) -> Point {
        let Rectangle { middle, size } = place;
        let away = |sign: f64| Point {
            x: middle.x + sign * size.x / 2.0,
            y: middle.y + sign * size.y / 2.0,
        };
        self.reach(away(-1.0));
        self.reach(away(1.0));
        away(-1.0)
    }

    fn node(&mut self, place: &Rectangle) {
        let (corner, size) = (self.corner(place), place.size);
        // Writing to a string does not fail, here and below.
        let _ = writeln!(
            self.boxes,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"6\" fill=\"{PAPER}\"/>",
            corner.x, corner.y, size.x, size.y
        );
    }

    fn words(&mut self, place: &Rectangle, lines: &[String], size: f64) {
        let high = size * LINE;
        let Point { x, y } = place.middle;
        let first = y - high * (lines.len() as f64 - 1.0) / 2.0 + size * 0.36;
        for (number, line) in lines.iter().enumerate() {
            let y = first + high * number as f64;
            if size == LABEL {
                let wide = wide(line, size) + 2.0;
                let _ = writeln!(
                    self.grounds,
                    "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{wide:.1}\" height=\"{high:.1}\"/>",
                    x - wide / 2.0,
                    y - size * 0.9
                );
            }
            let _ = writeln!(
                self.words,
                "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\">{}</text>",
                escape(line)
            );
        }
    }

    fn edge(&mut self, curve: &Curve, width: f64) {
        let Curve(points) = curve;
        for point in points {
            self.reach(*point);
        }
        let [start, leave, enter, end] = points;
        let _ = writeln!(
            self.lines,
            "<path d=\"M{:.1} {:.1} C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}\" stroke-width=\"{width:.1}\"/>",
            start.x, start.y, leave.x, leave.y, enter.x, enter.y, end.x, end.y
        );
        self.arrowhead(*end, *enter);
    }

    /// A head at `tip`, for a line that comes from the direction of `from`.
    fn arrowhead(&mut self, tip: Point, from: Point) {
        const LONG: f64 = 9.0;
        let (x, y) = (from.x - tip.x, from.y - tip.y);
        let length = x.hypot(y).max(f64::MIN_POSITIVE);
        let (x, y) = (x * LONG / length, y * LONG / length);
        let wing = |side: f64| (tip.x + x - side * y, tip.y + y + side * x);
        let corners = [(tip.x, tip.y), wing(0.4), wing(-0.4)];
        let corners = corners.map(|(x, y)| format!("{x:.1},{y:.1}"));
        let _ = writeln!(
            self.lines,
            "<polygon points=\"{}\" fill=\"currentColor\" stroke=\"none\"/>",
            corners.join(" ")
        );
    }

    fn finish(self, id: &str, title: &str, about: &str) -> String {
        let (x, y) = (self.least.x - MARGIN, self.least.y - MARGIN);
        let width = self.most.x - self.least.x + 2.0 * MARGIN;
        let height = self.most.y - self.least.y + 2.0 * MARGIN;
        let [id, title, about] = [id, title, about].map(escape);
        let Self {
            lines,
            grounds,
            boxes,
            words,
            ..
        } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"{x:.0} {y:.0} {width:.0} {height:.0}\" role=\"img\" aria-labelledby=\"{id}-title {id}-about\" \
             font-family=\"system-ui, sans-serif\">\n\
             <title id=\"{id}-title\">{title}</title>\n<desc id=\"{id}-about\">{about}</desc>\n\
             <rect class=\"paper\" x=\"{x:.0}\" y=\"{y:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" fill=\"{PAPER}\"/>\n\
             <g class=\"muted\" color=\"{MUTED}\" fill=\"none\" stroke=\"currentColor\">\n{lines}</g>\n\
             <g fill=\"{PAPER}\" fill-opacity=\"0.85\">\n{grounds}</g>\n\
             <g class=\"ink\" color=\"{INK}\" stroke=\"currentColor\" stroke-width=\"1.2\">\n{boxes}</g>\n\
             <g class=\"ink\" color=\"{INK}\" fill=\"currentColor\" text-anchor=\"middle\">\n{words}</g>\n</svg>\n"
        )
    }
}

/// A name, as much of it as is read.
fn shortened(name: &str) -> String {
    match name.char_indices().nth(MOST_LETTERS) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.into(),
    }
}

/// Text that comes from outside: nothing in it can be taken for markup, and it has nothing that XML has no place for.
fn escape(text: &str) -> String {
    let allowed = |letter: char| match letter {
        '\u{fffe}' | '\u{ffff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        control if control.is_control() => '\u{fffd}',
        other => other,
    };
    text.chars()
        .map(allowed)
        .collect::<String>()
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
