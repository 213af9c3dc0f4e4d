//! Packets as the client's host would send them.

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, IpAddress, IpProtocol, Ipv4Packet, Ipv4Repr,
    TcpControl, TcpPacket, TcpRepr, TcpSeqNumber,
};

use super::virtual_network::{CLIENT, CLIENT_HARDWARE, SERVER, SERVER_HARDWARE};

/// A segment from a port of the client's host, with nothing in it.
pub(super) fn segment(port: u16, control: TcpControl) -> Vec<u8> {
    let tcp = TcpRepr {
        src_port: port,
        dst_port: SERVER.1,
        control,
        seq_number: TcpSeqNumber(1),
        ack_number: None,
        window_len: 1000,
        window_scale: None,
        max_seg_size: None,
        sack_permitted: false,
        sack_ranges: [None; 3],
        timestamp: None,
        payload: &[],
    };
    let (from, to) = (IpAddress::Ipv4(CLIENT), IpAddress::Ipv4(SERVER.0));
    packet(IpProtocol::Tcp, tcp.buffer_len(), |bytes| {
        let checksums = ChecksumCapabilities::default();
        tcp.emit(&mut TcpPacket::new_unchecked(bytes), &from, &to, &checksums);
    })
}

/// A packet from the client's host to the server's.
pub(super) fn packet(protocol: IpProtocol, bytes: usize, write: impl FnOnce(&mut [u8])) -> Vec<u8> {
    const HEADERS: usize = 34;
    let mut packet = vec![0; HEADERS + bytes];
    let mut ethernet = EthernetFrame::new_unchecked(&mut packet);
    ethernet.set_src_addr(EthernetAddress(CLIENT_HARDWARE));
    ethernet.set_dst_addr(EthernetAddress(SERVER_HARDWARE));
    ethernet.set_ethertype(EthernetProtocol::Ipv4);
    let ip = Ipv4Repr {
        src_addr: CLIENT,
        dst_addr: SERVER.0,
        next_header: protocol,
        payload_len: bytes,
        hop_limit: 64,
    };
    let checksums = ChecksumCapabilities::default();
    ip.emit(
        &mut Ipv4Packet::new_unchecked(&mut packet[14..]),
        &checksums,
    );
    write(&mut packet[HEADERS..]);
    packet
}
