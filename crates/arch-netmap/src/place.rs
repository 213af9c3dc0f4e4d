//! Which interface, and which address there.

use std::hash::{BuildHasher, RandomState};
use std::io::{Error, ErrorKind, Result};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::str::FromStr;
use std::time::{Duration, Instant};

use arch::ServeOptions;
use network::interface::Link;
use nix::ifaddrs::getifaddrs;
use sys::xdp::XdpSocket;

/// An address, and how many bits of it name its network, where that was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ip {
    address: Ipv4Addr,
    prefix_bits: Option<u8>,
}

impl FromStr for Ip {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        const EXPECTED: &str = "expected an IPv4 address, like 198.18.0.1 or 198.18.0.1/24";
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let prefix_bits = bits.map(str::parse).transpose().map_err(|_| EXPECTED)?;
        if prefix_bits.is_some_and(|bits: u8| bits > 32) {
            return Err(EXPECTED.to_owned());
        }
        let address: Ipv4Addr = address.parse().map_err(|_| EXPECTED)?;
        if !is_a_hosts(address) {
            return Err("expected the address of one host, and not of this machine alone".into());
        }
        Ok(Self {
            address,
            prefix_bits,
        })
    }
}

/// Whether an address is one that others can send to.
fn is_a_hosts(address: Ipv4Addr) -> bool {
    let is_other = address.is_unspecified() || address.is_loopback() || address.is_multicast();
    !is_other && !address.is_broadcast()
}

/// Reads the name of an interface.
pub(crate) fn interface(name: &str) -> std::result::Result<String, String> {
    match network::interface::index(name) {
        Ok(_) => Ok(name.to_owned()),
        Err(_) => Err(format!(
            "there is no interface '{name}' in this network namespace: 'ip link' lists those that are"
        )),
    }
}

/// Where the server is to be found: at `ip` or, without it, at the address of `--addr`.
///
/// # Errors
/// What cannot be, in words.
pub(crate) fn address(ip: Option<Ip>, options: &ServeOptions) -> Result<SocketAddrV4> {
    let refuse = |why: String| Err(Error::new(ErrorKind::InvalidInput, why));
    let asked = match options.addr.ip() {
        Some(SocketAddr::V4(asked)) => asked,
        Some(SocketAddr::V6(asked)) => {
            return refuse(format!(
                "cannot listen on {asked}: this model's own TCP speaks IPv4; choose such an address with --ip"
            ));
        }
        None => {
            return refuse(format!(
                "cannot listen on {}: a Unix socket is the kernel's, and this model has a TCP of its own; choose an address with --ip",
                options.addr
            ));
        }
    };
    let host = *asked.ip();
    let address = match ip {
        Some(ip) if is_a_hosts(host) && host != ip.address => {
            return refuse(format!(
                "--addr says {host} and --ip {}: this model has one address; leave one of them out",
                ip.address
            ));
        }
        Some(ip) => ip.address,
        None if is_a_hosts(host) => host,
        None => {
            return refuse(format!(
                "cannot listen on {asked}: this model takes an interface of its own, and packets to {host} go by none; say one of its \
                 addresses with --ip, or with --addr"
            ));
        }
    };
    let port = match asked.port() {
        0 => free_port(),
        port => port,
    };
    Ok(SocketAddrV4::new(address, port))
}

/// All of them are free, before a connection has been; one of those that RFC 6335 leaves to whoever needs one.
fn free_port() -> u16 {
    const FIRST: u16 = 49152;
    let random = RandomState::new().hash_one(std::process::id());
    FIRST + (random % u64::from(u16::MAX - FIRST)) as u16
}

/// An interface, and our address there.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) link: Link,
    pub(crate) prefix_bits: u8,
}

/// Packets that may have come and wait to be looked at, and as many that may be on their way out.
const FRAMES: u32 = 2048;
/// The longest packet that is sent: Ethernet's usual one.
const MOST_MTU: u32 = 1500;
/// How long an interface may be held by a server that was killed.
const LET_GO_AFTER: Duration = Duration::from_millis(500);

