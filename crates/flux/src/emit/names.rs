//! Names of a program in Rust's manner: functions in snake case, states in camel case, and none twice.

use std::collections::HashMap;

use proc_macro2::{Ident, Span};
use quote::format_ident;

use crate::graph::{Action, VertexId};
use crate::{Compiled, Diagnostic};

/// The states' names.
pub(super) struct Names(HashMap<VertexId, Ident>);

impl Names {
    /// Two nodes whose functions would have one name are reported.
    pub(super) fn new(compiled: &Compiled, wrong: &mut Vec<Diagnostic>) -> Self {
        let mut functions: HashMap<String, &str> = HashMap::new();
        for node in &compiled.program.nodes {
            let name = function(&node.name).to_string();
            if let Some(other) = functions.insert(name.clone(), &node.name) {
                let what = format!(
                    "'{}' and '{other}' would both be '{name}' in Rust",
                    node.name
                );
                wrong.push(Diagnostic::error(node.span.clone(), what).help("rename one of them"));
            }
        }
        let mut taken: HashMap<String, usize> = HashMap::new();
        let mut names = HashMap::new();
        for id in compiled.graph.ids().collect::<Vec<_>>().into_iter().rev() {
            let (node, prefix) = match compiled.graph.vertex(id).action {
                Action::Call { node, .. } => (node, ""),
                Action::Choose { node, .. } => (node, "Choose"),
                Action::Acquire { node, .. } => (node, "Enter"),
                Action::Release { .. } | Action::Begin { .. } | Action::End => continue,
            };
            let base = format!("{prefix}{}", camel(compiled.program.name(node)));
            let count = taken.entry(base.clone()).or_default();
            *count += 1;
            let name = match *count {
                1 => base,
                count => format!("{base}_{count}"),
            };
            names.insert(id, identifier(&name));
        }
        Self(names)
    }

    pub(super) fn state(&self, id: VertexId) -> Ident {
        self.0
            .get(&id)
            .cloned()
            .unwrap_or_else(|| format_ident!("Over"))
    }
}

/// The function of a node or predicate.
pub(super) fn function(name: &str) -> Ident {
    identifier(&snake(name))
}

/// A name that may be used in Rust, where some words are Rust's own.
fn identifier(name: &str) -> Ident {
    match name {
        "self" | "super" | "crate" | "Self" | "_" | "" => format_ident!("{}_", name),
        name if syn::parse_str::<Ident>(name).is_ok() => Ident::new(name, Span::call_site()),
        name => Ident::new_raw(name, Span::call_site()),
    }
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    let letters: Vec<_> = name.chars().collect();
    for (place, letter) in letters.iter().enumerate() {
        let before = place.checked_sub(1).map(|before| letters[before]);
        let begins_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_uppercase()
                        && letters
                            .get(place + 1)
                            .is_some_and(|next| next.is_lowercase()))
            });
        if begins_word {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

fn camel(name: &str) -> String {
    name.split('_')
        .map(|part| {
            let mut letters = part.chars();
            let first = letters.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(letters).collect::<String>()
        })
        .collect()
}

/// Names of values.
pub(super) mod variable {
    use proc_macro2::Ident;

    use super::{identifier, snake};
    use crate::syntax::Argument;

    /// What the generated code has names of its own for.
    const OURS: [&str; 5] = ["state", "path", "session", "locks", "context"];

    /// The names of some values, each another.
    pub(in super::super) fn all(values: &[Argument]) -> Vec<Ident> {
        let mut names: Vec<String> = Vec::new();
        for value in values {
            let mut name = snake(&value.name);
            while names.contains(&name) || OURS.contains(&name.as_str()) {
                name.push('_');
            }
            names.push(name);
        }
        names.iter().map(|name| identifier(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_as_rust_has_them() {
        let pairs = [
            ("ReadRequest", "read_request"),
            ("FourOhFor", "four_oh_for"),
            ("XSLT", "xslt"),
            ("HTTPServer", "http_server"),
            ("read", "read"),
            ("Load2Files", "load2_files"),
            ("Match", "r#match"),
            ("Self", "self_"),
        ];
        for (name, expected) in pairs {
            assert_eq!(function(name).to_string(), expected);
        }
        assert_eq!(camel("read_file"), "ReadFile");
    }
}
