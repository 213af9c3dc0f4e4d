//! Which connection a packet belongs to: found by its four numbers, before the stack sees it.

use std::net::Ipv4Addr;

use smoltcp::wire::{
    ETHERNET_HEADER_LEN, EthernetFrame, EthernetProtocol, IpAddress, IpProtocol, Ipv4Packet,
    TcpPacket,
};

/// The other end of a connection. Ours is one address and one port.
pub(crate) type Remote = (Ipv4Addr, u16);

/// What a packet is to this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packet {
    /// Of a connection to the server's port.
    Segment {
        /// Whose.
        remote: Remote,
        /// It begins a connection.
        opens: bool,
    },
    /// Damaged on its way.
    Corrupt,
    /// Anything else: the stack answers it by itself, or nobody does.
    Other,
}

impl Packet {
    /// What `frame`, from its Ethernet header on, is to a server at `address`.
    ///
    /// A segment's checksum is looked at here, since the stack would refuse one that has never been on a wire: of those the kernel has
    /// left the checksum to a card, and has written the sum of the pseudo-header alone (RFC 9293, section 3.1).
    pub(crate) fn of(frame: &[u8], address: Remote) -> Self {
        Self::segment(frame, address).unwrap_or(Self::Other)
    }

    fn segment(frame: &[u8], (address, port): Remote) -> Option<Self> {
        let ethernet = EthernetFrame::new_checked(frame).ok()?;
        if ethernet.ethertype() != EthernetProtocol::Ipv4 {
            return None;
        }
        let ip = Ipv4Packet::new_checked(&frame[ETHERNET_HEADER_LEN..]).ok()?;
        let is_whole = !ip.more_frags() && ip.frag_offset() == 0;
        if ip.next_header() != IpProtocol::Tcp || ip.dst_addr() != address || !is_whole {
            return None;
        }
        let segment = TcpPacket::new_checked(ip.payload()).ok()?;
        let (from, to) = (ip.src_addr(), ip.dst_addr());
        let addresses = (&IpAddress::Ipv4(from), &IpAddress::Ipv4(to));
        let is_sound = ip.verify_checksum()
            && (segment.verify_partial_checksum(addresses.0, addresses.1)
                || segment.verify_checksum(addresses.0, addresses.1));
        if !is_sound {
            return Some(Self::Corrupt);
        }
        (segment.dst_port() == port).then(|| Self::Segment {
            remote: (from, segment.src_port()),
            opens: segment.syn() && !segment.ack() && !segment.rst(),
        })
    }
}
