//! The graph to Rust: a type for flows, whose `step` does what is next, and nothing that is not known when it is compiled.
//!
//! What a node is in Rust follows from the program:
//!
//! | in the program | a function of the module of nodes |
//! | --- | --- |
//! | `ReadOrder (A a) => (A a, B b);` | `fn read_order(a: A) -> (A, B)` |
//! | one result, none | `-> A`, `-> ()` |
//! | a node with a handler | `-> Result<…, (A,)>` without the comma: where it fails, it gives back what it took |
//! | the first node of a source | `-> Option<…>`: none, if nothing will come any more |
//! | `typedef kept IsKept;` | `fn is_kept(value: &A) -> bool` |
//! | `source Read {session: PlayerOf} => …` | `fn player_of(value: &A, …) -> u64` |
//! | `context Worker;` | each of the nodes takes a `&mut Worker` before all else |

mod names;
mod skeleton;
mod step;
mod types;

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};

use crate::graph::{Action, Graph, Lock, VertexId};
use crate::program::NodeId;
use crate::syntax::{Argument, Scope, listed};
use crate::{Compiled, Diagnostic};
use names::{Names, function, variable};
pub use skeleton::skeleton;
pub use types::Types;

/// Where the generated code finds what it calls.
#[derive(Debug, Clone)]
pub struct Modules {
    /// The module of nodes, as a path.
    pub nodes: String,
    /// The runtime.
    pub runtime: String,
    /// Who has the results that flows begin with.
    pub sources: Sources,
}

/// Who has the results that flows begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sources {
    /// The sources are nodes like any other.
    Nodes,
    /// Whoever runs the program: it makes flows of what it has.
    Elsewhere,
}

/// A program as Rust, formatted.
///
/// # Errors
/// What is missing in it that Rust needs.
pub fn rust(
    compiled: &Compiled,
    types: &Types,
    modules: &Modules,
) -> Result<String, Vec<Diagnostic>> {
    let mut wrong = Vec::new();
    if compiled.program.sources.is_empty() {
        wrong.push(
            Diagnostic::error(0..0, "there is no source, so nothing would ever run")
                .help("add 'source NODE => FLOW;'"),
        );
    }
    let names = Names::new(compiled, &mut wrong);
    let mut emitter = Emitter {
        compiled,
        types,
        names,
        is_sourced: modules.sources == Sources::Nodes,
        module: path(&modules.nodes, &mut wrong),
        nodes: last_of(&modules.nodes),
        runtime: path(&modules.runtime, &mut wrong),
        wrong,
    };
    let file = emitter.file();
    if !emitter.wrong.is_empty() {
        return Err(emitter.wrong);
    }
    match syn::parse2(file) {
        Ok(file) => Ok(spaced(&prettyplease::unparse(&file))),
        Err(error) => Err(vec![Diagnostic::error(
            0..0,
            format!("this cannot be said in Rust: {error}"),
        )]),
    }
}

/// Vertices at which a flow can be found, or a source, if it is a node: all but those that are over as soon as they are met. In the order
/// of their places.
pub(crate) fn states(compiled: &Compiled, is_sourced: bool) -> Vec<VertexId> {
    let graph = &compiled.graph;
    let mut is_met = vec![false; graph.vertices.len()];
    for entry in &graph.entries {
        let begin = if is_sourced {
            entry.source
        } else {
            entry.begin
        };
        is_met[begin.0] = true;
    }
    let mut states = Vec::new();
    // A vertex stands behind all that follow it.
    for id in (0..is_met.len()).rev().map(VertexId) {
        if !is_met[id.0] {
            continue;
        }
        let action = &graph.vertex(id).action;
        for next in action.next() {
            is_met[next.0] = true;
        }
        let is_state = matches!(
            action,
            Action::Call { .. } | Action::Choose { .. } | Action::Acquire { .. }
        );
        states.extend(is_state.then_some(id));
    }
    states
}

/// With an empty line between items, as people write them.
fn spaced(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len());
    let mut before = "";
    for line in text.lines() {
        let is_end = ["}", "    }", "    };"].contains(&before) || before.starts_with("use ");
        let is_item = !line.trim_start().starts_with('}') && !line.starts_with("use ");
        if is_end && is_item {
            spaced.push('\n');
        }
        spaced.push_str(line);
        spaced.push('\n');
        before = line;
    }
    spaced
}

