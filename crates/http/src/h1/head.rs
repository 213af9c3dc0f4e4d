//! What a head says, as far as this server acts on it.

use httparse::Header;

use crate::config::Config;
use crate::h1::body::Body;
use crate::h1::fields::Name;
use crate::h1::framing::Framing;
use crate::h1::line::Line;
use crate::semantics::conditional::Conditions;
use crate::semantics::host;
use crate::semantics::status::Status;
use crate::semantics::syntax::elements;

/// What the client expects before it sends a body (RFC 9110, 10.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expectation {
    None,
    /// `100-continue`: the client may be waiting, and may never send the body at all.
    Continue,
    /// Something that no server can meet: 417.
    Unknown,
}

/// A request whose framing and Host are in order.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) line: Line<'a>,
    /// Whether the client wants the connection kept (RFC 9112, 9.3): one of HTTP/1.0 has to say so.
    pub(crate) persistent: bool,
    pub(crate) expectation: Expectation,
    pub(crate) body: Option<Body>,
}

impl<'a> Request<'a> {
    /// Preconditions and ranges go to `conditions`, which must be empty.
    ///
    /// An error means that framing or Host is not in order: answer, then close.
    pub(crate) fn new(
        line: Line<'a>,
        fields: &[Header<'_>],
        conditions: &mut Conditions,
        config: &Config,
    ) -> Result<Request<'a>, Status> {
        let mut host = None;
        let mut framing = Framing::default();
        let mut close = false;
        let mut keep = false;
        let mut expectation = Expectation::None;
        for &Header { name, value } in fields {
            match Name::of(name) {
                None => {}
                Some(Name::Host) => {
                    if host.is_some() || !host::is_well_formed(value) {
                        return Err(Status::BadRequest);
                    }
                    host = Some(value);
                }
                Some(Name::Connection) => {
                    for option in elements(value) {
                        close |= option.eq_ignore_ascii_case(b"close");
                        keep |= option.eq_ignore_ascii_case(b"keep-alive");
                    }
                }
                Some(Name::ContentLength) => framing.content_length(value),
                Some(Name::TransferEncoding) => framing.transfer_encoding(value),
                Some(Name::Expect) => expectation = expect(expectation, value),
                Some(Name::Condition(name)) => conditions.push(name, value),
            }
        }
        if host.is_none() && !line.old {
            return Err(Status::BadRequest);
        }
        if line.old && expectation == Expectation::Continue {
            expectation = Expectation::None;
        }
        Ok(Request {
            line,
            persistent: !close && (keep || !line.old),
            expectation,
            body: framing.body(line.old, config)?,
        })
    }
}

fn expect(so_far: Expectation, value: &[u8]) -> Expectation {
    elements(value)
        .filter(|member| !member.is_empty())
        .fold(so_far, |so_far, member| {
            if so_far != Expectation::Unknown && member.eq_ignore_ascii_case(b"100-continue") {
                Expectation::Continue
            } else {
                Expectation::Unknown
            }
        })
}
