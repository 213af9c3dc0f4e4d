//! URLs of what is asked for.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};

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
}
