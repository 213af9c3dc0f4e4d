//! What a head says: the request, and how it lies on the connection.

use httparse::Header;

use crate::config::Config;
use crate::h1::body::Body;
use crate::h1::fields::Name;
use crate::h1::framing::Framing;
use crate::h1::line::Line;
use crate::semantics::decision::Decision;
use crate::semantics::request::{Expectation, Request};
use crate::semantics::status::Status;
use crate::semantics::syntax::elements;

/// What a head says beside the request that it carries.
#[derive(Debug, Default)]
pub(crate) struct Head {
    /// The request is of HTTP/1.0.
    pub(crate) old: bool,
    /// The client wants the connection kept (RFC 9112, 9.3): one of HTTP/1.0 has to say so.
    pub(crate) persistent: bool,
    /// A body is announced that may never come: the client may be waiting for leave to send it, and
    /// may go on without it.
    pub(crate) withheld: bool,
    /// The body to come and to be dropped.
    pub(crate) body: Option<Body>,
}

impl Head {
    /// Reads a head into itself and into `request`, both of which must be as good as new.
    ///
    /// An error means that framing or Host is not in order: answer, then close.
    pub(crate) fn read(
        &mut self,
        line: &Line<'_>,
        fields: &[Header<'_>],
        request: &mut Request,
        config: &Config,
    ) -> Result<Decision, Status> {
        request.begin(line.method, line.target);
        self.old = line.old;
        let mut framing = Framing::default();
        let mut close = false;
        let mut keep = false;
        for &Header { name, value } in fields {
            match Name::of(name) {
                None => {}
                Some(Name::Connection) => {
                    for option in elements(value) {
                        close |= option.eq_ignore_ascii_case(b"close");
                        keep |= option.eq_ignore_ascii_case(b"keep-alive");
                    }
                }
                Some(Name::ContentLength) => framing.content_length(value),
                Some(Name::TransferEncoding) => framing.transfer_encoding(value),
                Some(Name::Request(name)) => request
                    .push_known(name, value)
                    .map_err(|_| Status::BadRequest)?,
            }
        }
        if config.keep_fields {
            for field in fields {
                request.keep(field.name, field.value);
            }
        }
        if !request.has_host() && !line.old {
            return Err(Status::BadRequest);
        }
        // HTTP/1.0 does not know it (RFC 9110, 10.1.1).
        if line.old && request.expectation() == Expectation::Continue {
            request.expect_nothing();
        }
        self.persistent = !close && (keep || !line.old);
        let body = framing.body(line.old, config)?;
        let decision = Decision::on(request);
        match body {
            None => {}
            // The final status comes at once, and nobody needs to guess what the next bytes are.
            Some(_) if request.expectation() != Expectation::None => self.withheld = true,
            Some(body) if body.exceeds(config.max_body) => return Ok(decision.on_large_body()),
            Some(_) if matches!(decision, Decision::Fatal(_)) => {}
            body => self.body = body,
        }
        Ok(decision)
    }
}
