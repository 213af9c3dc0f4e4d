//! A flow does not come back to itself: no recursion. Loops are only the sources'.

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

use crate::diagnostic::Diagnostic;
use crate::program::{NodeId, Program};

/// Reports every circle; whether there is none.
pub fn check(program: &Program, found: &mut Vec<Diagnostic>) -> bool {
    let mut graph: DiGraph<NodeId, ()> = DiGraph::new();
    let places: Vec<_> = program.ids().map(|id| graph.add_node(id)).collect();
    for id in program.ids() {
        let members = program.members(id).into_iter().map(|member| member.node);
        let handler = program
            .node(id)
            .handler
            .as_ref()
            .map(|(handler, _)| *handler);
        for next in members.chain(handler) {
            graph.add_edge(places[id.0], places[next.0], ());
        }
    }
    let mut is_acyclic = true;
    for circle in tarjan_scc(&graph) {
        let is_loop = circle.len() > 1 || graph.contains_edge(circle[0], circle[0]);
        if !is_loop {
            continue;
        }
        is_acyclic = false;
        let mut circle: Vec<_> = circle.iter().map(|&place| graph[place]).collect();
        circle.sort();
        let names: Vec<_> = circle
            .iter()
            .map(|&id| format!("'{}'", program.name(id)))
            .collect();
        let what = match names.as_slice() {
            [only] => format!("{only} leads back to itself"),
            _ => format!("{} lead back to each other", names.join(", ")),
        };
        let first = program.node(circle[0]);
        let mut wrong = Diagnostic::error(first.span.clone(), what).help(
            "end the flow before, and let a source give it again: loops are only the sources'",
        );
        for &id in &circle[1..] {
            let node = program.node(id);
            wrong = wrong.other(node.span.clone(), "by way of this one");
        }
        found.push(wrong);
    }
    is_acyclic
}
