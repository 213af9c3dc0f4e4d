//! Two hosts: what they reach, what they do not, and how they end.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use network::{CLIENT, Hosts, INTERFACE, Namespace, SERVER};

const SOON: Duration = Duration::from_secs(10);

/// None, with a notice, where none can be made.
fn hosts() -> Option<Hosts> {
    Hosts::joined()
        .map_err(|error| println!("skipped: {error}"))
        .ok()
}

fn listen(host: &Namespace, at: (Ipv4Addr, u16)) -> TcpListener {
    host.run(|| TcpListener::bind(at)).unwrap().unwrap()
}

fn connect(host: &Namespace, to: SocketAddr) -> std::io::Result<TcpStream> {
    host.run(|| TcpStream::connect_timeout(&to, SOON)).unwrap()
}

#[test]
fn a_client_reaches_the_server_and_has_its_own_address() {
    let Some(hosts) = hosts() else { return };
    let listener = listen(&hosts.server, (SERVER, 0));
    let mut client = connect(&hosts.client, listener.local_addr().unwrap()).unwrap();
    let (mut server, from) = listener.accept().unwrap();
    assert_eq!(from.ip(), CLIENT);
    client.write_all(b"ping").unwrap();
    let mut four = [0; 4];
    server.read_exact(&mut four).unwrap();
    assert_eq!(&four, b"ping");
}

#[test]
fn two_pairs_of_hosts_have_the_same_addresses_and_never_meet() {
    let (Some(one), Some(other)) = (hosts(), hosts()) else {
        return;
    };
    let here = listen(&one.server, (SERVER, 8080));
    let at = here.local_addr().unwrap();
    assert_eq!(
        connect(&other.client, at).unwrap_err().kind(),
        ErrorKind::ConnectionRefused
    );
    let _there = listen(&other.server, (SERVER, 8080));
    assert!(connect(&other.client, at).is_ok());
    here.set_nonblocking(true).unwrap();
    assert_eq!(here.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn the_machine_itself_is_not_reached_from_a_host() {
    let Some(hosts) = hosts() else { return };
    let outside = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let at = outside.local_addr().unwrap();
    assert_eq!(
        connect(&hosts.server, at).unwrap_err().kind(),
        ErrorKind::ConnectionRefused
    );
}

#[test]
fn a_process_starts_in_a_host_and_keeps_it_until_it_ends() {
    let Some(hosts) = hosts() else { return };
    let mut command = Command::new("cat");
    command.arg("/proc/self/net/dev");
    hosts.server.start_in(&mut command).unwrap();
    let seen = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(seen.contains(INTERFACE), "{seen}");

    let again = Namespace::open(&hosts.server.path()).unwrap();
    let listener = listen(&again, (SERVER, 0));
    drop(hosts);
    // The client's host is gone, and the veth pair with it; the server's lives on by its socket.
    let names = again.run(|| std::fs::read_to_string("/proc/thread-self/net/dev"));
    let patience = std::time::Instant::now() + SOON;
    let mut names = names.unwrap().unwrap();
    while names.contains(INTERFACE) && std::time::Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(5));
        let read = again.run(|| std::fs::read_to_string("/proc/thread-self/net/dev"));
        names = read.unwrap().unwrap();
    }
    assert!(!names.contains(INTERFACE), "{names}");
    assert_eq!(listener.local_addr().unwrap().ip(), SERVER);
}
