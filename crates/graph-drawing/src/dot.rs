//! In the language of Graphviz.

use std::fmt::Write;

use contracts::serve::BlockingEdge;

use crate::{Shown, label};

/// The graph in the language of Graphviz: `dot -Tsvg` draws it.
pub fn dot(edges: &[BlockingEdge]) -> String {
    let shown = Shown::of(edges);
    let mut text = String::from(
        "digraph blocking {\n  node [shape=box, style=rounded];\n  edge [fontsize=10];\n",
    );
    for (from, to, edge) in &shown.edges {
        let [from, to] = [from, to].map(|node| quoted(shown.nodes[*node]));
        let label = label(edge).join("\\n");
        let width = 1.0 + 3.0 * shown.weight(edge);
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "  {from} -> {to} [label=\"{label}\", penwidth={width:.1}];"
        );
    }
    text.push_str("}\n");
    text
}

fn quoted(name: &str) -> String {
    let name = name.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{name}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_edge_is_a_line() {
        let edge = |from: &str, to: &str, count| BlockingEdge {
            from: from.into(),
            to: to.into(),
            count: Some(count),
            ..BlockingEdge::default()
        };
        let text = dot(&[edge("a \"b\" \\", "end", 7), edge("end", "end", 0)]);
        let expected = "digraph blocking {\n  node [shape=box, style=rounded];\n  edge [fontsize=10];\n  \
             \"a \\\"b\\\" \\\\\" -> \"end\" [label=\"7 ×\", penwidth=4.0];\n  \
             \"end\" -> \"end\" [label=\"0 ×\", penwidth=1.0];\n}\n";
        assert_eq!(text, expected);
    }
}
