//! A queue with servers whose service times are known: one thread plays all of them, by the clock.
//!
//! A request is served for its service time from when it came or, if all servers were busy, from when one became free. The thread spins
//! while anybody is served, so that services end on time; what a service really took is measured and kept.

use super::peer::{Peer, Spoken};
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const LISTENER: Token = Token(usize::MAX - 1);

/// How long services take, in seconds.
#[derive(Clone, Copy, Debug)]
pub enum Service {
    Constant(f64),
    Exponential(f64),
    /// The long one in one of ten.
    Bimodal(f64, f64),
}

/// A server, running.
pub struct Queue {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    thread: JoinHandle<Served>,
}

/// What a server and those who watch it tell each other.
#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    answered: AtomicBool,
}

/// What a server did.
#[derive(Debug, Default)]
pub struct Served {
    /// What each service took, in the order of their beginnings, in seconds.
    pub services: Vec<f64>,
    /// The share of its time in which it could have run and something else did.
    pub starved: f64,
    /// The allocations of its thread, where they are counted.
    pub allocations: u64,
    /// The most requests that one connection had under way at a time, over HTTP/2.
    pub most_at_once: usize,
    /// Connections that came, and those of them whose client had said all that comes before a request.
    pub connections: usize,
    /// See `connections`.
    pub greeted: usize,
}

impl Served {
    pub fn mean(&self) -> f64 {
        self.services.iter().sum::<f64>() / self.services.len() as f64
    }

    pub fn second_moment(&self) -> f64 {
        let squares = self.services.iter().map(|service| service * service);
        squares.sum::<f64>() / self.services.len() as f64
    }

    /// Why the run should be repeated.
    pub fn disturbances(&self) -> Vec<String> {
        if self.starved > 0.005 {
            return vec![format!(
                "the server lacked its core {:.1} % of the time",
                self.starved * 100.0
            )];
        }
        Vec::new()
    }

    /// The response times that arrivals at these times (in seconds) must have had with these services, each longer by `way`, first come first served.
    pub fn responses(
        &self,
        arrivals: impl Iterator<Item = f64>,
        servers: usize,
        way: f64,
    ) -> Vec<f64> {
        let mut free = vec![0.0; servers];
        let serve = |(arrival, service): (f64, &f64)| {
            let first = (0..servers)
                .min_by(|a, b| f64::total_cmp(&free[*a], &free[*b]))
                .expect("a server");
            free[first] = arrival.max(free[first]) + service + way;
            free[first] - arrival
        };
        arrivals.zip(&self.services).map(serve).collect()
    }
}

impl Queue {
    /// So many servers behind one queue.
    pub fn new(service: Service, servers: usize) -> Self {
        Self::start(Spoken::default(), service, servers, None)
    }

    /// One server that speaks something else than HTTP/1.1 in the clear.
    pub fn over(spoken: &Spoken, service: Service) -> Self {
        Self::start(spoken.clone(), service, 1, None)
    }

    /// A server of negligible service time that stands still for `stop` in every `period`, both in seconds.
    pub fn stalling(spoken: &Spoken, stop: f64, period: f64) -> Self {
        let at_once = Service::Constant(0.0);
        Self::start(spoken.clone(), at_once, 1, Some((stop, period)))
    }

    fn start(spoken: Spoken, service: Service, servers: usize, stall: Option<(f64, f64)>) -> Self {
        let poll = Poll::new().expect("a poll");
        let any_port = "127.0.0.1:0".parse().expect("an address");
        let mut listener = TcpListener::bind(any_port).expect("a port");
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)
            .expect("registered");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let its = shared.clone();
        let thread = std::thread::spawn(move || {
            let before = run_queue_wait();
            let began = Instant::now();
            let mut served = play(poll, (listener, spoken), &its, service, servers, stall);
            served.starved = (run_queue_wait() - before) / began.elapsed().as_secs_f64();
            served.allocations = sys::heap::allocations();
            served
        });
        Self {
            address,
            shared,
            thread,
        }
    }

    /// Whether it has answered anything yet.
    pub fn has_answered(&self) -> bool {
        self.shared.answered.load(Relaxed)
    }

    /// Ends it and says what it did.
    pub fn end(self) -> Served {
        self.shared.stop.store(true, Relaxed);
        self.thread.join().expect("the server ends")
    }
}

