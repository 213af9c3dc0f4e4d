//! The field lines of a head, and the names that say how it is framed (RFC 9112, sections 5 and 6).

use httparse::{EMPTY_HEADER, Header, Status as Parsed};

use crate::semantics::fields;
use crate::semantics::status::Status;

/// A field that this server acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Connection,
    ContentLength,
    TransferEncoding,
    /// It is about the request, however that was carried.
    Request(fields::Name),
}

impl Name {
    /// `None`: a field that makes no difference here.
    #[inline]
    pub(crate) fn of(name: &str) -> Option<Name> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let name = match name.len() {
            10 if is("connection") => Name::Connection,
            14 if is("content-length") => Name::ContentLength,
            17 if is("transfer-encoding") => Name::TransferEncoding,
            _ => return fields::Name::of(name).map(Name::Request),
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
