//! A link between two hosts, one way or the other.

use std::fs::File;
use std::io;

use network::{Hosts, INTERFACE, Namespace, Role, give_address, interface};

use crate::carrier::{Carrier, Counts};
use crate::{Error, Model, netem};

/// Packets that a TUN device holds until they are taken in; the 500 that are usual are soon there when this process waits for its turn.
const DEVICE_QUEUE_PACKETS: u32 = 10_000;

/// How packets are made to take their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Way {
    /// By the kernel's netem, on a veth pair.
    Netem,
    /// By this program, between two TUN devices.
    UserSpace,
}

impl Way {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Netem => "netem",
            Self::UserSpace => "user-space",
        }
    }
}

/// A link that stands; it goes when dropped, or with the hosts.
#[derive(Debug)]
pub struct Link {
    way: Way,
    why: Option<String>,
    carrier: Option<Carrier>,
}

impl Link {
    /// Joins two hosts that are [apart](Hosts::apart). Without a `way`, netem does it where it can.
    ///
    /// # Errors
    /// What is missing, and what to do about it.
    pub fn new(model: Model, hosts: &Hosts, way: Option<Way>) -> Result<Self, Error> {
        let refusal = match way {
            Some(Way::UserSpace) => "user space was asked for".to_owned(),
            _ => match shaped(&model, hosts)? {
                Ok(()) => {
                    return Ok(Self {
                        way: Way::Netem,
                        why: None,
                        carrier: None,
                    });
                }
                Err(why) if way == Some(Way::Netem) => return Err(Error::Netem(why)),
                Err(why) => why,
            },
        };
        let server = device(&hosts.server, Role::Server)?;
        let client = device(&hosts.client, Role::Client)?;
        Ok(Self {
            way: Way::UserSpace,
            why: Some(refusal),
            carrier: Some(Carrier::start(model, server, client)?),
        })
    }

    /// How packets are made to take their time.
    pub fn way(&self) -> Way {
        self.way
    }

    /// Why it is not netem that does it.
    pub fn why_not_netem(&self) -> Option<&str> {
        self.why.as_deref()
    }

    /// Whether it has failed.
    pub fn has_failed(&self) -> bool {
        self.carrier.as_ref().is_some_and(Carrier::has_ended)
    }

    /// Ends it. What was carried is known in user space only.
    ///
    /// # Errors
    /// What ended it before.
    pub fn end(mut self) -> io::Result<Option<Counts>> {
        self.carrier.as_mut().map(Carrier::end).transpose()
    }
}

/// Joins the hosts by a veth pair that netem shapes; if it cannot, says why and takes the pair away again.
fn shaped(model: &Model, hosts: &Hosts) -> Result<Result<(), String>, Error> {
    if let Err(why) = netem::suits(model) {
        return Ok(Err(why.to_owned()));
    }
    hosts.join()?;
    let shaped = Role::BOTH
        .into_iter()
        .try_for_each(|role| netem::shape(model, hosts.at(role)));
    if shaped.is_err() {
        hosts
            .server
            .run(|| interface::remove(INTERFACE))
            .and_then(|removed| removed)
            .map_err(Error::own("remove a veth pair"))?;
    }
    Ok(shaped)
}

/// A host's end of a link through user space.
fn device(host: &Namespace, role: Role) -> Result<File, Error> {
    host.run(|| {
        let device = sys::tun::open(INTERFACE)?;
        interface::set_queue_length(INTERFACE, DEVICE_QUEUE_PACKETS)?;
        give_address(role)?;
        Ok(device)
    })
    .and_then(|made| made)
    .map_err(|error| Error::tun(role.name(), error))
}
