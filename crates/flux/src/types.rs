//! What flows into a node is what it takes: by type and place, whatever the names.

use crate::diagnostic::{Diagnostic, Span};
use crate::program::{Body, NodeId, NodeUse, Program};
use crate::syntax::{Argument, Type, listed};

/// One end of a node.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Inputs(NodeId),
    Outputs(NodeId),
}

/// Two ends that have to be of the same types, and where that is written.
struct Joint {
    gives: End,
    takes: End,
    span: Span,
    why: Why,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// One node follows the other.
    Next,
    /// One is the beginning or the end of the other.
    Part,
    /// One takes over where the other fails.
    Handler,
}

/// Infers what undeclared nodes take and give, and reports wherever that does not fit together.
pub fn check(program: &mut Program, found: &mut Vec<Diagnostic>) {
    let joints = joints(program);
    infer(program, &joints);
    settle(program, &joints);
    for joint in &joints {
        if let Some(wrong) = mismatch(program, joint) {
            found.push(wrong);
        }
    }
    choices(program, found);
    sources(program, found);
}

/// Everything that has to fit.
fn joints(program: &Program) -> Vec<Joint> {
    let mut joints = Vec::new();
    for id in program.ids() {
        let node = program.node(id);
        match &node.body {
            Body::Concrete => {}
            Body::Flow(flow) => in_flow(id, flow, &node.span, &mut joints),
            Body::Choice(cases) => {
                for case in cases {
                    in_flow(id, &case.flow, &case.span, &mut joints);
                }
            }
        }
        if let Some((handler, span)) = &node.handler {
            joints.push(Joint {
                gives: End::Inputs(id),
                takes: End::Inputs(*handler),
                span: span.clone(),
                why: Why::Handler,
            });
        }
    }
    for source in &program.sources {
        joints.push(Joint {
            gives: End::Outputs(source.node),
            takes: End::Inputs(source.flow),
            span: source.span.clone(),
            why: Why::Next,
        });
    }
    joints
}

fn in_flow(whole: NodeId, flow: &[NodeUse], span: &Span, joints: &mut Vec<Joint>) {
    let part = |gives, takes, span: &Span| Joint {
        gives,
        takes,
        span: span.clone(),
        why: Why::Part,
    };
    let (Some(first), Some(last)) = (flow.first(), flow.last()) else {
        return joints.push(part(End::Inputs(whole), End::Outputs(whole), span));
    };
    joints.push(part(
        End::Inputs(whole),
        End::Inputs(first.node),
        &first.span,
    ));
    for pair in flow.windows(2) {
        joints.push(Joint {
            gives: End::Outputs(pair[0].node),
            takes: End::Inputs(pair[1].node),
            span: pair[1].span.clone(),
            why: Why::Next,
        });
    }
    joints.push(part(
        End::Outputs(last.node),
        End::Outputs(whole),
        &last.span,
    ));
}

/// What is known at one end of a joint is known at the other.
fn infer(program: &mut Program, joints: &[Joint]) {
    loop {
        let mut has_learnt = false;
        for joint in joints {
            let ends = [joint.gives, joint.takes].map(|end| at(program, end).cloned());
            match ends {
                [Some(known), None] => set(program, joint.takes, known),
                [None, Some(known)] => set(program, joint.gives, known),
                _ => continue,
            }
            has_learnt = true;
        }
        if !has_learnt {
            return;
        }
    }
}

/// What nobody says is nothing: a handler that is the end of its flow gives none on.
fn settle(program: &mut Program, joints: &[Joint]) {
    for id in program.ids() {
        for end in [End::Inputs(id), End::Outputs(id)] {
            if at(program, end).is_none() {
                set(program, end, Vec::new());
                infer(program, joints);
            }
        }
    }
}

fn at(program: &Program, end: End) -> Option<&Vec<Argument>> {
    match end {
        End::Inputs(id) => program.node(id).inputs.as_ref(),
        End::Outputs(id) => program.node(id).outputs.as_ref(),
    }
}

fn set(program: &mut Program, end: End, arguments: Vec<Argument>) {
    match end {
        End::Inputs(id) => program.nodes[id.0].inputs = Some(arguments),
        End::Outputs(id) => program.nodes[id.0].outputs = Some(arguments),
    }
}

