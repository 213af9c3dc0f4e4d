//! URLs of what is asked for, taken apart as RFC 3986 has them.

mod host;
#[cfg(test)]
mod tests;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use command::secret::{self, MASK};
use host::Host;
use rustls::pki_types::ServerName;
use std::fmt;
use std::io;
use std::net::SocketAddr;

/// The ports of `http://` and `https://` where none is named (RFC 9110, section 4.2).
const DEFAULT_PORT: u16 = 80;
const DEFAULT_PORT_OF_TLS: u16 = 443;

/// An `http://` or `https://` URL, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    is_secure: bool,
    host: Host,
    port: Option<u16>,
    credentials: Option<Credentials>,
    /// Path and query.
    pub target: String,
}

/// Who asks, as Basic authorization has it: `user:password` in Base64 (RFC 7617).
#[derive(Clone, PartialEq, Eq)]
struct Credentials(String);

impl fmt::Debug for Credentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(MASK)
    }
}

/// Why a text is no URL that can be asked for. User information in it is masked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Another scheme.
    #[error("'{0}': only http:// and https:// URLs can be asked for")]
    Scheme(String),
    /// Nothing between the slashes.
    #[error("'{0}': the host is missing")]
    NoHost(String),
    /// A host that is neither a name nor an address.
    #[error(
        "'{0}': the host is neither a name, like example.com, nor an address, like 192.0.2.1 or [2001:db8::1]"
    )]
    Host(String),
    /// An IPv6 address without its brackets, or brackets that are wrong or around something else.
    #[error("'{0}': brackets are for IPv6 addresses, and those need them: write {1}")]
    Brackets(String, String),
    /// A port that is none.
    #[error("'{0}': the port is not a number from 1 to 65535")]
    Port(String),
    /// User information with a percent sign that escapes nothing.
    #[error("'{0}': the user information has a % that escapes nothing; write %25")]
    User(String),
    /// A space, a control character, or one that is not ASCII outside the host.
    #[error(
        "'{0}': a URL has no spaces, control or non-ASCII characters; percent-encode them (a host may have its own letters)"
    )]
    Character(String),
}

impl Url {
    /// Takes a URL apart. `http://` may be left out; a fragment is dropped.
    ///
    /// # Errors
    /// When it cannot be asked for: for its scheme or a fault in it, with the right form where there is one.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let whole = || secret::without_user(text).into_owned();
        let (is_secure, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some((scheme, _)) if is_scheme(scheme) => return Err(UrlError::Scheme(whole())),
            // What is behind the first slash or question mark is no scheme's.
            _ => (false, text),
        };
        let scheme = if is_secure { "https" } else { "http" };
        let rest = rest.split('#').next().unwrap_or_default();
        let cut = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(cut);
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_graphic());
        let is_blank = |letter: char| letter.is_whitespace() || letter.is_control();
        if !is_plain(target) || !is_plain(user.unwrap_or_default()) || place.contains(is_blank) {
            return Err(UrlError::Character(whole()));
        }
        let credentials = match user {
            Some(user) => Some(credentials(user).ok_or_else(|| UrlError::User(whole()))?),
            None => None,
        };
        let (host, port) = host::split(place)
            .map_err(|right| UrlError::Brackets(whole(), format!("{scheme}://{right}{target}")))?;
        let port = match port {
            "" => None,
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => match digits.parse() {
                Ok(port) if port != 0 => Some(port),
                _ => return Err(UrlError::Port(whole())),
            },
            _ => return Err(UrlError::Port(whole())),
        };
        if host.is_empty() {
            return Err(UrlError::NoHost(whole()));
        }
        Ok(Self {
            is_secure,
            host: Host::parse(host).ok_or_else(|| UrlError::Host(whole()))?,
            port,
            credentials,
            target: match target.starts_with('/') {
                true => target.to_owned(),
                false => format!("/{target}"),
            },
        })
    }

    /// Whether it is to be asked for over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// Whose certificate its server has to show: that of its host.
    ///
    /// # Errors
    /// Where the host is no name that a certificate can be for.
    pub(crate) fn server_name(&self) -> Result<ServerName<'static>, String> {
        let host = self.host.field();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        ServerName::try_from(host.to_owned())
            .map_err(|_| format!("'{host}' is no name that a certificate can be for"))
    }

    fn port(&self) -> u16 {
        self.port.unwrap_or(match self.is_secure {
            true => DEFAULT_PORT_OF_TLS,
            false => DEFAULT_PORT,
        })
    }

    /// Host and port as the Host field has them (RFC 9110, section 7.2), and so without a zone (RFC 6874, section 4).
    pub fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host.field()),
            None => self.host.field(),
        }
    }

    /// The value of the Authorization field that its user information makes, if it has any.
    pub fn authorization(&self) -> Option<String> {
        let Credentials(encoded) = self.credentials.as_ref()?;
        Some(format!("Basic {encoded}"))
    }

    /// Whether both are at one host and port, however they spell them.
    pub(crate) fn is_same_server(&self, other: &Self) -> bool {
        let is_alike = self.is_secure == other.is_secure;
        is_alike && self.host.is(&other.host) && self.port() == other.port()
    }

    /// The addresses of its host, IPv4 first: that is where servers that listen on one kind only are.
    ///
    /// # Errors
    /// When its name or its zone is not known.
    pub fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        let mut addresses = self.host.resolve(self.port())?;
        addresses.sort_by_key(SocketAddr::is_ipv6);
        let mut known = std::collections::HashSet::new();
        addresses.retain(|address| known.insert(*address));
        Ok(addresses)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.credentials.as_ref().map(|_| format!("{MASK}@"));
        let scheme = if self.is_secure { "https" } else { "http" };
        write!(out, "{scheme}://{}{}", user.unwrap_or_default(), self.host)?;
        if let Some(port) = self.port {
            write!(out, ":{port}")?;
        }
        out.write_str(&self.target)
    }
}

/// `ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )` (RFC 3986, section 3.1).
fn is_scheme(text: &str) -> bool {
    let within = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    text.starts_with(|letter: char| letter.is_ascii_alphabetic()) && text.bytes().all(within)
}

/// None: a percent sign escapes nothing.
fn credentials(user: &str) -> Option<Credentials> {
    let mut decoded = Vec::with_capacity(user.len() + 1);
    let mut rest = user.as_bytes();
    while let [byte, behind @ ..] = rest {
        rest = behind;
        decoded.push(match (*byte, behind) {
            (b'%', [high, low, behind @ ..]) => {
                rest = behind;
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                u8::try_from(digit(high)? << 4 | digit(low)?).ok()?
            }
            (b'%', _) => return None,
            (byte, _) => byte,
        });
    }
    if !user.contains(':') {
        decoded.push(b':');
    }
    Some(Credentials(BASE64_STANDARD.encode(decoded)))
}
