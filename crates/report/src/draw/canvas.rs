//! Groups of drawings, put together to one SVG.

use super::look;
use crate::error::Error;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::fmt::Write;

/// Tenths of pixels.
pub(crate) const UNIT: i32 = 10;
/// Size of text, in pixels.
pub(crate) const TEXT: f64 = 13.0;
/// Size of what is looked up rather than read.
pub(crate) const SMALL: f64 = 12.0;
/// Size of a title.
pub(crate) const TITLE: f64 = 16.0;

/// What plotters draws on.
pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// What a drawing function gives back.
pub(crate) type Drawn = Result<(), Error>;

/// A place in pixels.
pub(crate) type Place = (f64, f64);

/// To the coordinates of plotters.
pub(crate) fn at((x, y): Place) -> (i32, i32) {
    (units(x), units(y))
}

/// A length in the units of plotters.
pub(crate) fn units(pixels: f64) -> i32 {
    (pixels * f64::from(UNIT)).round() as i32
}

/// What plotters says when it cannot.
pub(crate) fn refused(error: impl std::fmt::Display) -> Error {
    Error::Draw(error.to_string())
}

/// The attributes of a group.
#[derive(Default)]
pub(crate) struct Group<'a> {
    pub(crate) class: &'a str,
    pub(crate) colour: &'a str,
    /// In pixels.
    pub(crate) dashes: &'a [u32],
    /// The series that it belongs to.
    pub(crate) series: Option<usize>,
}

/// An SVG in the making.
pub(crate) struct Canvas {
    pub(crate) width: f64,
    pub(crate) height: f64,
    body: String,
}

impl Canvas {
    pub(crate) fn new(width: f64, height: f64) -> Self {
        Self {
            width,
            height,
            body: String::new(),
        }
    }

    /// Draws a group. Within it, black stands for the group's colour and white for the ground's.
    pub(crate) fn group(
        &mut self,
        group: &Group<'_>,
        draw: impl FnOnce(&Area<'_>) -> Drawn,
    ) -> Drawn {
        let mut drawn = String::new();
        let size = (
            units(self.width).max(1) as u32,
            units(self.height).max(1) as u32,
        );
        {
            let area = SVGBackend::with_string(&mut drawn, size).into_drawing_area();
            draw(&area)?;
            area.present().map_err(refused)?;
        }
        let inner = drawn
            .split_once('\n')
            .and_then(|(_, rest)| rest.rsplit_once("</svg>"))
            .map_or("", |(inner, _)| inner);
        self.open(group);
        self.body.push_str(&compact(inner));
        self.body.push_str("</g>\n");
        Ok(())
    }

    /// Groups within a group.
    pub(crate) fn nested(
        &mut self,
        group: &Group<'_>,
        draw: impl FnOnce(&mut Self) -> Drawn,
    ) -> Drawn {
        self.open(group);
        draw(self)?;
        self.body.push_str("</g>\n");
        Ok(())
    }

    /// Groups that are not drawn here, but wherever [`Self::again`] says.
    pub(crate) fn define(&mut self, id: &str, draw: impl FnOnce(&mut Self) -> Drawn) -> Drawn {
        let _ = writeln!(self.body, "<defs><g id=\"{}\">", crate::html::escape(id));
        draw(self)?;
        self.body.push_str("</g></defs>\n");
        Ok(())
    }

    /// Draws what was defined, so many pixels away.
    pub(crate) fn again(&mut self, id: &str, (across, down): Place, group: &Group<'_>) {
        self.open(group);
        let (x, y) = at((across, down));
        let id = crate::html::escape(id);
        let _ = writeln!(self.body, "<use href=\"#{id}\" x=\"{x}\" y=\"{y}\"/>");
        self.body.push_str("</g>\n");
    }

    /// A rectangle that is not seen, to be pointed at: upper left corner and size.
    pub(crate) fn target(&mut self, corner: Place, size: Place) {
        let ((x, y), (width, height)) = (at(corner), at(size));
        let _ = writeln!(
            self.body,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"none\" pointer-events=\"all\"/>"
        );
    }

    fn open(&mut self, group: &Group<'_>) {
        let _ = write!(self.body, "<g class=\"{}\"", group.class);
        if !group.colour.is_empty() {
            let _ = write!(self.body, " color=\"{}\"", group.colour);
        }
        if !group.dashes.is_empty() {
            let lengths = group
                .dashes
                .iter()
                .map(|length| (length * UNIT as u32).to_string());
            let _ = write!(
                self.body,
                " stroke-dasharray=\"{}\"",
                lengths.collect::<Vec<_>>().join(" ")
            );
        }
        if let Some(series) = group.series {
            let _ = write!(self.body, " data-series=\"{series}\"");
        }
        self.body.push_str(">\n");
    }

    /// Adds places that can be pointed at, each with what is to be read there.
    pub(crate) fn hits(&mut self, series: usize, hits: &[(Place, String)]) {
        if hits.is_empty() {
            return;
        }
        let _ = writeln!(
            self.body,
            "<g class=\"hits\" data-series=\"{series}\" fill=\"none\" pointer-events=\"all\">"
        );
        for (place, label) in hits {
            let (x, y) = at(*place);
            let label = crate::html::escape(label);
            let _ = writeln!(
                self.body,
                "<circle cx=\"{x}\" cy=\"{y}\" r=\"90\"><title>{label}</title></circle>"
            );
        }
        self.body.push_str("</g>\n");
    }

    /// The whole, described for those who cannot see it.
    pub(crate) fn finish(self, id: &str, title: &str, about: &str) -> String {
        let (width, height) = (self.width, self.height);
        let (across, down) = (units(width), units(height));
        let [id, title, about] = [id, title, about].map(crate::html::escape);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {across} {down}\" role=\"img\" \
             aria-labelledby=\"{id}-title {id}-about\" font-family=\"system-ui, sans-serif\" stroke-linejoin=\"round\" stroke-linecap=\"butt\">\n\
             <title id=\"{id}-title\">{title}</title>\n<desc id=\"{id}-about\">{about}</desc>\n\
             <rect class=\"paper\" width=\"{across}\" height=\"{down}\" fill=\"{}\"/>\n{}</svg>\n",
            look::PAPER,
            self.body
        )
    }
}

