//! Whatever comes: an answer, and in time.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::forms::GALLERY;
use super::hoisting::{CROSSED, is_in_order};
use crate::check;

/// Checks a text, and has all of what is said of it shown.
fn holds(text: &str) {
    let checked = check(text);
    for diagnostic in &checked.diagnostics {
        assert!(
            text.get(diagnostic.span.clone()).is_some(),
            "{diagnostic:?}"
        );
        assert!(!diagnostic.render("x.flux", text, false).is_empty());
    }
    let has_error = checked.diagnostics.iter().any(crate::Diagnostic::is_error);
    assert_eq!(checked.compiled.is_none(), has_error);
}

/// Each of twenty nodes is the one before, twice: a million steps.
#[test]
fn a_program_that_unfolds_without_end_is_refused() {
    let mut text = String::from("source S => N20; S () => (int a); N0 (int a) => (int a);\n");
    for number in 1..=20 {
        text.push_str(&format!(
            "N{number} = N{before} -> N{before};\n",
            before = number - 1
        ));
    }
    let said = super::said(&text);
    assert!(
        said.iter()
            .any(|line| line.contains("more than 5000 steps")),
        "{said:?}"
    );
}

/// A choice of two, sixty-four times in a row, and one more.
#[test]
fn paths_that_no_number_counts_are_refused() {
    let mut text = String::from(
        "typedef p P; source S => All; S () => (int a); N (int a) => (int a);\nAll = C0",
    );
    for number in 1..=64 {
        text.push_str(&format!(" -> C{number}"));
    }
    text.push(';');
    for number in 0..=64 {
        text.push_str(&format!("C{number}:[p] = N; C{number}:[_] = ;\n"));
    }
    let said = super::said(&text);
    assert!(
        said.iter()
            .any(|line| line.contains("more paths than can be numbered")),
        "{said:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(2006), ..ProptestConfig::with_cases(256) })]

    #[test]
    fn any_text_is_answered(text in "\\PC{0,120}") {
        holds(&text);
    }

    /// Good programs with a piece taken out or put in again elsewhere.
    #[test]
    fn a_torn_program_is_answered(is_first in any::<bool>(), from in 0_usize..1500, length in 0_usize..60, to in 0_usize..1500) {
        let text = if is_first { GALLERY } else { CROSSED };
        let from = from.min(text.len());
        let end = (from + length).min(text.len());
        let mut torn = format!("{}{}", &text[..from], &text[end..]);
        torn.insert_str(to.min(torn.len()), &text[from..end]);
        holds(&torn);
    }

    /// Nodes within nodes with any constraints, in any order: what compiles takes them in order.
    #[test]
    fn every_path_takes_constraints_in_order(
        members in proptest::collection::vec(proptest::collection::vec(0_usize..12, 1..4), 8),
        constraints in proptest::collection::vec((0_usize..12, 0_usize..5, any::<bool>()), 0..16),
    ) {
        let text = nested(&members, &constraints);
        let checked = check(&text);
        let compiled = checked.compiled.expect("compiles");
        is_in_order(&compiled.program, &compiled.graph);
    }
}

/// Eight abstract nodes of nodes behind them, and four concrete ones.
fn nested(members: &[Vec<usize>], constraints: &[(usize, usize, bool)]) -> String {
    let mut text = String::from("source S => N0; S () => (int a);\n");
    for (number, members) in members.iter().enumerate() {
        let behind: Vec<_> = members
            .iter()
            .map(|member| format!("N{}", (number + 1 + member % 3).min(11)))
            .collect();
        text.push_str(&format!("N{number} = {};\n", behind.join(" -> ")));
    }
    for number in members.len()..12 {
        text.push_str(&format!("N{number} (int a) => (int a);\n"));
    }
    for (node, constraint, is_reader) in constraints {
        let sign = if *is_reader { '?' } else { '!' };
        text.push_str(&format!("atomic N{node}:{{c{constraint}{sign}}};\n"));
    }
    text
}
