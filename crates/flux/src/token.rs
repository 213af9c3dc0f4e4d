//! Tokens: words and signs, each with its place in the text.

use winnow::combinator::{alt, eof, preceded, repeat_till};
use winnow::prelude::*;
use winnow::stream::LocatingSlice;
use winnow::token::{any, take_till, take_while};

use crate::diagnostic::{Diagnostic, Span};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name, a keyword or a number.
    Word,
    /// `=>`
    Gives,
    /// `->`
    Then,
    /// `::`, as in a Rust path.
    Path,
    /// One character that is a sign of the language.
    Sign(char),
}

/// A token of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

/// What the text is cut into; of these only tokens and strange characters are kept.
#[derive(Clone, Copy)]
enum Piece {
    Token(Kind),
    Space,
    /// A comment whose end is missing.
    Unclosed,
    Strange,
}

const SIGNS: &str = "()[]{}:;,=*?!<>&'";

type Input<'i> = LocatingSlice<&'i str>;

/// Cuts a text into tokens. Characters that the language does not have are reported and left out.
pub(crate) fn tokens(text: &str, found: &mut Vec<Diagnostic>) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut input = Input::new(text);
    while let Ok((piece, span)) = piece.with_span().parse_next(&mut input) {
        match piece {
            Piece::Token(kind) => tokens.push(Token { kind, span }),
            Piece::Space => {}
            Piece::Unclosed => found.push(
                Diagnostic::error(span.start..span.start + 2, "a comment has no end")
                    .label("it begins here")
                    .help("end it with '*/'"),
            ),
            Piece::Strange => {
                let what = format!(
                    "'{}' is no sign of the language",
                    text[span.clone()].escape_debug()
                );
                found.push(Diagnostic::error(span, what).help("leave it out"));
            }
        }
    }
    tokens
}

fn piece(input: &mut Input<'_>) -> winnow::Result<Piece> {
    alt((
        take_while(1.., char::is_whitespace).value(Piece::Space),
        ("//", take_till(0.., '\n')).value(Piece::Space),
        comment,
        take_while(1.., is_of_word).value(Piece::Token(Kind::Word)),
        "=>".value(Piece::Token(Kind::Gives)),
        "->".value(Piece::Token(Kind::Then)),
        "::".value(Piece::Token(Kind::Path)),
        any.map(|sign| {
            if SIGNS.contains(sign) {
                Piece::Token(Kind::Sign(sign))
            } else {
                Piece::Strange
            }
        }),
    ))
    .parse_next(input)
}

/// A comment as in C.
fn comment(input: &mut Input<'_>) -> winnow::Result<Piece> {
    preceded(
        "/*",
        repeat_till::<_, _, (), _, _, _, _>(
            0..,
            any,
            alt(("*/".value(Piece::Space), eof.value(Piece::Unclosed))),
        ),
    )
    .map(|((), end)| end)
    .parse_next(input)
}

fn is_of_word(character: char) -> bool {
    character == '_' || character.is_ascii_alphanumeric()
}

impl Kind {
    /// As a person would write it.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Word => "a name".into(),
            Self::Gives => "'=>'".into(),
            Self::Then => "'->'".into(),
            Self::Path => "'::'".into(),
            Self::Sign(sign) => format!("'{sign}'"),
        }
    }
}
