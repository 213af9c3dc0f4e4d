//! A compiler for Flux (Burns, Grimaldi, Kostadinov, Berger, Corner: "Flux: A Language for Programming High-Performance Servers",
//! USENIX 2006): a server is written once, as flows of nodes; who runs them is chosen afterwards, and no choice lets them deadlock.
//!
//! The passes, in a row:
//!
//! | pass | what it does |
//! | --- | --- |
//! | [`parse`] | text to statements |
//! | [`resolve`] | statements to a [`Program`]: every name stands for one thing |
//! | [`acyclic`] | no flow leads back to itself |
//! | [`types`] | what flows into a node is what it takes |
//! | [`constraints`] | what a constraint may be asked of |
//! | [`hoist`] | constraints are taken in one order on every path |
//! | [`graph`] | what a flow does, vertex by vertex |
//!
//! What is made of the graph: [`emit`], Rust; [`picture`], SVG or DOT; [`paths`], which a running program counts, and a [`profile`] tells.

pub mod acyclic;
pub mod cli;
pub mod constraints;
pub mod diagnostic;
pub mod emit;
pub mod graph;
pub mod hoist;
pub mod package;
pub mod parse;
pub mod paths;
pub mod picture;
pub mod profile;
pub mod program;
pub mod resolve;
pub mod syntax;
mod token;
pub mod types;

#[cfg(test)]
mod tests;

pub use diagnostic::Diagnostic;
pub use graph::Graph;
pub use hoist::Hoist;
pub use paths::Paths;
pub use program::Program;

/// What became of a program.
#[derive(Debug)]
pub struct Checked {
    /// What there is to say about it: errors first, then by place.
    pub diagnostics: Vec<Diagnostic>,
    /// The program, if it means something.
    pub compiled: Option<Compiled>,
}

/// A program without errors.
#[derive(Debug)]
pub struct Compiled {
    /// With constraints where they are taken.
    pub program: Program,
    /// Which of them were moved there.
    pub hoists: Vec<Hoist>,
    /// What flows do.
    pub graph: Graph,
    /// The paths through it.
    pub paths: Paths,
}

/// Checks a program.
pub fn check(text: &str) -> Checked {
    let mut found = Vec::new();
    let compiled = compile(text, &mut found);
    found.sort_by_key(|one| (std::cmp::Reverse(one.severity), one.span.start));
    let has_error = found.iter().any(Diagnostic::is_error);
    Checked {
        diagnostics: found,
        compiled: compiled.filter(|_| !has_error),
    }
}

fn compile(text: &str, found: &mut Vec<Diagnostic>) -> Option<Compiled> {
    let statements = parse::parse(text, found);
    let mut program = resolve::resolve(&statements, found);
    let is_acyclic = acyclic::check(&program, found);
    types::check(&mut program, found);
    constraints::check(&program, found);
    if !is_acyclic || found.iter().any(Diagnostic::is_error) {
        return None;
    }
    finish(program)
        .map_err(|wrong| found.push(wrong))
        .ok()
        .inspect(|compiled| {
            let warnings = compiled
                .hoists
                .iter()
                .map(|hoist| hoist.warning(&compiled.program));
            found.extend(warnings);
        })
}

fn finish(mut program: Program) -> Result<Compiled, Diagnostic> {
    let hoists = hoist::hoist(&mut program)?;
    let graph = Graph::new(&program)?;
    let paths = Paths::new(&graph).ok_or_else(|| {
        let span = program
            .sources
            .first()
            .map_or(0..0, |source| source.span.clone());
        Diagnostic::error(span, "there are more paths than can be numbered")
            .help("use fewer nodes with several flows one after the other")
    })?;
    Ok(Compiled {
        program,
        hoists,
        graph,
        paths,
    })
}
