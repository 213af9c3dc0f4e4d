//! What the compiler makes of programs, good and bad.

mod emitted;
mod forms;
mod hoisting;
mod hostile;
mod pictures;
mod profiles;
mod wrong;

use crate::{Checked, Compiled, check};

/// A program that compiles.
pub(crate) fn compiled(text: &str) -> Compiled {
    let Checked {
        diagnostics,
        compiled,
    } = check(text);
    compiled.unwrap_or_else(|| panic!("{}", lines(&diagnostics)))
}

/// What is said about a program, a line each.
pub(crate) fn said(text: &str) -> Vec<String> {
    check(text)
        .diagnostics
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn lines(diagnostics: &[crate::Diagnostic]) -> String {
    let lines: Vec<_> = diagnostics.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
