//! What its author has to write of a program: the functions of its nodes, without their bodies.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Types;
use super::names::{function, variable};
use crate::graph::Action;
use crate::program::{Body, NodeId};
use crate::syntax::{Argument, Type};
use crate::{Compiled, Diagnostic};

/// The functions, each as the generated code calls it.
///
/// # Errors
/// Types that nobody has said in Rust.
pub fn skeleton(compiled: &Compiled, types: &Types) -> Result<String, Vec<Diagnostic>> {
    let skeleton = Skeleton { compiled, types };
    skeleton.text().map_err(|wrong| vec![wrong])
}

struct Skeleton<'a> {
    compiled: &'a Compiled,
    types: &'a Types,
}

impl Skeleton<'_> {
    fn text(&self) -> Result<String, Diagnostic> {
        let program = &self.compiled.program;
        let mut text = String::from("//! The program's nodes.\n");
        let context = match &program.context {
            Some(kind) => {
                let kind = self.kind(kind)?;
                let _ = write!(
                    text,
                    "\n/// What one more thread lends to the nodes that it runs.\npub fn context() -> {kind};\n"
                );
                format!("context: &mut {kind}, ")
            }
            None => String::new(),
        };
        for id in program
            .ids()
            .filter(|id| matches!(program.node(*id).body, Body::Concrete))
        {
            let node = program.node(id);
            let inputs = node.inputs.as_deref().unwrap_or_default();
            let names = variable::all(inputs);
            let mut taken = Vec::new();
            for (name, input) in names.iter().zip(inputs) {
                taken.push(format!("{name}: {}", self.kind(&input.kind)?));
            }
            let arguments = format!("{context}{}", taken.join(", "));
            let given = self.tuple(node.outputs.as_deref().unwrap_or_default())?;
            let given = if node.handler.is_some() {
                format!("Result<{given}, {}>", self.tuple(inputs)?)
            } else if self.begins_source(id) {
                format!("Option<{given}>")
            } else {
                given
            };
            let name = function(&node.name);
            let _ = write!(
                text,
                "\npub fn {name}({}) -> {given};\n",
                arguments.trim_end_matches(", ")
            );
        }
        self.predicates(&mut text)?;
        self.sessions(&mut text)?;
        Ok(text)
    }

    fn predicates(&self, text: &mut String) -> Result<(), Diagnostic> {
        let program = &self.compiled.program;
        let mut written = BTreeSet::new();
        for node in &program.nodes {
            let Body::Choice(cases) = &node.body else {
                continue;
            };
            let inputs = node.inputs.as_deref().unwrap_or_default();
            for case in cases {
                for (pattern, input) in case.patterns.iter().zip(inputs) {
                    let Some(predicate) = pattern else { continue };
                    let name = function(&program.predicates[predicate.0].function);
                    if written.insert(name.clone()) {
                        let kind = self.kind(&input.kind)?;
                        let _ = write!(text, "\npub fn {name}(value: &{kind}) -> bool;\n");
                    }
                }
            }
        }
        Ok(())
    }

    fn sessions(&self, text: &mut String) -> Result<(), Diagnostic> {
        let program = &self.compiled.program;
        let mut written = BTreeSet::new();
        for source in &program.sources {
            let Some(session) = &source.session else {
                continue;
            };
            let name = function(&session.text);
            if !written.insert(name.clone()) {
                continue;
            }
            let outputs = program
                .node(source.node)
                .outputs
                .as_deref()
                .unwrap_or_default();
            let mut taken = Vec::new();
            for (name, output) in variable::all(outputs).iter().zip(outputs) {
                taken.push(format!("{name}: &{}", self.kind(&output.kind)?));
            }
            let _ = write!(text, "\npub fn {name}({}) -> u64;\n", taken.join(", "));
        }
        Ok(())
    }

    /// Whether a node is the first of a source, and says whether anything is to come.
    fn begins_source(&self, id: NodeId) -> bool {
        let graph = &self.compiled.graph;
        graph.entries.iter().any(|entry| {
            let mut at = entry.source;
            while let Action::Acquire { next, .. } = graph.vertex(at).action {
                at = next;
            }
            matches!(graph.vertex(at).action, Action::Call { node, .. } if node == id)
        })
    }

    fn tuple(&self, values: &[Argument]) -> Result<String, Diagnostic> {
        let mut kinds = Vec::new();
        for value in values {
            kinds.push(self.kind(&value.kind)?);
        }
        Ok(match kinds.as_slice() {
            [one] => one.clone(),
            kinds => format!("({})", kinds.join(", ")),
        })
    }

    /// A type as people write it: without the spaces between tokens.
    fn kind(&self, kind: &Type) -> Result<String, Diagnostic> {
        let rust = self.types.rust(kind).map_err(|why| {
            Diagnostic::error(0..0, format!("there is no Rust type for '{kind}': {why}"))
                .help("name one in the map of types beside the program")
        })?;
        let file: syn::File = syn::parse_quote! { type T = #rust; };
        let written = prettyplease::unparse(&file);
        let written = written
            .trim()
            .trim_start_matches("type T = ")
            .trim_end_matches(';');
        Ok(written.to_owned())
    }
}