/// What is wrong at a joint, if anything.
fn mismatch(program: &Program, joint: &Joint) -> Option<Diagnostic> {
    let (gives, takes) = (at(program, joint.gives)?, at(program, joint.takes)?);
    let first_other = gives
        .iter()
        .zip(takes)
        .position(|(given, taken)| given.kind != taken.kind);
    let help = match first_other {
        Some(place) => format!(
            "argument {} is {} on one side and {} on the other",
            place + 1,
            gives[place].kind,
            takes[place].kind
        ),
        None if gives.len() == takes.len() => return None,
        None => format!(
            "{} on one side, {} on the other",
            counted(gives.len()),
            counted(takes.len())
        ),
    };
    let said = |end: End, arguments: &[Argument]| {
        let (id, verb) = match end {
            End::Inputs(id) => (id, "takes"),
            End::Outputs(id) => (id, "gives"),
        };
        format!("'{}' {verb} {}", program.name(id), listed(arguments))
    };
    let (giving, taking) = (said(joint.gives, gives), said(joint.takes, takes));
    let message = match joint.why {
        Why::Next => format!("{giving}, and {taking}"),
        Why::Part => format!("{giving}, but {taking}"),
        Why::Handler => {
            format!("{giving}, and so must its handler, but {taking}")
        }
    };
    let owner = |end: End| match end {
        End::Inputs(id) | End::Outputs(id) => program.node(id),
    };
    let mut wrong = Diagnostic::error(joint.span.clone(), message)
        .label("they do not fit here")
        .help(help);
    for end in [joint.gives, joint.takes] {
        let node = owner(end);
        if node.is_declared && node.span != joint.span {
            wrong = wrong.other(
                node.span.clone(),
                format!("'{}' is declared here", node.name),
            );
        }
    }
    wrong.others.dedup();
    Some(wrong)
}

fn counted(count: usize) -> String {
    match count {
        1 => "1 argument".into(),
        count => format!("{count} arguments"),
    }
}

/// Predicate types stand for arguments, and each for one type; one case applies to whatever comes.
fn choices(program: &Program, found: &mut Vec<Diagnostic>) {
    let mut of_predicate: Vec<Option<Type>> = vec![None; program.predicates.len()];
    for id in program.ids() {
        let node = program.node(id);
        let (Body::Choice(cases), Some(inputs)) = (&node.body, &node.inputs) else {
            continue;
        };
        let mut always = None;
        for case in cases {
            if case.patterns.len() != inputs.len() {
                let what = format!(
                    "'{}' takes {}, and here are {} predicate types",
                    node.name,
                    counted(inputs.len()),
                    case.patterns.len()
                );
                found.push(
                    Diagnostic::error(case.span.clone(), what)
                        .help(format!("write one or '_' for each of {}", listed(inputs))),
                );
                continue;
            }
            if let Some(span) = &always {
                let what = "this flow is never taken: one before it applies to everything";
                found.push(
                    Diagnostic::warning(case.span.clone(), what)
                        .other(Span::clone(span), "this one")
                        .help("put it before that one"),
                );
            }
            for (pattern, input) in case.patterns.iter().zip(inputs) {
                let Some(predicate) = pattern else { continue };
                let known = of_predicate[predicate.0].get_or_insert_with(|| input.kind.clone());
                if *known != input.kind {
                    let name = &program.predicates[predicate.0].name.text;
                    let what = format!(
                        "'{name}' is asked of {} here and of {known} elsewhere",
                        input.kind
                    );
                    found.push(
                        Diagnostic::error(case.span.clone(), what)
                            .help("declare a predicate type for each"),
                    );
                }
            }
            if case.patterns.iter().all(Option::is_none) {
                always = Some(case.span.clone());
            }
        }
        if always.is_none() {
            let anything = vec!["_"; inputs.len()].join(", ");
            found.push(
                Diagnostic::warning(
                    node.span.clone(),
                    format!("no flow of '{}' applies to everything", node.name),
                )
                .label("what none applies to ends here")
                .help(format!(
                    "add '{}:[{anything}] = …;' as the last one",
                    node.name
                )),
            );
        }
    }
}

/// A source takes nothing, and there is one.
fn sources(program: &Program, found: &mut Vec<Diagnostic>) {
    for source in &program.sources {
        let node = program.node(source.node);
        if let Some(inputs) = node.inputs.as_ref().filter(|inputs| !inputs.is_empty()) {
            let what = format!("'{}' is a source, and takes {}", node.name, listed(inputs));
            found.push(
                Diagnostic::error(source.span.clone(), what)
                    .help("a source takes nothing: '() => (…)'"),
            );
        }
    }
    if program.sources.is_empty() {
        found.push(
            Diagnostic::warning(0..0, "there is no source: nothing ever runs")
                .help("add 'source NODE => FLOW;'"),
        );
    }
}