/// plotters' output without what goes without saying, and with the group's colour.
fn compact(svg: &str) -> String {
    svg.replace("#000000", "currentColor")
        .replace(" opacity=\"1\"", "")
        .replace(" font-family=\"sans-serif\"", "")
        .replace(" stroke=\"none\" stroke-width=\"1\"", "")
        .replace(" dy=\"0.5ex\"", " dy=\"0.36em\"")
        .replace(" \"/>", "\"/>")
}

/// How text is set.
#[derive(Clone, Copy)]
pub(crate) struct Setting {
    /// In pixels.
    pub(crate) size: f64,
    /// Which point of the text its place is.
    pub(crate) across: HPos,
    pub(crate) down: VPos,
    pub(crate) bold: bool,
}

impl Setting {
    pub(crate) fn new(size: f64, across: HPos, down: VPos) -> Self {
        Self {
            size,
            across,
            down,
            bold: false,
        }
    }
}

/// Writes a line of text.
pub(crate) fn text(area: &Area<'_>, words: &str, place: Place, setting: Setting) -> Drawn {
    // plotters counts the size of text in its own way.
    let font = ("sans-serif", setting.size * 1.24 * f64::from(UNIT)).into_font();
    let font = if setting.bold {
        font.style(FontStyle::Bold)
    } else {
        font
    };
    let style = TextStyle::from(font).pos(Pos::new(setting.across, setting.down));
    area.draw(&Text::new(
        crate::html::printable(words),
        at(place),
        style.color(&BLACK),
    ))
    .map_err(refused)
}

/// Draws a line; `width` in pixels.
pub(crate) fn line(area: &Area<'_>, places: &[Place], width: f64) -> Drawn {
    let places: Vec<_> = places.iter().copied().map(at).collect();
    area.draw(&PathElement::new(
        places,
        BLACK.stroke_width(units(width).max(1) as u32),
    ))
    .map_err(refused)
}

/// Draws an interval between two places; an arrowhead stands at an end where it goes on.
pub(crate) fn interval(area: &Area<'_>, ends: [(Place, bool); 2], width: f64) -> Drawn {
    let [(from, _), (to, _)] = ends;
    line(area, &[from, to], width)?;
    for ((tip, goes_on), other) in ends.into_iter().zip([to, from]) {
        if goes_on {
            let back = |from: f64, to: f64| (to - from).clamp(-4.0, 4.0);
            let (across, down) = (back(tip.0, other.0), back(tip.1, other.1));
            let wing = |side: f64| (tip.0 + across + side * down, tip.1 + down + side * across);
            line(area, &[wing(-0.7), tip, wing(0.7)], width)?;
        }
    }
    Ok(())
}

/// About how wide a line of text is, in pixels: exact widths would need the reader's font.
pub(crate) fn width(words: &str, size: f64) -> f64 {
    let of = |letter: char| match letter {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '|' | '\'' | '!' | 'I' => 0.3,
        ' ' | 'f' | 't' | 'r' | '(' | ')' | '/' | '-' => 0.38,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.92,
        'A'..='Z' | '≥' | '≤' | '=' | '−' => 0.68,
        _ => 0.57,
    };
    words.chars().map(of).sum::<f64>() * size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_shows_where_it_goes_on() {
        let drawn = |beyond| {
            let mut canvas = Canvas::new(100.0, 100.0);
            let ends = [((10.0, 50.0), false), ((90.0, 50.0), beyond)];
            let group = Group::default();
            let outcome = canvas.group(&group, |area| interval(area, ends, 1.0));
            outcome.unwrap();
            canvas.body
        };
        assert_eq!(drawn(false).matches("<polyline").count(), 1);
        let beyond = drawn(true);
        assert!(beyond.contains("860,528 900,500 860,472"), "{beyond}");
    }
}
