//! What a constraint may be asked of: where it holds among the flows of a session, there is a session.

use std::collections::HashSet;

use crate::diagnostic::Diagnostic;
use crate::program::{NodeId, Program};
use crate::syntax::Scope;

/// Reports constraints of sessions in flows that belong to none.
pub fn check(program: &Program, found: &mut Vec<Diagnostic>) {
    for source in program
        .sources
        .iter()
        .filter(|source| source.session.is_none())
    {
        let mut reached = HashSet::new();
        reach(program, source.flow, &mut reached);
        let mut reached: Vec<_> = reached.into_iter().collect();
        reached.sort();
        for id in reached {
            let node = program.node(id);
            let of_session = node
                .constraints
                .keys()
                .map(|constraint| &program.constraints[constraint.0])
                .find(|constraint| constraint.scope == Scope::Session);
            let Some(constraint) = of_session else {
                continue;
            };
            let what = format!(
                "'{}' holds among the flows of a session, and those of '{}' belong to none",
                constraint.name,
                program.name(source.node)
            );
            found.push(
                Diagnostic::warning(source.span.clone(), what)
                    .label("all of them are taken to be of one session")
                    .other(node.span.clone(), format!("'{}' wants it", node.name))
                    .help(format!(
                        "name the function: 'source {} {{session: FUNCTION}} => …;'",
                        program.name(source.node)
                    )),
            );
        }
    }
}

fn reach(program: &Program, id: NodeId, reached: &mut HashSet<NodeId>) {
    if !reached.insert(id) {
        return;
    }
    let node = program.node(id);
    let handler = node.handler.as_ref().map(|(handler, _)| *handler);
    let members = program.members(id).into_iter().map(|member| member.node);
    for next in members.chain(handler) {
        reach(program, next, reached);
    }
}
