//! As SVG.

use std::fmt::Write;

use contracts::serve::BlockingEdge;
use layout::core::base::Orientation;
use layout::core::color::Color;
use layout::core::format::{ClipHandle, RenderBackend};
use layout::core::geometry::Point;
use layout::core::style::{LineStyleKind, StyleAttr};
use layout::std_shapes::shapes::{Arrow, Element, LineEndKind, ShapeKind};
use layout::topo::layout::VisualGraph;

use crate::{Shown, label};

/// The size of a node's name, and of what stands at an edge, in pixels.
const NAME: f64 = 13.0;
const LABEL: f64 = 11.0;
/// `layout-rs` takes letters to be as wide as they are high; they are a good half as wide.
const LETTER: f64 = 0.6;
/// Letters of a name that are shown.
const MOST_LETTERS: usize = 60;
/// Room around the whole.
const MARGIN: f64 = 8.0;
/// The colours of the report's figures.
const INK: &str = "#1A1A1A";
const MUTED: &str = "#595959";
const PAPER: &str = "#FFFFFF";
/// Steps of the widths of lines; their number goes where `layout-rs` has a width.
const WIDTHS: f64 = 8.0;

/// The graph as SVG, `id` being where it is addressed in a page.
pub fn svg(edges: &[BlockingEdge], id: &str, title: &str, about: &str) -> String {
    let shown = Shown::of(edges);
    let mut graph = VisualGraph::new(Orientation::TopToBottom);
    let nodes: Vec<_> = shown
        .nodes
        .iter()
        .map(|name| {
            let name = shortened(&printable(name));
            let width = NAME * LETTER * name.chars().count() as f64 + 20.0;
            let size = Point::new(width, NAME + 14.0);
            let shape = ShapeKind::new_box(&name);
            let look = style(0, NAME);
            graph.add_node(Element::create(shape, look, Orientation::TopToBottom, size))
        })
        .collect();
    for (from, to, edge) in &shown.edges {
        let width = 1 + (shown.weight(edge) * WIDTHS).round() as usize;
        // Narrower letters, so that it takes them to be as wide as they are.
        let look = style(width, LABEL * LETTER);
        let arrow = Arrow::new(
            LineEndKind::None,
            LineEndKind::Arrow,
            LineStyleKind::Normal,
            &label(edge).join("\n"),
            &look,
            &None,
            &None,
        );
        graph.add_edge(arrow, nodes[*from], nodes[*to]);
    }
    let mut drawing = Drawing::default();
    if !nodes.is_empty() {
        graph.do_it(false, false, false, &mut drawing);
    }
    drawing.finish(id, title, about)
}

fn style(width: usize, font: f64) -> StyleAttr {
    StyleAttr::new(Color::fast("black"), width, None, 6, font.round() as usize)
}

/// An SVG in the making.
#[derive(Default)]
struct Drawing {
    lines: String,
    /// The ground behind what stands on lines.
    grounds: String,
    boxes: String,
    words: String,
    /// The corner farthest from the origin, and that nearest to it.
    right: f64,
    bottom: f64,
    left: f64,
    top: f64,
}

impl Drawing {
    fn reach(&mut self, place: Point) {
        self.right = self.right.max(place.x);
        self.bottom = self.bottom.max(place.y);
        self.left = self.left.min(place.x);
        self.top = self.top.min(place.y);
    }

