//! The type of flows: where they may be, what they have in hand there, and how they begin.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::Emitter;
use super::names::{function, variable};
use crate::graph::{Action, Lock, VertexId};
use crate::syntax::Argument;

impl Emitter<'_> {
    pub(super) fn state_type(&mut self) -> TokenStream {
        let mut variants = Vec::new();
        for id in self.states() {
            let name = self.names.state(id);
            let vertex = self.graph().vertex(id).clone();
            let what = self.said(id);
            let fields = self.fields(&vertex.values);
            let fields = if fields.is_empty() {
                TokenStream::new()
            } else {
                quote!({ #(#fields),* })
            };
            variants.push(quote!(#[doc = #what] #name #fields));
        }
        quote! {
            /// Where a flow is, and what it has in hand.
            enum State { #(#variants),* }
        }
    }

    fn fields(&mut self, values: &[Argument]) -> Vec<TokenStream> {
        let names = variable::all(values);
        let kinds = self.kinds(values);
        names
            .iter()
            .zip(kinds)
            .map(|(name, kind)| quote!(#name: #kind))
            .collect()
    }

    /// What a state is, in a line.
    fn said(&self, id: VertexId) -> String {
        let program = &self.compiled.program;
        let locks = |locks: &[Lock]| {
            let locks = locks
                .iter()
                .map(|&(constraint, mode)| program.constraint(constraint, mode));
            locks.collect::<Vec<_>>().join(", ")
        };
        match &self.graph().vertex(id).action {
            Action::Call { node, .. } => format!(" `{}` runs.", program.name(*node)),
            Action::Choose { node, .. } => {
                format!(" `{}` takes one of its ways.", program.name(*node))
            }
            Action::Acquire {
                node, locks: taken, ..
            } => {
                format!(" `{}` takes {}.", program.name(*node), locks(taken))
            }
            Action::Release { .. } | Action::Begin { .. } | Action::End => String::new(),
        }
    }

    /// For each source, what begins with a result of it: for whoever has such a result from elsewhere.
    pub(super) fn constructors(&mut self) -> TokenStream {
        if self.is_sourced {
            return TokenStream::new();
        }
        let mut constructors = Vec::new();
        for (number, source) in self.compiled.program.sources.iter().enumerate() {
            let node = self.compiled.program.name(source.node).to_owned();
            let name = format_ident!(
                "begun_by_{}",
                function(&node).to_string().trim_start_matches("r#")
            );
            let doc = format!(" A flow that begins with a result of `{node}`.");
            let outputs = self.outputs(source.node);
            let fields = self.fields(&outputs);
            let (before, begin) = self.begin(number, &outputs);
            constructors.push(quote! {
                #[doc = #doc]
                pub(crate) fn #name(#(#fields),*) -> Self { #before #begin }
            });
        }
        quote!(impl Flow { #(#constructors)* })
    }

    /// The flow that a source's result begins: what is done before, and the flow.
    pub(super) fn begin(
        &mut self,
        source: usize,
        outputs: &[Argument],
    ) -> (TokenStream, TokenStream) {
        let entry = self.graph().entries[source];
        let names = variable::all(outputs);
        let named = self.compiled.program.sources[source]
            .session
            .as_ref()
            .map(|named| {
                let (nodes, session) = (&self.nodes, function(&named.text));
                quote!(let session = #nodes::#session(#(&#names),*);)
            });
        let session = match named {
            Some(_) => quote!(session),
            None => quote!(session: 0),
        };
        let path = Literal::u64_unsuffixed(self.compiled.paths.first(source));
        let (before, state) = self.go(entry.begin, &names, None);
        let flow = quote!(Self { state: #state, path: #path, #session });
        (quote!(#named #before), flow)
    }

    /// Whether a vertex is where a source begins: its node says whether anything is to come.
    pub(super) fn is_first_of_source(&self, id: VertexId) -> bool {
        let mut first = self.graph().entries.iter().map(|entry| {
            let mut at = entry.source;
            while let Action::Acquire { next, .. } = self.graph().vertex(at).action {
                at = next;
            }
            at
        });
        first.any(|first| first == id)
    }
}
