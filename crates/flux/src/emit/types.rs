//! Types of a program in Rust.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::Ident;
use syn::visit::Visit;

use crate::Compiled;
use crate::syntax::Type;

/// What types of C, and of whomever, are in Rust; any other is taken to be one of Rust already.
#[derive(Debug, Clone)]
pub struct Types(BTreeMap<String, String>);

/// Those of C that a published program has, as its functions would have them here.
const OF_C: [(&str, &str); 14] = [
    ("int", "i32"),
    ("unsigned", "u32"),
    ("unsigned int", "u32"),
    ("long", "i64"),
    ("unsigned long", "u64"),
    ("short", "i16"),
    ("char", "u8"),
    ("float", "f32"),
    ("double", "f64"),
    ("size_t", "usize"),
    ("boolean", "bool"),
    ("char*", "String"),
    ("const char*", "String"),
    ("void*", "Vec<u8>"),
];

/// What needs no import.
const KNOWN: [&str; 21] = [
    "bool", "char", "str", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64",
    "u128", "usize", "f32", "f64", "Box", "Option", "String", "Vec",
];

impl Default for Types {
    fn default() -> Self {
        let own = |(c, rust): &(&str, &str)| ((*c).to_owned(), (*rust).to_owned());
        Self(OF_C.iter().map(own).collect())
    }
}

impl Types {
    /// With those of a map: a line each, `TYPE = RUST TYPE`; empty lines and those that begin with `#` say nothing.
    ///
    /// # Errors
    /// Which line says nothing that could be understood.
    pub fn with_map(mut self, map: &str) -> Result<Self, String> {
        for (number, line) in map.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, rust) = line.split_once('=').ok_or_else(|| {
                format!(
                    "line {}: expected 'TYPE = RUST TYPE', found '{line}'",
                    number + 1
                )
            })?;
            let rust = rust.trim();
            if syn::parse_str::<syn::Type>(rust).is_err() {
                return Err(format!("line {}: '{rust}' is no type of Rust", number + 1));
            }
            self.0.insert(as_parsed(name.trim()), rust.to_owned());
        }
        Ok(self)
    }

    /// A type in Rust.
    pub(super) fn rust(&self, kind: &Type) -> Result<syn::Type, String> {
        let text = self.0.get(&kind.0).map_or(kind.0.as_str(), String::as_str);
        let parsed = syn::parse_str::<syn::Type>(text).map_err(|error| error.to_string())?;
        let mut references = References(false);
        references.visit_type(&parsed);
        if references.0 {
            return Err("a flow owns what it has in hand, and a reference does not".into());
        }
        Ok(parsed)
    }

    /// Names that the generated code takes from the module of nodes.
    pub(super) fn imports(&self, compiled: &Compiled) -> Vec<Ident> {
        let mut used = Used(BTreeSet::new());
        let program = &compiled.program;
        let values = compiled
            .graph
            .vertices
            .iter()
            .flat_map(|vertex| &vertex.values);
        for kind in values.map(|value| &value.kind).chain(&program.context) {
            if let Ok(kind) = self.rust(kind) {
                used.visit_type(&kind);
            }
        }
        used.0
            .into_iter()
            .filter(|name| !KNOWN.contains(&name.to_string().as_str()))
            .collect()
    }
}

/// A type as the parser writes it: without spaces before stars and signs.
fn as_parsed(text: &str) -> String {
    let mut parsed = String::new();
    for part in text.split_whitespace() {
        let joins = |letter: char| letter == '_' || letter.is_alphanumeric();
        let is_between_words = parsed.ends_with(joins) && part.starts_with(joins);
        if is_between_words {
            parsed.push(' ');
        }
        parsed.push_str(part);
    }
    parsed
}

/// Whether a type has a reference in it.
struct References(bool);

impl Visit<'_> for References {
    fn visit_type_reference(&mut self, _: &syn::TypeReference) {
        self.0 = true;
    }
}

/// Names that stand alone in types.
struct Used(BTreeSet<Ident>);

impl Visit<'_> for Used {
    fn visit_path(&mut self, path: &syn::Path) {
        if path.segments.len() == 1 && path.leading_colon.is_none() {
            self.0.insert(path.segments[0].ident.clone());
        }
        syn::visit::visit_path(self, path);
    }
}
