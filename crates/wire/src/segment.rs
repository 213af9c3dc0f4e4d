//! A TCP segment, as it was captured.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};

/// What a captured packet begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkLayer {
    /// An Ethernet header, as on veth and, with empty addresses, on loopback.
    Ethernet,
    /// Its IP header, as on TUN devices and in the datagram view.
    None,
}

/// A segment; of its payload, as much as was captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment<'a> {
    /// When the kernel saw it, on any clock that all segments share.
    pub at: Duration,
    /// Bytes of its frame, link-layer header included where there is one.
    pub frame_bytes: u32,
    /// From where.
    pub source: SocketAddr,
    /// To where.
    pub destination: SocketAddr,
    /// The number of its first byte, or of its SYN.
    pub sequence: u32,
    /// It opens its direction.
    pub syn: bool,
    /// It acknowledges something.
    pub ack: bool,
    /// It ends its direction.
    pub fin: bool,
    /// It ends the connection.
    pub reset: bool,
    /// Bytes of its payload on the wire.
    pub payload_bytes: usize,
    /// The first of them: those that were captured.
    pub payload: &'a [u8],
}

impl<'a> Segment<'a> {
    /// Reads a packet of `frame_bytes`, of which `bytes` were captured. None if it is no TCP segment, or cut within its headers.
    pub fn parse(at: Duration, frame_bytes: u32, bytes: &'a [u8], link: LinkLayer) -> Option<Self> {
        let (packet, link_bytes) = match link {
            LinkLayer::Ethernet => (LaxSlicedPacket::from_ethernet(bytes).ok()?, 14),
            LinkLayer::None => (LaxSlicedPacket::from_ip(bytes).ok()?, 0),
        };
        let Some(TransportSlice::Tcp(tcp)) = packet.transport else {
            return None;
        };
        // A length of 0 stands for one that the field cannot hold; then the frame's is all that is known.
        let told = |length: usize| match length {
            0 => (frame_bytes as usize).saturating_sub(link_bytes),
            length => length,
        };
        let (source, destination, packet_bytes, header_bytes): (IpAddr, IpAddr, _, _) = match packet
            .net?
        {
            LaxNetSlice::Ipv4(ip) => {
                let header = ip.header();
                (
                    header.source_addr().into(),
                    header.destination_addr().into(),
                    told(header.total_len().into()),
                    header.slice().len(),
                )
            }
            LaxNetSlice::Ipv6(ip) => {
                let header = ip.header();
                let (fixed, payload) = (header.slice().len(), usize::from(header.payload_length()));
                let length = if payload == 0 { 0 } else { fixed + payload };
                (
                    header.source_addr().into(),
                    header.destination_addr().into(),
                    told(length),
                    fixed,
                )
            }
            LaxNetSlice::Arp(_) => return None,
        };
        let headers = header_bytes + tcp.header_slice().len();
        let payload_bytes = packet_bytes.checked_sub(headers)?;
        let payload = tcp.payload();
        Some(Self {
            at,
            frame_bytes,
            source: SocketAddr::new(source, tcp.source_port()),
            destination: SocketAddr::new(destination, tcp.destination_port()),
            sequence: tcp.sequence_number(),
            syn: tcp.syn(),
            ack: tcp.ack(),
            fin: tcp.fin(),
            reset: tcp.rst(),
            payload_bytes,
            payload: &payload[..payload.len().min(payload_bytes)],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::PacketBuilder;

    fn frame(payload: &[u8]) -> Vec<u8> {
        let builder = PacketBuilder::ethernet2([1; 6], [2; 6])
            .ipv4([198, 18, 0, 2], [198, 18, 0, 1], 64)
            .tcp(40_000, 8080, 7, 1000)
            .ack(9);
        let mut frame = Vec::new();
        builder.write(&mut frame, payload).unwrap();
        frame
    }

    #[test]
    fn a_segment_is_read_with_and_without_its_link_layer() {
        let frame = frame(b"GET / HTTP/1.1\r\n\r\n");
        let length = frame.len() as u32;
        let at = Duration::from_secs(1);
        let segment = Segment::parse(at, length, &frame, LinkLayer::Ethernet).unwrap();
        assert_eq!(segment.source, "198.18.0.2:40000".parse().unwrap());
        assert_eq!(segment.destination, "198.18.0.1:8080".parse().unwrap());
        assert_eq!((segment.sequence, segment.payload_bytes), (7, 18));
        assert_eq!(segment.payload, b"GET / HTTP/1.1\r\n\r\n");
        assert!(segment.ack && !segment.syn && !segment.fin && !segment.reset);
        let bare = Segment::parse(at, length - 14, &frame[14..], LinkLayer::None).unwrap();
        assert_eq!(
            Segment {
                frame_bytes: length,
                ..bare
            },
            segment
        );
    }

    #[test]
    fn one_that_was_cut_still_tells_how_long_it_was() {
        let frame = frame(&[b'x'; 1000]);
        let length = frame.len() as u32;
        let cut =
            Segment::parse(Duration::ZERO, length, &frame[..64], LinkLayer::Ethernet).unwrap();
        assert_eq!((cut.payload_bytes, cut.payload.len()), (1000, 10));
        for kept in 0..54 {
            assert_eq!(
                Segment::parse(Duration::ZERO, length, &frame[..kept], LinkLayer::Ethernet),
                None
            );
        }
    }

    #[test]
    fn padding_is_no_payload() {
        let mut frame = frame(b"");
        frame.resize(60, 0);
        let segment = Segment::parse(Duration::ZERO, 60, &frame, LinkLayer::Ethernet).unwrap();
        assert_eq!((segment.payload_bytes, segment.payload.len()), (0, 0));
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(bytes: Vec<u8>, length: u32, at in 0..3_usize, with: u8) {
            let mut valid = frame(b"x");
            let place = bytes.first().map_or(0, |byte| usize::from(*byte) % valid.len());
            valid[place] = with;
            for bytes in [&bytes, &valid] {
                let link = if at == 0 { LinkLayer::None } else { LinkLayer::Ethernet };
                let _ = Segment::parse(Duration::ZERO, length, bytes, link);
            }
        }
    }
}
