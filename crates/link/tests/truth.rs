//! Whether the link does what it says, in real time, by packets between two hosts: each way that can be had here.
//!
//! Delays have a lower bound that always holds. The upper one holds where this machine lets the link wake up in time, which the link tells;
//! so a link that was late is tried again, and if it is always late, that is said in place of a verdict.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use link::{Counts, Error, Link, Model, Way};
use network::{CLIENT, Hosts, SERVER};

const MS: Duration = Duration::from_millis(1);

/// Bytes of an IP and a UDP header.
const HEADERS: usize = 28;

/// How often a link that woke up late is tried again.
const ATTEMPTS: usize = 5;

fn model() -> Model {
    Model {
        round_trip: 40 * MS,
        rate_bits_per_s: None,
        loss: 0.0,
        jitter: Duration::ZERO,
        queue_bytes: 64 << 10,
        seed: 1,
    }
}

/// A link between new hosts; none, with a notice, where it cannot be had.
fn standing(model: Model, way: Way) -> Option<(Hosts, Link)> {
    let hosts = Hosts::apart()
        .map_err(|error| println!("skipped: {error}"))
        .ok()?;
    match Link::new(model, &hosts, Some(way)) {
        Ok(link) => Some((hosts, link)),
        Err(error @ (Error::Netem(_) | Error::Tun { .. })) => {
            println!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// A packet that arrived: its number, and when it was sent and received.
type Arrival = (u32, Duration, Duration);

/// So many packets are on their way at most: more might not fit into a buffer of the kernel's, where who empties it gets no time.
const WINDOW: u32 = 100;

/// Sends `count` packets of `bytes` from the client to the server, `apart` from each other at least, and tells which arrived.
fn send(hosts: &Hosts, count: u32, bytes: usize, apart: Duration) -> Vec<Arrival> {
    let server = hosts
        .server
        .run(|| UdpSocket::bind((SERVER, 9)))
        .unwrap()
        .unwrap();
    let client = hosts
        .client
        .run(|| UdpSocket::bind((CLIENT, 0)))
        .unwrap()
        .unwrap();
    let epoch = Instant::now();
    let mut arrivals = Vec::new();
    // Those that are lost are behind the next that is not.
    let arrived = AtomicU32::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut packet = vec![0; bytes - HEADERS];
            for number in 0..count {
                while number >= arrived.load(Relaxed) + WINDOW {
                    std::thread::sleep(Duration::from_micros(100));
                }
                let due = apart * number;
                std::thread::sleep(due.saturating_sub(epoch.elapsed()));
                packet[..4].copy_from_slice(&number.to_be_bytes());
                let sent = u64::try_from(epoch.elapsed().as_nanos()).unwrap();
                packet[4..12].copy_from_slice(&sent.to_be_bytes());
                client.send_to(&packet, (SERVER, 9)).unwrap();
            }
        });
        let mut packet = vec![0; bytes];
        // The last one may be lost, so the end is silence.
        server
            .set_read_timeout(Some(Duration::from_secs(1)))
            .unwrap();
        while arrivals.len() < count as usize && server.recv(&mut packet).is_ok() {
            let received = epoch.elapsed();
            let number = u32::from_be_bytes(packet[..4].try_into().unwrap());
            let sent = u64::from_be_bytes(packet[4..12].try_into().unwrap());
            arrivals.push((number, Duration::from_nanos(sent), received));
            arrived.store(number + 1, Relaxed);
        }
    });
    arrivals
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Whether the link itself woke up so late that others at work must be the reason; netem does not tell.
fn woke_late(counts: Option<Counts>) -> bool {
    counts.is_some_and(|counts| counts.to_server.mean_lateness_us > 100.0)
}

/// Tries until a figure is right; `judge` says by how much it is off, and how much it may be.
fn on_time(way: Way, model: Model, judge: impl Fn(&Hosts) -> (Duration, Duration)) {
    let mut disturbed = false;
    let mut found = Vec::new();
    for _ in 0..ATTEMPTS {
        let Some((hosts, link)) = standing(model, way) else {
            return;
        };
        let (off, allowed) = judge(&hosts);
        disturbed |= woke_late(link.end().unwrap());
        if off <= allowed {
            return;
        }
        found.push(off);
    }
    assert!(disturbed, "off by {found:?}, and nobody disturbs the link");
    println!("not shown: others at work on this machine make the link wake up late");
}

fn delays_are_as_long_as_the_model_says(way: Way) {
    on_time(way, model(), |hosts| {
        let arrivals = send(hosts, 200, 200, 3 * MS);
        assert_eq!(arrivals.len(), 200);
        let ways: Vec<_> = arrivals
            .iter()
            .map(|(_, sent, received)| *received - *sent)
            .collect();
        // A clock that the kernel keeps in its own way may differ by the grain of its timers.
        assert!(ways.iter().all(|way| *way + MS / 10 >= 20 * MS), "{ways:?}");
        let off = median(ways).saturating_sub(20 * MS);
        (off, (20 * MS / 100).max(MS / 5))
    });
}

