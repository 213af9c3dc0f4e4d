//! Text to statements. By hand above the tokens, so that each error says what was expected at that place, and the next statement is
//! read all the same.

mod cursor;

use crate::diagnostic::Diagnostic;
use crate::syntax::{Argument, Atomic, Mode, Name, Pattern, Scope, Statement, Type};
use crate::token::{Kind, Token, tokens};

/// Words that begin a statement of their own.
const KEYWORDS: [&str; 7] = [
    "typedef",
    "source",
    "handle",
    "atomic",
    "constraint",
    "blocking",
    "context",
];

/// The statements of a program; what could not be read is reported.
pub fn parse(text: &str, found: &mut Vec<Diagnostic>) -> Vec<Statement> {
    let tokens = tokens(text, found);
    let mut parser = Parser {
        text,
        tokens: &tokens,
        place: 0,
    };
    let mut statements = Vec::new();
    while parser.place < tokens.len() {
        let before = parser.place;
        match parser.statement() {
            Ok(Some(statement)) => {
                statements.push(statement);
                if let Err(missing) = parser.end_of_statement() {
                    found.push(missing);
                }
            }
            Ok(None) => {}
            Err(wrong) => {
                found.push(wrong);
                parser.skip_statement();
            }
        }
        parser.place = parser.place.max(before + 1);
    }
    statements
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    place: usize,
}

type Parsed<T> = Result<T, Diagnostic>;

impl<'a> Parser<'a> {
    /// A statement without its semicolon; none where there is only that.
    fn statement(&mut self) -> Parsed<Option<Statement>> {
        if self.accept(Kind::Sign(';')) {
            return Ok(None);
        }
        // A node may be called so, too.
        let is_keyword = !matches!(self.kind_at(1), Some(Kind::Sign('(' | '=' | ':' | '[')));
        let statement = match self.word_at(0) {
            Some("typedef") if is_keyword => self.predicate()?,
            Some("source") if is_keyword => self.source()?,
            Some("handle") if is_keyword => self.handler()?,
            Some("atomic" | "constraint") if is_keyword => self.atomic()?,
            Some("blocking") if is_keyword => self.blocking()?,
            Some("context") if is_keyword => self.context()?,
            _ => self.about_node()?,
        };
        Ok(Some(statement))
    }

    fn predicate(&mut self) -> Parsed<Statement> {
        self.place += 1;
        Ok(Statement::Predicate {
            name: self.name("the name of a predicate type")?,
            function: self.name("the function that says whether a value has it")?,
        })
    }

    fn source(&mut self) -> Parsed<Statement> {
        self.place += 1;
        let node = self.name("the node that is the source")?;
        let session = if self.accept(Kind::Sign('{')) {
            self.keyword("session")?;
            self.expect(Kind::Sign(':'), "between 'session' and its function")?;
            let function = self.name("the function that names the session")?;
            self.expect(Kind::Sign('}'), "after the session's function")?;
            Some(function)
        } else {
            None
        };
        self.gives("before what the source's flows begin with")?;
        let flow = self.name("the node that the source's flows begin with")?;
        Ok(Statement::Source {
            node,
            session,
            flow,
        })
    }

    fn handler(&mut self) -> Parsed<Statement> {
        self.place += 1;
        self.keyword("error")?;
        let node = self.name("the node that may fail")?;
        self.gives("before where the flow goes then")?;
        let handler = self.name("the node where the flow goes then")?;
        Ok(Statement::Handler { node, handler })
    }

    fn atomic(&mut self) -> Parsed<Statement> {
        self.place += 1;
        let node = self.name("the node that is constrained")?;
        self.expect(Kind::Sign(':'), "between the node and its constraints")?;
        self.expect(Kind::Sign('{'), "before the constraints")?;
        let constraints = self.separated(Kind::Sign('}'), "the constraints", Self::constraint)?;
        Ok(Statement::Atomic { node, constraints })
    }

    fn constraint(&mut self) -> Parsed<Atomic> {
        let name = self.name("the name of a constraint")?;
        let mode = if self.accept(Kind::Sign('?')) {
            Mode::Reader
        } else {
            self.accept(Kind::Sign('!'));
            Mode::Writer
        };
        let scope = if self.accept(Kind::Sign('(')) {
            let scope = match self.word_at(0) {
                Some("program") => Scope::Program,
                Some("session") => Scope::Session,
                _ => return Err(self.expected("'program' or 'session'", "as a constraint's scope")),
            };
            self.place += 1;
            self.expect(Kind::Sign(')'), "after the scope")?;
            scope
        } else {
            Scope::Program
        };
        Ok(Atomic { name, mode, scope })
    }

    fn blocking(&mut self) -> Parsed<Statement> {
        self.place += 1;
        let mut nodes = vec![self.name("a node that may wait")?];
        while self.accept(Kind::Sign(',')) {
            nodes.push(self.name("a node that may wait")?);
        }
        Ok(Statement::Blocking(nodes))
    }

    fn context(&mut self) -> Parsed<Statement> {
        self.place += 1;
        let from = self.place;
        self.name("the type of what threads lend to nodes")?;
        // The rest of its line.
        while self.kind_at(0).is_some_and(|kind| kind != Kind::Sign(';')) && !self.is_on_new_line()
        {
            self.place += 1;
        }
        let tokens = &self.tokens[from..self.place];
        let span = tokens[0].span.start..tokens[tokens.len() - 1].span.end;
        Ok(Statement::Context(self.type_of(tokens), span))
    }