fn run_queue_wait() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text
        .split_whitespace()
        .nth(1)
        .and_then(|nanos| nanos.parse::<f64>().ok());
    nanos.unwrap_or(0.0) / 1e9
}

/// A service under way.
struct Serving {
    connection: usize,
    from: Instant,
    until: Instant,
    place: usize,
}

fn play(
    mut poll: Poll,
    (listener, spoken): (TcpListener, Spoken),
    shared: &Shared,
    service: Service,
    servers: usize,
    stall: Option<(f64, f64)>,
) -> Served {
    let mut events = Events::with_capacity(256);
    let mut connections: Vec<Peer> = Vec::new();
    let mut queue: VecDeque<(usize, Instant)> = VecDeque::new();
    // Servers that have nothing to do, and since when.
    let mut free = vec![Instant::now(); servers];
    let mut serving: Vec<Serving> = Vec::new();
    let mut served = Served::default();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let began = Instant::now();
    while !shared.stop.load(Relaxed) {
        let wait = if serving.is_empty() {
            Duration::from_millis(20)
        } else {
            Duration::ZERO
        };
        if let Err(error) = poll.poll(&mut events, Some(wait)) {
            assert_eq!(error.kind(), ErrorKind::Interrupted);
        }
        if let Some((stop, period)) = stall {
            let into = began.elapsed().as_secs_f64() % period;
            if into < stop {
                std::thread::sleep(Duration::from_secs_f64(stop - into));
            }
        }
        for event in &events {
            match event.token() {
                LISTENER => accept(&poll, (&listener, &spoken), &mut connections),
                Token(connection) => {
                    for _ in 0..connections[connection].requests() {
                        queue.push_back((connection, Instant::now()));
                    }
                }
            }
        }
        let mut place = 0;
        while place < serving.len() {
            if serving[place].until > Instant::now() {
                place += 1;
                continue;
            }
            let done = serving.swap_remove(place);
            let now = Instant::now();
            served.services[done.place] = (now - done.from).as_secs_f64();
            free.push(now);
            respond(&mut connections[done.connection], shared);
        }
        while !free.is_empty()
            && let Some((connection, came)) = queue.pop_front()
        {
            let time = draw(service, &mut random);
            served.services.push(time);
            if time == 0.0 {
                respond(&mut connections[connection], shared);
                continue;
            }
            // Whoever waited is served from the moment the server became free, so that answering takes no time of its own.
            let first = (0..free.len())
                .min_by_key(|server| free[*server])
                .expect("a free one");
            let from = came.max(free.swap_remove(first));
            let until = from + Duration::from_secs_f64(time);
            serving.push(Serving {
                connection,
                from,
                until,
                place: served.services.len() - 1,
            });
        }
    }
    let most = connections.iter().map(|peer| peer.most_at_once).max();
    served.most_at_once = most.unwrap_or(0);
    served.connections = connections.len();
    served.greeted = connections.iter().filter(|peer| peer.is_greeted()).count();
    served
}

fn accept(poll: &Poll, (listener, spoken): (&TcpListener, &Spoken), connections: &mut Vec<Peer>) {
    while let Ok((stream, _)) = listener.accept() {
        let mut peer = spoken.peer(stream);
        let token = Token(connections.len());
        poll.registry()
            .register(&mut peer.stream, token, Interest::READABLE)
            .expect("registered");
        connections.push(peer);
    }
}

fn respond(peer: &mut Peer, shared: &Shared) {
    peer.respond();
    shared.answered.store(true, Relaxed);
}

fn draw(service: Service, random: &mut u64) -> f64 {
    // xorshift64* (Vigna, 2016).
    *random ^= *random >> 12;
    *random ^= *random << 25;
    *random ^= *random >> 27;
    let bits = random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11;
    let uniform = (bits as f64 + 0.5) / (1_u64 << 53) as f64;
    match service {
        Service::Constant(time) => time,
        Service::Exponential(mean) => -uniform.ln() * mean,
        Service::Bimodal(short, long) => {
            if uniform < 0.1 {
                long
            } else {
                short
            }
        }
    }
}
