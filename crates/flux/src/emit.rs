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

mod flow;
mod kinds;
mod names;
mod program;
mod skeleton;
mod step;
mod types;

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};

use crate::graph::{Action, Graph, VertexId};
use crate::program::NodeId;
use crate::syntax::Argument;
use crate::{Compiled, Diagnostic};
use names::Names;
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

    fn outputs(&self, node: NodeId) -> Vec<Argument> {
        self.compiled
            .program
            .node(node)
            .outputs
            .clone()
            .unwrap_or_default()
    }
}
