//! That no two flows ever wait for each other is tested, not believed: random programs, with all the contention that there can be, on each
//! runtime; and the order in which locks are taken, which has circles where nothing was moved outward.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "support/tables.rs"]
mod tables;

use std::collections::BTreeSet;

use flux::graph::{Action, VertexId};
use flux::program::Program;
use flux::syntax::Scope;
use flux::{Compiled, Graph, acyclic, hoist, parse, resolve, types};
use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tables::RUNTIMES;

/// A program of two to three sources, whose flows go through nodes within nodes that share constraints.
#[derive(Debug, Clone)]
struct Random {
    sources: usize,
    /// What each abstract node consists of, by number, of those behind it.
    members: Vec<Vec<usize>>,
    /// Node, constraint, and whether it is read only.
    constraints: Vec<(usize, usize, bool)>,
    /// Whether the constraints hold among the flows of a session.
    of_session: [bool; CONSTRAINTS],
    may_wait: [bool; CONCRETE],
}

const ABSTRACT: usize = 6;
const CONCRETE: usize = 4;
const NODES: usize = ABSTRACT + CONCRETE;
const CONSTRAINTS: usize = 4;

fn random() -> impl Strategy<Value = Random> {
    let members = proptest::collection::vec(0..NODES, 1..4);
    let constraint = (0..NODES, 0..CONSTRAINTS, any::<bool>());
    (
        2_usize..4,
        proptest::collection::vec(members, ABSTRACT),
        proptest::collection::vec(constraint, 3..12),
        any::<[bool; CONSTRAINTS]>(),
        any::<[bool; CONCRETE]>(),
    )
        .prop_map(
            |(sources, members, constraints, of_session, may_wait)| Random {
                sources,
                members,
                constraints,
                of_session,
                may_wait,
            },
        )
}

impl Random {
    fn text(&self) -> String {
        let mut text = String::new();
        for source in 0..self.sources {
            text.push_str(&format!(
                "S{source} () => (int n); source S{source} {{session: SessionOf}} => N{source};\n"
            ));
        }
        for (number, members) in self.members.iter().enumerate() {
            let behind =
                |member: &usize| format!("N{}", number + 1 + member % (NODES - number - 1));
            let flow: Vec<_> = members.iter().map(behind).collect();
            text.push_str(&format!("N{number} = {};\n", flow.join(" -> ")));
        }
        for number in ABSTRACT..NODES {
            text.push_str(&format!("N{number} (int n) => (int n);\n"));
            if self.may_wait[number - ABSTRACT] {
                text.push_str(&format!("blocking N{number};\n"));
            }
        }
        for &(node, constraint, is_reader) in &self.constraints {
            let sign = if is_reader { '?' } else { '!' };
            let scope = if self.of_session[constraint] {
                "session"
            } else {
                "program"
            };
            text.push_str(&format!(
                "atomic N{node}:{{c{constraint}{sign}({scope})}};\n"
            ));
        }
        text
    }
}

/// The program as it is written, with nothing moved, as a graph.
fn as_written(text: &str) -> (Program, Graph) {
    let mut found = Vec::new();
    let statements = parse::parse(text, &mut found);
    let mut program = resolve::resolve(&statements, &mut found);
    assert!(acyclic::check(&program, &mut found));
    types::check(&mut program, &mut found);
    assert!(!found.iter().any(flux::Diagnostic::is_error), "{found:?}");
    let graph = Graph::new(&program).unwrap();
    (program, graph)
}

