//! What is asked for: the bytes of requests, and which one the k-th request is.

use crate::url::Url;
use crate::verify::Expected;
use http::client::Expect;
use http::h2::client::{Scheme, request_block};
use std::fmt;
use std::sync::Arc;

/// One thing that is asked for, its request rendered once.
#[derive(Debug)]
pub struct Target {
    /// To be shown.
    pub url: String,
    /// The request on a connection that is kept.
    pub request: Vec<u8>,
    /// The same as a header block of HTTP/2.
    pub block: Vec<u8>,
    /// The last request on a connection.
    pub last_request: Vec<u8>,
    /// Whether every request asks for the connection to be closed after its answer (RFC 9112, section 9.6).
    pub closes: bool,
    /// Whether its response can have a body.
    pub expect: Expect,
    /// What the status must be, if that is known and to be verified.
    pub status: Option<u16>,
    /// What the body must be, if that is to be verified.
    pub expected: Expected,
}

/// Everything that is asked for.
#[derive(Debug)]
pub struct Targets {
    /// What.
    pub targets: Vec<Target>,
    /// In which order.
    pub order: Order,
}

/// Which target the k-th request of the run asks for.
#[derive(Clone, Debug)]
pub enum Order {
    /// There is one.
    One,
    /// By weight, drawn from the seed.
    Drawn(workload::Choices),
    /// As recorded, from the start again when it is through.
    Recorded(Arc<[u32]>),
}

impl Order {
    /// The target of the `number`-th request.
    #[inline]
    pub fn at(&self, number: u64) -> usize {
        match self {
            Self::One => 0,
            Self::Drawn(choices) => choices.at(number),
            Self::Recorded(targets) => targets[(number % targets.len() as u64) as usize] as usize,
        }
    }
}

impl Target {
    /// Renders the requests for `url`.
    pub fn new(url: &Url, head_only: bool, fields: &[Field], expected: Expected) -> Self {
        let method = if head_only { "HEAD" } else { "GET" };
        let mut request = format!("{method} {} HTTP/1.1\r\n", url.target);
        if !fields.iter().any(|field| field.is("host")) {
            request.push_str(&format!("Host: {}\r\n", url.authority()));
        }
        if let Some(value) = url.authorization()
            && !fields.iter().any(|field| field.is("authorization"))
        {
            request.push_str(&format!("Authorization: {value}\r\n"));
        }
        if !fields.iter().any(|field| field.is("user-agent")) {
            request.push_str("User-Agent: archbench\r\n");
        }
        for field in fields {
            request.push_str(&format!("{field}\r\n"));
        }
        let block = block(url, head_only, fields);
        let said = fields.iter().any(|field| field.is("connection"));
        let last = format!(
            "{request}{}\r\n",
            if said { "" } else { "Connection: close\r\n" }
        );
        request.push_str("\r\n");
        Self {
            url: url.to_string(),
            request: request.into_bytes(),
            block,
            last_request: last.into_bytes(),
            closes: fields.iter().any(Field::closes),
            expect: if head_only {
                Expect::HeadOnly
            } else {
                Expect::Body
            },
            status: None,
            expected,
        }
    }
}

/// The request as HTTP/2 says it: without what is about a connection (RFC 9113, section 8.2.2).
fn block(url: &Url, head_only: bool, fields: &[Field]) -> Vec<u8> {
    let host = fields.iter().find(|field| field.is("host"));
    let authority = host.map_or_else(|| url.authority(), |host| host.value.clone());
    let mut list = Vec::new();
    let authorization = url.authorization();
    if let Some(value) = &authorization
        && !fields.iter().any(|field| field.is("authorization"))
    {
        list.push(("authorization", value.as_str()));
    }
    if !fields.iter().any(|field| field.is("user-agent")) {
        list.push(("user-agent", "archbench"));
    }
    let of_connections = [
        "host",
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "upgrade",
    ];
    let of_requests = |field: &&Field| !of_connections.iter().any(|name| field.is(name));
    let others = fields.iter().filter(of_requests);
    list.extend(others.map(|field| (field.name.as_str(), field.value.as_str())));
    let scheme = match url.is_secure() {
        true => Scheme::Https,
        false => Scheme::Http,
    };
    request_block(scheme, head_only, &authority, &url.target, list)
}

/// A field of every request's head, from `-H`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    name: String,
    value: String,
}

impl Field {
    /// Reads `Name: value`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once(':')
            .ok_or_else(|| format!("'{text}' is not of the form 'Name: value'"))?;
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(token) {
            return Err(format!("'{name}' is not a field name"));
        }
        let value = value.trim();
        if value
            .bytes()
            .any(|byte| byte < b' ' && byte != b'\t' || byte == 0x7f)
        {
            return Err(format!("the value of {name} has control characters"));
        }
        let field = Self {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        if field.is("content-length") || field.is("transfer-encoding") {
            return Err(format!(
                "{name} would announce a body, and requests here have none"
            ));
        }
        Ok(field)
    }

    /// A field whose name and value are known to be ones.
    pub(crate) fn known(name: &str, value: String) -> Self {
        Self {
            name: name.to_owned(),
            value,
        }
    }

    /// Whether it is a Connection field with the option close.
    fn closes(&self) -> bool {
        let mut options = self.value.split(',');
        self.is("connection") && options.any(|option| option.trim().eq_ignore_ascii_case("close"))
    }

    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.name, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_rendered_once() {
        let url = Url::parse("http://h:1/x").expect("a URL");
        let fields = [Field::parse("Accept: */*").expect("a field")];
        let target = Target::new(&url, false, &fields, Expected::Anything);
        assert_eq!(
            target.request,
            b"GET /x HTTP/1.1\r\nHost: h:1\r\nUser-Agent: archbench\r\nAccept: */*\r\n\r\n"
        );
        assert!(
            target
                .last_request
                .ends_with(b"\r\nConnection: close\r\n\r\n")
        );
        let fields = [Field::parse("host:other").expect("a field")];
        let target = Target::new(&url, true, &fields, Expected::Anything);
        assert!(
            target
                .request
                .starts_with(b"HEAD /x HTTP/1.1\r\nUser-Agent")
        );
        assert!(target.request.ends_with(b"host: other\r\n\r\n"));
    }

    /// RFC 7541, appendix A: :method GET is the second of the fields that everybody knows, :scheme http the sixth, and https the seventh.
    #[test]
    fn http2_says_what_it_is_asked_over() {
        for (url, scheme) in [("http://h/", 0x86), ("https://h/", 0x87)] {
            let url = Url::parse(url).expect("a URL");
            let target = Target::new(&url, false, &[], Expected::Anything);
            assert_eq!(target.block[..2], [0x82, scheme]);
        }
    }

    #[test]
    fn fields_that_would_break_a_request_are_refused() {
        for text in [
            "no colon",
            ": x",
            "a b: c",
            "a: b\r\nc: d",
            "Content-Length: 5",
        ] {
            assert!(Field::parse(text).is_err(), "{text}");
        }
    }
}
