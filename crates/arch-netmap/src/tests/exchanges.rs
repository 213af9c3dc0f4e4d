//! Clients that ask, and the server that answers them.

use std::cell::RefCell;
use std::collections::HashMap;

use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp::State;

use super::LONG;
use super::virtual_network::{Faults, Network};
use crate::stack::{End, Settings, Token};

/// A byte of what a client sends, by its port and place: no two clients send the same.
pub(super) fn byte(port: u16, place: usize) -> u8 {
    let number = u64::from(port) << 32 | place as u64;
    (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}

/// Bytes of a request, and of its answer.
pub(super) const REQUEST: usize = 500;
pub(super) const ANSWER: usize = 6000;

/// A client that asks so often, one request after the other.
///
/// Not both ways at once: two stacks of this kind that both send again what the other has already had acknowledge each other in segments
/// that are too old to be looked at, for ever. A kernel's acknowledges in such as are not.
pub(super) struct Client {
    port: u16,
    handle: SocketHandle,
    requests: usize,
    sent: usize,
    back: usize,
}

impl Client {
    pub(super) fn connect(network: &mut Network, port: u16, requests: usize) -> Self {
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
    pub(super) fn act(&mut self, network: &mut Network) {
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

    pub(super) fn is_over(&self) -> bool {
        self.back == self.requests * ANSWER
    }

    pub(super) fn state(&self, network: &mut Network) -> State {
        network.socket(self.handle).state()
    }
}

/// What the server has of each client's, by its port: bytes received, and bytes of answers sent.
pub(super) type Served = HashMap<u16, (usize, usize)>;

/// Answers every request that has come whole, and closes the connections that their clients have closed.
pub(super) fn answer(network: &mut Network, served: &mut Served) {
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

pub(super) fn end(network: &mut Network, token: Token, how: End) {
    network.stack.end(token, how);
    network.accepted.retain(|(served, _)| *served != token);
}

/// Has clients ask so often each; what the network was like afterwards.
pub(super) fn served(
    settings: Settings,
    faults: Faults,
    seed: u64,
    clients: u16,
    requests: usize,
) -> Network {
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
