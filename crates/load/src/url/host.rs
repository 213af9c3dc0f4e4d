//! Hosts: names and addresses.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs};

/// The longest name that there may be (RFC 1035, section 2.3.4).
const MAX_NAME_BYTES: usize = 253;

/// A host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// A name, in ASCII.
    Name(String),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address, and the zone in which it is one (RFC 4007, section 11): the name or number of an interface.
    V6(Ipv6Addr, Option<String>),
}

/// The host of an authority without user information, and its port as text. An error is the right form of what is not written as it should be.
pub(super) fn split(text: &str) -> Result<(&str, &str), String> {
    let wrong = || right_form(text);
    match text.strip_prefix('[') {
        Some(rest) => {
            let (inner, port) = rest.split_once(']').ok_or_else(wrong)?;
            let has_port = port.is_empty() || port.starts_with(':');
            if !has_port || address(inner).is_none() {
                return Err(wrong());
            }
            Ok((&text[..inner.len() + 2], port.trim_start_matches(':')))
        }
        None if text.contains([']', '[']) || text.matches(':').count() > 1 => Err(wrong()),
        None => Ok(text.split_once(':').unwrap_or((text, ""))),
    }
}

/// An address with its zone, without brackets.
fn address(text: &str) -> Option<(Ipv6Addr, Option<&str>)> {
    let (address, zone) = match text.split_once('%') {
        Some((address, zone)) => (address, Some(zone.strip_prefix("25").unwrap_or(zone))),
        None => (text, None),
    };
    Some((address.parse().ok()?, zone))
}

/// What was probably meant: the last number is a port, unless that leaves no address.
fn right_form(text: &str) -> String {
    let bare: String = text
        .chars()
        .filter(|letter| !"[]".contains(*letter))
        .collect();
    // Whoever closes a bracket says where the address ends.
    let (host, port) = match text.rsplit_once(']') {
        Some((host, port)) => (
            host.chars()
                .filter(|letter| !"[]".contains(*letter))
                .collect(),
            port.trim_start_matches(':').to_owned(),
        ),
        None => match bare.rsplit_once(':') {
            Some((host, port))
                if is_host(host) && port.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                (host.to_owned(), port.to_owned())
            }
            _ => (bare, String::new()),
        },
    };
    let port = match port.is_empty() {
        true => port,
        false => format!(":{port}"),
    };
    match host.contains(':') {
        true => format!("[{host}]{port}"),
        false => format!("{host}{port}"),
    }
}

fn is_host(text: &str) -> bool {
    address(text).is_some() || !text.contains(':')
}

impl Host {
    /// The host that [`split`] found. None: it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(inner) = text.strip_prefix('[') {
            let (address, zone) = address(inner.strip_suffix(']')?)?;
            let is_name =
                |zone: &str| !zone.is_empty() && zone.bytes().all(|byte| byte.is_ascii_graphic());
            return match zone {
                Some(zone) if !is_name(zone) => None,
                zone => Some(Self::V6(address, zone.map(str::to_owned))),
            };
        }
        if let Ok(address) = text.parse() {
            return Some(Self::V4(address));
        }
        // Letters of all alphabets have a form in ASCII (RFC 5891).
        let name = match text.is_ascii() {
            true => text.to_owned(),
            false => idna::domain_to_ascii(text).ok()?,
        };
        is_name(&name).then_some(Self::Name(name))
    }

    /// As the Host field has it.
    pub(super) fn field(&self) -> String {
        match self {
            Self::Name(name) => name.clone(),
            Self::V4(address) => address.to_string(),
            Self::V6(address, _) => format!("[{address}]"),
        }
    }

    /// Whether it is the same; names are, whatever the case of their letters.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(one), Self::Name(other)) => one.eq_ignore_ascii_case(other),
            _ => self == other,
        }
    }

    /// All its addresses.
    pub(super) fn resolve(&self, port: u16) -> io::Result<Vec<SocketAddr>> {
        match self {
            Self::Name(name) => Ok((name.as_str(), port).to_socket_addrs()?.collect()),
            Self::V4(address) => Ok(vec![SocketAddr::new(IpAddr::V4(*address), port)]),
            Self::V6(address, zone) => {
                let scope = zone.as_deref().map_or(Ok(0), scope)?;
                Ok(vec![SocketAddrV6::new(*address, port, 0, scope).into()])
            }
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V6(address, Some(zone)) => write!(out, "[{address}%25{zone}]"),
            _ => out.write_str(&self.field()),
        }
    }
}

/// The number of an interface.
fn scope(zone: &str) -> io::Result<u32> {
    if let Ok(number) = zone.parse() {
        return Ok(number);
    }
    // Looked up by a socket of any kind (netdevice(7)).
    let socket = rustix::net::socket(
        rustix::net::AddressFamily::INET6,
        rustix::net::SocketType::DGRAM,
        None,
    )?;
    rustix::net::netdevice::name_to_index(&socket, zone).map_err(|error| {
        io::Error::new(
            io::Error::from(error).kind(),
            format!("there is no network interface {zone} (ip link)"),
        )
    })
}

/// Labels of letters, digits, hyphens and, as many have them, underscores; a dot may be behind the last.
fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        let within = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        (1..=63).contains(&label.len()) && label.bytes().all(within)
    };
    let text = text.strip_suffix('.').unwrap_or(text);
    text.len() <= MAX_NAME_BYTES && text.split('.').all(is_label)
}
