//! Packets in rings that the kernel shares, at one end of a veth pair between two namespaces; the kernel's own stack is at the other.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use network::{CLIENT, Hosts, INTERFACE, SERVER, interface};
use sys::xdp::{Bound, Settings, XdpSocket};

const SOON: Duration = Duration::from_secs(10);
const PORT: u16 = 7;
/// Where the parts of a packet are: Ethernet's header is 14 bytes long, IP's 20, UDP's 8.
const IP: usize = 14;
const UDP: usize = 34;
const PAYLOAD: usize = 42;

fn settings(hosts: &Hosts) -> Settings {
    let link = hosts.server.run(|| interface::link(INTERFACE));
    Settings {
        interface: link.unwrap().unwrap().index,
        queue: 0,
        receive_frames: 64,
        transmit_frames: 64,
    }
}

/// Two hosts, and the rings at the server's interface; none, with a notice, where they cannot be had.
fn rings() -> Option<(Hosts, XdpSocket)> {
    let hosts = Hosts::joined()
        .map_err(|error| println!("skipped: {error}"))
        .ok()?;
    let settings = settings(&hosts);
    match hosts.server.run(|| XdpSocket::open(&settings)).unwrap() {
        Ok(rings) => Some((hosts, rings)),
        Err(error) => {
            println!("skipped: {error}");
            None
        }
    }
}

fn client(hosts: &Hosts) -> UdpSocket {
    let made = hosts.client.run(|| -> std::io::Result<_> {
        let socket = UdpSocket::bind((CLIENT, 0))?;
        socket.connect((SERVER, PORT))?;
        socket.set_read_timeout(Some(SOON))?;
        Ok(socket)
    });
    made.unwrap().unwrap()
}

/// Shows the next packet that comes, which `answer` may make a packet of as long.
fn next(rings: &mut XdpSocket, answer: impl FnOnce(&[u8], &mut [u8])) {
    let deadline = Instant::now() + SOON;
    while rings.first().is_none() {
        assert!(Instant::now() < deadline, "no packet comes");
        std::thread::sleep(Duration::from_millis(1));
    }
    let first = rings.first().unwrap().to_vec();
    let (received, room) = rings.receive().unwrap();
    assert_eq!(received.bytes(), first);
    room.send(first.len(), |bytes| answer(received.bytes(), bytes));
}

/// Exchanges two fields of a packet, as long and beginning there.
fn exchange(packet: &mut [u8], one: usize, other: usize, length: usize) {
    for byte in 0..length {
        packet.swap(one + byte, other + byte);
    }
}

/// Answers whoever asks for the server's Ethernet address (RFC 826), which is taken for this one.
fn resolve(rings: &mut XdpSocket) {
    next(rings, |request, reply| {
        assert_eq!(
            request[12..14],
            [8, 6],
            "the first packet asks for an address"
        );
        assert_eq!(request[IP + 24..IP + 28], SERVER.octets());
        reply.copy_from_slice(request);
        exchange(reply, IP + 8, IP + 18, 10);
        reply[IP + 7] = 2;
        reply[IP + 8..IP + 14].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
        exchange(reply, 0, 6, 6);
        reply[6..12].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
    });
    rings.flush().unwrap();
}

#[test]
fn packets_go_both_ways_and_frames_serve_again() {
    let Some((hosts, mut rings)) = rings() else {
        return;
    };
    assert_eq!(
        rings.bound(),
        Bound::Copy,
        "there is no device below a veth"
    );
    let client = client(&hosts);
    client.send(b"first").unwrap();
    resolve(&mut rings);
    // Several times as many as there are frames.
    for number in 0..1000_u32 {
        if number > 0 {
            client.send(&number.to_be_bytes()).unwrap();
        }
        next(&mut rings, |packet, echo| {
            let expected = number.to_be_bytes();
            let expected = if number == 0 {
                &b"first"[..]
            } else {
                &expected
            };
            assert_eq!(&packet[PAYLOAD..], expected);
            echo.copy_from_slice(packet);
            exchange(echo, 0, 6, 6);
            exchange(echo, IP + 12, IP + 16, 4);
            exchange(echo, UDP, UDP + 2, 2);
            // None, which UDP allows: the kernel left it to a card that is not there.
            echo[UDP + 6..UDP + 8].fill(0);
        });
        assert_eq!(rings.flush().unwrap(), 1);
        let mut echo = [0; 8];
        let length = client.recv(&mut echo).unwrap();
        assert!(number == 0 || echo[..length] == number.to_be_bytes());
    }
    assert_eq!(rings.lost().unwrap(), 0);
    assert_eq!(
        rings.flush().unwrap(),
        0,
        "nothing waits, and nobody is called"
    );
}

#[test]
fn many_packets_leave_by_few_calls() {
    let Some((_hosts, mut rings)) = rings() else {
        return;
    };
    for _ in 0..64 {
        rings
            .room()
            .unwrap()
            .send(60, |bytes| bytes.fill(0xff))
            .unwrap();
    }
    assert!(rings.room().is_none(), "all frames are on their way");
    let calls = rings.flush().unwrap();
    assert!((2..=4).contains(&calls), "{calls} calls for 64 packets");
    assert!(rings.room().is_some(), "and come back when they have left");
    assert_eq!(
        rings.room().unwrap().send(5000, |_| ()),
        None,
        "longer than a frame"
    );
}

#[test]
fn what_overflows_the_ring_is_counted() {
    let Some((hosts, mut rings)) = rings() else {
        return;
    };
    let client = client(&hosts);
    client.send(b"first").unwrap();
    resolve(&mut rings);
    for _ in 0..1000 {
        client.send(b"more").unwrap();
    }
    assert!(rings.lost().unwrap() > 0);
    let mut kept = 0;
    while let Some((received, _)) = rings.receive() {
        drop(received);
        kept += 1;
    }
    assert!((1..=64).contains(&kept), "{kept} packets in a ring of 64");
}

#[test]
fn an_interface_is_the_kernels_again_afterwards_and_nobody_elses_meanwhile() {
    let Some((hosts, rings)) = rings() else {
        return;
    };
    let settings = settings(&hosts);
    let second = hosts.server.run(|| XdpSocket::open(&settings)).unwrap();
    assert_eq!(second.unwrap_err().kind(), std::io::ErrorKind::ResourceBusy);
    drop(rings);
    let served = hosts
        .server
        .run(|| UdpSocket::bind((SERVER, PORT)))
        .unwrap()
        .unwrap();
    served.set_read_timeout(Some(SOON)).unwrap();
    client(&hosts).send(b"hello").unwrap();
    let mut hello = [0; 8];
    assert_eq!(served.recv(&mut hello).unwrap(), 5);
}

#[test]
fn queues_are_those_that_packets_come_by() {
    let Some((hosts, _rings)) = rings() else {
        return;
    };
    let ask = |name: &'static str| hosts.server.run(|| sys::xdp::receive_queues(name)).unwrap();
    assert_eq!(ask(INTERFACE).unwrap(), 1);
    assert_eq!(ask("lo").unwrap(), 1, "it has no channels");
    assert!(ask("nowhere0").is_err() && ask("").is_err());
}

#[test]
fn an_interface_that_is_not_there_is_named_in_words() {
    let Some((hosts, rings)) = rings() else {
        return;
    };
    drop(rings);
    let settings = Settings {
        interface: 9999,
        queue: 0,
        receive_frames: 64,
        transmit_frames: 64,
    };
    let error = hosts
        .server
        .run(|| XdpSocket::open(&settings))
        .unwrap()
        .unwrap_err();
    assert!(error.to_string().contains("bind an XDP socket"), "{error}");
}
