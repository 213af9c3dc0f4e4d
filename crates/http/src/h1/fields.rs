//! The field lines of a head, and the few names that this server acts on.

use httparse::{EMPTY_HEADER, Header, Status as Parsed};

use crate::semantics::conditional::Name as Condition;
use crate::semantics::status::Status;

/// A field that this server acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Host,
    Connection,
    ContentLength,
    TransferEncoding,
    Expect,
    Condition(Condition),
}

impl Name {
    /// `None`: a field that makes no difference here. The length comes first, because it tells
    /// nearly all names apart before a byte is compared.
    pub(crate) fn of(name: &str) -> Option<Name> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let name = match name.len() {
            4 if is("host") => Name::Host,
            5 if is("range") => Name::Condition(Condition::Range),
            6 if is("expect") => Name::Expect,
            8 if is("if-match") => Name::Condition(Condition::IfMatch),
            8 if is("if-range") => Name::Condition(Condition::IfRange),
            10 if is("connection") => Name::Connection,
            13 if is("if-none-match") => Name::Condition(Condition::IfNoneMatch),
            14 if is("content-length") => Name::ContentLength,
            17 if is("transfer-encoding") => Name::TransferEncoding,
            17 if is("if-modified-since") => Name::Condition(Condition::IfModifiedSince),
            19 if is("if-unmodified-since") => Name::Condition(Condition::IfUnmodifiedSince),
            _ => return None,
        };
        Some(name)
    }
}

/// Most fields for which the stack has room.
const FEW: usize = 128;

/// Hands the field lines of `block` to `then`. `block` holds `count` of them and the empty line
/// after them, all ended by CRLF.
///
/// `httparse` by its defaults refuses what must be refused: names that are no tokens, space before
/// the colon or the first name, folded lines, and control bytes in values (RFC 9112, 5.1 and 5.2).
/// A bare LF, which it would let pass, never comes here.
pub(crate) fn parse<'a, T>(
    block: &'a [u8],
    count: usize,
    then: impl FnOnce(&[Header<'a>]) -> Result<T, Status>,
) -> Result<T, Status> {
    let mut few = [EMPTY_HEADER; FEW];
    let mut many = Vec::new();
    let room = if count <= FEW {
        &mut few[..]
    } else {
        many.resize(count, EMPTY_HEADER);
        &mut many[..]
    };
    match httparse::parse_headers(block, room) {
        Ok(Parsed::Complete((length, fields))) if length == block.len() => then(fields),
        _ => Err(Status::BadRequest),
    }
}
