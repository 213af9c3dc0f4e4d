//! Constraints that would be taken out of order are moved outward until none is.

use super::{compiled, said};
use crate::graph::{Action, VertexId};
use crate::hoist::Why;
use crate::program::Program;
use crate::{Compiled, Graph};

/// Two sources whose flows would wait for each other: one holds *ale* and wants *bread* and *cheese*, the other holds *cheese* and wants
/// *bread*, then *ale*.
pub(crate) const CROSSED: &str = "
    Innkeeper () => (int guest);
    Cook () => (int guest);
    Lay (int guest) => ();
    Carve (int guest) => ();
    Pour () => ();
    source Innkeeper => Table;
    source Cook => Board;
    Table = Lay;
    Board = Carve -> Pour;
    atomic Table:{ale};
    atomic Lay:{bread, cheese};
    atomic Board:{cheese};
    atomic Carve:{bread};
    atomic Pour:{ale};
";

fn taken(compiled: &Compiled, node: &str) -> Vec<String> {
    let program = &compiled.program;
    let node = program
        .nodes
        .iter()
        .find(|other| other.name == node)
        .unwrap();
    let written = |(&constraint, &mode)| program.constraint(constraint, mode);
    node.constraints.iter().map(written).collect()
}

/// That every path takes constraints in order, none twice, and gives up in reverse all that it took.
pub(crate) fn is_in_order(program: &Program, graph: &Graph) {
    fn walk(program: &Program, graph: &Graph, at: VertexId, held: &[usize]) {
        let mut inside = held.to_vec();
        match &graph.vertex(at).action {
            Action::Acquire { locks, .. } => {
                for (constraint, _) in locks {
                    assert!(
                        inside.last().is_none_or(|&last| last < constraint.0),
                        "{program:#?}"
                    );
                    inside.push(constraint.0);
                }
            }
            Action::Release { locks, .. } => {
                for (constraint, _) in locks {
                    assert_eq!(inside.pop(), Some(constraint.0));
                }
            }
            Action::End | Action::Begin { .. } => assert!(inside.is_empty()),
            _ => {}
        }
        for next in graph.vertex(at).action.next() {
            walk(program, graph, next, &inside);
        }
    }
    for entry in &graph.entries {
        walk(program, graph, entry.source, &[]);
    }
}

#[test]
fn a_constraint_is_taken_where_nothing_behind_it_is_held() {
    let inn = compiled(CROSSED);
    assert_eq!(taken(&inn, "Table"), ["ale!"]);
    assert_eq!(taken(&inn, "Lay"), ["bread!", "cheese!"]);
    assert_eq!(taken(&inn, "Board"), ["ale!", "bread!", "cheese!"]);
    assert_eq!(inn.hoists.len(), 2);
    is_in_order(&inn.program, &inn.graph);
    let warnings = said(CROSSED);
    assert_eq!(warnings.len(), 2);
    assert!(warnings[0].starts_with(
        "warning: 'Board' takes 'bread' for 'Carve': it would be taken after 'cheese' otherwise"
    ));
    let explained = inn.hoists[1].explain(&inn.program);
    for part in [
        "ale! moves from Pour to Board",
        "path  Board > Pour",
        "held when 'Pour' wants it: 'bread'",
        "held during Carve as well; longer waits for Table",
    ] {
        assert!(explained.contains(part), "{part}\n{explained}");
    }
}

/// Outward by more than one step at a time, and again where that puts another out of order.
#[test]
fn moving_is_repeated_until_nothing_is_out_of_order() {
    let text = "
        source S => Outer; S () => (int a);
        Outer = Middle; Middle = Inner; Inner = Core;
        Core (int a) => ();
        atomic Outer:{c}; atomic Middle:{d}; atomic Inner:{b}; atomic Core:{a};
    ";
    let nested = compiled(text);
    assert_eq!(taken(&nested, "Outer"), ["a!", "b!", "c!"]);
    assert_eq!(taken(&nested, "Middle"), ["d!"]);
    let core = nested.hoists.last().unwrap();
    let path: Vec<_> = core
        .path
        .iter()
        .map(|&id| nested.program.name(id))
        .collect();
    assert_eq!(path, ["Outer", "Middle", "Inner", "Core"]);
    is_in_order(&nested.program, &nested.graph);
}

#[test]
fn who_will_write_does_not_begin_as_a_reader() {
    let text = "
        source S => Outer; S () => (int a);
        Outer = Look -> Change;
        Look (int a) => (int a); Change (int a) => ();
        atomic Outer:{table?}; atomic Look:{table?}; atomic Change:{table!};
    ";
    let compiled = compiled(text);
    assert_eq!(taken(&compiled, "Outer"), ["table!"]);
    assert_eq!(taken(&compiled, "Look"), ["table?"]);
    assert_eq!(compiled.hoists.len(), 1);
    assert_eq!(compiled.hoists[0].why, Why::Upgrade);
    is_in_order(&compiled.program, &compiled.graph);
}

/// A node inside of one that has a constraint may name it too: it is taken once.
#[test]
fn constraints_are_re_entrant() {
    let text = "
        source S => Outer; S () => (int a);
        Outer = Inner -> Inner;
        Inner (int a) => (int a);
        atomic Outer:{x!}; atomic Inner:{x?};
    ";
    let compiled = compiled(text);
    assert!(compiled.hoists.is_empty());
    let acquired = compiled
        .graph
        .vertices
        .iter()
        .filter(|vertex| matches!(vertex.action, Action::Acquire { .. }));
    assert_eq!(acquired.count(), 1);
}

/// A flow that fails gives up all that it has, and its handler begins with nothing.
#[test]
fn a_handler_holds_what_it_names_and_nothing_else() {
    let text = "
        source S => Outer; S () => (int a);
        Outer = Fails; Fails (int a) => (); Mend (int a) => ();
        handle error Fails => Mend;
        atomic Outer:{m}; atomic Fails:{z}; atomic Mend:{a};
    ";
    let compiled = compiled(text);
    assert!(compiled.hoists.is_empty());
    assert_eq!(compiled.paths.count(), 2);
    is_in_order(&compiled.program, &compiled.graph);
}