    fn finish(self, id: &str, title: &str, about: &str) -> String {
        let (x, y) = (self.left - MARGIN, self.top - MARGIN);
        let width = self.right - self.left + 2.0 * MARGIN;
        let height = self.bottom - self.top + 2.0 * MARGIN;
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

impl RenderBackend for Drawing {
    fn draw_rect(
        &mut self,
        corner: Point,
        size: Point,
        _: &StyleAttr,
        _: Option<String>,
        _: Option<ClipHandle>,
    ) {
        self.reach(corner);
        self.reach(corner.add(size));
        // Writing to a string does not fail, here and below.
        let _ = writeln!(
            self.boxes,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"6\" fill=\"{PAPER}\"/>",
            corner.x, corner.y, size.x, size.y
        );
    }

    fn draw_line(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}

    fn draw_circle(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}

    fn draw_text(&mut self, middle: Point, text: &str, look: &StyleAttr) {
        let is_name = look.font_size == NAME as usize;
        let size = if is_name { NAME } else { LABEL };
        let lines: Vec<_> = text.lines().collect();
        let high = size * 1.15;
        let first = middle.y - high * (lines.len() as f64 - 1.0) / 2.0 + size * 0.36;
        for (number, line) in lines.iter().enumerate() {
            let y = first + high * number as f64;
            let half = size * LETTER * line.chars().count() as f64 / 2.0;
            let corner = Point::new(middle.x - half, y - size * 0.85);
            let extent = Point::new(2.0 * half, high);
            self.reach(corner);
            self.reach(corner.add(extent));
            if !is_name {
                let _ = writeln!(
                    self.grounds,
                    "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
                    corner.x, corner.y, extent.x, extent.y
                );
            }
            let _ = writeln!(
                self.words,
                "<text x=\"{:.1}\" y=\"{y:.1}\" font-size=\"{size}\">{}</text>",
                middle.x,
                escape(line)
            );
        }
    }

    fn draw_arrow(
        &mut self,
        path: &[(Point, Point)],
        _: bool,
        head: (bool, bool),
        look: &StyleAttr,
        _: Option<String>,
        _: &str,
    ) {
        let [(start, leave), rest @ ..] = path else {
            return;
        };
        let mut curve = format!("M{:.1} {:.1}", start.x, start.y);
        let mut control = *leave;
        self.reach(*start);
        for (enter, place) in rest {
            for at in [control, *enter, *place] {
                self.reach(at);
            }
            let _ = write!(
                curve,
                " C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}",
                control.x, control.y, enter.x, enter.y, place.x, place.y
            );
            control = place.add(place.sub(*enter));
        }
        let width = 0.6 + 2.4 * (look.line_width.saturating_sub(1) as f64 / WIDTHS);
        let _ = writeln!(
            self.lines,
            "<path d=\"{curve}\" stroke-width=\"{width:.1}\"/>"
        );
        let ends = [
            (head.0, *start, *leave),
            match rest.last() {
                Some((enter, place)) => (head.1, *place, *enter),
                None => (false, *start, *leave),
            },
        ];
        for (is_head, tip, from) in ends {
            if is_head {
                self.arrowhead(tip, from);
            }
        }
    }

    fn create_clip(&mut self, _: Point, _: Point, _: usize) -> ClipHandle {
        0
    }
}

impl Drawing {
    /// A head at `tip`, for a line that comes from the direction of `from`.
    fn arrowhead(&mut self, tip: Point, from: Point) {
        const LONG: f64 = 9.0;
        let back = from.sub(tip);
        let length = back.length();
        if length == 0.0 {
            return;
        }
        let back = back.scale(LONG / length);
        let side = Point::new(-back.y, back.x).scale(0.4);
        let corners = [tip, tip.add(back).add(side), tip.add(back).sub(side)];
        let corners = corners.map(|at| format!("{:.1},{:.1}", at.x, at.y));
        let _ = writeln!(
            self.lines,
            "<polygon points=\"{}\" fill=\"currentColor\" stroke=\"none\"/>",
            corners.join(" ")
        );
    }
}

/// A name, as much of it as is read.
fn shortened(name: &str) -> String {
    match name.char_indices().nth(MOST_LETTERS) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.into(),
    }
}

/// Text that comes from outside, without what XML has no place for.
fn printable(text: &str) -> String {
    let allowed = |letter: char| match letter {
        '\u{fffe}' | '\u{ffff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        control if control.is_control() => '\u{fffd}',
        other => other,
    };
    text.chars().map(allowed).collect()
}

/// Nothing in it can be taken for markup.
fn escape(text: &str) -> String {
    printable(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
