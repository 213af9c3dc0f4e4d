//! The stack on virtual time, against another in memory.

mod exchanges;
mod packets;
mod virtual_network;

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::socket::tcp::State;
use smoltcp::time::Duration;
use smoltcp::wire::{Icmpv4Packet, Icmpv4Repr, IpProtocol, Ipv4Packet, TcpControl, TcpPacket};

use crate::packet::Packet;
use crate::stack::{End, Settings};
use exchanges::{Client, REQUEST, Served, answer, end, served};
use packets::{packet, segment};
use virtual_network::{CLIENT, Faults, Network, SERVER, settings};

const LONG: Duration = Duration::from_secs(3600);

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
