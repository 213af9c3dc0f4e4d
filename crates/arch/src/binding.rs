//! Binding sockets to an address, and listening at them.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, sockopt};

use crate::address::{Address, SocketFile, remove_stale};
use crate::architecture::Sockets;
use crate::options::ServeOptions;
use crate::timing::LOOKS;

/// How long the kernel keeps a connection back that sends nothing (`--defer-accept`): the least that it counts in.
const DEFERRED_AT_MOST: Duration = Duration::from_secs(1);

/// How long an address may be taken by a server that was killed: what a completion ring held is let go of by the kernel a moment
/// after its process has ended.
const LET_GO_AFTER: Duration = Duration::from_millis(500);

/// Binds and listens, if need be when whoever had the address has let go of it.
pub(crate) fn bind_in_time(options: &ServeOptions, sockets: usize) -> io::Result<Bound> {
    let deadline = Instant::now() + LET_GO_AFTER;
    loop {
        match bind_all(options, sockets) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < deadline => {
                std::thread::sleep(LET_GO_AFTER / 20);
            }
            bound => return bound,
        }
    }
}

/// What is listened at.
pub(crate) struct Bound {
    pub(crate) sockets: Vec<OwnedFd>,
    /// As it really is, where any port would do.
    pub(crate) address: Address,
    pub(crate) file: Option<SocketFile>,
}

fn bind_all(options: &ServeOptions, count: usize) -> io::Result<Bound> {
    let place = match count {
        1 => Place::Only,
        _ => Place::First,
    };
    let (first, file) = bind(options, &options.addr, place)?;
    let address = match &options.addr {
        Address::Ip(_) => {
            let bound = rustix::net::getsockname(&first)?;
            Address::Ip(bound.try_into()?)
        }
        unix => unix.clone(),
    };
    let mut sockets = vec![first];
    while sockets.len() < count {
        sockets.push(bind(options, &address, Place::Further)?.0);
    }
    Ok(Bound {
        sockets,
        address,
        file,
    })
}

/// Which of a server's sockets one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// There is no other.
    Only,
    /// Others are to follow at its address, which it finds free or not at all: only then does it share it.
    First,
    /// It shares the first one's address.
    Further,
}

/// Binds and listens. What is set on the socket here, all that are accepted inherit.
fn bind(
    options: &ServeOptions,
    address: &Address,
    place: Place,
) -> io::Result<(OwnedFd, Option<SocketFile>)> {
    let make = |family, protocol| {
        rustix::net::socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, protocol)
    };
    let (socket, file) = match address {
        Address::Ip(address) => {
            let family = if address.is_ipv4() {
                AddressFamily::INET
            } else {
                AddressFamily::INET6
            };
            let socket = make(family, Some(ipproto::TCP))?;
            sockopt::set_socket_reuseaddr(&socket, true)?;
            sockopt::set_tcp_nodelay(&socket, true)?;
            if place == Place::Further {
                sockopt::set_socket_reuseport(&socket, true)?;
            }
            if options.defer_accept {
                sys::socket::defer_accept(socket.as_fd(), DEFERRED_AT_MOST)?;
            }
            rustix::net::bind(&socket, address)?;
            if place == Place::First {
                sockopt::set_socket_reuseport(&socket, true)?;
            }
            (socket, None)
        }
        _ if options.defer_accept => {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "the kernel keeps no connection to a Unix socket back: leave --defer-accept out",
            ));
        }
        _ if place != Place::Only => {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "several sockets listen together at an address and port only",
            ));
        }
        unix => {
            let file = match unix {
                Address::Path(path) => {
                    remove_stale(path)?;
                    Some(path)
                }
                _ => None,
            };
            let socket = make(AddressFamily::UNIX, None)?;
            if let Some(address) = unix.unix()? {
                rustix::net::bind(&socket, &address)?;
            }
            let file = file.map(|path| SocketFile::bound(path, options.socket_mode));
            (socket, file.transpose()?)
        }
    };
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(options.idle_timeout))?;
    sockopt::set_socket_timeout(
        &socket,
        sockopt::Timeout::Send,
        // `sendfile` waits up to twice before it says that it got no further.
        Some((options.send_timeout / LOOKS).max(Duration::from_micros(1))),
    )?;
    rustix::net::listen(&socket, options.backlog)?;
    Ok((socket, file))
}

/// Why an address cannot be had, and what to do about it.
pub(crate) fn unbindable(options: &ServeOptions, sockets: Sockets, error: io::Error) -> io::Error {
    let one = || format!("share one socket with {}", sockets.otherwise);
    let none_left = matches!(
        Errno::from_io_error(&error),
        Some(Errno::MFILE | Errno::NFILE)
    );
    let hint = match error.kind() {
        io::ErrorKind::Unsupported if sockets.count > 1 => {
            &format!(": choose one with --addr, or {}", one())
        }
        _ if none_left && sockets.count > 1 => &format!(
            "; each of {} sockets takes one: allow more (ulimit -n), or {}",
            sockets.count,
            one()
        ),
        io::ErrorKind::AddrInUse if options.addr.ip().is_none() => {
            "; another server has it: choose another name with --addr"
        }
        io::ErrorKind::AddrInUse => {
            "; another server has it: choose another port with --addr, or 0 for a free one"
        }
        io::ErrorKind::PermissionDenied if options.addr.ip().is_none() => {
            "; choose a path in a directory that this user may write to with --addr"
        }
        io::ErrorKind::PermissionDenied => {
            "; ports below 1024 need privileges: choose a higher one with --addr"
        }
        io::ErrorKind::AddrNotAvailable => {
            "; it is not an address of this machine: choose another with --addr"
        }
        io::ErrorKind::NotFound => "; there is no such directory: make it first",
        _ => "",
    };
    io::Error::new(
        error.kind(),
        format!("cannot listen on {}: {error}{hint}", options.addr),
    )
}
