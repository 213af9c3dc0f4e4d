//! What depends on hearing who is ready, for every poller.

use std::net::Shutdown;
use std::time::{Duration, Instant};

use rustix::net::SendFlags;
use rustix::net::sockopt::set_socket_linger;

use crate::server::{Client, LARGE, LARGE_ONE, SMALL, Server};

type Case = (&'static str, fn(&str));

pub(crate) const CASES: &[Case] = &[
    ("a_request_in_pieces", a_request_in_pieces),
    ("requests_at_once", requests_at_once),
    ("a_half_closed_connection", a_half_closed_connection),
    ("a_byte_out_of_band", a_byte_out_of_band),
    ("a_slow_reader", a_slow_reader),
    (
        "one_who_asks_on_before_reading",
        one_who_asks_on_before_reading,
    ),
    ("a_reset_in_mid_answer", a_reset_in_mid_answer),
    ("a_silent_client_is_dropped", a_silent_client_is_dropped),
    ("clients_come_and_go", clients_come_and_go),
    ("waiting_costs_nothing", waiting_costs_nothing),
    (
        "nor_does_it_where_nobody_can_come_in",
        nor_where_nobody_can_come_in,
    ),
    (
        "nor_does_it_while_the_server_stops",
        nor_while_the_server_stops,
    ),
];

fn a_request_in_pieces(poller: &str) {
    let server = Server::start(poller, &[]);
    let mut client = server.connect();
    for piece in SMALL.chunks(7) {
        client.send(piece);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(client.answer(), 5);
    client.ask();
    assert_eq!(server.stop(), 2);
}

fn requests_at_once(poller: &str) {
    let server = Server::start(poller, &[]);
    let mut client = server.connect();
    client.send(&[SMALL, LARGE_ONE, SMALL].concat());
    assert_eq!([(); 3].map(|()| client.answer()), [5, LARGE, 5]);
    assert_eq!(server.stop(), 3);
}

fn a_half_closed_connection(poller: &str) {
    let server = Server::start(poller, &[]);
    for pause in [0, 20] {
        let mut client = server.connect();
        client.ask();
        client.send(&[LARGE_ONE, SMALL].concat());
        std::thread::sleep(Duration::from_millis(pause));
        client.0.shutdown(Shutdown::Write).unwrap();
        assert_eq!([(); 2].map(|()| client.answer()), [LARGE, 5]);
        assert!(client.is_closed());
    }
    assert_eq!(server.stop(), 6);
}

fn a_byte_out_of_band(poller: &str) {
    let server = Server::start(poller, &[]);
    let mut client = server.connect();
    for at in [0, 10, SMALL.len()] {
        let (before, behind) = SMALL.split_at(at);
        client.send(before);
        std::thread::sleep(Duration::from_millis(20));
        rustix::net::send(&client.0, b"!", SendFlags::OOB).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        client.send(behind);
        assert_eq!(client.answer(), 5, "a byte at {at}");
    }
    assert_eq!(server.stop(), 3);
}

/// One who stands in mid-answer, while others are served.
fn stalled(server: &Server) -> Client {
    let mut client = server.connect();
    client.send(LARGE_ONE);
    assert!(!client.is_silent_for(Duration::from_secs(10)));
    // Until nothing more fits into the sockets.
    std::thread::sleep(Duration::from_millis(50));
    client
}

fn a_slow_reader(poller: &str) {
    let server = Server::start(poller, &[]);
    let mut slow = stalled(&server);
    server.connect().ask();
    assert_eq!(slow.answer(), LARGE);
    slow.ask();
    assert_eq!(server.stop(), 3);
}

fn one_who_asks_on_before_reading(poller: &str) {
    let server = Server::start(poller, &[]);
    let mut client = stalled(&server);
    for _ in 0..3 {
        client.send(SMALL);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!([(); 4].map(|()| client.answer()), [LARGE, 5, 5, 5]);
    assert_eq!(server.stop(), 4);
}

fn a_reset_in_mid_answer(poller: &str) {
    let server = Server::start(poller, &[]);
    let mut other = server.connect();
    other.ask();
    let client = stalled(&server);
    set_socket_linger(&client.0, Some(Duration::ZERO)).unwrap();
    drop(client);
    other.ask();
    server.connect().ask();
    assert_eq!(server.stop(), 3);
}

fn a_silent_client_is_dropped(poller: &str) {
    let server = Server::start(poller, &["--idle-timeout", "300ms"]);
    let mut idle = server.connect();
    let mut kept = server.connect();
    kept.ask();
    assert!(idle.is_closed() && kept.is_closed());
    server.connect().ask();
    assert_eq!(server.stop(), 2);
}

/// Whoever leaves makes room for others, wherever it stood.
fn clients_come_and_go(poller: &str) {
    let server = Server::start(poller, &[]);
    let mut clients: Vec<_> = (0..40).map(|_| server.connect()).collect();
    let mut asked = 0;
    for round in 0..6 {
        // A third leaves, in another order each time.
        for _ in 0..clients.len() / 3 {
            let leaver = (round * 7 + clients.len() * 5) % clients.len();
            clients.swap_remove(leaver);
        }
        clients.extend((0..10).map(|_| server.connect()));
        for client in clients.iter_mut().rev() {
            client.ask();
            asked += 1;
        }
    }
    assert_eq!(server.stop(), asked);
}

/// Fails if the server spends more than a fifth of the time meanwhile, whatever it does in it.
fn assert_at_rest(server: &Server) {
    const SPAN: Duration = Duration::from_millis(400);
    let (since, before) = (Instant::now(), server.processor_time());
    std::thread::sleep(SPAN);
    let spent = server.processor_time() - before;
    assert!(
        spent <= since.elapsed() / 5,
        "{spent:?} of processor time in {:?} of waiting",
        since.elapsed()
    );
}

fn waiting_costs_nothing(poller: &str) {
    let server = Server::start(poller, &[]);
    let mut idle: Vec<_> = (0..10).map(|_| server.connect()).collect();
    idle.iter_mut().for_each(Client::ask);
    let mut half = server.connect();
    half.send(LARGE_ONE);
    half.0.shutdown(Shutdown::Write).unwrap();
    let mut busy = stalled(&server);
    busy.send(SMALL);
    assert_at_rest(&server);
}

fn nor_where_nobody_can_come_in(poller: &str) {
    let server = Server::start(poller, &["--max-connections", "2"]);
    let mut inside = [server.connect(), server.connect()];
    inside.iter_mut().for_each(Client::ask);
    let mut outside = server.connect();
    outside.send(SMALL);
    assert_at_rest(&server);
    assert!(outside.is_silent_for(Duration::from_millis(1)));
    drop(inside);
    assert_eq!(outside.answer(), 5);
    assert_eq!(server.stop(), 3);
}

fn nor_while_the_server_stops(poller: &str) {
    let server = Server::start(poller, &[]);
    let mut slow = stalled(&server);
    server.terminate();
    std::thread::sleep(Duration::from_millis(20));
    assert_at_rest(&server);
    assert_eq!(slow.answer(), LARGE);
    assert!(slow.is_closed());
    assert_eq!(server.wait(), 1);
}