    /// A signature or a flow, both of which begin with a node.
    fn about_node(&mut self) -> Parsed<Statement> {
        let node =
            self.name("a statement: 'typedef', 'source', 'handle error', 'atomic', or a node")?;
        let patterns = match self.kind_at(0) {
            Some(Kind::Sign(':')) => {
                self.place += 1;
                self.expect(Kind::Sign('['), "before the predicate types")?;
                Some(self.patterns()?)
            }
            // A signature may repeat how many there are.
            Some(Kind::Sign('[')) => {
                self.place += 1;
                self.patterns()?;
                None
            }
            _ => None,
        };
        match self.kind_at(0) {
            Some(Kind::Sign('=')) => {
                self.place += 1;
                let body = self.flow()?;
                Ok(Statement::Flow {
                    node,
                    patterns,
                    body,
                })
            }
            Some(Kind::Sign('(')) if patterns.is_none() => {
                let inputs = self.arguments()?;
                self.gives("between what a node takes and what it gives")?;
                let outputs = self.arguments()?;
                Ok(Statement::Signature {
                    node,
                    inputs,
                    outputs,
                })
            }
            Some(Kind::Gives | Kind::Then) => Err(self
                .expected("'=' or '('", &format!("after '{}'", node.text))
                .help(
                    "a flow is written 'NODE = FIRST -> SECOND;', a source 'source NODE => FLOW;'",
                )),
            _ => Err(self.expected(
                "'=' and a flow, or '(' and what it takes",
                &format!("after '{}'", node.text),
            )),
        }
    }

    fn patterns(&mut self) -> Parsed<Vec<Pattern>> {
        self.separated(Kind::Sign(']'), "the predicate types", |parser| {
            if parser.accept(Kind::Sign('*')) {
                return Ok(Pattern::Any);
            }
            let name = parser.name("a predicate type or '_'")?;
            Ok(if name.text == "_" {
                Pattern::Any
            } else {
                Pattern::Is(name)
            })
        })
    }

    fn flow(&mut self) -> Parsed<Vec<Name>> {
        let mut body = Vec::new();
        if self.kind_at(0) != Some(Kind::Word) {
            return match self.kind_at(0) {
                Some(Kind::Sign(';')) => Ok(body),
                _ => Err(self.expected(
                    "a node, or ';' for a flow that passes its input on",
                    "after '='",
                )),
            };
        }
        loop {
            body.push(self.name("the next node of the flow")?);
            if self.kind_at(0) == Some(Kind::Gives) {
                return Err(self
                    .expected("'->' or ';'", "after a node of a flow")
                    .help("the nodes of a flow are joined by '->'"));
            }
            if !self.accept(Kind::Then) {
                return Ok(body);
            }
        }
    }

    fn arguments(&mut self) -> Parsed<Vec<Argument>> {
        self.expect(Kind::Sign('('), "before what is taken or given")?;
        let arguments =
            self.separated(Kind::Sign(')'), "what is taken or given", Self::argument)?;
        let is_void = |argument: &Argument| argument.kind.0 == "void" && argument.name.is_empty();
        Ok(match arguments.as_slice() {
            [only] if is_void(only) => Vec::new(),
            _ => arguments,
        })
    }

    /// A declarator: a type, and behind it a name.
    fn argument(&mut self) -> Parsed<Argument> {
        let from = self.place;
        let mut depth = 0_usize;
        while let Some(kind) = self.kind_at(0) {
            match kind {
                Kind::Sign(',') if depth == 0 => break,
                Kind::Sign('<' | '(' | '[') => depth += 1,
                Kind::Sign(')') if depth == 0 => break,
                Kind::Sign('>' | ')' | ']') => depth = depth.saturating_sub(1),
                Kind::Sign(';' | '{' | '}' | '=') | Kind::Gives | Kind::Then => break,
                _ => {}
            }
            self.place += 1;
        }
        let tokens = &self.tokens[from..self.place];
        let words = |tokens: &[Token]| {
            tokens
                .iter()
                .filter(|token| token.kind == Kind::Word)
                .count()
        };
        match tokens {
            [] => Err(self.expected("a type and a name", "in a signature")),
            [kind @ .., last]
                if last.kind == Kind::Word
                    && words(kind) > 0
                    && kind.last().is_none_or(|before| before.kind != Kind::Path) =>
            {
                Ok(Argument {
                    kind: self.type_of(kind),
                    name: self.text[last.span.clone()].to_owned(),
                })
            }
            _ => Ok(Argument {
                kind: self.type_of(tokens),
                name: String::new(),
            }),
        }
    }

    /// A type's text: a space only where two words would run into one.
    fn type_of(&self, tokens: &[Token]) -> Type {
        let mut text = String::new();
        let mut is_after_word = false;
        for token in tokens {
            if token.kind == Kind::Word && is_after_word {
                text.push(' ');
            }
            text.push_str(&self.text[token.span.clone()]);
            if token.kind == Kind::Sign(',') {
                text.push(' ');
            }
            is_after_word = token.kind == Kind::Word;
        }
        Type(text)
    }
}
