//! The types of values, and what is missing of them.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::Emitter;
use crate::Diagnostic;
use crate::diagnostic::Span;
use crate::program::Node;
use crate::syntax::{Argument, Type, listed};

impl Emitter<'_> {
    pub(super) fn kinds(&mut self, values: &[Argument]) -> Vec<TokenStream> {
        values
            .iter()
            .map(|value| {
                let span = self.place_of(value);
                self.kind(&value.kind, span)
            })
            .collect()
    }

    pub(super) fn kind(&mut self, kind: &Type, span: Span) -> TokenStream {
        self.types.rust(kind).map_or_else(
            |why| {
                let missing = Diagnostic::error(
                    span,
                    format!("there is no Rust type for '{kind}': {why}"),
                )
                .help(
                    "name one in the map of types beside the program, or write one of Rust in it",
                );
                if !self
                    .wrong
                    .iter()
                    .any(|other| other.message == missing.message)
                {
                    self.wrong.push(missing);
                }
                quote!(())
            },
            ToTokens::into_token_stream,
        )
    }

    /// The node that first has such an argument.
    fn place_of(&self, value: &Argument) -> Span {
        let has_it = |node: &&Node| {
            let ends = [&node.inputs, &node.outputs];
            ends.into_iter()
                .flatten()
                .any(|end| listed(end).contains(&value.to_string()))
        };
        let node = self.compiled.program.nodes.iter().find(has_it);
        node.map_or(0..0, |node| node.span.clone())
    }
}
