//! Connections that are made and never ask: what a server spends on those who are merely there.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{RecvFlags, recv};

use crate::address::Address;
use crate::clock::Nanos;
use crate::measure::Error;
use crate::run::Run;

/// Idle connections, which end when it is dropped.
#[derive(Debug)]
pub(crate) struct Idle(Vec<OwnedFd>);

impl Idle {
    /// Makes as many as the run wants, to its addresses in turn.
    ///
    /// # Errors
    /// How many were made, and why there are no more.
    pub(crate) fn connect(run: &Run) -> Result<Self, Error> {
        let mut sockets = Vec::with_capacity(run.idle);
        for address in run.addresses.iter().cycle().take(run.idle) {
            let socket = connect(address, run.timeout).map_err(|why| Error::Idle {
                address: address.to_string(),
                made: sockets.len(),
                wanted: run.idle,
                why,
            })?;
            sockets.push(socket);
        }
        Ok(Self(sockets))
    }

    /// Whether all are there yet.
    ///
    /// # Errors
    /// How many the server has closed.
    pub(crate) fn are_all_there(&self) -> Result<(), Error> {
        let is_closed = |socket: &&OwnedFd| {
            let peeked = recv(
                socket.as_fd(),
                &mut [0_u8; 1][..],
                RecvFlags::PEEK | RecvFlags::DONTWAIT,
            );
            peeked.map_err(std::io::Error::from).map_or_else(
                |error| error.kind() != ErrorKind::WouldBlock,
                |(count, _)| count == 0,
            )
        };
        match self.0.iter().filter(is_closed).count() {
            0 => Ok(()),
            closed => Err(Error::IdleClosed {
                closed,
                wanted: self.0.len(),
            }),
        }
    }
}

fn connect(address: &Address, timeout: Nanos) -> std::io::Result<OwnedFd> {
    Ok(match address {
        Address::Tcp(address) => {
            TcpStream::connect_timeout(address, std::time::Duration::from_nanos(timeout))?.into()
        }
        Address::Unix(path) => UnixStream::connect(path)?.into(),
    })
}