fn a_rate_is_kept(way: Way) {
    // A packet each millisecond, and all of them at once.
    let model = Model {
        rate_bits_per_s: Some(8_000_000),
        queue_bytes: 1 << 20,
        ..model()
    };
    on_time(way, model, |hosts| {
        let arrivals = send(hosts, 400, 1000, Duration::ZERO);
        assert_eq!(arrivals.len(), 400);
        let (first, last) = (arrivals[0].2, arrivals[399].2);
        (((last - first).abs_diff(399 * MS)), 399 * MS / 100)
    });
}

#[test]
fn in_user_space_delays_are_as_long_as_the_model_says() {
    delays_are_as_long_as_the_model_says(Way::UserSpace);
}

#[test]
fn with_netem_delays_are_as_long_as_the_model_says() {
    delays_are_as_long_as_the_model_says(Way::Netem);
}

#[test]
fn in_user_space_a_rate_is_kept() {
    a_rate_is_kept(Way::UserSpace);
}

#[test]
fn with_netem_a_rate_is_kept() {
    a_rate_is_kept(Way::Netem);
}

#[test]
fn jitter_and_a_queue_keep_the_order_and_nothing_is_lost_that_the_model_does_not_lose() {
    let model = Model {
        rate_bits_per_s: Some(40_000_000),
        jitter: 20 * MS,
        queue_bytes: 1 << 20,
        ..model()
    };
    let Some((hosts, link)) = standing(model, Way::UserSpace) else {
        return;
    };
    let arrivals = send(&hosts, 1000, 500, MS / 10);
    let numbers: Vec<_> = arrivals.iter().map(|(number, ..)| *number).collect();
    assert!(numbers.iter().copied().eq(0..1000), "{numbers:?}");
    let counts = link.end().unwrap().unwrap().to_server;
    assert_eq!((counts.packets, counts.bytes), (1000, 500_000));
    assert_eq!((counts.lost, counts.dropped, counts.refused), (0, 0, 0));
}

#[test]
fn as_many_are_lost_as_the_model_draws_by_its_seed() {
    let model = Model {
        loss: 0.1,
        ..model()
    };
    let mut direction = link::Direction::new(model, 0);
    let fates = (0..1000).map(|n| direction.offer(n * MS, 100));
    let expected: Vec<_> = (0..1000)
        .zip(fates)
        .filter(|(_, fate)| *fate != link::Fate::Lost)
        .map(|(number, _)| number)
        .collect();
    let Some((hosts, link)) = standing(model, Way::UserSpace) else {
        return;
    };
    let arrivals = send(&hosts, 1000, 100, MS / 20);
    let numbers: Vec<u32> = arrivals.iter().map(|(number, ..)| *number).collect();
    assert!(
        numbers == expected,
        "{} arrived of {}",
        numbers.len(),
        expected.len()
    );
    let counts = link.end().unwrap().unwrap().to_server;
    assert_eq!(counts.lost, 1000 - expected.len() as u64);
}

#[test]
fn tcp_survives_loss_whole_and_a_round_trip_takes_both_ways() {
    let model = Model {
        round_trip: 10 * MS,
        loss: 0.02,
        ..model()
    };
    let Some((hosts, link)) = standing(model, Way::UserSpace) else {
        return;
    };
    let listener = hosts
        .server
        .run(|| TcpListener::bind((SERVER, 0)))
        .unwrap()
        .unwrap();
    let at = listener.local_addr().unwrap();
    let sent: Vec<u8> = (0..500_000_u32).map(|n| (n % 251) as u8).collect();
    let began = Instant::now();
    let received = std::thread::scope(|scope| {
        scope.spawn(|| listener.accept().unwrap().0.write_all(&sent).unwrap());
        let connect = || TcpStream::connect(at);
        let mut client = hosts.client.run(connect).unwrap().unwrap();
        assert!(began.elapsed() >= 10 * MS);
        let mut received = Vec::new();
        client.read_to_end(&mut received).unwrap();
        received
    });
    assert!(received == sent);
    let counts = link.end().unwrap().unwrap();
    // Segments that the kernel cut to an MTU of 1500 bytes: none is larger.
    assert!(counts.to_client.packets * 1500 >= counts.to_client.bytes);
    assert!(counts.to_client.packets > 300, "{counts:?}");
}

#[test]
fn hosts_that_are_joined_already_are_not_joined_again() {
    let Some((hosts, _link)) = standing(model(), Way::UserSpace) else {
        return;
    };
    let error = Link::new(model(), &hosts, Some(Way::UserSpace)).unwrap_err();
    assert!(
        error.to_string().contains("joins these hosts already"),
        "{error}"
    );
}
