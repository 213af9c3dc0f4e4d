//! The field lines of a head: one pass of `httparse`, and the few names that this server acts on.

use httparse::{EMPTY_HEADER, Header, Status as Parsed};

use crate::conditional::Name as Condition;
use crate::status::Status;

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
    /// `None`: a field that makes no difference here. The length comes first, because it tells nearly all names apart
    /// before a byte is compared.
    fn of(name: &str) -> Option<Name> {
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

/// Calls `visit` with each field of `block` that matters, in order, its value trimmed. `block` holds `count` field
/// lines and the empty line after them, all ended by CRLF.
///
/// `httparse` by its defaults refuses what must be refused: names that are no tokens, space before the colon or the
/// first name, folded lines, and control bytes in values (RFC 9112, 5.1 and 5.2). A bare LF, which it would let pass,
/// never comes here.
pub(crate) fn each<'a>(
    block: &'a [u8],
    count: usize,
    visit: impl FnMut(Name, &'a [u8]),
) -> Result<(), Status> {
    // Room on the stack, and no more of it than the head needs: clearing room for a hundred fields would cost more than
    // parsing a short head.
    if count <= 8 {
        parse(block, &mut [EMPTY_HEADER; 8], visit)
    } else if count <= 32 {
        parse(block, &mut [EMPTY_HEADER; 32], visit)
    } else if count <= 128 {
        parse(block, &mut [EMPTY_HEADER; 128], visit)
    } else {
        parse(block, &mut vec![EMPTY_HEADER; count], visit)
    }
}

fn parse<'a>(
    block: &'a [u8],
    room: &mut [Header<'a>],
    mut visit: impl FnMut(Name, &'a [u8]),
) -> Result<(), Status> {
    let Ok(Parsed::Complete((length, headers))) = httparse::parse_headers(block, room) else {
        return Err(Status::BadRequest);
    };
    if length != block.len() {
        return Err(Status::BadRequest);
    }
    for header in headers {
        if let Some(name) = Name::of(header.name) {
            visit(name, header.value);
        }
    }
    Ok(())
}
