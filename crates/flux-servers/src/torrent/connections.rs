//! Connections at rest, until the network, or another's flow, has something for them: what the program's source waits for.

use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};

use super::swarm::Number;
use super::visit::Visit;

/// The names of what is no connection.
const LISTENER: u64 = u64::MAX;
const WAKER: u64 = u64::MAX - 1;

/// So many sockets are told of at a time.
const EVENTS: usize = 64;

/// When it is tried again to let others in, where there were no descriptors for them.
const A_WHILE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 50_000_000,
};

/// What comes back to the source.
#[derive(Debug)]
pub(crate) enum Returned {
    /// A flow has ended.
    Visit(Box<Visit>),
    /// A connection is over.
    Lost(Number),
    /// A connection is about to be there.
    Called(Box<Visit>),
    /// There is something to be said to somebody.
    Nudge(Number),
}

/// The way back to the source, from whichever thread.
#[derive(Debug)]
pub(crate) struct WayBack {
    returned: Mutex<Vec<Returned>>,
    /// Whether the source waits, and has to be woken.
    is_asleep: AtomicBool,
    is_stopping: AtomicBool,
    waker: OwnedFd,
    numbers: AtomicU64,
}

impl WayBack {
    pub(crate) fn send(&self, returned: Returned) {
        self.returned().push(returned);
        if self.is_asleep.swap(false, SeqCst) {
            self.wake();
        }
    }

    /// Ends the source.
    pub(crate) fn stop(&self) {
        self.is_stopping.store(true, SeqCst);
        self.wake();
    }

    /// Names a new connection.
    pub(crate) fn number(&self) -> Number {
        self.numbers.fetch_add(1, SeqCst)
    }

    fn wake(&self) {
        // It fails only where the counter behind it is at its end, and then nobody sleeps.
        let _ = rustix::io::write(&self.waker, &1_u64.to_ne_bytes());
    }

    fn returned(&self) -> MutexGuard<'_, Vec<Returned>> {
        self.returned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place.
#[derive(Debug)]
enum Place {
    /// It rests, and its socket is watched.
    Resting(Box<Visit>),
    /// It is on its way through a flow; whether there is something for it when it comes back.
    Away { is_nudged: bool },
}

/// The table of connections, and the socket that others connect to.
#[derive(Debug)]
pub(crate) struct Connections {
    epoll: OwnedFd,
    listener: TcpListener,
    way_back: Arc<WayBack>,
    table: HashMap<Number, Place>,
    /// Those that can go on at once.
    due: VecDeque<Box<Visit>>,
    /// Those that are over, and of whom nobody has been told yet.
    lost: Vec<Number>,
    /// Whether the system gives no descriptor for a connection: those that come wait for a while.
    is_deaf: bool,
    /// So many others are let in.
    most: usize,
    pieces: u32,
}

impl Connections {
    /// None yet.
    ///
    /// # Errors
    /// Where the system gives no descriptors.
    pub(crate) fn new(listener: TcpListener, most: usize, pieces: u32) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let waker = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        listener.set_nonblocking(true)?;
        hear(&epoll, &listener)?;
        let data = epoll::EventData::new_u64(WAKER);
        epoll::add(&epoll, &waker, data, epoll::EventFlags::IN)?;
        let way_back = WayBack {
            returned: Mutex::default(),
            is_asleep: AtomicBool::new(false),
            is_stopping: AtomicBool::new(false),
            waker,
            numbers: AtomicU64::new(1),
        };
        Ok(Self {
            epoll,
            listener,
            way_back: Arc::new(way_back),
            table: HashMap::new(),
            due: VecDeque::new(),
            lost: Vec::new(),
            is_deaf: false,
            most,
            pieces,
        })
    }

    /// How flows come back.
    pub(crate) fn way_back(&self) -> &Arc<WayBack> {
        &self.way_back
    }

    /// A connection that can go on, which is waited for. None, when it is to stop.
    ///
    /// # Errors
    /// What keeps it from going on.
    pub(crate) fn next(&mut self, lost: impl Fn(Number)) -> io::Result<Option<Box<Visit>>> {
        loop {
            if self.way_back.is_stopping.load(SeqCst) {
                self.table.clear();
                return Ok(None);
            }
            if let Some(mut visit) = self.due.pop_front() {
                visit.set_out();
                return Ok(Some(visit));
            }
            self.take_back()?;
            self.lost.drain(..).for_each(&lost);
            // Those that wait for the network have their turn with those that do not.
            self.wait(self.due.is_empty())?;
        }
    }

    /// Goes on with those that have come back.
    fn take_back(&mut self) -> io::Result<()> {
        self.way_back.is_asleep.store(false, SeqCst);
        let returned = std::mem::take(&mut *self.way_back.returned());
        for returned in returned {
            match returned {
                Returned::Visit(visit) => self.settle(visit)?,
                Returned::Lost(number) => {
                    self.table.remove(&number);
                    self.lost.push(number);
                }
                Returned::Called(visit) => self.register(visit)?,
                Returned::Nudge(number) => self.rouse(number),
            }
        }
        Ok(())
    }

