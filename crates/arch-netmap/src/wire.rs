//! What packets come by and leave by, as the stack wants it: the rings, or something in memory for tests.

use std::io;

use smoltcp::phy::{Checksum, ChecksumCapabilities, Device, DeviceCapabilities, Medium};
use smoltcp::time::Instant;
use smoltcp::wire::ETHERNET_HEADER_LEN;
use sys::xdp::{Received, Room, XdpSocket};

/// A device of which the next packet can be looked at before it is taken.
pub(crate) trait Wire: Device {
    /// The packet that [`receive`](Device::receive) would take.
    fn first(&self) -> Option<&[u8]>;

    /// Lets all leave that was sent.
    ///
    /// # Errors
    /// When the interface is gone.
    fn flush(&mut self) -> io::Result<()>;
}

/// What a device says of itself that has packets of so many bytes, and no card to reckon checksums.
pub(crate) fn capabilities(mtu: usize) -> DeviceCapabilities {
    let mut checksum = ChecksumCapabilities::default();
    // Looked at where a packet's connection is found.
    checksum.tcp = Checksum::Tx;
    let mut capabilities = DeviceCapabilities::default();
    capabilities.medium = Medium::Ethernet;
    capabilities.max_transmission_unit = mtu + ETHERNET_HEADER_LEN;
    capabilities.checksum = checksum;
    capabilities
}

/// The rings of an interface, and what has gone through them.
#[derive(Debug)]
pub(crate) struct Rings {
    socket: XdpSocket,
    mtu: usize,
    pub(crate) received: u64,
    pub(crate) sent: u64,
    /// System calls that had packets leave.
    pub(crate) calls: u64,
}

impl Rings {
    pub(crate) fn new(socket: XdpSocket, mtu: usize) -> Self {
        Self {
            socket,
            mtu,
            received: 0,
            sent: 0,
            calls: 0,
        }
    }

    pub(crate) fn socket(&self) -> &XdpSocket {
        &self.socket
    }
}

impl Wire for Rings {
    fn first(&self) -> Option<&[u8]> {
        self.socket.first()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.calls += u64::from(self.socket.flush()?);
        Ok(())
    }
}

impl Device for Rings {
    type RxToken<'a> = Incoming<'a>;
    type TxToken<'a> = Outgoing<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Incoming<'_>, Outgoing<'_>)> {
        let (received, room) = self.socket.receive()?;
        self.received += 1;
        let sent = &mut self.sent;
        Some((Incoming(received), Outgoing { room, sent }))
    }

    fn transmit(&mut self, _: Instant) -> Option<Outgoing<'_>> {
        let room = self.socket.room()?;
        let sent = &mut self.sent;
        Some(Outgoing { room, sent })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        capabilities(self.mtu)
    }
}

/// A packet that came: the stack reads it where the kernel has put it.
pub(crate) struct Incoming<'a>(Received<'a>);

impl smoltcp::phy::RxToken for Incoming<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(self.0.bytes())
    }
}

/// Room for a packet: the stack writes it where the kernel takes it from.
pub(crate) struct Outgoing<'a> {
    room: Room<'a>,
    sent: &'a mut u64,
}

impl smoltcp::phy::TxToken for Outgoing<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, write: F) -> R {
        *self.sent += 1;
        self.room
            .send(length, write)
            .expect("a packet of the device's MTU has room in a frame")
    }
}
