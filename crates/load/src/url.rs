//! URLs of what is asked for, taken apart as RFC 3986 has them.

mod host;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use command::secret::{self, MASK};
use host::Host;
use std::fmt;
use std::io;
use std::net::SocketAddr;

/// The port of `http://` where none is named (RFC 9110, section 4.2.1).
const DEFAULT_PORT: u16 = 80;

/// An `http://` URL, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
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
    /// TLS.
    #[error("'{0}': https is not supported; TLS would be measured, not the server")]
    Tls(String),
    /// Another scheme.
    #[error("'{0}': only http:// URLs can be asked for")]
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
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => {
                return Err(UrlError::Tls(whole()));
            }
            Some((scheme, _)) if is_scheme(scheme) => return Err(UrlError::Scheme(whole())),
            // What is behind the first slash or question mark is no scheme's.
            _ => text,
        };
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
            .map_err(|right| UrlError::Brackets(whole(), format!("http://{right}{target}")))?;
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
            host: Host::parse(host).ok_or_else(|| UrlError::Host(whole()))?,
            port,
            credentials,
            target: match target.starts_with('/') {
                true => target.to_owned(),
                false => format!("/{target}"),
            },
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
    pub fn is_same_server(&self, other: &Self) -> bool {
        let port = |url: &Self| url.port.unwrap_or(DEFAULT_PORT);
        self.host.is(&other.host) && port(self) == port(other)
    }

    /// The addresses of its host, IPv4 first: that is where servers that listen on one kind only are.
    ///
    /// # Errors
    /// When its name or its zone is not known.
    pub fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        let mut addresses = self.host.resolve(self.port.unwrap_or(DEFAULT_PORT))?;
        addresses.sort_by_key(SocketAddr::is_ipv6);
        let mut known = std::collections::HashSet::new();
        addresses.retain(|address| known.insert(*address));
        Ok(addresses)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.credentials.as_ref().map(|_| format!("{MASK}@"));
        write!(out, "http://{}{}", user.unwrap_or_default(), self.host)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        for (text, authority, target, shown) in [
            (
                "http://127.0.0.1:8080/a?b=c#d",
                "127.0.0.1:8080",
                "/a?b=c",
                "http://127.0.0.1:8080/a?b=c",
            ),
            ("HTTP://example", "example", "/", "http://example/"),
            (
                "localhost:81?x",
                "localhost:81",
                "/?x",
                "http://localhost:81/?x",
            ),
            (
                "http://[::1]:8080/",
                "[::1]:8080",
                "/",
                "http://[::1]:8080/",
            ),
            ("http://[::1]/", "[::1]", "/", "http://[::1]/"),
            ("[::1]:81/x", "[::1]:81", "/x", "http://[::1]:81/x"),
            (
                "http://[2001:DB8::0:1]/",
                "[2001:db8::1]",
                "/",
                "http://[2001:db8::1]/",
            ),
            // A scheme is before everything else, or nowhere.
            (
                "h:1/x?u=http://y/z",
                "h:1",
                "/x?u=http://y/z",
                "http://h:1/x?u=http://y/z",
            ),
            ("h?u=ftp://y", "h", "/?u=ftp://y", "http://h/?u=ftp://y"),
            ("h#a://b", "h", "/", "http://h/"),
            // Nobody else's interface is the server's affair.
            (
                "http://[fe80::1%25eth0]:81/",
                "[fe80::1]:81",
                "/",
                "http://[fe80::1%25eth0]:81/",
            ),
            (
                "http://[fe80::1%eth0]/",
                "[fe80::1]",
                "/",
                "http://[fe80::1%25eth0]/",
            ),
            ("http://h:/", "h", "/", "http://h/"),
            ("http://h:0080/", "h:80", "/", "http://h:80/"),
            ("http://a_b.c-d.", "a_b.c-d.", "/", "http://a_b.c-d./"),
            (
                "http://bücher.example:81/",
                "xn--bcher-kva.example:81",
                "/",
                "http://xn--bcher-kva.example:81/",
            ),
            (
                "http://BÜCHER.example/",
                "xn--bcher-kva.example",
                "/",
                "http://xn--bcher-kva.example/",
            ),
            (
                "http://例え.jp",
                "xn--r8jz45g.jp",
                "/",
                "http://xn--r8jz45g.jp/",
            ),
            ("http://me:secret@h/", "h", "/", "http://***@h/"),
            ("me:secret@h:81/a@b", "h:81", "/a@b", "http://***@h:81/a@b"),
            ("http://a@b@h/", "h", "/", "http://***@h/"),
        ] {
            let url = Url::parse(text).expect(text);
            assert_eq!(url.authority(), authority, "{text}");
            assert_eq!(
                (url.target.as_str(), url.to_string().as_str()),
                (target, shown),
                "{text}"
            );
            assert!(!format!("{url:?}").contains("secret"), "{url:?}");
        }
    }

    #[test]
    fn what_cannot_be_asked_for_is_refused_for_its_reason() {
        type Reason = fn(&UrlError) -> bool;
        let reasons: [(Reason, &[&str]); 7] = [
            (|why| matches!(why, UrlError::Tls(_)), &["https://a/"]),
            (
                |why| matches!(why, UrlError::Scheme(_)),
                &["ftp://a/", "a+b://c"],
            ),
            (
                |why| matches!(why, UrlError::NoHost(_)),
                &["http:///a", "", "/a", "http://:80/", "http://u@/"],
            ),
            (
                |why| matches!(why, UrlError::Host(_)),
                &[
                    "http://a..b/",
                    "http://./",
                    "http://a%62/",
                    "http://a\\b/",
                    "http://a,b/",
                    "http://.a/",
                    "http://\u{ad}/",
                    "http://[::1%25]/",
                ],
            ),
            (
                |why| matches!(why, UrlError::Port(_)),
                &[
                    "http://a:b/",
                    "http://a:0/",
                    "http://a:65536/",
                    "http://a:+1/",
                    "http://[::1]:x/",
                ],
            ),
            (
                |why| matches!(why, UrlError::User(_)),
                &["http://a%@h/", "http://%4@h/", "http://%gg@h/"],
            ),
            (
                |why| matches!(why, UrlError::Character(_)),
                &[
                    "http://a/ b",
                    "http://a/ü",
                    "http://ü@a/",
                    "http://a b/",
                    "http://a\u{7f}/",
                    "http://a/\r\nX:",
                ],
            ),
        ];
        for (is, texts) in reasons {
            for text in texts {
                let why = Url::parse(text).expect_err(text);
                assert!(is(&why), "{text}: {why:?}");
            }
        }
        let why = Url::parse("http://me:secret@a:b/")
            .expect_err("no port")
            .to_string();
        assert!(why.contains("***@a:b") && !why.contains("secret"), "{why}");
    }

    #[test]
    fn brackets_that_are_wrong_are_refused_with_the_right_form() {
        for (text, right) in [
            ("http://::1:8080/", "http://[::1]:8080/"),
            ("http://::1/x", "http://[::1]/x"),
            ("http://2001:db8::1", "http://[2001:db8::1]"),
            (
                "2001:db8:0:0:0:0:0:1:80/",
                "http://[2001:db8:0:0:0:0:0:1]:80/",
            ),
            ("http://[::1:8080/", "http://[::1]:8080/"),
            ("http://::1]/", "http://[::1]/"),
            ("http://::1]:81/", "http://[::1]:81/"),
            ("http://[[::1]]/", "http://[::1]/"),
            ("http://[[::1]]:81/", "http://[::1]:81/"),
            ("http://[::1]81/", "http://[::1]:81/"),
            ("http://[127.0.0.1]/", "http://127.0.0.1/"),
            ("http://[127.0.0.1]:81/?a", "http://127.0.0.1:81/?a"),
            ("http://[localhost]/", "http://localhost/"),
            ("http://fe80::1%25eth0/", "http://[fe80::1%25eth0]/"),
        ] {
            let why = Url::parse(text).expect_err(text);
            assert!(
                matches!(&why, UrlError::Brackets(_, form) if form == right),
                "{text}: {why:?}"
            );
        }
    }

    #[test]
    fn user_information_is_basic_authorization() {
        for (text, decoded) in [
            ("http://me:secret@h/", "me:secret"),
            ("http://me@h/", "me:"),
            ("http://:x@h/", ":x"),
            ("http://a%40b:c%3ad%25@h/", "a@b:c:d%"),
            ("http://%c3%bc:x@h/", "ü:x"),
            ("http://a:b:c@h/", "a:b:c"),
        ] {
            let value = Url::parse(text).expect(text).authorization().expect(text);
            let encoded = value.strip_prefix("Basic ").expect("the scheme");
            assert_eq!(
                BASE64_STANDARD.decode(encoded).expect("Base64"),
                decoded.as_bytes()
            );
        }
        assert_eq!(
            Url::parse("http://h/@").expect("a URL").authorization(),
            None
        );
    }

    #[test]
    fn one_server_may_be_spelt_in_several_ways() {
        let url = |text| Url::parse(text).expect(text);
        for (one, other) in [
            ("h", "http://H:80/x"),
            ("http://[::1]/", "http://[0:0::1]:80/"),
            ("u@h", "h"),
            ("bücher.example", "xn--bcher-kva.example"),
        ] {
            assert!(url(one).is_same_server(&url(other)), "{one}, {other}");
        }
        for (one, other) in [
            ("h", "i"),
            ("h", "h:81"),
            ("[fe80::1%25a]", "[fe80::1%25b]"),
        ] {
            assert!(!url(one).is_same_server(&url(other)), "{one}, {other}");
        }
    }

    #[test]
    fn hosts_have_their_addresses() {
        let of = |text| Url::parse(text).expect(text).resolve();
        let address = |text: &str| vec![text.parse::<SocketAddr>().expect(text)];
        assert_eq!(of("127.0.0.1").expect("known"), address("127.0.0.1:80"));
        assert_eq!(of("[::1]:81").expect("known"), address("[::1]:81"));
        assert_eq!(
            of("[fe80::1%2542]:81").expect("known"),
            address("[fe80::1%42]:81")
        );
        let why = of("[fe80::1%25nosuch]").expect_err("no zone").to_string();
        assert!(why.contains("nosuch"), "{why}");
        let local = of("localhost:82").expect("known");
        assert!(
            local
                .iter()
                .all(|address| address.ip().is_loopback() && address.port() == 82)
        );
        assert!(local.is_sorted_by_key(SocketAddr::is_ipv6));
    }
}
