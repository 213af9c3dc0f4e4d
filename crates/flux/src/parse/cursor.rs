//! Going from token to token: what is there, what was expected, and where the next statement begins.

use super::{KEYWORDS, Parsed, Parser};
use crate::diagnostic::{Diagnostic, Span};
use crate::syntax::Name;
use crate::token::{Kind, Token};

impl<'a> Parser<'a> {
    /// Things with commas between them, and `close` behind.
    pub(super) fn separated<T>(
        &mut self,
        close: Kind,
        what: &str,
        one: impl Fn(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        let mut things = Vec::new();
        if self.accept(close) {
            return Ok(things);
        }
        loop {
            things.push(one(self)?);
            if self.accept(close) {
                return Ok(things);
            }
            if !self.accept(Kind::Sign(',')) {
                let expected = format!("',' or {}", close.name());
                return Err(self.expected(&expected, &format!("in {what}")));
            }
        }
    }

    /// `=>`, for which `->` is taken too, as it is written elsewhere.
    pub(super) fn gives(&mut self, place: &str) -> Parsed<()> {
        if self.accept(Kind::Gives) || self.accept(Kind::Then) {
            return Ok(());
        }
        Err(self.expected("'=>'", place))
    }

    pub(super) fn name(&mut self, what: &str) -> Parsed<Name> {
        let span = match self.tokens.get(self.place) {
            Some(token) if token.kind == Kind::Word => token.span.clone(),
            _ => return Err(self.expected(what, "here")),
        };
        self.place += 1;
        let text = &self.text[span.clone()];
        if text.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(Diagnostic::error(span, format!("'{text}' is no name"))
                .help("a name begins with a letter"));
        }
        Ok(Name {
            text: text.to_owned(),
            span,
        })
    }

    pub(super) fn keyword(&mut self, word: &str) -> Parsed<()> {
        if self.word_at(0) == Some(word) {
            self.place += 1;
            return Ok(());
        }
        Err(self.expected(&format!("'{word}'"), "here"))
    }

    pub(super) fn expect(&mut self, kind: Kind, place: &str) -> Parsed<()> {
        if self.accept(kind) {
            return Ok(());
        }
        Err(self.expected(&kind.name(), place))
    }

    pub(super) fn accept(&mut self, kind: Kind) -> bool {
        let is_it = self.kind_at(0) == Some(kind);
        self.place += usize::from(is_it);
        is_it
    }

    /// What was expected, and is not there.
    pub(super) fn expected(&self, what: &str, place: &str) -> Diagnostic {
        let (span, found) = match self.tokens.get(self.place) {
            Some(token) => {
                let text = &self.text[token.span.clone()];
                (token.span.clone(), format!("found '{text}'"))
            }
            None => (self.end_of_last(), "the program ends here".into()),
        };
        Diagnostic::error(span, format!("expected {what} {place}")).label(found)
    }

    /// A semicolon. Where it is missing and another line follows, the next statement is taken to begin there.
    pub(super) fn end_of_statement(&mut self) -> Parsed<()> {
        if self.accept(Kind::Sign(';')) {
            return Ok(());
        }
        let missing = Diagnostic::error(self.end_of_last(), "a statement has no end")
            .label("expected ';' here")
            .help("put ';' behind it");
        if !self.is_on_new_line() {
            self.skip_statement();
        }
        Err(missing)
    }

    /// Whether the next token stands on another line than the last one.
    pub(super) fn is_on_new_line(&self) -> bool {
        let between = |next: &Token| self.end_of_last().start..next.span.start;
        self.tokens
            .get(self.place)
            .is_some_and(|next| self.text[between(next)].contains('\n'))
    }

    /// Goes behind the next semicolon, or in front of a keyword that begins a line.
    pub(super) fn skip_statement(&mut self) {
        while let Some(kind) = self.kind_at(0) {
            let begins_another = self.is_on_new_line()
                && self.word_at(0).is_some_and(|word| KEYWORDS.contains(&word));
            if begins_another {
                return;
            }
            self.place += 1;
            if kind == Kind::Sign(';') {
                return;
            }
        }
    }

    /// The place behind the last token.
    pub(super) fn end_of_last(&self) -> Span {
        let end = self
            .place
            .checked_sub(1)
            .map_or(0, |last| self.tokens[last].span.end);
        end..end
    }

    pub(super) fn kind_at(&self, ahead: usize) -> Option<Kind> {
        self.tokens.get(self.place + ahead).map(|token| token.kind)
    }

    pub(super) fn word_at(&self, ahead: usize) -> Option<&'a str> {
        let token = self.tokens.get(self.place + ahead)?;
        (token.kind == Kind::Word).then(|| &self.text[token.span.clone()])
    }
}
