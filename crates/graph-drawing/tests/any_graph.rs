//! Whatever the graph, its picture is one: results folders come from anywhere.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use contracts::serve::BlockingEdge;
use proptest::prelude::*;

fn edge(from: &str, to: &str, count: u64) -> BlockingEdge {
    BlockingEdge {
        from: from.into(),
        to: to.into(),
        count: Some(count),
        mean_us: Some(3.25),
        memory_bytes: Some(-16384.0 * count as f64),
        descriptors: Some(count as f64),
        ..BlockingEdge::default()
    }
}

/// Names and labels are in it, all within its frame.
fn is_a_picture(edges: &[BlockingEdge]) -> String {
    let svg = graph_drawing::svg(edges, "id", "title", "about");
    let document = roxmltree::Document::parse(&svg).unwrap();
    let view = document.root_element().attribute("viewBox").unwrap();
    let view: Vec<f64> = view.split(' ').map(|side| side.parse().unwrap()).collect();
    for node in document.descendants() {
        for (name, start, length) in [("x", view[0], view[2]), ("y", view[1], view[3])] {
            let Some(place) = node.attribute(name) else {
                continue;
            };
            let place: f64 = place.parse().unwrap();
            assert!(
                (start - 1.0..=start + length + 1.0).contains(&place),
                "{svg}"
            );
        }
    }
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    svg
}

#[test]
fn a_graph_of_a_server_has_its_names_and_figures() {
    let edges = [
        edge("start", "acceptor › accept", 1),
        edge("acceptor › accept", "acceptor › accept", 900),
        edge("acceptor › accept", "end", 1),
        edge("start", "connection › receive", 1000),
        edge("connection › receive", "connection › receive", 123_456),
        edge("connection › receive", "connection › disk › find", 200),
        edge("connection › disk › find", "connection › disk › load", 199),
        edge("connection › disk › load", "connection › receive", 199),
        edge("connection › receive", "end", 1000),
    ];
    let svg = is_a_picture(&edges);
    for part in [
        "connection › disk › load",
        "123,456 ×",
        "3.2 µs",
        "−16 KiB",
        "<polygon",
    ] {
        assert!(svg.contains(part), "{part}: {svg}");
    }
    assert_eq!(svg.matches("<path").count(), edges.len(), "{svg}");
}

/// Edges that go to and fro between nodes, and back to each.
#[test]
fn a_graph_that_is_full_of_circles_is_drawn() {
    let names = ["start", "a", "b", "c", "end"];
    let all = names
        .iter()
        .flat_map(|from| names.iter().map(move |to| (from, to)));
    let edges: Vec<_> = all.map(|(from, to)| edge(from, to, 7)).collect();
    let svg = is_a_picture(&edges);
    assert_eq!(svg.matches("<path").count(), 25, "{svg}");
}

#[test]
fn no_edges_no_picture_but_a_frame() {
    is_a_picture(&[]);
}

#[test]
fn a_graph_with_all_edges_there_can_be_is_drawn_in_part() {
    let all = (0..40).flat_map(|from| (0..40).map(move |to| (from, to)));
    let edges: Vec<_> = all
        .map(|(from, to)| edge(&format!("node {from}"), &format!("node {to}"), from * to))
        .collect();
    is_a_picture(&edges);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_edges_make_a_picture(
        ends in proptest::collection::vec((0u8..12, 0u8..12, 0u64..1_000_000), 0..40),
        name in any::<String>(),
    ) {
        let named = |number: u8| format!("{number}{name}");
        let edges: Vec<_> = ends
            .iter()
            .map(|(from, to, count)| edge(&named(*from), &named(*to), *count))
            .collect();
        is_a_picture(&edges);
    }

    #[test]
    fn any_names_make_a_picture(from in any::<String>(), to in any::<String>(), count: u64) {
        is_a_picture(&[edge(&from, &to, count)]);
    }
}
