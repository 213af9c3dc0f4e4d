//! A TCP of our own at one address and port: connections found by their four numbers, a backlog, timers, and the end of each.
//!
//! smoltcp has the protocol. It keeps no table of connections: of a set of sockets it asks each whether a packet is its own. So each
//! connection is a set of one here, found in a table, and what belongs to none is given to a set of none: the stack answers ARP, ICMP
//! echo, and segments of connections that are not there (with a reset) by itself.

mod connection;
mod settings;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::io;
use std::rc::Rc;

use slab::Slab;
use smoltcp::iface::{Config, Interface, PollIngressSingleResult, PollResult, SocketSet};
use smoltcp::socket::tcp::State;
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, IpCidr, Ipv4Cidr};

use crate::packet::{Packet, Remote};
use crate::stream::Stream;
use crate::wire::Wire;
use connection::{Connection, GIVEN_UP_AFTER, Phase};
pub(crate) use connection::{End, Token};
pub(crate) use settings::Settings;

/// Packets that are looked at before their connections have a turn.
const MOST_PACKETS: usize = 64;
/// Connections in TIME-WAIT that are kept with their buffers, which lasts ten seconds; beyond them the oldest is forgotten.
const MOST_TIME_WAIT: usize = 64;

/// The stack, over the wire that its packets come by.
pub(crate) struct Stack<W> {
    pub(crate) wire: W,
    interface: Interface,
    settings: Settings,
    now: Instant,
    connections: Slab<Connection>,
    generation: u64,
    by_remote: HashMap<Remote, usize>,
    /// How many are in the backlog, and those of them that wait to be accepted.
    backlog: usize,
    waiting: VecDeque<Token>,
    time_wait: VecDeque<Token>,
    timers: BinaryHeap<Reverse<(Instant, Token)>>,
    /// Those that had something to send when all frames were on their way.
    blocked: Vec<Token>,
    /// No socket: for packets that belong to no connection.
    nobody: SocketSet<'static>,
    is_shut: bool,
    /// Packets that were damaged on their way.
    pub(crate) corrupt: u64,
    /// Connections that found the backlog full.
    pub(crate) overflowed: u64,
}

impl<W: Wire> Stack<W> {
    pub(crate) fn new(mut wire: W, settings: Settings, now: Instant) -> Self {
        let mut config = Config::new(EthernetAddress(settings.hardware_address).into());
        config.random_seed = settings.seed;
        let mut interface = Interface::new(config, &mut wire, now);
        interface.update_ip_addrs(|addresses| {
            let address = Ipv4Cidr::new(settings.address, settings.prefix_bits);
            // There is room for one at least.
            let _ = addresses.push(IpCidr::Ipv4(address));
        });
        if let Some(gateway) = settings.gateway {
            // The table has room for one at least.
            let _ = interface.routes_mut().add_default_ipv4_route(gateway);
        }
        Self {
            wire,
            interface,
            settings,
            now,
            connections: Slab::new(),
            generation: 0,
            by_remote: HashMap::new(),
            backlog: 0,
            waiting: VecDeque::new(),
            time_wait: VecDeque::new(),
            timers: BinaryHeap::new(),
            blocked: Vec::new(),
            nobody: SocketSet::new(Vec::new()),
            is_shut: false,
            corrupt: 0,
            overflowed: 0,
        }
    }

    /// Looks at packets that have come, and at timers that have run down, and tells of every connection with a session to which
    /// something has happened; whether anything was there. Until [`transmit`](Self::transmit), what they have to send waits.
    pub(crate) fn turn(&mut self, now: Instant, mut heard: impl FnMut(Token)) -> bool {
        self.now = now;
        let mut packets = 0;
        while packets < MOST_PACKETS && self.take_packet(&mut heard) {
            packets += 1;
        }
        while let Some(Reverse((at, token))) = self.timers.peek().copied()
            && at <= now
        {
            self.timers.pop();
            if let Some(connection) = self.get_mut(token)
                && connection.timer == Some(at)
            {
                connection.timer = None;
                self.transmit(token);
                self.tell(token, &mut heard);
            }
        }
        for token in std::mem::take(&mut self.blocked) {
            self.transmit(token);
        }
        packets > 0
    }

