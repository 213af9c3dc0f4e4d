//! Programs with defects: each is told where it is, what was expected, and how to mend it; several in one run.

use super::said;
use crate::check;

/// What must be said of a text, in this order.
fn expect(text: &str, lines: &[&str]) {
    let said = said(text);
    let errors: Vec<_> = said
        .iter()
        .filter(|line| line.starts_with("error"))
        .collect();
    assert_eq!(errors.len(), lines.len(), "{text}\n{said:#?}");
    for (said, expected) in errors.iter().zip(lines) {
        assert!(said.contains(expected), "{expected}\n{said:#?}");
    }
}

const GOOD: &str = "source S => A; S () => (int a); A (int a) => ();";

#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_read() {
    expect(
        "typedef hit;",
        &["expected the function that says whether a value has it here"],
    );
    expect(
        "A (int a) = (int b);",
        &["expected '=>' between what a node takes and what it gives"],
    );
    expect(
        "A = B => C;",
        &["expected '->' or ';' after a node of a flow; the nodes of a flow are joined by '->'"],
    );
    expect("source S A;", &["expected '=>'"]);
    expect(
        "atomic A {x};",
        &["expected ':' between the node and its constraints"],
    );
    expect(
        "source S => A; S () => (int a); A (int a) => (); atomic A:{x(global)};",
        &["expected 'program' or 'session'"],
    );
    expect("A => B;", &["a flow is written 'NODE = FIRST -> SECOND;'"]);
    expect("9lives () => ();", &["'9lives' is no name"]);
    expect(
        "source S => A; % S () => (int a); A (int a) => ();",
        &["'%' is no sign of the language; leave it out"],
    );
    expect(
        "source S => A; S () => (int a); A (int a) => (); /* no end",
        &["a comment has no end; end it with '*/'"],
    );
    let three = format!("typedef ;\nA B C;\n{GOOD}\nhandle B => C;\n");
    expect(
        &three,
        &[
            "expected the name of a predicate type",
            "expected '=' and a flow",
            "expected 'error'",
        ],
    );
}

#[test]
fn a_missing_semicolon_is_missed_where_it_belongs() {
    let text = "source S => A;\nS () => (int a)\nA (int a) => ();\nhandle error A => B\n";
    expect(text, &["a statement has no end", "a statement has no end"]);
    let checked = check(text);
    let ends: Vec<_> = checked
        .diagnostics
        .iter()
        .filter(|one| one.is_error())
        .map(|one| one.span.start)
        .collect();
    assert_eq!(ends, [text.find("\nA (").unwrap(), text.len() - 1]);
}

#[test]
fn names_that_mean_nothing_are_told_with_what_was_meant() {
    expect(
        &format!("{GOOD} typedef cached IsCached; C:[cachd] = A;"),
        &["there is no predicate type 'cachd'; did you mean 'cached'?"],
    );
    expect(
        &format!("{GOOD} atomic AA:{{x}};"),
        &["there is no node 'AA'"],
    );
    expect(
        &format!("{GOOD} handle error ReadFile => A; ReadFiles (int a) => ();"),
        &["there is no node 'ReadFile'; did you mean 'ReadFiles'?"],
    );
    expect(
        &format!("{GOOD} A (int a) => ();"),
        &["a second signature of 'A'; leave one of them out"],
    );
    expect(&format!("{GOOD} B = A; B = A;"), &["a second flow of 'B'"]);
    expect(
        &format!("{GOOD} B = A; handle error B => A;"),
        &["'B' does not fail by itself"],
    );
    expect(
        &format!("{GOOD} B = A; blocking B;"),
        &["'B' is a flow of others; name the nodes in it that may wait"],
    );
    expect(
        &format!("{GOOD} atomic A:{{x}}; atomic S:{{x(session)}};"),
        &["'x' has two scopes"],
    );
}

#[test]
fn what_does_not_fit_is_told_with_both_sides() {
    expect(
        "source S => A; S () => (int a); A (char *a) => ();",
        &[
            "'S' gives (int a), and 'A' takes (char* a); argument 1 is int on one side and char* on the other",
        ],
    );
    expect(
        "source S => A; S () => (int a); A (int a, int b) => ();",
        &["1 argument on one side, 2 arguments on the other"],
    );
    expect(
        &format!("{GOOD} handle error A => B; B () => ();"),
        &["and so must its handler, but 'B' takes ()"],
    );
    expect(
        &format!("{GOOD} C (int a) => (int a); C = A;"),
        &["'A' gives (), but 'C' gives (int a)"],
    );
    expect(
        &format!("{GOOD} typedef p P; C:[p, _] = A;"),
        &["'C' takes 1 argument, and here are 2 predicate types"],
    );
    expect(
        "source S => A; S (int a) => (int a); A (int a) => ();",
        &["'S' is a source, and takes (int a)"],
    );
    expect(
        &format!("{GOOD} typedef p P; B (char c) => (); C:[p] = A; D:[p] = B;"),
        &["'p' is asked of char here and of int elsewhere"],
    );
}

#[test]
fn a_flow_that_comes_back_to_itself_is_refused() {
    expect(
        "source S => A; S () => (int a); A = B -> C; B (int a) => (int a); C = A;",
        &["'A', 'C' lead back to each other"],
    );
    expect(
        "source S => A; S () => (int a); A = A;",
        &["'A' leads back to itself"],
    );
    expect(
        &format!("{GOOD} handle error A => B; B (int a) => (); handle error B => A;"),
        &["'A', 'B' lead back to each other"],
    );
}

#[test]
fn what_looks_like_a_slip_is_warned_of() {
    let warned = |text: &str, line: &str| {
        let said = said(text);
        assert!(
            said.iter()
                .any(|said| said.starts_with("warning") && said.contains(line)),
            "{said:#?}"
        );
    };
    warned("A (int a) => (); B = A;", "there is no source");
    warned(
        &format!("{GOOD} typedef p P; C:[_] = A; C:[p] = A;"),
        "this flow is never taken",
    );
    warned(
        &format!("{GOOD} typedef p P; C:[p] = A;"),
        "no flow of 'C' applies to everything; add 'C:[_] = …;' as the last one",
    );
    warned(
        &format!("{GOOD} atomic A:{{x(session)}};"),
        "'x' holds among the flows of a session, and those of 'S' belong to none",
    );
    warned(
        "source S => Reed; S () => (int a); Read (int a) => ();",
        "'Reed' is not declared; if 'Read' is meant",
    );
}

/// What people see: the line itself, the place under it, and the help.
#[test]
fn the_place_is_shown() {
    let text = "source S => A;\nS () => (int a);\nA (char *a) => ();\n";
    let wrong = &check(text).diagnostics[0];
    let shown = wrong.render("server.flux", text, false);
    for part in [
        "server.flux:1:8",
        "source S => A;",
        "they do not fit here",
        "argument 1 is int on one side",
        "'A' is declared here",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    assert!(!shown.contains('\u{1b}'));
}
