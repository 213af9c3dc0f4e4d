//! What the fields of a header block say: a request, and what goes with it (RFC 9113, sections 8.1 to 8.3).

use crate::buffer::reuse;
use crate::config::Config;
use crate::h2::priority::Priority;
use crate::semantics::decision::Decision;
use crate::semantics::fields::Name;
use crate::semantics::method::Method;
use crate::semantics::request::Request;
use crate::semantics::status::Status;
use crate::semantics::syntax::{decimal, is_token};
use crate::semantics::target::RawTarget;

/// What every field counts beside its bytes (RFC 9113, section 6.5.2).
const FIELD_OVERHEAD: usize = 32;

/// The request is none: its stream ends with PROTOCOL_ERROR (RFC 9113, section 8.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// What a head says beside the request that it carries.
#[derive(Debug, Default)]
pub(crate) struct Head {
    has_method: bool,
    has_scheme: bool,
    has_path: bool,
    has_authority: bool,
    /// A field has come that is no pseudo-field: no such may come after it.
    is_past_pseudo: bool,
    is_connect: bool,
    is_malformed: bool,
    /// What is wrong with the request, though it is one.
    error: Option<Status>,
    /// Of :authority, or of Host where there is none.
    authority: Vec<u8>,
    has_host: bool,
    pub(crate) head_only: bool,
    /// The length of the body, where it is told.
    pub(crate) content_length: Option<u64>,
    pub(crate) priority: Priority,
    fields: usize,
    bytes: usize,
}

impl Head {
    /// Makes it as good as new, apart from the memory that it holds.
    pub(crate) fn clear(&mut self) {
        let mut authority = std::mem::take(&mut self.authority);
        reuse(&mut authority);
        *self = Head {
            authority,
            ..Head::default()
        };
    }

    /// Takes a field, into itself or `request`.
    #[inline]
    pub(crate) fn field(
        &mut self,
        name: &[u8],
        value: &[u8],
        request: &mut Request,
        config: &Config,
    ) {
        self.fields += 1;
        self.bytes += name.len() + value.len() + FIELD_OVERHEAD;
        if self.bytes > config.max_head {
            self.error.get_or_insert(Status::HeaderFieldsTooLarge);
            return;
        }
        if !is_value(value) {
            self.is_malformed = true;
            return;
        }
        match name {
            [b':', name @ ..] => self.pseudo(name, value, request, config),
            name if !is_name(name) => self.is_malformed = true,
            name => {
                self.is_past_pseudo = true;
                if config.keep_fields
                    && let Ok(name) = std::str::from_utf8(name)
                {
                    request.keep(name, value);
                }
                self.ordinary(name, value, request);
            }
        }
    }

    fn pseudo(&mut self, name: &[u8], value: &[u8], request: &mut Request, config: &Config) {
        let is_known = match name {
            b"method" => {
                self.is_malformed |= !is_token(value);
                self.is_connect = value == b"CONNECT";
                self.head_only = value == b"HEAD";
                request.set_method(Method::of(value));
                !std::mem::replace(&mut self.has_method, true)
            }
            b"scheme" => {
                self.is_malformed |= value.is_empty();
                !std::mem::replace(&mut self.has_scheme, true)
            }
            b"path" => {
                let is_first = !std::mem::replace(&mut self.has_path, true);
                if is_first {
                    self.path(value, request, config);
                }
                is_first
            }
            b"authority" => {
                self.authority.clear();
                self.authority.extend_from_slice(value);
                !std::mem::replace(&mut self.has_authority, true)
            }
            _ => false,
        };
        self.is_malformed |= !is_known || self.is_past_pseudo;
    }

    fn path(&mut self, value: &[u8], request: &mut Request, config: &Config) {
        if value.first() != Some(&b'/') && value != b"*" {
            self.is_malformed = true;
        } else if value.len() > config.max_target {
            self.error.get_or_insert(Status::UriTooLong);
        } else if let Some(target) = RawTarget::new(value) {
            request.set_target(target);
        } else {
            self.error.get_or_insert(Status::BadRequest);
        }
    }

    #[inline]
    fn ordinary(&mut self, name: &[u8], value: &[u8], request: &mut Request) {
        match name {
            b"connection" | b"keep-alive" | b"proxy-connection" | b"transfer-encoding"
            | b"upgrade" => self.is_malformed = true,
            b"te" => self.is_malformed |= value != b"trailers",
            b"host" => self.host(value),
            b"content-length" => match decimal(value) {
                Some(length) if self.content_length.is_none_or(|known| known == length) => {
                    self.content_length = Some(length);
                }
                _ => self.is_malformed = true,
            },
            b"priority" => self.priority = Priority::read(value),
            name => {
                // All that is known is ASCII.
                let known = std::str::from_utf8(name).ok().and_then(Name::of);
                if let Some(known) = known
                    && request.push_known(known, value).is_err()
                {
                    self.error.get_or_insert(Status::BadRequest);
                }
            }
        }
    }

    /// A Host beside :authority has to say the same (RFC 9113, section 8.3.1).
    fn host(&mut self, value: &[u8]) {
        if self.has_authority {
            self.is_malformed |= !value.eq_ignore_ascii_case(&self.authority);
        } else if self.has_host {
            self.error.get_or_insert(Status::BadRequest);
        } else {
            self.authority.extend_from_slice(value);
        }
        self.has_host = true;
    }

    /// All fields have come: what is to be done.
    pub(crate) fn finish(
        &mut self,
        request: &mut Request,
        config: &Config,
    ) -> Result<Decision, Malformed> {
        if self.error == Some(Status::HeaderFieldsTooLarge) {
            // Nobody has looked at what came after it.
            return Ok(Decision::Fatal(Status::HeaderFieldsTooLarge));
        }
        let has_target = match self.is_connect {
            true => self.has_authority && !self.has_scheme && !self.has_path,
            false => self.has_scheme && self.has_path,
        };
        if self.is_malformed || !self.has_method || !has_target {
            return Err(Malformed);
        }
        if self.fields > config.max_fields {
            return Ok(Decision::Fatal(Status::HeaderFieldsTooLarge));
        }
        let has_host = self.has_authority || self.has_host;
        if self.error.is_none()
            && (!has_host || request.push_known(Name::Host, &self.authority).is_err())
        {
            self.error = Some(Status::BadRequest);
        }
        Ok(self
            .error
            .map_or_else(|| Decision::on(request), Decision::Fatal))
    }
}

/// A field name: a token without upper-case letters (RFC 9113, section 8.2.1).
#[inline]
fn is_name(name: &[u8]) -> bool {
    !name.iter().any(u8::is_ascii_uppercase) && is_token(name)
}

/// A field's value: no control byte in it, and no white space around it (RFC 9113, section 8.2.1; RFC 9110, section 5.5).
#[inline]
fn is_value(value: &[u8]) -> bool {
    let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let has_control = value.iter().fold(false, |has, &byte| {
        has | (byte < b' ') & (byte != b'\t') | (byte == 0x7f)
    });
    !has_control && !is_blank(value.first()) && !is_blank(value.last())
}