    /// Gives the next packet to its connection; whether there was one, and room to answer it.
    fn take_packet(&mut self, heard: &mut impl FnMut(Token)) -> bool {
        let Some(frame) = self.wire.first() else {
            return false;
        };
        let packet = Packet::of(frame, (self.settings.address, self.settings.port));
        let token = match packet {
            Packet::Segment { remote, opens } => self.connection_of(remote, opens),
            Packet::Other => Ok(None),
            Packet::Corrupt => {
                self.corrupt += 1;
                Err(Dropped)
            }
        };
        let (now, wire) = (self.now, &mut self.wire);
        let Ok(token) = token else {
            return wire.receive(now).is_some();
        };
        let tcp = token.map(|token| &self.connections[token.place].tcp);
        let done = match tcp {
            Some(tcp) => {
                let sockets = &mut tcp.borrow_mut().sockets;
                self.interface.poll_ingress_single(now, wire, sockets)
            }
            None => self
                .interface
                .poll_ingress_single(now, wire, &mut self.nobody),
        };
        if let Some(token) = token {
            self.tell(token, heard);
        }
        done != PollIngressSingleResult::None
    }

    /// Whose a segment is: a connection's, nobody's, or that of one which begins with it and finds a place in the backlog.
    fn connection_of(&mut self, remote: Remote, opens: bool) -> Result<Option<Token>, Dropped> {
        if let Some(&place) = self.by_remote.get(&remote) {
            let connection = &self.connections[place];
            let token = connection.token(place);
            if !(opens && connection.phase == Phase::TimeWait) {
                return Ok(Some(token));
            }
            // A client uses its port again before the time is over.
            self.remove(token);
        }
        if !opens || self.is_shut {
            return Ok(None);
        }
        if self.backlog >= self.settings.backlog {
            // As the kernel has it: nothing is said, and the client tries again.
            self.overflowed += 1;
            return Err(Dropped);
        }
        Ok(Some(self.insert(remote)))
    }

    fn insert(&mut self, remote: Remote) -> Token {
        self.generation += 1;
        let connection = Connection::new(&self.settings, remote, self.generation);
        let place = self.connections.insert(connection);
        self.by_remote.insert(remote, place);
        self.backlog += 1;
        Token {
            place,
            generation: self.generation,
        }
    }

    /// Something has happened to a connection: its session hears of it, and of one without, the stack sees to it itself.
    fn tell(&mut self, token: Token, heard: &mut impl FnMut(Token)) {
        let Some(connection) = self.connections.get_mut(token.place) else {
            return;
        };
        match connection.phase {
            Phase::Served => return heard(token),
            Phase::Backlog => {
                let mut tcp = connection.tcp.borrow_mut();
                let socket = tcp.socket_mut();
                match socket.state() {
                    // What came was no beginning after all.
                    State::Listen => socket.abort(),
                    State::SynReceived | State::Closed => {}
                    _ if socket.timeout().is_some() => {
                        socket.set_timeout(None);
                        self.waiting.push_back(token);
                    }
                    _ => {}
                }
            }
            Phase::Ending => {
                let mut tcp = connection.tcp.borrow_mut();
                let socket = tcp.socket_mut();
                // Nobody is there to read it, and the client is told so.
                if socket.can_recv() {
                    socket.abort();
                }
            }
            Phase::TimeWait => {}
        }
        self.transmit(token);
    }

    /// Sends what a connection has to send, as much as there are frames for, and sees when it is to be looked at again. One that is over
    /// is gone.
    pub(crate) fn transmit(&mut self, token: Token) {
        let now = self.now;
        let Some(connection) = self.connections.get_mut(token.place) else {
            return;
        };
        if connection.token(token.place) != token {
            return;
        }
        let tcp = Rc::clone(&connection.tcp);
        let mut tcp = tcp.borrow_mut();
        loop {
            let sockets = &mut tcp.sockets;
            let sent = self.interface.poll_egress(now, &mut self.wire, sockets);
            if sent == PollResult::None {
                break;
            }
        }
        let state = tcp.socket().state();
        let look_at = self.interface.poll_at(now, &tcp.sockets);
        drop(tcp);
        match look_at {
            Some(at) if at <= now => self.blocked.push(token),
            Some(at) if connection.timer.is_none_or(|timer| at < timer) => {
                connection.timer = Some(at);
                self.timers.push(Reverse((at, token)));
            }
            _ => {}
        }
        match (state, connection.phase) {
            // Of one that was reset, the reset has yet to leave.
            (State::Closed, phase) if phase != Phase::Served && look_at.is_none() => {
                self.remove(token);
            }
            (State::TimeWait, Phase::Ending) => {
                connection.phase = Phase::TimeWait;
                self.time_wait.push_back(token);
                if self.time_wait.len() > MOST_TIME_WAIT
                    && let Some(oldest) = self.time_wait.pop_front()
                {
                    self.remove(oldest);
                }
            }
            _ => {}
        }
    }

