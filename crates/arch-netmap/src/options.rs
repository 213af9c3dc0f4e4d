//! The options of netmap, and what it is.

use std::io::Result;
use std::net::{Ipv4Addr, SocketAddr};

use arch::nature::{
    Behaviour, Concurrency, DiskWait, Family, IdleConnection, Killed, Loss, Nature, Requests, Stack,
};
use arch::{Architecture, ServeOptions, ServerSetup};
use sys::xdp::XdpSocket;
use workload::units;

use crate::EventLoop;
use crate::place::{self, Ip, Place};

/// The options of netmap.
#[derive(Debug, clap::Args)]
pub struct Netmap {
    /// The interface that is taken, whole: the kernel's own stack hears nothing from it meanwhile. Without it, the one that has the
    /// server's address
    #[arg(long, value_name = "NAME", value_parser = place::interface)]
    pub interface: Option<String>,
    /// The server's address there, and how many bits of it name the network; without it, the address of --addr
    #[arg(long, value_name = "ADDRESS[/BITS]")]
    pub ip: Option<Ip>,
    /// By whom clients are reached who are not in that network
    #[arg(long, value_name = "ADDRESS")]
    pub gateway: Option<Ipv4Addr>,
    /// Never wait: look for packets again at once. Takes a processor, whether or not there is anything to do
    #[arg(long)]
    pub busy_poll: bool,
    /// Bytes that a client may send before they are read, of each connection
    #[arg(long, value_name = "SIZE", default_value = "8k", value_parser = buffer)]
    pub receive_buffer: usize,
    /// Bytes of an answer that may be on their way, of each connection
    #[arg(long, value_name = "SIZE", default_value = "24k", value_parser = buffer)]
    pub send_buffer: usize,
    /// The interface, once it listens.
    #[arg(skip)]
    pub(crate) taken: Option<Taken>,
}

/// An interface that was taken.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) place: Place,
    pub(crate) rings: XdpSocket,
}

/// Reads the size of a connection's buffer: room for a packet at least.
fn buffer(text: &str) -> std::result::Result<usize, String> {
    let bytes = units::size(text).map_err(|error| error.to_string())?;
    usize::try_from(bytes)
        .ok()
        .filter(|bytes| (2048..=16 << 20).contains(bytes))
        .ok_or_else(|| format!("'{text}' is no buffer: expected a size from 2k to 16m"))
}

impl Architecture for Netmap {
    const NAME: &'static str = "netmap";
    const SUMMARY: &'static str =
        "one loop with an interface's rings shared with the kernel, and a TCP of its own";
    const DIAGRAM: &'static str = include_str!("diagram.txt");
    const NATURE: Nature = Nature {
        family: Family::Events,
        predecessors: &["sped", "uring"],
        paper: "Rizzo: netmap: A Novel Framework for Fast Packet I/O, USENIX Annual Technical Conference",
        year: 2012,
        stack: Stack::Own {
            interface: "--interface",
        },
        behaviour: Behaviour {
            concurrency: Concurrency::Any,
            disk_wait: DiskWait::Server,
            defect: Loss::Server,
            killed: Killed::Server,
            requests: Requests::InTurn,
            idle_connection: IdleConnection::Buffers,
        },
        variants: &[],
        settings: &[
            "--busy-poll",
            "--receive-buffer 2k --send-buffer 2k",
            "--send-buffer 1m",
        ],
    };

    fn listen(&mut self, options: &ServeOptions) -> Result<Option<SocketAddr>> {
        let address = place::address(self.ip, options)?;
        let place = place::find(self.interface.as_deref(), self.ip, address)?;
        let rings = place.take()?;
        self.taken = Some(Taken { place, rings });
        Ok(Some(address.into()))
    }

    fn serve(self, setup: ServerSetup, ready: impl FnOnce()) -> Result<()> {
        let remarks = setup.remarks.clone();
        let process = setup.open()?;
        let event_loop = EventLoop::new(self, &process)?;
        ready();
        event_loop.run(&remarks)
    }
}
