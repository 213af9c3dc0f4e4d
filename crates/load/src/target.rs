//! What is asked for: URLs, the bytes of their requests, and which one the k-th request is.

use crate::verify::Expected;
use http::client::Expect;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

/// An `http://` URL, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Host and port as the Host field has them.
    pub authority: String,
    host: String,
    port: u16,
    /// Path and query.
    pub target: String,
}

/// Why a text is no URL that can be asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// TLS.
    #[error("'{0}': https is not supported; TLS would be measured, not the server")]
    Tls(String),
    /// Another scheme.
    #[error("'{0}': only http:// URLs can be asked for")]
    Scheme(String),
    /// Nothing between the slashes.
    #[error("'{0}': the host is missing")]
    Host(String),
    /// A port that is none.
    #[error("'{0}': the port is not a number from 1 to 65535")]
    Port(String),
    /// User information.
    #[error("'{0}': user names in URLs are not supported; use -H 'Authorization: …'")]
    User(String),
    /// A space, a control character or one that is not ASCII.
    #[error("'{0}': a URL has no spaces, control or non-ASCII characters; percent-encode them")]
    Character(String),
}

impl Url {
    /// Takes a URL apart. `http://` may be left out; a fragment is dropped.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let whole = || text.to_owned();
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(UrlError::Character(whole()));
        }
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => {
                return Err(UrlError::Tls(whole()));
            }
            Some(_) => return Err(UrlError::Scheme(whole())),
            None => text,
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let cut = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(cut);
        if authority.contains('@') {
            return Err(UrlError::User(whole()));
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (authority, ""),
        };
        let port = match port {
            "" => 80,
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => match digits.parse() {
                Ok(port) if port != 0 => port,
                _ => return Err(UrlError::Port(whole())),
            },
            _ => return Err(UrlError::Port(whole())),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(UrlError::Host(whole()));
        }
        Ok(Self {
            authority: authority.to_owned(),
            host: host.to_owned(),
            port,
            target: if target.starts_with('/') {
                target.to_owned()
            } else {
                format!("/{target}")
            },
        })
    }

    /// The addresses of its host, IPv4 first: that is where servers that listen on one kind only are.
    pub fn resolve(&self) -> std::io::Result<Vec<SocketAddr>> {
        let mut addresses: Vec<_> = (self.host.as_str(), self.port).to_socket_addrs()?.collect();
        addresses.sort_by_key(SocketAddr::is_ipv6);
        Ok(addresses)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "http://{}{}", self.authority, self.target)
    }
}

/// One thing that is asked for, its request rendered once.
#[derive(Debug)]
pub struct Target {
    /// To be shown.
    pub url: String,
    /// The request on a connection that is kept.
    pub request: Vec<u8>,
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
            request.push_str(&format!("Host: {}\r\n", url.authority));
        }
        if !fields.iter().any(|field| field.is("user-agent")) {
            request.push_str("User-Agent: archbench\r\n");
        }
        for field in fields {
            request.push_str(&format!("{field}\r\n"));
        }
        let said = fields.iter().any(|field| field.is("connection"));
        let last = format!(
            "{request}{}\r\n",
            if said { "" } else { "Connection: close\r\n" }
        );
        request.push_str("\r\n");
        Self {
            url: url.to_string(),
            request: request.into_bytes(),
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
    fn urls_are_taken_apart() {
        for (text, authority, host, port, target) in [
            (
                "http://127.0.0.1:8080/a?b=c#d",
                "127.0.0.1:8080",
                "127.0.0.1",
                8080,
                "/a?b=c",
            ),
            ("HTTP://example", "example", "example", 80, "/"),
            ("localhost:81?x", "localhost:81", "localhost", 81, "/?x"),
            ("http://[::1]:8080/", "[::1]:8080", "::1", 8080, "/"),
            ("http://[::1]/", "[::1]", "::1", 80, "/"),
        ] {
            let url = Url::parse(text).expect(text);
            assert_eq!(
                (url.authority.as_str(), url.host.as_str()),
                (authority, host)
            );
            assert_eq!((url.port, url.target.as_str()), (port, target));
        }
        assert!(matches!(Url::parse("https://a/"), Err(UrlError::Tls(_))));
        assert!(matches!(Url::parse("ftp://a/"), Err(UrlError::Scheme(_))));
        assert!(matches!(Url::parse("http:///a"), Err(UrlError::Host(_))));
        assert!(matches!(Url::parse("http://a:b/"), Err(UrlError::Port(_))));
        assert!(matches!(Url::parse("http://a:0/"), Err(UrlError::Port(_))));
        assert!(matches!(Url::parse("http://u@a/"), Err(UrlError::User(_))));
        assert!(matches!(
            Url::parse("http://a/ b"),
            Err(UrlError::Character(_))
        ));
    }

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