impl Place {
    /// Takes the interface, if need be when whoever had it has let go of it.
    ///
    /// # Errors
    /// Why it cannot be had, and what to do about it, in words.
    pub(crate) fn take(&self) -> Result<XdpSocket> {
        let Self { name, link, .. } = self;
        let unfit = |why: String| {
            let why = format!("cannot serve at the interface {name}: {why}");
            Err(Error::new(ErrorKind::Unsupported, why))
        };
        if link.mtu > MOST_MTU {
            return unfit(format!(
                "its packets may have {} bytes, and a frame holds {MOST_MTU}: 'ip link set {name} mtu {MOST_MTU}'",
                link.mtu
            ));
        }
        let queues = sys::xdp::receive_queues(name)?;
        if queues > 1 {
            return unfit(format!(
                "packets come by {queues} queues, and this server has one: 'ethtool --set-channels {name} combined 1'"
            ));
        }
        let settings = sys::xdp::Settings {
            interface: link.index,
            queue: 0,
            receive_frames: FRAMES,
            transmit_frames: FRAMES,
        };
        let deadline = Instant::now() + LET_GO_AFTER;
        loop {
            match XdpSocket::open(&settings) {
                Err(error)
                    if error.kind() == ErrorKind::ResourceBusy && Instant::now() < deadline =>
                {
                    std::thread::sleep(LET_GO_AFTER / 20);
                }
                Err(error) => {
                    let hint = match error.kind() {
                        ErrorKind::PermissionDenied => {
                            "it takes root, or CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF"
                        }
                        ErrorKind::ResourceBusy => "another program has it",
                        ErrorKind::Unsupported => {
                            "the kernel or the interface's driver has no XDP; a veth pair has it from Linux 5.9 on"
                        }
                        _ => "it takes Linux 5.9 with CONFIG_XDP_SOCKETS",
                    };
                    let why = format!("cannot take the interface {name}: {error}; {hint}");
                    return Err(Error::new(error.kind(), why));
                }
                taken => return taken,
            }
        }
    }
}

/// How many bits name the network, where nobody says.
const USUAL_PREFIX_BITS: u8 = 24;

/// The interface of that name or, without one, the one that has `address`.
///
/// # Errors
/// That there is none, or that it is not fit, in words.
pub(crate) fn find(name: Option<&str>, ip: Option<Ip>, address: SocketAddrV4) -> Result<Place> {
    let mut prefix_bits = None;
    let mut named = name.map(str::to_owned);
    for interface in getifaddrs()? {
        let of = |address: Option<nix::sys::socket::SockaddrStorage>| {
            address?
                .as_sockaddr_in()
                .map(nix::sys::socket::SockaddrIn::ip)
        };
        if of(interface.address) == Some(*address.ip())
            && name.is_none_or(|name| name == interface.interface_name)
        {
            prefix_bits = of(interface.netmask).map(|mask| mask.to_bits().count_ones() as u8);
            named = Some(interface.interface_name);
            break;
        }
    }
    let Some(name) = named else {
        return Err(Error::new(
            ErrorKind::AddrNotAvailable,
            format!(
                "cannot listen on {address}: no interface has that address; choose another with --addr, or say which is to have it \
                 with --interface"
            ),
        ));
    };
    let cannot = |error: Error| {
        let hint = match error.kind() {
            ErrorKind::InvalidData => "it is no Ethernet",
            _ => {
                "there is no such interface in this network namespace; 'ip link' lists those that are"
            }
        };
        Error::new(
            error.kind(),
            format!("cannot serve at the interface {name}: {hint}"),
        )
    };
    let link = network::interface::link(&name).map_err(cannot)?;
    Ok(Place {
        prefix_bits: ip
            .and_then(|ip| ip.prefix_bits)
            .or(prefix_bits)
            .unwrap_or(USUAL_PREFIX_BITS),
        name,
        link,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct CommandLine {
        #[command(flatten)]
        options: ServeOptions,
    }

    fn at(addr: &str, ip: Option<&str>) -> std::result::Result<SocketAddrV4, String> {
        let options = CommandLine::parse_from(["test", "--addr", addr]).options;
        let ip = ip.map(|ip| ip.parse().unwrap());
        address(ip, &options).map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_is_said_by_either_option() {
        for (addr, ip) in [
            ("198.18.0.1:80", None),
            ("80", Some("198.18.0.1")),
            ("0.0.0.0:80", Some("198.18.0.1/16")),
            ("198.18.0.1:80", Some("198.18.0.1/24")),
        ] {
            assert_eq!(at(addr, ip), Ok("198.18.0.1:80".parse().unwrap()), "{addr}");
        }
        let free = at("198.18.0.1:0", None).unwrap();
        assert!(free.port() >= 49152);
    }

    #[test]
    fn an_address_that_cannot_be_says_why() {
        for (addr, ip, why) in [
            ("80", None, "with --ip"),
            ("[::1]:80", None, "speaks IPv4"),
            ("unix:@a", None, "a Unix socket is the kernel's"),
            ("198.18.0.2:80", Some("198.18.0.1"), "leave one of them out"),
        ] {
            let error = at(addr, ip).unwrap_err();
            assert!(error.contains(why), "{addr}: {error}");
        }
        for text in [
            "",
            "a",
            "127.0.0.1",
            "198.18.0.1/33",
            "198.18.0.1/x",
            "::1",
            "0.0.0.0",
        ] {
            assert!(
                text.parse::<Ip>().unwrap_err().starts_with("expected"),
                "{text}"
            );
        }
    }
}
