//! Programs of Flux.

use std::collections::HashSet;

use flux::emit::{Modules, Sources, Types, rust};
use flux::graph::Action;
use flux::picture::{Picture, svg::svg};

/// Reads `bytes` as a program, and makes all of it that can be made.
///
/// # Panics
/// When what is said of it has no place in it, a path takes constraints out of order, or what is drawn is no SVG.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let checked = flux::check(text);
    for diagnostic in &checked.diagnostics {
        assert!(text.get(diagnostic.span.clone()).is_some());
        assert!(!diagnostic.render("x.flux", text, false).is_empty());
    }
    let has_error = checked.diagnostics.iter().any(flux::Diagnostic::is_error);
    assert_eq!(checked.compiled.is_none(), has_error);
    let Some(compiled) = checked.compiled else {
        return;
    };
    in_order(&compiled.graph);
    // More than anybody would look at, and drawn in no time that anybody would wait.
    if compiled.graph.vertices.len() <= 200 {
        let drawn = svg(&Picture::new(&compiled, None), "x");
        let document = roxmltree::Document::parse(&drawn).expect("well-formed");
        assert_eq!(document.root_element().tag_name().name(), "svg");
    }
    let modules = Modules {
        nodes: "crate::nodes".into(),
        runtime: "flux_runtime".into(),
        sources: Sources::Nodes,
    };
    if let Err(wrong) = rust(&compiled, &Types::default(), &modules) {
        assert!(!wrong.is_empty());
    }
}

/// Every path takes constraints in the order of their numbers, and gives up as many as it took.
fn in_order(graph: &flux::Graph) {
    let starts = graph.entries.iter().map(|entry| entry.source);
    let mut left: Vec<_> = starts
        .chain(graph.fragments.iter().copied())
        .map(|start| (start, Vec::<usize>::new()))
        .collect();
    let mut seen = HashSet::new();
    while let Some((at, mut held)) = left.pop() {
        if !seen.insert((at, held.clone())) {
            continue;
        }
        let action = &graph.vertex(at).action;
        match action {
            Action::Acquire { locks, .. } => {
                for (constraint, _) in locks {
                    assert!(held.last().is_none_or(|&last| last < constraint.0));
                    held.push(constraint.0);
                }
            }
            Action::Release { locks, .. } => {
                for (constraint, _) in locks {
                    assert_eq!(held.pop(), Some(constraint.0));
                }
            }
            Action::End => assert!(held.is_empty()),
            _ => {}
        }
        left.extend(action.next().into_iter().map(|next| (next, held.clone())));
    }
}
