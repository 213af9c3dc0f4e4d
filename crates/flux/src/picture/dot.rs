//! As DOT, for Graphviz.

use std::fmt::Write as _;

use super::{Drawn, Picture, Shape, colour};
use crate::syntax::Mode;

/// The picture as DOT.
pub fn dot(picture: &Picture, title: &str) -> String {
    let mut text = format!(
        "digraph {} {{\n  node [fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];\n",
        quoted(title)
    );
    for (number, drawn) in picture.boxes.iter().enumerate() {
        let _ = writeln!(text, "  n{number} [{}];", look(drawn, picture));
    }
    for arrow in &picture.arrows {
        let mut look = format!("label={}", quoted(&arrow.label));
        if arrow.is_error {
            look.push_str(", style=dashed, color=\"#B00020\"");
        }
        if let Some(share) = arrow.share {
            let _ = write!(look, ", penwidth={:.1}", 0.5 + share * 6.0);
        }
        let _ = writeln!(text, "  n{} -> n{} [{look}];", arrow.from, arrow.to);
    }
    text.push_str("}\n");
    text
}

fn look(drawn: &Drawn, picture: &Picture) -> String {
    let shape = match drawn.shape {
        Shape::Source => "house",
        Shape::Node if drawn.may_wait => "box3d",
        Shape::Node => "box",
        Shape::Fork => "diamond",
        Shape::End => return "shape=point, label=\"\"".into(),
    };
    let held = drawn.held.iter().map(|&(constraint, mode)| {
        let sign = match mode {
            Mode::Reader => "?",
            Mode::Writer => "!",
        };
        format!("{}{sign}", picture.constraints[constraint])
    });
    let mut lines = vec![drawn.name.clone()];
    let held = held.collect::<Vec<_>>().join(" ");
    lines.extend((!held.is_empty()).then_some(held));
    lines.extend((!drawn.note.is_empty()).then(|| drawn.note.clone()));
    let mut look = format!("shape={shape}, label={}", quoted(&lines.join("\n")));
    if let Some(&(constraint, _)) = drawn.held.last() {
        let _ = write!(look, ", color=\"{}\", penwidth=2", colour(constraint));
    }
    look
}

fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("\"{escaped}\"")
}
