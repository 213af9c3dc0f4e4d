//! Many clients at once, driven by one thread.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::epoll;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, ipproto, socket_with};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::client::PATIENCE;

/// Descriptors for everything that is no crowd.
const OTHERS: usize = 1000;

/// Clients whose connections are all asked for at once.
pub(crate) struct Crowd {
    epoll: std::os::fd::OwnedFd,
    members: Vec<Member>,
    _alone: Option<MutexGuard<'static, ()>>,
}

struct Member {
    socket: TcpStream,
    connected: bool,
    asked: bool,
    answer: Vec<u8>,
    end: Option<End>,
}

/// How a member's connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Closed,
    Broken,
}

/// This thread, and the server that it starts, on one processor until this is dropped.
///
/// Where an accept queue overflows, a client's segments are sent again and again, and two of them may be looked at by two processors
/// at once. While the first makes a connection of what was half open, the second finds neither and resets it, although the server
/// goes on to answer it: seen for one of some 500,000 clients, without any error or loss in the server's counts. That is the kernel's
/// race and not what is tested.
pub(crate) struct OneProcessor(CpuSet);

impl OneProcessor {
    pub(crate) fn take() -> Self {
        let all = sched_getaffinity(None).unwrap();
        let first = (0..CpuSet::MAX_CPU).find(|&cpu| all.is_set(cpu)).unwrap();
        let mut one = CpuSet::new();
        one.set(first);
        sched_setaffinity(None, &one).unwrap();
        Self(all)
    }
}

impl Drop for OneProcessor {
    fn drop(&mut self) {
        let _ = sched_setaffinity(None, &self.0);
    }
}

/// What became of a crowd, each of whom asked once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Answered as expected, whole, and closed in good order.
    pub(crate) answered: usize,
    /// Turned away before any byte of an answer: the connection ended.
    pub(crate) turned_away: usize,
    /// Anything else; nobody may be.
    pub(crate) wronged: usize,
}

/// As many of `wanted` clients as this machine has descriptors for: here and in the server, which has the same limit.
pub(crate) fn scaled(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Otherwise the crowd is as small as the limit.
    let _ = setrlimit(Resource::Nofile, all);
    let most = getrlimit(Resource::Nofile)
        .current
        .and_then(|most| usize::try_from(most).ok());
    most.map_or(wanted, |most| wanted.min(most.saturating_sub(OTHERS) / 2))
}

impl Crowd {
    /// So many clients, each with a connection on its way. One large crowd at a time: together they would be out of
    /// descriptors.
    pub(crate) fn connect(address: SocketAddr, count: usize) -> Self {
        Self::connect_every(Duration::ZERO, address, count)
    }

    /// The same, with a pause between one and the next.
    pub(crate) fn connect_every(pause: Duration, address: SocketAddr, count: usize) -> Self {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone =
            (count > OTHERS / 10).then(|| ALONE.lock().unwrap_or_else(PoisonError::into_inner));
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
        let dial = |number: usize| {
            if !pause.is_zero() {
                std::thread::sleep(pause);
            }
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            let socket = socket_with(
                AddressFamily::INET,
                SocketType::STREAM,
                flags,
                Some(ipproto::TCP),
            )
            .expect("a descriptor");
            match connect(&socket, &address) {
                Ok(()) | Err(Errno::INPROGRESS) => {}
                Err(error) => panic!("client {number} cannot connect: {error}"),
            }
            let interest = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::ET;
            epoll::add(
                &epoll,
                &socket,
                epoll::EventData::new_u64(number as u64),
                interest,
            )
            .unwrap();
            Member {
                socket: socket.into(),
                connected: false,
                asked: false,
                answer: Vec::new(),
                end: None,
            }
        };
        let members = (0..count).map(dial).collect();
        Self {
            epoll,
            members,
            _alone: alone,
        }
    }

    /// Waits until `count` are connected, or until nobody has been for this long. Returns how many are.
    pub(crate) fn settle(&mut self, count: usize, patience: Duration) -> usize {
        let mut connected = self.connected();
        let mut since = Instant::now();
        while connected < count && since.elapsed() < patience {
            self.turn(None);
            let now = self.connected();
            if now > connected {
                (connected, since) = (now, Instant::now());
            }
        }
        connected
    }

    fn connected(&self) -> usize {
        self.members
            .iter()
            .filter(|member| member.connected && member.end.is_none())
            .count()
    }

    fn waiting(&self) -> usize {
        self.members
            .iter()
            .filter(|member| member.end.is_none())
            .count()
    }

    /// Each asks as soon as it is connected, and reads to the end. What comes must be `expected` at its end.
    pub(crate) fn ask(mut self, request: &str, expected: &[u8]) -> Outcome {
        let (mut waiting, mut since) = (self.waiting(), Instant::now());
        while waiting > 0 {
            for _ in 0..50 {
                self.turn(Some(request.as_bytes()));
            }
            let now = self.waiting();
            if now < waiting {
                (waiting, since) = (now, Instant::now());
            }
            assert!(
                since.elapsed() < PATIENCE,
                "{waiting} of {} wait for ever",
                self.members.len()
            );
        }
        let mut outcome = Outcome::default();
        for member in &self.members {
            match member.end {
                Some(End::Closed)
                    if member.answer.starts_with(b"HTTP/1.1 200 ")
                        && member.answer.ends_with(expected) =>
                {
                    outcome.answered += 1;
                }
                _ if member.answer.is_empty() => outcome.turned_away += 1,
                _ => outcome.wronged += 1,
            }
        }
        outcome
    }

    /// Takes what has happened, waiting for it a little.
    fn turn(&mut self, request: Option<&[u8]>) {
        let mut events = Vec::with_capacity(512);
        let pause = rustix::event::Timespec {
            tv_sec: 0,
            tv_nsec: 20_000_000,
        };
        let buffer = rustix::buffer::spare_capacity(&mut events);
        match epoll::wait(&self.epoll, buffer, Some(&pause)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => panic!("{error}"),
        }
        for event in &events {
            let number = usize::try_from(event.data.u64()).unwrap();
            self.members[number].step(event.flags, request);
        }
        if request.is_some() {
            // Those who were connected before there was anything to ask for.
            for member in &mut self.members {
                if member.connected && !member.asked {
                    member.step(epoll::EventFlags::OUT, request);
                }
            }
        }
    }
}

impl Member {
    fn step(&mut self, flags: epoll::EventFlags, request: Option<&[u8]>) {
        if self.end.is_some() {
            return;
        }
        let broken = flags.intersects(epoll::EventFlags::ERR);
        if flags.contains(epoll::EventFlags::OUT) && !broken {
            self.connected = true;
        }
        if self.connected
            && !self.asked
            && let Some(request) = request
        {
            self.asked = true;
            // A request is small enough for any buffer; an error shows in what is read.
            let _ = self.socket.write_all(request);
        }
        let mut piece = [0; 16 << 10];
        loop {
            match self.socket.read(&mut piece) {
                Ok(0) => {
                    self.end = Some(End::Closed);
                    // Whoever has its answer leaves, as clients do; the server waits for that.
                    let _ = self.socket.shutdown(Shutdown::Write);
                }
                Ok(count) => {
                    self.answer.extend_from_slice(&piece[..count]);
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::WouldBlock | ErrorKind::NotConnected
                    ) => {}
                Err(_) => self.end = Some(End::Broken),
            }
            return;
        }
    }
}
