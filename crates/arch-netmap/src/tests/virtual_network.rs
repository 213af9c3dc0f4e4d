//! Two stacks in memory and what is between them, on a clock of its own: packets are late, lost, doubled and damaged by seed.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::net::Ipv4Addr;

use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Checksum, Device, DeviceCapabilities, RxToken, TxToken};
use smoltcp::socket::tcp;
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{EthernetAddress, IpCidr, Ipv4Cidr};

use crate::stack::{Settings, Stack, Token};
use crate::stream::Stream;
use crate::wire::{Wire, capabilities};

pub(super) const SERVER: (Ipv4Addr, u16) = (Ipv4Addr::new(198, 18, 0, 1), 80);
pub(super) const CLIENT: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 2);
pub(super) const SERVER_HARDWARE: [u8; 6] = [2, 0, 0, 0, 0, 1];
pub(super) const CLIENT_HARDWARE: [u8; 6] = [2, 0, 0, 0, 0, 2];
/// One way.
const DELAY: Duration = Duration::from_millis(1);

/// One end of the network.
#[derive(Debug)]
pub(super) struct Memory {
    inbox: VecDeque<Vec<u8>>,
    outbox: Vec<Vec<u8>>,
    capabilities: DeviceCapabilities,
}

impl Memory {
    fn new(checksum: Checksum) -> Self {
        let mut capabilities = capabilities(1500);
        capabilities.checksum.tcp = checksum;
        Self {
            inbox: VecDeque::new(),
            outbox: Vec::new(),
            capabilities,
        }
    }
}

impl Wire for Memory {
    fn first(&self) -> Option<&[u8]> {
        self.inbox.front().map(Vec::as_slice)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) struct Incoming(Vec<u8>);
pub(super) struct Outgoing<'a>(&'a mut Vec<Vec<u8>>);

impl Device for Memory {
    type RxToken<'a> = Incoming;
    type TxToken<'a> = Outgoing<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Incoming, Outgoing<'_>)> {
        let packet = self.inbox.pop_front()?;
        Some((Incoming(packet), Outgoing(&mut self.outbox)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Outgoing<'_>> {
        Some(Outgoing(&mut self.outbox))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        self.capabilities.clone()
    }
}

impl RxToken for Incoming {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(&self.0)
    }
}

impl TxToken for Outgoing<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, write: F) -> R {
        let mut packet = vec![0; length];
        let written = write(&mut packet);
        self.0.push(packet);
        written
    }
}

/// How often of a hundred packets something happens to one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Faults {
    pub(super) lost: u32,
    /// By up to five times the way's delay, so that others overtake it.
    pub(super) late: u32,
    pub(super) doubled: u32,
    /// One bit of it is another.
    pub(super) damaged: u32,
}

/// A packet on its way: when it arrives, which it is, to whom.
type Flying = Reverse<(Instant, u64, bool, Vec<u8>)>;

/// A server's stack, a client's, and the packets between them.
pub(super) struct Network {
    pub(super) now: Instant,
    pub(super) stack: Stack<Memory>,
    pub(super) client: Interface,
    client_wire: Memory,
    pub(super) sockets: SocketSet<'static>,
    flying: BinaryHeap<Flying>,
    sent: u64,
    faults: Faults,
    random: Xoshiro256PlusPlus,
    /// How many packets something has happened to.
    pub(super) befallen: u64,
    arrived: Vec<Vec<u8>>,
    /// Connections that the server has accepted, with what it has heard of them.
    pub(super) accepted: Vec<(Token, Stream)>,
}

pub(super) fn settings() -> Settings {
    Settings {
        hardware_address: SERVER_HARDWARE,
        address: SERVER.0,
        prefix_bits: 24,
        gateway: None,
        port: SERVER.1,
        backlog: 64,
        receive_bytes: 8 << 10,
        send_bytes: 24 << 10,
        seed: 1,
    }
}

