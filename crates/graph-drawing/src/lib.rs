//! A blocking graph as a picture: DOT for Graphviz, or SVG that needs nothing but a browser.
//!
//! Nodes lie in layers from the start on. They look as the report's figures do, in its colours, which a page may replace by class for a dark
//! ground. Graphs come from results folders, and so from anywhere: whatever there is in one, it is drawn.

mod dot;
mod layout;
mod svg;

use contracts::serve::BlockingEdge;

pub use dot::dot;
pub use svg::svg;

/// Nodes that are drawn: more would not be read.
const MOST_NODES: usize = 40;
/// Edges that are drawn, those that were gone most often.
const MOST_EDGES: usize = 64;

/// What is drawn: the nodes, from the start on, and the edges between them, by the numbers of their nodes.
struct Shown<'a> {
    nodes: Vec<&'a str>,
    edges: Vec<(usize, usize, &'a BlockingEdge)>,
    /// How often the edge was gone that was gone most often.
    most: u64,
}

impl<'a> Shown<'a> {
    fn of(edges: &'a [BlockingEdge]) -> Self {
        let mut chosen: Vec<&BlockingEdge> = edges.iter().collect();
        if chosen.len() > MOST_EDGES {
            chosen.sort_by_key(|edge| std::cmp::Reverse(edge.count));
            chosen.truncate(MOST_EDGES);
        }
        let mut shown = Self {
            nodes: Vec::new(),
            edges: Vec::new(),
            most: 1,
        };
        for edge in chosen {
            let ends = [&edge.from, &edge.to].map(|name| shown.node(name));
            if let [Some(from), Some(to)] = ends {
                shown.edges.push((from, to, edge));
                shown.most = shown.most.max(edge.count.unwrap_or(0));
            }
        }
        shown
    }

    fn node(&mut self, name: &'a str) -> Option<usize> {
        let known = self.nodes.iter().position(|node| *node == name);
        known.or_else(|| {
            (self.nodes.len() < MOST_NODES).then(|| {
                self.nodes.push(name);
                self.nodes.len() - 1
            })
        })
    }

    /// From 0 to 1, how often an edge was gone beside the one that was gone most often, by orders of magnitude.
    fn weight(&self, edge: &BlockingEdge) -> f64 {
        let order = |count: u64| (1.0 + count as f64).log2();
        order(edge.count.unwrap_or(0)) / order(self.most)
    }
}

/// What is written at an edge, in lines: how often it was gone, what one takes of a worker's time, and what each has taken or given back.
fn label(edge: &BlockingEdge) -> Vec<String> {
    let count = edge.count.unwrap_or(0);
    let mut lines = vec![format!("{} ×", grouped(count))];
    if let Some(us) = edge.mean_us {
        lines.push(format!("{us:.1} µs"));
    }
    let each = |all: f64| all / count.max(1) as f64;
    if let Some(bytes) = edge.memory_bytes.filter(|bytes| *bytes != 0.0) {
        lines.push(format!("{} KiB", signed(each(bytes) / 1024.0)));
    }
    if let Some(descriptors) = edge.descriptors.filter(|descriptors| *descriptors != 0.0) {
        lines.push(format!("{} descriptors", signed(each(descriptors))));
    }
    lines
}

/// Like `1,234,567`.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// With its sign, and as many digits as say something.
fn signed(value: f64) -> String {
    let text = match value.abs() {
        small if small < 10.0 => format!("{value:+.2}"),
        _ => format!("{value:+.0}"),
    };
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_says_what_one_way_takes() {
        let edge = BlockingEdge {
            count: Some(1234),
            mean_us: Some(12.34),
            memory_bytes: Some(-1234.0 * 16384.0),
            descriptors: Some(617.0),
            ..BlockingEdge::default()
        };
        let lines = ["1,234 ×", "12.3 µs", "−16 KiB", "+0.5 descriptors"];
        assert_eq!(label(&edge), lines);
        assert_eq!(label(&BlockingEdge::default()), ["0 ×"]);
        assert_eq!(grouped(1_234_567), "1,234,567");
    }

    #[test]
    fn of_too_many_the_most_frequent_are_shown() {
        let edge = |number: u64| BlockingEdge {
            from: format!("node {number}"),
            to: "end".into(),
            count: Some(number),
            ..BlockingEdge::default()
        };
        let edges: Vec<_> = (0..1000).map(edge).collect();
        let shown = Shown::of(&edges);
        assert_eq!(shown.nodes.len(), MOST_NODES);
        assert_eq!(shown.nodes[..2], ["node 999", "end"]);
        assert_eq!(shown.edges.len(), MOST_NODES - 1);
    }
}