/// Which constraint is taken while which is held, on whatever path: a circle is a deadlock that waits for its chance.
fn order(graph: &Graph) -> DiGraphMap<usize, ()> {
    fn walk(
        graph: &Graph,
        at: VertexId,
        held: Vec<usize>,
        order: &mut DiGraphMap<usize, ()>,
        seen: &mut BTreeSet<(VertexId, Vec<usize>)>,
    ) {
        if !seen.insert((at, held.clone())) {
            return;
        }
        let mut inside = held;
        match &graph.vertex(at).action {
            Action::Acquire { locks, .. } => {
                for (constraint, _) in locks {
                    for &before in &inside {
                        order.add_edge(before, constraint.0, ());
                    }
                    inside.push(constraint.0);
                }
            }
            Action::Release { locks, .. } => inside.truncate(inside.len() - locks.len()),
            _ => {}
        }
        for next in graph.vertex(at).action.next() {
            walk(graph, next, inside.clone(), order, seen);
        }
    }
    let (mut order, mut seen) = (DiGraphMap::new(), BTreeSet::new());
    for entry in &graph.entries {
        walk(graph, entry.source, Vec::new(), &mut order, &mut seen);
    }
    order
}

fn has_circle(order: &DiGraphMap<usize, ()>) -> bool {
    tarjan_scc(order)
        .iter()
        .any(|circle| circle.len() > 1 || order.contains_edge(circle[0], circle[0]))
}

fn compiled(text: &str) -> Compiled {
    let checked = flux::check(text);
    checked
        .compiled
        .unwrap_or_else(|| panic!("{:?}", checked.diagnostics))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(2006), ..ProptestConfig::with_cases(512) })]

    /// On no path of any program is there a circle; and where nothing had to be moved, there was none before.
    #[test]
    fn what_is_moved_leaves_no_circle(random in random()) {
        let text = random.text();
        let program = compiled(&text);
        prop_assert!(!has_circle(&order(&program.graph)), "{}", text);
        let (written, graph) = as_written(&text);
        if has_circle(&order(&graph)) {
            let mut moved = written;
            prop_assert!(!hoist::hoist(&mut moved).unwrap().is_empty(), "{}", text);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(2006), ..ProptestConfig::with_cases(24) })]

    /// Each of the runtimes brings each of the programs to its end, and nobody has a lock then.
    #[test]
    fn no_program_hangs_on_any_runtime(random in random()) {
        let text = random.text();
        let program = compiled(&text);
        let scopes = program.program.constraints.iter().map(|one| one.scope == Scope::Session);
        let table = tables::Table::new(&program, scopes.collect());
        for runtime in RUNTIMES {
            prop_assert_eq!(tables::run(&table, runtime), Ok(()), "{} on {}", &text, runtime);
        }
    }
}

/// The other direction: the checker finds what is wrong where it is, so that what it does not find means something.
#[test]
fn without_hoisting_there_are_circles_and_they_are_found() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
    let seed = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), seed);
    let mut circles = 0;
    for _ in 0..200 {
        let text = random().new_tree(&mut runner).unwrap().current().text();
        let (_, graph) = as_written(&text);
        circles += usize::from(has_circle(&order(&graph)));
    }
    assert!(
        circles > 20,
        "{circles} of 200 programs would deadlock as they are written"
    );
}

/// And such a circle is a deadlock indeed: two flows, each with what the other wants, both of which wait.
#[test]
fn a_circle_is_a_deadlock() {
    let text = "
        A () => (int n); B () => (int n);
        source A => One; source B => Other;
        One = Middle; Middle = Inner; Other = Crossed; Crossed = Inner2;
        Inner (int n) => (int n); Inner2 (int n) => (int n);
        atomic One:{x}; atomic Inner:{y}; atomic Other:{y}; atomic Inner2:{x};
    ";
    let (program, graph) = as_written(text);
    assert!(has_circle(&order(&graph)));
    let table = tables::Table::of(&program, &graph, vec![false; 2]);
    // One step of each in turn, on one thread, where nobody may wait.
    assert!(tables::deadlocks_in_lockstep(&table));
    let moved = compiled(text);
    assert!(!has_circle(&order(&moved.graph)));
    let table = tables::Table::new(&moved, vec![false; 2]);
    assert!(!tables::deadlocks_in_lockstep(&table));
    for runtime in RUNTIMES {
        assert_eq!(tables::run(&table, runtime), Ok(()));
    }
}
