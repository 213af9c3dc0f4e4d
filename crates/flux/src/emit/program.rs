//! What a runtime asks of a program: its sources, places and constraints, where a flow is, and whether it may wait there.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::Emitter;
use crate::graph::{Action, VertexId};
use crate::syntax::Scope;

impl Emitter<'_> {
    pub(super) fn program(&self) -> TokenStream {
        let program = &self.compiled.program;
        let sources = program
            .sources
            .iter()
            .map(|source| program.name(source.node));
        let places = self
            .states()
            .into_iter()
            .map(|id| self.names.state(id).to_string());
        let scopes = program
            .constraints
            .iter()
            .map(|constraint| match constraint.scope {
                Scope::Program => quote!(Scope::Program),
                Scope::Session => quote!(Scope::Session),
            });
        let paths = Literal::u64_unsuffixed(self.compiled.paths.count());
        quote! {
            const PROGRAM: Program = Program {
                sources: &[#(#sources),*],
                places: &[#(#places),*],
                constraints: &[#(#scopes),*],
                paths: #paths,
            };
        }
    }

    pub(super) fn sources(&mut self) -> TokenStream {
        if !self.is_sourced {
            return TokenStream::new();
        }
        let runtime = self.runtime.clone();
        let mut sources = Vec::new();
        for (number, entry) in self.graph().entries.clone().into_iter().enumerate() {
            let (_, state) = self.go(entry.source, &[], None);
            let path = Literal::u64_unsuffixed(self.compiled.paths.first(number));
            sources.push(quote!((#state, #path)));
        }
        let last = sources.pop();
        let (number, begun) = if sources.is_empty() {
            (quote!(_), quote!(#last))
        } else {
            let numbers = (0..sources.len()).map(Literal::usize_unsuffixed);
            let begun = quote!(match number { #(#numbers => #sources,)* _ => #last });
            (quote!(number), begun)
        };
        quote! {
            impl #runtime::Sourced for Flow {
                fn source(#number: usize) -> Self {
                    let (state, path) = #begun;
                    Self { state, path, session: 0 }
                }
            }
        }
    }

    pub(super) fn may_wait(&self) -> TokenStream {
        let waiting: Vec<_> = self
            .states()
            .into_iter()
            .filter(|&id| {
                let action = &self.graph().vertex(id).action;
                matches!(action, Action::Call { node, .. } if self.compiled.program.node(*node).may_wait)
            })
            .map(|id| {
                let pattern = self.any(id);
                quote!(State::#pattern)
            })
            .collect();
        let may_wait = if waiting.is_empty() {
            quote!(false)
        } else {
            quote!(matches!(self.state, #(#waiting)|*))
        };
        quote!(fn may_wait(&self) -> bool { #may_wait })
    }

    pub(super) fn places(&self) -> TokenStream {
        let arms = self.states().into_iter().enumerate().map(|(place, id)| {
            let pattern = self.any(id);
            let place = Literal::usize_unsuffixed(place);
            quote!(State::#pattern => #place)
        });
        quote! {
            fn place(&self) -> usize {
                match self.state { #(#arms),* }
            }
        }
    }

    /// A state, whatever is in hand there.
    fn any(&self, id: VertexId) -> TokenStream {
        let name = self.names.state(id);
        if self.graph().vertex(id).values.is_empty() {
            quote!(#name)
        } else {
            quote!(#name { .. })
        }
    }
}
