//! The stack on virtual time, against another in memory.

mod virtual_network;

use std::cell::RefCell;
use std::collections::HashMap;

use smoltcp::iface::SocketHandle;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::socket::tcp::State;
use smoltcp::time::Duration;
use smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, Icmpv4Packet, Icmpv4Repr, IpAddress,
    IpProtocol, Ipv4Packet, Ipv4Repr, TcpControl, TcpPacket, TcpRepr, TcpSeqNumber,
};

use crate::packet::Packet;
use crate::stack::{End, Settings};
use virtual_network::{
    CLIENT, CLIENT_HARDWARE, Faults, Network, SERVER, SERVER_HARDWARE, settings,
};

const LONG: Duration = Duration::from_secs(3600);

/// A byte of what a client sends, by its port and place: no two clients send the same.
fn byte(port: u16, place: usize) -> u8 {
    let number = u64::from(port) << 32 | place as u64;
    (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}

/// Bytes of a request, and of its answer.
const REQUEST: usize = 500;
const ANSWER: usize = 6000;

/// A client that asks so often, one request after the other.
///
/// Not both ways at once: two stacks of this kind that both send again what the other has already had acknowledge each other in segments
/// that are too old to be looked at, for ever. A kernel's acknowledges in such as are not.
struct Client {
    port: u16,
    handle: SocketHandle,
    requests: usize,
    sent: usize,
    back: usize,
}

impl Client {
    fn connect(network: &mut Network, port: u16, requests: usize) -> Self {
        let handle = network.connect(port);
        Self {
            port,
            handle,
            requests,
            sent: 0,
            back: 0,
        }
    }

    /// Asks when it may, looks at what has come, and closes when that is all.
    fn act(&mut self, network: &mut Network) {
        let port = self.port;
        let is_over = self.is_over();
        let socket = network.socket(self.handle);
        let asked = self.sent.div_ceil(REQUEST);
        let may_ask = self.back == asked * ANSWER && asked < self.requests;
        if may_ask && socket.send_capacity() - socket.send_queue() >= REQUEST && socket.may_send() {
            let end = self.sent + REQUEST;
            let request: Vec<_> = (self.sent..end).map(|place| byte(port, place)).collect();
            assert_eq!(socket.send_slice(&request), Ok(REQUEST));
            self.sent = end;
        }
        while socket.can_recv() {
            let mut piece = [0; 1000];
            let count = socket.recv_slice(&mut piece).unwrap();
            for (place, back) in (self.back..).zip(&piece[..count]) {
                assert_eq!(*back, byte(!port, place), "byte {place} for client {port}");
            }
            self.back += count;
        }
        if is_over {
            socket.close();
        }
    }

    fn is_over(&self) -> bool {
        self.back == self.requests * ANSWER
    }

    fn state(&self, network: &mut Network) -> State {
        network.socket(self.handle).state()
    }
}

/// What the server has of each client's, by its port: bytes received, and bytes of answers sent.
type Served = HashMap<u16, (usize, usize)>;

/// Answers every request that has come whole, and closes the connections that their clients have closed.
fn answer(network: &mut Network, served: &mut Served) {
    let mut ended = Vec::new();
    for (token, stream) in &network.accepted {
        let mut tcp = stream.0.borrow_mut();
        let socket = tcp.socket_mut();
        let Some(port) = socket.remote_endpoint().map(|remote| remote.port) else {
            continue;
        };
        let (received, sent) = served.entry(port).or_default();
        while socket.can_recv() {
            let mut piece = [0; 1000];
            let count = socket.recv_slice(&mut piece).unwrap();
            for (place, came) in (*received..).zip(&piece[..count]) {
                assert_eq!(*came, byte(port, place), "byte {place} of client {port}");
            }
            *received += count;
        }
        let due = *received / REQUEST * ANSWER;
        while *sent < due && socket.can_send() {
            let end = due.min(*sent + 1000);
            let piece: Vec<_> = (*sent..end).map(|place| byte(!port, place)).collect();
            *sent += socket.send_slice(&piece).unwrap();
        }
        if !socket.may_recv() {
            ended.push(*token);
        }
    }
    for token in ended {
        end(network, token, End::Close);
    }
}

fn end(network: &mut Network, token: crate::stack::Token, how: End) {
    network.stack.end(token, how);
    network.accepted.retain(|(served, _)| *served != token);
}

/// Has clients ask so often each; what the network was like afterwards.
fn served(settings: Settings, faults: Faults, seed: u64, clients: u16, requests: usize) -> Network {
    let mut network = Network::new(settings, faults, seed);
    let connect = |port| Client::connect(&mut network, port, requests);
    let clients: Vec<_> = (1000..1000 + clients).map(connect).collect();
    let clients = RefCell::new(clients);
    let mut served = Served::new();
    let done = network.run(
        LONG,
        |network| {
            answer(network, &mut served);
            for client in clients.borrow_mut().iter_mut() {
                client.act(network);
            }
        },
        |_| clients.borrow().iter().all(Client::is_over),
    );
    assert!(done, "{faults:?} with seed {seed}: bytes are lost");
    network
}

#[test]
fn what_befalls_packets_loses_no_byte() {
    let alone = [
        Faults {
            lost: 5,
            ..Faults::default()
        },
        Faults {
            late: 20,
            ..Faults::default()
        },
        Faults {
            doubled: 20,
            ..Faults::default()
        },
        Faults {
            damaged: 5,
            ..Faults::default()
        },
    ];
    let together = Faults {
        lost: 3,
        late: 10,
        doubled: 10,
        damaged: 3,
    };
    for faults in alone.into_iter().chain([together]) {
        for seed in 0..4 {
            let network = served(settings(), faults, seed, 8, 10);
            assert!(network.befallen > 20, "{} packets", network.befallen);
            let is_seen = network.stack.corrupt > 0;
            assert_eq!(is_seen, faults.damaged > 0, "{faults:?} with seed {seed}");
        }
    }
}

#[test]
fn an_undisturbed_network_ends_every_connection_and_keeps_nothing() {
    let mut network = served(settings(), Faults::default(), 0, 60, 2);
    assert_eq!((network.befallen, network.stack.corrupt), (0, 0));
    let settled = |network: &mut Network| network.stack.connections() == 0;
    let closes = |network: &mut Network| {
        for (_, socket) in network.sockets.iter_mut() {
            let smoltcp::socket::Socket::Tcp(socket) = socket;
            socket.close();
        }
        answer(network, &mut Served::new());
    };
    assert!(network.run(LONG, closes, settled));
}

#[test]
fn a_client_that_reads_nothing_fills_its_window_and_the_buffer_and_no_more() {
    let mut network = Network::new(settings(), Faults::default(), 0);
    let handle = network.connect(1000);
    let mut taken = 0;
    let minutes = Duration::from_secs(300);
    let full = |network: &mut Network| {
        if let Some((_, stream)) = network.accepted.first() {
            let mut tcp = stream.0.borrow_mut();
            let socket = tcp.socket_mut();
            while socket.can_send() {
                taken += socket.send_slice(&[7; 1000]).unwrap();
            }
        }
    };
    assert!(!network.run(minutes, full, |_| false));
    // The client's window, and the server's buffer.
    assert_eq!(taken, (16 << 10) + (24 << 10));
    let mut read = 0;
    let all = taken;
    let reads = |network: &mut Network| {
        while let Ok(count @ 1..) = network.socket(handle).recv_slice(&mut [0; 1000]) {
            read += count;
        }
    };
    // The probe after the longest pause finds the window open.
    let everything = |network: &mut Network| {
        let (_, stream) = &network.accepted[0];
        stream.0.borrow().socket().send_queue() == 0
    };
    assert!(network.run(minutes, reads, everything));
    assert_eq!(read, all);
}

#[test]
fn a_full_backlog_says_nothing_and_who_tries_again_is_let_in() {
    let few = Settings {
        backlog: 3,
        ..settings()
    };
    let network = served(few, Faults::default(), 0, 10, 1);
    assert!(network.stack.overflowed > 0);
}

#[test]
fn who_closes_first_keeps_few_in_time_wait_and_a_port_serves_again() {
    let mut network = Network::new(settings(), Faults::default(), 0);
    for round in 0..3 {
        for port in 1000..1100 {
            let handle = network.connect(port);
            let accepted = |network: &mut Network| !network.accepted.is_empty();
            assert!(
                network.run(LONG, |_| (), accepted),
                "round {round}, port {port}"
            );
            let (token, _) = network.accepted[0];
            end(&mut network, token, End::Close);
            let closes = |network: &mut Network| {
                let socket = network.socket(handle);
                if socket.state() == State::CloseWait {
                    socket.close();
                }
            };
            let over = |network: &mut Network| network.socket(handle).state() == State::Closed;
            assert!(network.run(Duration::from_secs(1), closes, over));
            network.sockets.remove(handle);
        }
        let kept = network.stack.connections();
        assert!((1..=64).contains(&kept), "{kept} in TIME-WAIT");
    }
    assert!(network.run(LONG, |_| (), |network| network.stack.connections() == 0));
}

#[test]
fn a_session_that_ends_before_all_was_read_resets_its_connection() {
    let mut network = Network::new(settings(), Faults::default(), 0);
    let mut client = Client::connect(&mut network, 1000, 1);
    let came = |network: &mut Network| {
        let stream = network.accepted.first().map(|(_, stream)| stream);
        stream.is_some_and(|stream| stream.0.borrow().socket().recv_queue() == REQUEST)
    };
    assert!(network.run(LONG, |network| client.act(network), came));
    let (token, _) = network.accepted[0];
    end(&mut network, token, End::Close);
    let second = Duration::from_secs(1);
    let is_reset = |network: &mut Network| client.state(network) == State::Closed;
    assert!(network.run(second, |_| (), is_reset));
    assert_eq!(network.stack.connections(), 0);
}

#[test]
fn a_handshake_that_nobody_completes_is_given_up() {
    let mut network = Network::new(settings(), Faults::default(), 0);
    network.inject(segment(5000, TcpControl::Syn));
    let seen = |network: &mut Network| network.stack.connections() == 1;
    assert!(network.run(LONG, |_| (), seen));
    let minute = Duration::from_secs(60);
    assert!(network.run(minute, |_| (), |network| network.stack.connections() == 0));
    assert!(network.accepted.is_empty());
}

/// A segment from a port of the client's host, with nothing in it.
fn segment(port: u16, control: TcpControl) -> Vec<u8> {
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
fn packet(protocol: IpProtocol, bytes: usize, write: impl FnOnce(&mut [u8])) -> Vec<u8> {
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

#[test]
fn an_echo_is_answered_and_so_is_a_segment_of_no_connection() {
    let mut network = Network::new(settings(), Faults::default(), 0);
    let request = Icmpv4Repr::EchoRequest {
        ident: 1,
        seq_no: 2,
        data: b"who is there",
    };
    let checksums = ChecksumCapabilities::default();
    let echo = packet(IpProtocol::Icmp, request.buffer_len(), |bytes| {
        request.emit(&mut Icmpv4Packet::new_unchecked(bytes), &checksums);
    });
    // Whoever is asked has to know where the other is, and asks in turn (ARP).
    network.inject(echo.clone());
    network.run(Duration::from_secs(2), |_| (), |_| false);
    network.inject(echo);
    network.inject(segment(6000, TcpControl::Psh));
    let mut seen = Vec::new();
    let arrived = |network: &mut Network| {
        for packet in network.arrived() {
            let ip = Ipv4Packet::new_checked(&packet[14..]).unwrap();
            seen.push(match ip.next_header() {
                IpProtocol::Icmp => {
                    let icmp = Icmpv4Packet::new_checked(ip.payload()).unwrap();
                    assert_eq!(icmp.data(), b"who is there");
                    "echo"
                }
                _ => {
                    assert!(TcpPacket::new_checked(ip.payload()).unwrap().rst());
                    "reset"
                }
            });
        }
        seen.len() == 2
    };
    assert!(network.run(Duration::from_secs(5), |_| (), arrived));
    assert_eq!(network.stack.connections(), 0);
}

#[test]
fn a_checksum_that_was_left_to_a_card_is_taken_and_a_wrong_one_is_not() {
    let sound = segment(1000, TcpControl::Syn);
    let ours = Packet::Segment {
        remote: (CLIENT, 1000),
        opens: true,
    };
    assert_eq!(Packet::of(&sound, SERVER), ours);
    assert_eq!(Packet::of(&sound, (SERVER.0, 81)), Packet::Other);
    // The sum of addresses, protocol and length, not inverted.
    let mut partial = sound.clone();
    let length = (sound.len() - 34) as u32;
    let words = [CLIENT.octets(), SERVER.0.octets()].concat();
    let sum = words
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]));
    let sum = sum.sum::<u32>() + u32::from(u8::from(IpProtocol::Tcp)) + length;
    let sum = ((sum >> 16) + (sum & 0xffff)) as u16;
    partial[50..52].copy_from_slice(&sum.to_be_bytes());
    assert_eq!(Packet::of(&partial, SERVER), ours);
    for bit in 14 * 8..sound.len() * 8 {
        let mut damaged = sound.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert_ne!(Packet::of(&damaged, SERVER), ours, "bit {bit}");
    }
    for length in 0..sound.len() {
        let _ = Packet::of(&sound[..length], SERVER);
    }
}