/// What a module is called where it is imported.
fn last_of(module: &str) -> TokenStream {
    let name = format_ident!("{}", module.rsplit("::").next().unwrap_or("nodes").trim());
    quote!(#name)
}

fn path(text: &str, wrong: &mut Vec<Diagnostic>) -> TokenStream {
    syn::parse_str::<syn::Path>(text).map_or_else(
        |_| {
            wrong.push(Diagnostic::error(
                0..0,
                format!("'{text}' is no path of Rust"),
            ));
            TokenStream::new()
        },
        ToTokens::into_token_stream,
    )
}

struct Emitter<'a> {
    compiled: &'a Compiled,
    types: &'a Types,
    names: Names,
    /// Whether the sources are nodes.
    is_sourced: bool,
    /// The module of nodes, and what it is called once it is imported.
    module: TokenStream,
    nodes: TokenStream,
    runtime: TokenStream,
    wrong: Vec<Diagnostic>,
}

impl Emitter<'_> {
    fn graph(&self) -> &Graph {
        &self.compiled.graph
    }

    fn file(&mut self) -> TokenStream {
        let (module, runtime) = (self.module.clone(), self.runtime.clone());
        let context = self.compiled.program.context.clone();
        let context_type = match &context {
            Some(kind) => self.kind(kind, 0..0),
            None => quote!(()),
        };
        let state = self.state_type();
        let constructors = self.constructors();
        let step = self.step();
        let program = self.program();
        let sources = self.sources();
        let may_wait = self.may_wait();
        let places = self.places();
        let imports = self.types.imports(self.compiled);
        let imports = if imports.is_empty() {
            quote!(use #module;)
        } else {
            quote!(use #module::{self, #(#imports),*};)
        };
        let lock_imports = if self.compiled.program.constraints.is_empty() {
            TokenStream::new()
        } else {
            quote!(Mode, Scope,)
        };
        let locks_name = if self.compiled.program.constraints.is_empty() {
            quote!(_)
        } else {
            quote!(locks)
        };
        let context_name = context.map_or(quote!(_), |_| quote!(context));
        quote! {
            #imports
            use #runtime::{Locks, #lock_imports Program, Step};

            #state

            /// A flow of the program.
            pub(crate) struct Flow {
                state: State,
                /// The number of the path that it takes, as far as it got.
                path: u64,
                /// The session that it belongs to.
                session: u64,
            }

            #constructors

            impl #runtime::Flow for Flow {
                type Context = #context_type;

                #program

                fn step(self, #context_name: &mut Self::Context, #locks_name: &mut impl Locks) -> Step<Self> {
                    #step
                }

                #may_wait

                #places
            }

            #sources
        }
    }

    fn states(&self) -> Vec<VertexId> {
        states(self.compiled, self.is_sourced)
    }

    fn state_type(&mut self) -> TokenStream {
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
    fn constructors(&mut self) -> TokenStream {
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
    fn begin(&mut self, source: usize, outputs: &[Argument]) -> (TokenStream, TokenStream) {
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
    fn is_first_of_source(&self, id: VertexId) -> bool {
        let mut first = self.graph().entries.iter().map(|entry| {
            let mut at = entry.source;
            while let Action::Acquire { next, .. } = self.graph().vertex(at).action {
                at = next;
            }
            at
        });
        first.any(|first| first == id)
    }

    fn program(&self) -> TokenStream {
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

    fn sources(&mut self) -> TokenStream {
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

    fn may_wait(&self) -> TokenStream {
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

    fn places(&self) -> TokenStream {
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

    fn outputs(&self, node: NodeId) -> Vec<Argument> {
        self.compiled
            .program
            .node(node)
            .outputs
            .clone()
            .unwrap_or_default()
    }

    fn kinds(&mut self, values: &[Argument]) -> Vec<TokenStream> {
        values
            .iter()
            .map(|value| {
                let span = self.place_of(value);
                self.kind(&value.kind, span)
            })
            .collect()
    }

    fn kind(&mut self, kind: &crate::syntax::Type, span: crate::diagnostic::Span) -> TokenStream {
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
    fn place_of(&self, value: &Argument) -> crate::diagnostic::Span {
        let has_it = |node: &&crate::program::Node| {
            let ends = [&node.inputs, &node.outputs];
            ends.into_iter()
                .flatten()
                .any(|end| listed(end).contains(&value.to_string()))
        };
        let node = self.compiled.program.nodes.iter().find(has_it);
        node.map_or(0..0, |node| node.span.clone())
    }
}