    /// The connection that has waited longest for a session, if one does.
    pub(crate) fn accept(&mut self) -> Option<(Token, Stream)> {
        loop {
            let token = self.waiting.pop_front()?;
            // It may be gone again.
            let Some(connection) = self.get_mut(token) else {
                continue;
            };
            connection.phase = Phase::Served;
            let stream = Stream(Rc::clone(&connection.tcp));
            self.backlog -= 1;
            return Some((token, stream));
        }
    }

    /// A connection's session is over.
    pub(crate) fn end(&mut self, token: Token, end: End) {
        let Some(connection) = self.get_mut(token) else {
            return;
        };
        if connection.phase == Phase::Backlog {
            self.backlog -= 1;
        }
        let connection = &mut self.connections[token.place];
        connection.phase = Phase::Ending;
        let mut tcp = connection.tcp.borrow_mut();
        let socket = tcp.socket_mut();
        // As a socket of the kernel's that is closed before all was read from it.
        if end == End::Reset || socket.can_recv() {
            socket.abort();
        } else {
            socket.close();
            socket.set_timeout(Some(GIVEN_UP_AFTER));
        }
        drop(tcp);
        self.transmit(token);
    }

    /// Nobody else comes in, and whoever waits to is turned away.
    pub(crate) fn shut(&mut self) {
        self.is_shut = true;
        self.reset(|connection| connection.phase == Phase::Backlog);
        self.waiting.clear();
    }

    /// Whether all that was sent has arrived, the end of each connection too: what is left is for clients to do.
    pub(crate) fn is_settled(&self) -> bool {
        let mut connections = self.connections.iter();
        connections.all(|(_, connection)| {
            let state = connection.tcp.borrow().socket().state();
            matches!(state, State::FinWait2 | State::TimeWait)
        })
    }

    /// Resets all connections that are left, as the kernel does for a process that ends.
    pub(crate) fn reset_all(&mut self) {
        self.reset(|_| true);
        // An interface that is gone takes nothing, and no client is there to be told.
        let _ = self.wire.flush();
    }

    fn reset(&mut self, which: impl Fn(&Connection) -> bool) {
        let which = self.connections.iter().filter(|(_, one)| which(one));
        let tokens = which.map(|(place, one)| one.token(place));
        for token in tokens.collect::<Vec<_>>() {
            self.end(token, End::Reset);
        }
    }

    /// When the stack is to have a turn though nothing comes: at once, if something could not be sent.
    pub(crate) fn next_turn(&self) -> Option<Instant> {
        if !self.blocked.is_empty() {
            return Some(self.now);
        }
        self.timers.peek().map(|Reverse((at, _))| *at)
    }

    /// Lets all leave that was sent.
    ///
    /// # Errors
    /// When the interface is gone.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.wire.flush()
    }

    /// Whether something has come that was not looked at.
    pub(crate) fn has_more(&self) -> bool {
        self.wire.first().is_some()
    }

    /// How many connections there are, in whatever state.
    #[cfg(test)]
    pub(crate) fn connections(&self) -> usize {
        self.connections.len()
    }

    fn get_mut(&mut self, token: Token) -> Option<&mut Connection> {
        let connection = self.connections.get_mut(token.place)?;
        (connection.generation == token.generation).then_some(connection)
    }

    fn remove(&mut self, token: Token) {
        if self.get_mut(token).is_some() {
            let connection = self.connections.remove(token.place);
            self.by_remote.remove(&connection.remote);
            if connection.phase == Phase::Backlog {
                self.backlog -= 1;
            }
        }
    }
}

/// A packet of which nothing becomes.
struct Dropped;
