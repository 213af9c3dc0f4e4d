//! Interfaces of the calling thread's network namespace, by rtnetlink(7): one request, one acknowledgement.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsRawFd, BorrowedFd};

use netlink_packet_core::{
    DecodeError, NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, NetlinkDeserializable,
    NetlinkHeader, NetlinkMessage, NetlinkPayload, NlasIterator,
};
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{
    AfSpecInet6, AfSpecUnspec, In6AddrGenMode, InfoData, InfoKind, InfoVeth, LinkAttribute,
    LinkFlags, LinkInfo, LinkMessage,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use rustix::net::{AddressFamily as Family, SocketType, netdevice, socket};

/// Makes a pair of virtual Ethernet interfaces that are each other's wire (veth(4)): `name` here and `peer` in another namespace.
pub(crate) fn make_veth(name: &str, peer: &str, peer_namespace: BorrowedFd<'_>) -> io::Result<()> {
    let mut there = LinkMessage::default();
    there.attributes = vec![
        LinkAttribute::IfName(peer.into()),
        LinkAttribute::NetNsFd(peer_namespace.as_raw_fd()),
    ];
    let mut here = LinkMessage::default();
    here.attributes = vec![
        LinkAttribute::IfName(name.into()),
        LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(there))),
        ]),
    ];
    ask(
        RouteNetlinkMessage::NewLink(here),
        NLM_F_CREATE | NLM_F_EXCL,
    )
}

/// Brings an interface up.
pub(crate) fn bring_up(name: &str) -> io::Result<()> {
    set(name, LinkFlags::Up, Vec::new())
}

/// Gives an interface its only address, of a network of `prefix_bits`, and brings it up. It stays silent by itself: no IPv6 address is made
/// for it, and none announced.
///
/// # Errors
/// What the kernel says: `ENODEV` if there is no such interface, `EPERM` without `CAP_NET_ADMIN`.
pub fn bring_up_with(name: &str, address: Ipv4Addr, prefix_bits: u8) -> io::Result<()> {
    let quiet = AfSpecUnspec::Inet6(vec![AfSpecInet6::AddrGenMode(In6AddrGenMode::None)]);
    // A kernel without IPv6 does not know the attribute, and needs none.
    match set(
        name,
        LinkFlags::empty(),
        vec![LinkAttribute::AfSpecUnspec(vec![quiet])],
    ) {
        Err(error) if error.raw_os_error() == Some(EAFNOSUPPORT) => {}
        result => result?,
    }
    let mut message = AddressMessage::default();
    message.header.family = AddressFamily::Inet;
    message.header.prefix_len = prefix_bits;
    message.header.index = index(name)?;
    message.attributes = vec![
        AddressAttribute::Local(IpAddr::V4(address)),
        AddressAttribute::Address(IpAddr::V4(address)),
    ];
    ask(
        RouteNetlinkMessage::NewAddress(message),
        NLM_F_CREATE | NLM_F_EXCL,
    )?;
    bring_up(name)
}

/// Lets an interface queue up to `packets` that its program has not taken yet, before it loses any.
///
/// # Errors
/// As [`bring_up_with`].
pub fn set_queue_length(name: &str, packets: u32) -> io::Result<()> {
    set(
        name,
        LinkFlags::empty(),
        vec![LinkAttribute::TxQueueLen(packets)],
    )
}

/// Has an interface be handed packets of so many segments at most; with 1, what the wire would carry.
///
/// # Errors
/// As [`bring_up_with`].
pub fn set_segments(name: &str, most: u32) -> io::Result<()> {
    set(
        name,
        LinkFlags::empty(),
        vec![LinkAttribute::GsoMaxSegs(most)],
    )
}

/// Removes an interface, and the other end of a veth pair with it.
///
/// # Errors
/// As [`bring_up_with`].
pub fn remove(name: &str) -> io::Result<()> {
    let mut message = LinkMessage::default();
    message.header.index = index(name)?;
    ask(RouteNetlinkMessage::DelLink(message), 0)
}

const EAFNOSUPPORT: i32 = rustix::io::Errno::AFNOSUPPORT.raw_os_error();

fn set(name: &str, flags: LinkFlags, attributes: Vec<LinkAttribute>) -> io::Result<()> {
    let mut message = LinkMessage::default();
    message.header.index = index(name)?;
    message.header.flags = flags;
    message.header.change_mask = flags;
    message.attributes = attributes;
    ask(RouteNetlinkMessage::SetLink(message), 0)
}