impl Network {
    pub(super) fn new(settings: Settings, faults: Faults, seed: u64) -> Self {
        let now = Instant::ZERO;
        let mut client_wire = Memory::new(Checksum::Both);
        let mut config = Config::new(EthernetAddress(CLIENT_HARDWARE).into());
        config.random_seed = seed;
        let mut client = Interface::new(config, &mut client_wire, now);
        client.update_ip_addrs(|addresses| {
            let address = IpCidr::Ipv4(Ipv4Cidr::new(CLIENT, 24));
            addresses.push(address).unwrap();
        });
        Self {
            now,
            stack: Stack::new(Memory::new(Checksum::Tx), settings, now),
            client,
            client_wire,
            sockets: SocketSet::new(Vec::new()),
            flying: BinaryHeap::new(),
            sent: 0,
            faults,
            random: Xoshiro256PlusPlus::seed_from_u64(seed),
            befallen: 0,
            arrived: Vec::new(),
            accepted: Vec::new(),
        }
    }

    /// A client that begins to connect from a port.
    pub(super) fn connect(&mut self, port: u16) -> SocketHandle {
        let buffer = |bytes| tcp::SocketBuffer::new(vec![0; bytes]);
        let mut socket = tcp::Socket::new(buffer(16 << 10), buffer(16 << 10));
        socket.connect(self.client.context(), SERVER, port).unwrap();
        self.sockets.add(socket)
    }

    pub(super) fn socket(&mut self, handle: SocketHandle) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(handle)
    }

    /// A packet that some client's host sends by itself.
    pub(super) fn inject(&mut self, packet: Vec<u8>) {
        self.client_wire.outbox.push(packet);
    }

    /// The IPv4 packets that have come to the client's host since this was asked last.
    pub(super) fn arrived(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.arrived)
    }

    /// Has both stacks and all packets have their time until `is_over`, and `act` theirs in between; whether it came to that.
    pub(super) fn run(
        &mut self,
        at_most: Duration,
        mut act: impl FnMut(&mut Self),
        mut is_over: impl FnMut(&mut Self) -> bool,
    ) -> bool {
        let deadline = self.now + at_most;
        loop {
            self.step();
            act(self);
            self.step();
            if is_over(self) {
                return true;
            }
            if self.now >= deadline {
                return false;
            }
            let arrives = self.flying.peek().map(|Reverse((at, ..))| *at);
            let client = self.client.poll_at(self.now, &self.sockets);
            let next = [arrives, client, self.stack.next_turn()];
            let next = next.into_iter().flatten().min().unwrap_or(deadline);
            // A microsecond at least, so that time goes on.
            self.now = next.max(self.now + Duration::from_micros(1)).min(deadline);
        }
    }

    /// Both stacks have a turn, and what they send is on its way.
    fn step(&mut self) {
        while let Some(Reverse((at, ..))) = self.flying.peek()
            && *at <= self.now
        {
            let Some(Reverse((_, _, to_server, packet))) = self.flying.pop() else {
                break;
            };
            match to_server {
                true => self.stack.wire.inbox.push_back(packet),
                false => {
                    if packet[12..14] == [8, 0] {
                        self.arrived.push(packet.clone());
                    }
                    self.client_wire.inbox.push_back(packet);
                }
            }
        }
        self.client
            .poll(self.now, &mut self.client_wire, &mut self.sockets);
        let mut heard = Vec::new();
        while self.stack.turn(self.now, |token| heard.push(token)) {}
        while let Some(accepted) = self.stack.accept() {
            self.accepted.push(accepted);
        }
        for token in self.accepted.iter().map(|(token, _)| *token) {
            self.stack.transmit(token);
        }
        for packet in std::mem::take(&mut self.stack.wire.outbox) {
            self.send(false, packet);
        }
        for packet in std::mem::take(&mut self.client_wire.outbox) {
            self.send(true, packet);
        }
    }

    fn send(&mut self, to_server: bool, packet: Vec<u8>) {
        let Faults {
            lost,
            late,
            doubled,
            damaged,
        } = self.faults;
        if self.befalls(lost) {
            return;
        }
        let copies = 1 + usize::from(self.befalls(doubled));
        for _ in 0..copies {
            let mut packet = packet.clone();
            let mut at = self.now + DELAY;
            if self.befalls(late) {
                at += DELAY * self.random.random_range(1..=5);
            }
            if self.befalls(damaged) {
                let bit = self.random.next_u64() as usize % (packet.len() * 8);
                packet[bit / 8] ^= 1 << (bit % 8);
            }
            self.sent += 1;
            self.flying
                .push(Reverse((at, self.sent, to_server, packet)));
        }
    }

    fn befalls(&mut self, percent: u32) -> bool {
        let befalls = self.random.random_range(0..100) < percent;
        self.befallen += u64::from(befalls);
        befalls
    }
}
