//! A request as a value: what is asked for, however it was carried.

use crate::buffer::reuse;
use crate::semantics::conditional::Conditions;
use crate::semantics::fields::Name;
use crate::semantics::host;
use crate::semantics::method::Method;
use crate::semantics::range::Parts;
use crate::semantics::syntax::{elements, trim};
use crate::semantics::target::{Form, RawTarget, Target};

/// What the client expects before it sends a body (RFC 9110, 10.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Expectation {
    #[default]
    None,
    /// `100-continue`: the client may be waiting, and may never send the body at all.
    Continue,
    /// Something that no server can meet: 417.
    Unknown,
}

/// A field that a request must not have, or not twice: 400 (RFC 9110, 7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// What a client asks for. Its buffers serve again for the next one.
#[derive(Clone, Debug, Default)]
pub struct Request {
    method: Method,
    form: Form,
    target: Target,
    has_host: bool,
    expectation: Expectation,
    conditions: Conditions,
    /// All field lines, each with its CRLF; empty unless they are kept.
    lines: Vec<u8>,
}

impl Request {
    /// A request without fields.
    pub fn new(method: Method, target: RawTarget<'_>) -> Request {
        let mut request = Request::default();
        request.begin(method, target);
        request
    }

    /// What is to be done with the target.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Which file is meant.
    #[inline]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Adds a field line. What makes no difference here is ignored.
    ///
    /// # Errors
    /// [`Malformed`] for a Host that is none, or a second one.
    pub fn push(&mut self, name: &str, value: &[u8]) -> Result<(), Malformed> {
        Name::of(name).map_or(Ok(()), |name| self.push_known(name, value))
    }

    /// Keeps a field line for whoever asks for all of them.
    pub fn keep(&mut self, name: &str, value: &[u8]) {
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            self.lines.extend_from_slice(part);
        }
    }

    /// Name and value of every field line, in the order in which they came. None where they are not
    /// [kept](crate::Config::keep_fields).
    pub fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        field_lines(&self.lines)
    }

    /// Whether it depends on a precondition, or asks for a part.
    pub fn is_conditional(&self) -> bool {
        !self.conditions.is_empty()
    }

    /// What the request line says, for a request as good as new.
    pub(crate) fn begin(&mut self, method: Method, target: RawTarget<'_>) {
        self.method = method;
        self.form = self.target.read(target);
    }

    /// What is to be done, for a request whose parts come in any order.
    pub(crate) fn set_method(&mut self, method: Method) {
        self.method = method;
    }

    /// The target, likewise; Host comes after it.
    pub(crate) fn set_target(&mut self, target: RawTarget<'_>) {
        self.form = self.target.read(target);
    }

    #[inline]
    pub(crate) fn push_known(&mut self, name: Name, value: &[u8]) -> Result<(), Malformed> {
        match name {
            Name::Host => {
                if self.has_host || !host::is_well_formed(value) {
                    return Err(Malformed);
                }
                self.has_host = true;
                self.target.host(value);
            }
            Name::Expect => self.expectation = expect(self.expectation, value),
            Name::Condition(name) => self.conditions.push(name, value),
        }
        Ok(())
    }

    /// Whether it has a Host field.
    pub(crate) fn has_host(&self) -> bool {
        self.has_host
    }

    pub(crate) fn form(&self) -> Form {
        self.form
    }

    pub(crate) fn expectation(&self) -> Expectation {
        self.expectation
    }

    /// What was expected does not count.
    pub(crate) fn expect_nothing(&mut self) {
        self.expectation = Expectation::None;
    }

    pub(crate) fn conditions(&self) -> &Conditions {
        &self.conditions
    }

    /// The ranges that it asks for, of a file of `len` bytes.
    pub(crate) fn parts(&self, len: u64) -> Option<Parts<'_>> {
        Parts::of(self.conditions.range()?, len)
    }

    /// Makes it as good as new, apart from the memory that it holds.
    pub(crate) fn clear(&mut self) {
        self.target.clear();
        self.conditions.clear();
        self.has_host = false;
        self.expectation = Expectation::None;
        reuse(&mut self.lines);
    }

    /// The memory that its buffers hold on to, in bytes.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.target.capacity() + self.conditions.capacity() + self.lines.capacity()
    }
}

/// Name and value of each of these lines, which end with CRLF and have no other line end in them.
pub(crate) fn field_lines(lines: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = lines;
    std::iter::from_fn(move || {
        let end = memchr::memchr(b'\r', rest)?;
        let line = &rest[..end];
        rest = rest.get(end + 2..).unwrap_or_default();
        let colon = memchr::memchr(b':', line)?;
        Some((&line[..colon], trim(&line[colon + 1..])))
    })
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