/// The number of an interface.
///
/// # Errors
/// `ENODEV` if there is none of that name.
pub fn index(name: &str) -> io::Result<u32> {
    let any = socket(Family::INET, SocketType::DGRAM, None)?;
    Ok(netdevice::name_to_index(any, name)?)
}

/// Writes a text beside an interface, as `ip link` shows it.
pub(crate) fn set_alias(name: &str, alias: String) -> io::Result<()> {
    set(
        name,
        LinkFlags::empty(),
        vec![LinkAttribute::IfAlias(alias)],
    )
}

/// The text beside an interface.
pub(crate) fn alias(name: &str) -> io::Result<Option<String>> {
    const IFLA_IFALIAS: u16 = 20;
    let alias = get(name)?.attribute(IFLA_IFALIAS);
    let text = |alias: Vec<u8>| {
        let text = alias.strip_suffix(b"\0").unwrap_or(&alias);
        String::from_utf8_lossy(text).into_owned()
    };
    Ok(alias.map(text))
}

/// What an Ethernet interface is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Its number.
    pub index: u32,
    /// Its Ethernet address.
    pub hardware_address: [u8; 6],
    /// Bytes of the longest packet, without the Ethernet header.
    pub mtu: u32,
}

/// What the interface `name` is.
///
/// # Errors
/// `ENODEV` if there is none of that name; `InvalidData` if it is no Ethernet.
pub fn link(name: &str) -> io::Result<Link> {
    const IFLA_ADDRESS: u16 = 1;
    const IFLA_MTU: u16 = 4;
    let found = get(name)?;
    let hardware_address = found.attribute(IFLA_ADDRESS);
    let hardware_address = hardware_address.and_then(|bytes| bytes.try_into().ok());
    let mtu = found.attribute(IFLA_MTU);
    let mtu = mtu.and_then(|bytes| bytes.try_into().ok());
    Ok(Link {
        index: found.index().ok_or(io::ErrorKind::InvalidData)?,
        hardware_address: hardware_address.ok_or(io::ErrorKind::InvalidData)?,
        mtu: u32::from_ne_bytes(mtu.ok_or(io::ErrorKind::InvalidData)?),
    })
}

fn get(name: &str) -> io::Result<Answer> {
    let mut message = LinkMessage::default();
    message.header.index = index(name)?;
    match exchange(RouteNetlinkMessage::GetLink(message), 0)? {
        NetlinkPayload::InnerMessage(link) => Ok(link),
        NetlinkPayload::Error(refusal) => Err(refusal.to_io()),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// What the kernel says of an interface: a struct ifinfomsg, and attributes behind it. Only those that are asked for are read: a kernel
/// says more of an interface than anybody here wants to know.
struct Answer(Vec<u8>);

impl Answer {
    fn index(&self) -> Option<u32> {
        let bytes = self.0.get(4..8)?.first_chunk();
        bytes.copied().map(u32::from_ne_bytes)
    }

    fn attribute(&self, kind: u16) -> Option<Vec<u8>> {
        const IFINFOMSG_BYTES: usize = 16;
        let attributes = NlasIterator::new(self.0.get(IFINFOMSG_BYTES..)?);
        let found = attributes.flatten().find(|it| it.kind() == kind)?;
        Some(found.value().to_vec())
    }
}

impl NetlinkDeserializable for Answer {
    type Error = DecodeError;

    fn deserialize(_: &NetlinkHeader, payload: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self(payload.to_vec()))
    }
}

/// Has something done.
fn ask(request: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
    match exchange(request, NLM_F_ACK | flags)? {
        NetlinkPayload::Error(answer) if answer.code.is_none() => Ok(()),
        NetlinkPayload::Error(refusal) => Err(refusal.to_io()),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn exchange(request: RouteNetlinkMessage, flags: u16) -> io::Result<NetlinkPayload<Answer>> {
    let mut message = NetlinkMessage::from(request);
    message.header.flags = NLM_F_REQUEST | flags;
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    let socket = Socket::new(NETLINK_ROUTE)?;
    socket.connect(&SocketAddr::new(0, 0))?;
    socket.send(&bytes, 0)?;
    let (answer, _) = socket.recv_from_full()?;
    NetlinkMessage::<Answer>::deserialize(&answer)
        .map(|answer| answer.payload)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
}
