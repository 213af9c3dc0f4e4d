//! What a flow does at each of its states.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};

use super::Emitter;
use super::names::{function, variable};
use crate::graph::{Action, VertexId};
use crate::program::NodeId;
use crate::syntax::Mode;

impl Emitter<'_> {
    pub(super) fn step(&mut self) -> TokenStream {
        let mut arms = Vec::new();
        for id in self.states() {
            let vertex = self.graph().vertex(id).clone();
            let name = self.names.state(id);
            let values = variable::all(&vertex.values);
            let pattern = pattern(&name.to_token_stream(), &values);
            let arm = match &vertex.action {
                Action::Call { node, next, error } => self.call(id, *node, &values, *next, *error),
                Action::Choose {
                    cases, otherwise, ..
                } => self.choose(id, cases, *otherwise, &values),
                Action::Acquire { locks, next, .. } => {
                    let wanted = locks.iter().map(|&(constraint, mode)| {
                        let number = Literal::usize_unsuffixed(constraint.0);
                        let mode = match mode {
                            Mode::Reader => quote!(Mode::Reader),
                            Mode::Writer => quote!(Mode::Writer),
                        };
                        quote!((#number, #mode))
                    });
                    let (before, state) = self.go(*next, &values, None);
                    quote! {
                        if !locks.acquire(&[#(#wanted),*], session) {
                            let state = State::#pattern;
                            return Step::Blocked(Self { state, path, session });
                        }
                        #before
                        #state
                    }
                }
                Action::Release { .. } | Action::Begin { .. } | Action::End => continue,
            };
            arms.push(quote!(State::#pattern => { #arm }));
        }
        let has_forks = self.compiled.paths.count() > self.compiled.program.sources.len() as u64;
        let path = if has_forks {
            quote!(mut path)
        } else {
            quote!(path)
        };
        quote! {
            let Self { state, #path, session } = self;
            let state = match state { #(#arms),* };
            Step::Next(Self { state, path, session })
        }
    }

    fn call(
        &mut self,
        id: VertexId,
        node: NodeId,
        values: &[proc_macro2::Ident],
        next: VertexId,
        error: Option<VertexId>,
    ) -> TokenStream {
        let (nodes, name) = (
            self.nodes.clone(),
            function(self.compiled.program.name(node)),
        );
        let context = self
            .compiled
            .program
            .context
            .as_ref()
            .map(|_| quote!(context));
        let arguments = context
            .into_iter()
            .chain(values.iter().map(ToTokens::to_token_stream));
        let call = quote!(#nodes::#name(#(#arguments),*));
        let outputs = variable::all(&self.outputs(node));
        let given = tuple(&outputs);
        let (before, state) = self.go(next, &outputs, Some((id, 0)));
        if let Some(error) = error {
            let taken = tuple(values);
            let (before_handler, handler) = self.go(error, values, Some((id, 1)));
            return quote! {
                match #call {
                    Ok(#given) => { #before #state }
                    Err(#taken) => { #before_handler #handler }
                }
            };
        }
        if self.is_first_of_source(id) {
            return quote! {
                let Some(#given) = #call else { return Step::Exhausted };
                #before
                #state
            };
        }
        let bound = if outputs.is_empty() {
            quote!(#call;)
        } else {
            quote!(let #given = #call;)
        };
        quote!(#bound #before #state)
    }

    fn choose(
        &mut self,
        id: VertexId,
        cases: &[(Vec<Option<crate::program::PredicateId>>, VertexId)],
        otherwise: VertexId,
        values: &[proc_macro2::Ident],
    ) -> TokenStream {
        let reached = self.graph().vertex(id).action.next();
        let nodes = self.nodes.clone();
        let mut chain = TokenStream::new();
        for (place, next) in reached.iter().enumerate() {
            let (before, state) = self.go(*next, values, Some((id, place)));
            let way = quote!({ #before #state });
            let Some((patterns, _)) = cases.get(place) else {
                debug_assert_eq!(*next, otherwise);
                chain.extend(way);
                break;
            };
            let tests: Vec<_> = patterns
                .iter()
                .zip(values)
                .filter_map(|(pattern, value)| {
                    let predicate = &self.compiled.program.predicates[pattern.as_ref()?.0];
                    let test = function(&predicate.function);
                    Some(quote!(#nodes::#test(&#value)))
                })
                .collect();
            if tests.is_empty() {
                chain.extend(way);
                break;
            }
            chain.extend(quote!(if #(#tests)&&* #way else));
        }
        chain
    }

    /// On the way to a vertex, over an edge that is told by where it begins and its place there: what is done before, and the state that
    /// the flow is in then. Where it is over, what is done before returns.
    pub(super) fn go(
        &mut self,
        to: VertexId,
        values: &[proc_macro2::Ident],
        edge: Option<(VertexId, usize)>,
    ) -> (TokenStream, TokenStream) {
        let mut before = TokenStream::new();
        if let Some((from, place)) = edge {
            let increment = self.compiled.paths.increment(self.graph(), from, place);
            if increment > 0 {
                let increment = Literal::u64_unsuffixed(increment);
                before.extend(quote!(path += #increment;));
            }
        }
        let mut at = to;
        loop {
            let vertex = self.graph().vertex(at).clone();
            match vertex.action {
                Action::Release { locks, next } => {
                    let count = Literal::usize_unsuffixed(locks.len());
                    before.extend(quote!(locks.release(#count);));
                    at = next;
                }
                Action::End => return (before, quote!(return Step::Done(path))),
                Action::Begin { source, .. } => {
                    let outputs = variable::all(&vertex.values);
                    before.extend(
                        outputs
                            .iter()
                            .zip(values)
                            .filter(|(to, from)| to != from)
                            .map(|(to, from)| quote!(let #to = #from;))
                            .collect::<TokenStream>(),
                    );
                    let (before_flow, begun) = self.begin(source, &vertex.values);
                    before.extend(before_flow);
                    return (before, quote!(return Step::Begun(#begun)));
                }
                _ => {
                    let name = self.names.state(at);
                    let fields = variable::all(&vertex.values);
                    let set: Vec<_> = fields
                        .iter()
                        .zip(values)
                        .map(|(field, value)| {
                            if field == value {
                                quote!(#field)
                            } else {
                                quote!(#field: #value)
                            }
                        })
                        .collect();
                    let state = if set.is_empty() {
                        quote!(State::#name)
                    } else {
                        quote!(State::#name { #(#set),* })
                    };
                    return (before, state);
                }
            }
        }
    }
}

/// Values as a node takes them back or gives them: bare, if there is one.
fn tuple(values: &[proc_macro2::Ident]) -> TokenStream {
    match values {
        [one] => quote!(#one),
        values => quote!((#(#values),*)),
    }
}

fn pattern(name: &TokenStream, values: &[proc_macro2::Ident]) -> TokenStream {
    if values.is_empty() {
        quote!(#name)
    } else {
        quote!(#name { #(#values),* })
    }
}
