//! The names of the few fields that decide what a request comes to (RFC 9110, section 6.3).

use crate::semantics::conditional::Name as Condition;

/// A field that this server acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Host,
    Expect,
    Condition(Condition),
}

impl Name {
    /// `None`: a field that makes no difference here. The length comes first, because it tells
    /// nearly all names apart before a byte is compared.
    #[inline]
    pub(crate) fn of(name: &str) -> Option<Name> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let name = match name.len() {
            4 if is("host") => Name::Host,
            5 if is("range") => Name::Condition(Condition::Range),
            6 if is("expect") => Name::Expect,
            8 if is("if-match") => Name::Condition(Condition::IfMatch),
            8 if is("if-range") => Name::Condition(Condition::IfRange),
            13 if is("if-none-match") => Name::Condition(Condition::IfNoneMatch),
            17 if is("if-modified-since") => Name::Condition(Condition::IfModifiedSince),
            19 if is("if-unmodified-since") => Name::Condition(Condition::IfUnmodifiedSince),
            _ => return None,
        };
        Some(name)
    }
}
