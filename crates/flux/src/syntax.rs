//! A program as it is written: statements, in their order.

use std::fmt;

use crate::diagnostic::Span;

/// A name, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// A type as it is written, of C or of Rust: without spaces that mean nothing, so that two are the same if their texts are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Type(pub String);

/// An input or output of a node.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Argument {
    /// Its type.
    pub kind: Type,
    /// Its name; empty, where only a type was written.
    pub name: String,
}

/// A predicate type, or anything, in front of a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// `_` or `*`: always true.
    Any,
    /// The name of a predicate type.
    Is(Name),
}

/// Whether those that read a constraint run beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// `?`: beside other readers.
    Reader,
    /// `!`, and where nothing is written: alone.
    Writer,
}

/// Among whom a constraint holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All flows.
    Program,
    /// The flows of one session.
    Session,
}

/// A constraint as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Atomic {
    /// Its name.
    pub name: Name,
    /// As reader or writer.
    pub mode: Mode,
    /// Among whom.
    pub scope: Scope,
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// `typedef NAME FUNCTION;`
    Predicate {
        /// The predicate type.
        name: Name,
        /// The function that says of a value whether it has it.
        function: Name,
    },
    /// `NODE (INPUTS) => (OUTPUTS);`
    Signature {
        /// The node.
        node: Name,
        /// What it takes.
        inputs: Vec<Argument>,
        /// What it gives.
        outputs: Vec<Argument>,
    },
    /// `source NODE {session: FUNCTION} => FLOW;`
    Source {
        /// The node whose results start flows.
        node: Name,
        /// The function that names the session of a result.
        session: Option<Name>,
        /// What flows begin with.
        flow: Name,
    },
    /// `NODE = FLOW;`, `NODE:[PATTERNS] = FLOW;`
    Flow {
        /// The abstract node.
        node: Name,
        /// When it is this one of several flows.
        patterns: Option<Vec<Pattern>>,
        /// The nodes that it consists of, if any.
        body: Vec<Name>,
    },
    /// `handle error NODE => HANDLER;`
    Handler {
        /// The node that may fail.
        node: Name,
        /// Where its inputs go then.
        handler: Name,
    },
    /// `atomic NODE:{CONSTRAINTS};`
    Atomic {
        /// The node.
        node: Name,
        /// What it must have to itself.
        constraints: Vec<Atomic>,
    },
    /// `blocking NODE, …;`, of ours: nodes that may wait.
    Blocking(Vec<Name>),
    /// `context TYPE;`, of ours: what each thread has that runs nodes, and lends them.
    Context(Type, Span),
}

impl fmt::Display for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(formatter)?;
        if !self.name.is_empty() {
            write!(formatter, " {}", self.name)?;
        }
        Ok(())
    }
}

/// Arguments as they are written, in parentheses.
pub(crate) fn listed(arguments: &[Argument]) -> String {
    let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
    format!("({})", arguments.join(", "))
}
