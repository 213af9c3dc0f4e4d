//! Statements to a program: every name stands for one thing.

use std::collections::{BTreeMap, HashMap};

use crate::diagnostic::{Diagnostic, Span, closest};
use crate::program::{
    Body, Case, Constraint, ConstraintId, Node, NodeId, NodeUse, Predicate, PredicateId, Program,
    Source,
};
use crate::syntax::{Argument, Atomic, Name, Pattern, Scope, Statement};

/// The program that the statements describe; what contradicts itself or names nothing is reported and left out.
pub fn resolve(statements: &[Statement], found: &mut Vec<Diagnostic>) -> Program {
    let mut resolver = Resolver {
        program: Program::default(),
        nodes: HashMap::new(),
        predicates: HashMap::new(),
        found,
    };
    resolver.predicates(statements);
    resolver.signatures(statements);
    resolver.flows(statements);
    resolver.sources(statements);
    resolver.handlers(statements);
    resolver.constraints(statements);
    resolver.additions(statements);
    resolver.undeclared();
    resolver.program
}

struct Resolver<'a> {
    program: Program,
    nodes: HashMap<String, NodeId>,
    predicates: HashMap<String, PredicateId>,
    found: &'a mut Vec<Diagnostic>,
}

impl Resolver<'_> {
    fn predicates(&mut self, statements: &[Statement]) {
        for statement in statements {
            let Statement::Predicate { name, function } = statement else {
                continue;
            };
            if let Some(&before) = self.predicates.get(&name.text) {
                let before = self.program.predicates[before.0].name.span.clone();
                self.twice("predicate type", name, before);
                continue;
            }
            let id = PredicateId(self.program.predicates.len());
            self.predicates.insert(name.text.clone(), id);
            self.program.predicates.push(Predicate {
                name: name.clone(),
                function: function.text.clone(),
            });
        }
    }

    fn signatures(&mut self, statements: &[Statement]) {
        for statement in statements {
            let Statement::Signature {
                node,
                inputs,
                outputs,
            } = statement
            else {
                continue;
            };
            let id = self.node(node);
            if self.program.nodes[id.0].is_declared {
                let before = self.program.nodes[id.0].span.clone();
                self.twice("signature of", node, before);
                continue;
            }
            let declared = &mut self.program.nodes[id.0];
            declared.is_declared = true;
            declared.span = node.span.clone();
            declared.inputs = Some(named(inputs));
            declared.outputs = Some(named(outputs));
        }
    }

    fn flows(&mut self, statements: &[Statement]) {
        // Where the flow of a node is first written.
        let mut written: HashMap<NodeId, Span> = HashMap::new();
        for statement in statements {
            let Statement::Flow {
                node,
                patterns,
                body,
            } = statement
            else {
                continue;
            };
            let id = self.node(node);
            let flow: Vec<_> = body.iter().map(|name| self.use_of(name)).collect();
            let case = patterns.as_ref().map(|patterns| Case {
                span: node.span.clone(),
                patterns: patterns.iter().map(|one| self.pattern(one)).collect(),
                flow: flow.clone(),
            });
            match (&mut self.program.nodes[id.0].body, case) {
                (body @ Body::Concrete, None) => *body = Body::Flow(flow),
                (body @ Body::Concrete, Some(case)) => *body = Body::Choice(vec![case]),
                (Body::Choice(cases), Some(case)) => cases.push(case),
                _ => {
                    let before = written[&id].clone();
                    self.twice("flow of", node, before);
                }
            }
            written.entry(id).or_insert_with(|| node.span.clone());
        }
    }

    fn sources(&mut self, statements: &[Statement]) {
        for statement in statements {
            let Statement::Source {
                node,
                session,
                flow,
            } = statement
            else {
                continue;
            };
            let source = Source {
                node: self.node(node),
                session: session.clone(),
                flow: self.node(flow),
                span: node.span.clone(),
            };
            if let Some(before) = self
                .program
                .sources
                .iter()
                .find(|one| one.node == source.node)
            {
                let before = before.span.clone();
                self.twice("source", node, before);
                continue;
            }
            self.program.sources.push(source);
        }
    }

    fn handlers(&mut self, statements: &[Statement]) {
        for statement in statements {
            let Statement::Handler { node, handler } = statement else {
                continue;
            };
            let Some(id) = self.known(node) else { continue };
            if !matches!(self.program.node(id).body, Body::Concrete) {
                let what = format!(
                    "'{}' does not fail by itself: it is a flow of others",
                    node.text
                );
                self.found.push(
                    Diagnostic::error(node.span.clone(), what)
                        .help("name the nodes in it that may fail, each with its handler"),
                );
                continue;
            }
            if let Some((_, before)) = self.program.node(id).handler.clone() {
                self.twice("handler of", node, before);
                continue;
            }
            let handler_id = self.node(handler);
            self.program.nodes[id.0].handler = Some((handler_id, handler.span.clone()));
        }
    }

    fn constraints(&mut self, statements: &[Statement]) {
        let written: Vec<(&Name, &Atomic)> = statements
            .iter()
            .filter_map(|statement| match statement {
                Statement::Atomic { node, constraints } => Some((node, constraints)),
                _ => None,
            })
            .flat_map(|(node, constraints)| constraints.iter().map(move |one| (node, one)))
            .collect();
        let mut by_name: BTreeMap<&str, &Atomic> = BTreeMap::new();
        for (_, atomic) in &written {
            let first = by_name.entry(&atomic.name.text).or_insert(atomic);
            if first.scope != atomic.scope {
                let what = format!("'{}' has two scopes", atomic.name.text);
                let scope = |scope| match scope {
                    Scope::Program => "the program's",
                    Scope::Session => "the session's",
                };
                self.found.push(
                    Diagnostic::error(atomic.name.span.clone(), what)
                        .label(format!("{} here", scope(atomic.scope)))
                        .other(
                            first.name.span.clone(),
                            format!("{} here", scope(first.scope)),
                        )
                        .help("write the same scope in all places, or use two names"),
                );
            }
        }
        let names: Vec<_> = by_name.keys().copied().collect();
        self.program.constraints = by_name
            .values()
            .map(|first| Constraint {
                name: first.name.text.clone(),
                scope: first.scope,
                span: first.name.span.clone(),
            })
            .collect();
        for (node, atomic) in written {
            let Some(id) = self.known(node) else { continue };
            let place = names.binary_search(&atomic.name.text.as_str());
            let constraint = ConstraintId(place.unwrap_or_default());
            let of_node = &mut self.program.nodes[id.0].constraints;
            let mode = of_node.entry(constraint).or_insert(atomic.mode);
            *mode = (*mode).max(atomic.mode);
        }
    }

    fn additions(&mut self, statements: &[Statement]) {
        for statement in statements {
            match statement {
                Statement::Blocking(nodes) => {
                    for node in nodes {
                        let Some(id) = self.known(node) else { continue };
                        self.program.nodes[id.0].may_wait = true;
                        if !matches!(self.program.node(id).body, Body::Concrete) {
                            let what = format!("'{}' is a flow of others", node.text);
                            self.found.push(
                                Diagnostic::error(node.span.clone(), what)
                                    .help("name the nodes in it that may wait"),
                            );
                        }
                    }
                }
                Statement::Context(kind, _) if self.program.context.is_none() => {
                    self.program.context = Some(kind.clone());
                }
                Statement::Context(_, span) => self.found.push(
                    Diagnostic::error(span.clone(), "a second context")
                        .help("leave one of them out: all nodes are lent the same"),
                ),
                _ => {}
            }
        }
    }

    /// Nodes that are used, and neither declared nor made of others.
    fn undeclared(&mut self) {
        for node in &self.program.nodes {
            if !node.is_declared && matches!(node.body, Body::Concrete) {
                let declared = self.program.nodes.iter().filter(|node| node.is_declared);
                let like = closest(&node.name, declared.map(|node| node.name.as_str()));
                let help = match like {
                    Some(like) => format!("if '{like}' is meant, write that; otherwise declare it"),
                    None => format!("declare it: '{} (…) => (…);'", node.name),
                };
                self.found.push(
                    Diagnostic::warning(
                        node.span.clone(),
                        format!("'{}' is not declared", node.name),
                    )
                    .label("what it takes and gives is inferred from its neighbours")
                    .help(help),
                );
            }
        }
    }

    fn pattern(&mut self, pattern: &Pattern) -> Option<PredicateId> {
        let Pattern::Is(name) = pattern else {
            return None;
        };
        let known = self.predicates.get(&name.text).copied();
        if known.is_none() {
            let names = self.predicates.keys().map(String::as_str);
            let help = match closest(&name.text, names) {
                Some(like) => format!("did you mean '{like}'?"),
                None => format!("declare it: 'typedef {} FUNCTION;'", name.text),
            };
            let what = format!("there is no predicate type '{}'", name.text);
            self.found
                .push(Diagnostic::error(name.span.clone(), what).help(help));
        }
        known
    }

    fn use_of(&mut self, name: &Name) -> NodeUse {
        NodeUse {
            node: self.node(name),
            span: name.span.clone(),
        }
    }

    /// The node of a name, which is one from now on.
    fn node(&mut self, name: &Name) -> NodeId {
        let nodes = &mut self.program.nodes;
        *self.nodes.entry(name.text.clone()).or_insert_with(|| {
            nodes.push(Node {
                name: name.text.clone(),
                span: name.span.clone(),
                is_declared: false,
                inputs: None,
                outputs: None,
                body: Body::Concrete,
                constraints: BTreeMap::new(),
                handler: None,
                may_wait: false,
            });
            NodeId(nodes.len() - 1)
        })
    }

    /// The node of a name, if there is one.
    fn known(&mut self, name: &Name) -> Option<NodeId> {
        let known = self.nodes.get(&name.text).copied();
        if known.is_none() {
            let names = self.program.nodes.iter().map(|node| node.name.as_str());
            let help = match closest(&name.text, names) {
                Some(like) => format!("did you mean '{like}'?"),
                None => "name a node that is declared or stands in a flow".into(),
            };
            let what = format!("there is no node '{}'", name.text);
            self.found
                .push(Diagnostic::error(name.span.clone(), what).help(help));
        }
        known
    }

    fn twice(&mut self, what: &str, name: &Name, before: Span) {
        let what = format!("a second {what} '{}'", name.text);
        self.found.push(
            Diagnostic::error(name.span.clone(), what)
                .label("again here")
                .other(before, "first here")
                .help("leave one of them out"),
        );
    }
}

/// Arguments of which each has a name.
fn named(arguments: &[Argument]) -> Vec<Argument> {
    let mut arguments = arguments.to_vec();
    for (number, argument) in arguments.iter_mut().enumerate() {
        if argument.name.is_empty() {
            argument.name = format!("argument_{}", number + 1);
        }
    }
    arguments
}
