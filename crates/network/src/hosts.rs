//! Two hosts, and what joins them.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;

use crate::leftover::Name;
use crate::{Error, Namespace, interface};

/// The server's address. The range 198.18.0.0/15 is set apart for benchmarks between two hosts (RFC 2544, appendix C.2.2; RFC 6890).
pub const SERVER: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
/// The client's address.
pub const CLIENT: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 2);
/// How many bits of the addresses name the network that both are in.
pub const PREFIX_BITS: u8 = 24;

/// The name of the interface by which either host reaches the other.
pub const INTERFACE: &str = "archbench0";

/// Which of the two hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one that serves.
    Server,
    /// The one that asks.
    Client,
}

impl Role {
    /// Both of them.
    pub const BOTH: [Self; 2] = [Self::Server, Self::Client];

    /// Its address.
    pub fn address(self) -> Ipv4Addr {
        match self {
            Self::Server => SERVER,
            Self::Client => CLIENT,
        }
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

/// Two hosts. They end with this value and the last process in them.
#[derive(Debug)]
pub struct Hosts {
    /// The one that serves.
    pub server: Namespace,
    /// The one that asks.
    pub client: Namespace,
}

impl Hosts {
    /// Two hosts with nothing between them yet.
    ///
    /// # Errors
    /// [`Error::Forbidden`] without the right to make namespaces.
    pub fn apart() -> Result<Self, Error> {
        Self::made_by(std::process::id())
    }

    /// As if another process made them.
    pub(crate) fn made_by(maker: u32) -> Result<Self, Error> {
        let new = |role| Namespace::new(&Name { maker, role });
        Ok(Self {
            server: new(Role::Server)?,
            client: new(Role::Client)?,
        })
    }

    /// Two hosts joined by a veth pair, with [`SERVER`] and [`CLIENT`] as their addresses.
    ///
    /// # Errors
    /// [`Error::Forbidden`] without the right to make namespaces.
    pub fn joined() -> Result<Self, Error> {
        let hosts = Self::apart()?;
        hosts.join()?;
        Ok(hosts)
    }

    /// Joins two hosts that are apart by a veth pair.
    ///
    /// # Errors
    /// What the kernel says, for one that they are joined already.
    pub fn join(&self) -> Result<(), Error> {
        let there = self.client.as_fd();
        self.server
            .run(|| interface::make_veth(INTERFACE, INTERFACE, there))
            .and_then(|made| made)
            .map_err(Error::when("join two network namespaces by a veth pair"))?;
        for role in Role::BOTH {
            let namespace = self.at(role);
            namespace
                .run(|| give_address(role))
                .and_then(|given| given)
                .map_err(Error::when(format!(
                    "give a host the address {}",
                    role.address()
                )))?;
        }
        Ok(())
    }

    /// One of them.
    pub fn at(&self, role: Role) -> &Namespace {
        match role {
            Role::Server => &self.server,
            Role::Client => &self.client,
        }
    }
}

/// Gives the host in whose namespace the calling thread is its address, on its [`INTERFACE`].
///
/// # Errors
/// What the kernel says: `ENODEV` if it has no such interface.
pub fn give_address(role: Role) -> io::Result<()> {
    interface::bring_up_with(INTERFACE, role.address(), PREFIX_BITS)
}

/// Whether hosts can be made here, tried by making two.
///
/// # Errors
/// What is missing, and what to do about it, in one sentence.
pub fn available() -> Result<(), String> {
    Hosts::joined().map(drop).map_err(|error| error.to_string())
}
