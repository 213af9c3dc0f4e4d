//! The grammar of chunk extensions (RFC 9112, section 7.1.1).
//!
//! Nobody here has a use for them. But whoever reads them in another way than somebody else on the
//! path may see the chunk end elsewhere, so there is one way (RFC 9112, 2.2).

use crate::semantics::syntax::{is_field_text, is_tchar};

/// Where in the extensions of a chunk the input stands, between the size and the end of its line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Extension {
    /// White space that only a semicolon may end.
    BeforeSemicolon,
    BeforeName,
    Name,
    AfterName,
    BeforeValue,
    Token,
    Quoted,
    /// After a backslash in a quoted string.
    QuotedPair,
    AfterQuoted,
}

impl Extension {
    /// Whether the line may end here.
    pub(crate) fn is_whole(self) -> bool {
        use Extension::{AfterQuoted, Name, Token};
        matches!(self, Name | Token | AfterQuoted)
    }

    /// Where `byte` leads, which does not end the line. `None`: outside the grammar.
    pub(crate) fn step(self, byte: u8) -> Option<Extension> {
        use Extension::{
            AfterName, AfterQuoted, BeforeName, BeforeSemicolon, BeforeValue, Name, Quoted,
            QuotedPair, Token,
        };
        let next = match (self, byte) {
            (BeforeSemicolon | Name | AfterName | Token | AfterQuoted, b';') => BeforeName,
            (BeforeSemicolon | Token | AfterQuoted, b' ' | b'\t') => BeforeSemicolon,
            (BeforeName, b' ' | b'\t') => BeforeName,
            (BeforeName | Name, _) if is_tchar(byte) => Name,
            (Name | AfterName, b' ' | b'\t') => AfterName,
            (Name | AfterName, b'=') => BeforeValue,
            (BeforeValue, b' ' | b'\t') => BeforeValue,
            (BeforeValue, b'"') => Quoted,
            (BeforeValue | Token, _) if is_tchar(byte) => Token,
            (Quoted, b'"') => AfterQuoted,
            (Quoted, b'\\') => QuotedPair,
            (Quoted | QuotedPair, _) if is_field_text(byte) => Quoted,
            _ => return None,
        };
        Some(next)
    }
}