    /// Has a connection go on or rest.
    fn settle(&mut self, visit: Box<Visit>) -> io::Result<()> {
        let is_nudged = match self.table.remove(&visit.number) {
            Some(Place::Away { is_nudged }) => is_nudged,
            _ => false,
        };
        if is_nudged || visit.has_work() {
            self.go_on(visit);
            return Ok(());
        }
        let mut flags = epoll::EventFlags::ONESHOT;
        if visit.has_room() {
            flags |= epoll::EventFlags::IN;
        }
        if visit.has_output() {
            flags |= epoll::EventFlags::OUT;
        }
        let data = epoll::EventData::new_u64(visit.number);
        epoll::modify(&self.epoll, visit.socket(), data, flags)?;
        self.table.insert(visit.number, Place::Resting(visit));
        Ok(())
    }

    /// Has a connection go on for which there is something, now or when it comes back.
    fn rouse(&mut self, number: Number) {
        match self.table.remove(&number) {
            Some(Place::Resting(visit)) => self.go_on(visit),
            // Of one that has broken the system tells even if it is not watched.
            Some(Place::Away { .. }) => {
                self.table.insert(number, Place::Away { is_nudged: true });
            }
            None => {}
        }
    }

    fn go_on(&mut self, visit: Box<Visit>) {
        let away = Place::Away { is_nudged: false };
        self.table.insert(visit.number, away);
        self.due.push_back(visit);
    }

    /// Takes a new connection in.
    fn register(&mut self, visit: Box<Visit>) -> io::Result<()> {
        let data = epoll::EventData::new_u64(visit.number);
        // It is watched when it rests.
        epoll::add(
            &self.epoll,
            visit.socket(),
            data,
            epoll::EventFlags::ONESHOT,
        )?;
        self.go_on(visit);
        Ok(())
    }

    /// Looks what the network has, and waits for that if it may.
    fn wait(&mut self, may_wait: bool) -> io::Result<()> {
        let way_back = Arc::clone(&self.way_back);
        if may_wait {
            way_back.is_asleep.store(true, SeqCst);
        }
        let may_wait = may_wait && way_back.returned().is_empty();
        let at_once = Timespec::default();
        let was_deaf = std::mem::take(&mut self.is_deaf);
        let timeout = match (may_wait, was_deaf) {
            (false, _) => Some(&at_once),
            (true, true) => Some(&A_WHILE),
            (true, false) => None,
        };
        let mut events = [const { MaybeUninit::uninit() }; EVENTS];
        let ready: &[epoll::Event] = match epoll::wait(&self.epoll, &mut events, timeout) {
            Ok((ready, _)) => ready,
            Err(rustix::io::Errno::INTR) => &[],
            Err(error) => return Err(error.into()),
        };
        if was_deaf {
            hear(&self.epoll, &self.listener)?;
        }
        for event in ready {
            match event.data.u64() {
                LISTENER => self.accept()?,
                WAKER => {
                    let _ = rustix::io::read(&way_back.waker, &mut [0; 8]);
                }
                number => self.rouse(number),
            }
        }
        Ok(())
    }

    /// Lets others in; those that there is no room for hear nothing and are closed.
    fn accept(&mut self) -> io::Result<()> {
        for _ in 0..64 {
            match self.listener.accept() {
                Ok((socket, address)) if self.table.len() < self.most => {
                    socket.set_nonblocking(true)?;
                    let _ = socket.set_nodelay(true);
                    let visit = self.visit(socket, address, false);
                    self.register(visit)?;
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                // Of one connection, which is gone.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                // No descriptors, or no memory. It would be told of again at once.
                Err(_) => {
                    self.is_deaf = true;
                    return Ok(epoll::delete(&self.epoll, &self.listener)?);
                }
            }
        }
        Ok(())
    }

    fn visit(&self, socket: TcpStream, address: SocketAddr, is_outgoing: bool) -> Box<Visit> {
        let number = self.way_back.number();
        let visit = Visit::new(
            number,
            socket,
            address,
            is_outgoing,
            self.pieces,
            &self.way_back,
        );
        Box::new(visit)
    }
}

/// Has the source told of those that connect.
fn hear(epoll: &OwnedFd, listener: &TcpListener) -> io::Result<()> {
    let data = epoll::EventData::new_u64(LISTENER);
    Ok(epoll::add(epoll, listener, data, epoll::EventFlags::IN)?)
}

/// Calls another peer, without waiting for an answer.
///
/// # Errors
/// Where it cannot even be tried.
pub(crate) fn call(
    address: SocketAddr,
    pieces: u32,
    way_back: &Arc<WayBack>,
) -> io::Result<Box<Visit>> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
    match connect(socket.as_fd(), &address) {
        Ok(()) | Err(rustix::io::Errno::INPROGRESS) => {}
        Err(error) => return Err(error.into()),
    }
    let socket = TcpStream::from(socket);
    let _ = socket.set_nodelay(true);
    let number = way_back.number();
    let visit = Visit::new(number, socket, address, true, pieces, way_back);
    Ok(Box::new(visit))
}
