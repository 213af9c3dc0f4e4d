//! An interface whose packets are this process's: rings that the kernel shares, and memory that packets lie in (AF_XDP, the kernel's
//! af_xdp.rst).
//!
//! ```text
//!                    fill ring: frames to be filled ─────────►
//!      this process                                            the kernel, the driver
//!                    receive ring: packets that came ◄────────
//!
//!                    transmit ring: packets to be sent ──────►
//!      this process                                            the kernel, the driver
//!                    completion ring: frames sent ◄───────────
//! ```
//!
//! What has come is taken without a system call. What is to be sent is put into the ring without one, and [`XdpSocket::flush`] is one
//! for all that was put in, up to 32 packets.

mod frames;
mod program;
mod queues;
mod ring;

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use frames::{FRAME_BYTES, Frames};
use program::Redirection;
pub use queues::receive_queues;
use ring::{Consumer, Producer};

/// The longest packet that a frame takes, in bytes: of 2048, the kernel keeps 256 for what programs put before a packet.
pub const MOST_BYTES: usize = FRAME_BYTES as usize - 256;

/// Whose packets are taken, and how many frames there are for them.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The number of the interface.
    pub interface: u32,
    /// Which of its queues.
    pub queue: u32,
    /// Packets that may have come and not been looked at; a power of two.
    pub receive_frames: u32,
    /// Packets that may be on their way out; a power of two.
    pub transmit_frames: u32,
}

/// How packets get between the driver's memory and the frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The kernel copies each.
    Copy,
    /// The device reads and writes the frames themselves.
    ZeroCopy,
}

/// The packets of one queue of an interface. They come here and nowhere else as long as this value lives: to the kernel's own stack the
/// interface is as if unplugged, though what that sends still leaves by it.
#[derive(Debug)]
pub struct XdpSocket {
    /// Before the socket: it ends first.
    _redirection: Redirection,
    frames: Frames,
    fill: Producer<u64>,
    receive: Consumer<libc::xdp_desc>,
    transmit: Producer<libc::xdp_desc>,
    completion: Consumer<u64>,
    /// Addresses of frames that nobody has.
    free: Vec<u64>,
    socket: OwnedFd,
    bound: Bound,
}

impl XdpSocket {
    /// Takes an interface of the calling thread's network namespace.
    ///
    /// # Errors
    /// In words. `EPERM` without `CAP_NET_ADMIN`, `CAP_NET_RAW` and `CAP_BPF`; `EAFNOSUPPORT` from a kernel without AF_XDP; `EOPNOTSUPP`
    /// from a driver without XDP; `EBUSY` where another program is attached or another socket bound.
    pub fn open(settings: &Settings) -> io::Result<Self> {
        let Settings {
            receive_frames,
            transmit_frames,
            ..
        } = *settings;
        // SAFETY: it makes a descriptor that nobody else has.
        let socket = unsafe {
            let made = libc::socket(libc::AF_XDP, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0);
            OwnedFd::from_raw_fd(crate::check(made).map_err(when("make an XDP socket"))?)
        };
        let frames = Frames::new(receive_frames + transmit_frames)
            .map_err(when("have memory for packets"))?;
        let set = |name, value: &u32| set_option(socket.as_fd(), name, value);
        set_option(socket.as_fd(), libc::XDP_UMEM_REG, &frames.registration())
            .and_then(|()| set(libc::XDP_UMEM_FILL_RING, &receive_frames))
            .and_then(|()| set(libc::XDP_UMEM_COMPLETION_RING, &transmit_frames))
            .and_then(|()| set(libc::XDP_RX_RING, &receive_frames))
            .and_then(|()| set(libc::XDP_TX_RING, &transmit_frames))
            .map_err(when("share rings with the kernel"))?;
        let offsets: libc::xdp_mmap_offsets = option(socket.as_fd(), libc::XDP_MMAP_OFFSETS)
            .map_err(when("share rings with the kernel"))?;
        let at = socket.as_fd();
        let rings = || -> io::Result<_> {
            Ok((
                Producer::map(
                    at,
                    libc::XDP_UMEM_PGOFF_FILL_RING,
                    offsets.fr,
                    receive_frames,
                )?,
                Consumer::map(
                    at,
                    libc::XDP_PGOFF_RX_RING as u64,
                    offsets.rx,
                    receive_frames,
                )?,
                Producer::map(
                    at,
                    libc::XDP_PGOFF_TX_RING as u64,
                    offsets.tx,
                    transmit_frames,
                )?,
                Consumer::map(
                    at,
                    libc::XDP_UMEM_PGOFF_COMPLETION_RING,
                    offsets.cr,
                    transmit_frames,
                )?,
            ))
        };
        let (mut fill, receive, transmit, completion) = rings().map_err(when("map the rings"))?;
        for address in Frames::addresses(0, receive_frames) {
            fill.put(address);
        }
        fill.show();
        bind(at, settings).map_err(when("bind an XDP socket"))?;
        let options: libc::xdp_options = option(at, libc::XDP_OPTIONS)?;
        let bound = match options.flags & libc::XDP_OPTIONS_ZEROCOPY {
            0 => Bound::Copy,
            _ => Bound::ZeroCopy,
        };
        Ok(Self {
            _redirection: Redirection::attach(settings.interface, settings.queue, at)?,
            frames,
            fill,
            receive,
            transmit,
            completion,
            free: Frames::addresses(receive_frames, transmit_frames).collect(),
            socket,
            bound,
        })
    }

    /// How packets get between the driver's memory and the frames.
    pub fn bound(&self) -> Bound {
        self.bound
    }

    /// The packet that came first of those that have not been taken.
    pub fn first(&self) -> Option<&[u8]> {
        let packet = self.receive.peek()?;
        // SAFETY: its frame is ours until its address is in the fill ring, where only `Received` puts it, which borrows all of this.
        Some(unsafe { self.frames.packet(packet.addr, packet.len) })
    }

    /// Takes the packet that came first, with room for one that answers it; none if nothing has come, or there is no room.
    pub fn receive(&mut self) -> Option<(Received<'_>, Room<'_>)> {
        self.take_back();
        if self.free.is_empty() {
            return None;
        }
        let packet = self.receive.take()?;
        let received = Received {
            frames: &self.frames,
            fill: &mut self.fill,
            packet,
        };
        let room = Room {
            frames: &self.frames,
            transmit: &mut self.transmit,
            free: &mut self.free,
        };
        Some((received, room))
    }

    /// Room for a packet, unless all frames are on their way.
    pub fn room(&mut self) -> Option<Room<'_>> {
        self.take_back();
        (!self.free.is_empty()).then_some(Room {
            frames: &self.frames,
            transmit: &mut self.transmit,
            free: &mut self.free,
        })
    }

    /// Has all packets leave that were put into the ring; how many system calls that took: none if there are none, and else one for up
    /// to 32 of them.
    ///
    /// # Errors
    /// What the kernel says: `ENETDOWN` of an interface that is down, `ENXIO` of one that is gone.
    pub fn flush(&mut self) -> io::Result<u32> {
        let mut calls = 0;
        while self.transmit.waiting() > 0 {
            calls += 1;
            let (nothing, nobody) = (std::ptr::null(), std::ptr::null());
            let socket = self.socket.as_raw_fd();
            // SAFETY: nothing is passed but the descriptor.
            let sent = unsafe { libc::sendto(socket, nothing, 0, libc::MSG_DONTWAIT, nobody, 0) };
            if sent == -1 {
                let error = io::Error::last_os_error();
                match error.raw_os_error() {
                    // There are more than are sent in one call.
                    Some(libc::EAGAIN | libc::EINTR) => {}
                    // The device has enough for now: the rest goes with the next call.
                    Some(libc::EBUSY | libc::ENOBUFS) => break,
                    _ => return Err(error),
                }
            }
        }
        Ok(calls)
    }

    /// Takes back the frames of packets that have been sent.
    fn take_back(&mut self) {
        while let Some(address) = self.completion.take() {
            self.free.push(address);
        }
    }

    /// Packets that were lost since they found no frame or no place in the ring.
    ///
    /// # Errors
    /// What `getsockopt` reports.
    pub fn lost(&self) -> io::Result<u64> {
        let counted: libc::xdp_statistics = option(self.socket.as_fd(), libc::XDP_STATISTICS)?;
        Ok(counted.rx_dropped + counted.rx_ring_full + counted.rx_fill_ring_empty_descs)
    }
}

impl AsFd for XdpSocket {
    /// Readable when a packet has come.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A packet that came. Dropped, its frame is the kernel's again.
#[derive(Debug)]
pub struct Received<'a> {
    frames: &'a Frames,
    fill: &'a mut Producer<u64>,
    packet: libc::xdp_desc,
}

impl Received<'_> {
    /// The packet, from its link-layer header on.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: its frame is this value's until it is dropped.
        unsafe { self.frames.packet(self.packet.addr, self.packet.len) }
    }
}

impl Drop for Received<'_> {
    fn drop(&mut self) {
        // The kernel gives the place within the frame where the packet began; what counts is the frame.
        let frame = self.packet.addr / u64::from(FRAME_BYTES) * u64::from(FRAME_BYTES);
        self.fill.put(frame);
        self.fill.show();
    }
}

/// Room for a packet.
#[derive(Debug)]
pub struct Room<'a> {
    frames: &'a Frames,
    transmit: &'a mut Producer<libc::xdp_desc>,
    free: &'a mut Vec<u64>,
}

impl Room<'_> {
    /// Has a packet of so many bytes written by `write` into a frame, and the frame put into the ring; it leaves with the next
    /// [`flush`](XdpSocket::flush). Of more than a frame has, none.
    pub fn send<R>(self, bytes: usize, write: impl FnOnce(&mut [u8]) -> R) -> Option<R> {
        let length = u32::try_from(bytes)
            .ok()
            .filter(|bytes| *bytes <= FRAME_BYTES)?;
        let address = self.free.pop()?;
        // SAFETY: its address was among the free ones, so that the frame is nobody else's, and is no longer.
        let written = write(unsafe { self.frames.room(address, length) });
        self.transmit.put(libc::xdp_desc {
            addr: address,
            len: length,
            options: 0,
        });
        self.transmit.show();
        Some(written)
    }
}

/// Without a wish, the kernel has the device read and write the frames themselves where its driver can.
fn bind(socket: BorrowedFd<'_>, settings: &Settings) -> io::Result<()> {
    // SAFETY: plain integers, for which all zeroes are a value.
    let mut address: libc::sockaddr_xdp = unsafe { std::mem::zeroed() };
    address.sxdp_family = libc::AF_XDP as u16;
    address.sxdp_ifindex = settings.interface;
    address.sxdp_queue_id = settings.queue;
    let length = size_of::<libc::sockaddr_xdp>() as libc::socklen_t;
    // SAFETY: the address is a whole `sockaddr_xdp` and its length is given.
    let bound = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    crate::check(bound).map(drop)
}

/// `T` is what the kernel takes for this option.
fn set_option<T>(socket: BorrowedFd<'_>, name: libc::c_int, value: &T) -> io::Result<()> {
    let length = size_of::<T>() as libc::socklen_t;
    let value: *const T = value;
    // SAFETY: the kernel reads `length` bytes, all of them the value's; whoever calls gives the option's own type.
    crate::check(unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_XDP,
            name,
            value.cast(),
            length,
        )
    })
    .map(drop)
}

/// `T` is what the kernel gives for this option: plain integers.
fn option<T>(socket: BorrowedFd<'_>, name: libc::c_int) -> io::Result<T> {
    let mut length = size_of::<T>() as libc::socklen_t;
    // SAFETY: plain integers, for which all zeroes are a value.
    let mut value: T = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes at most `length` bytes, for which there is room.
    crate::check(unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_XDP,
            name,
            (&raw mut value).cast(),
            &raw mut length,
        )
    })?;
    Ok(value)
}

/// Says what was tried, and leaves the kind of error as it is.
fn when(what: &'static str) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("cannot {what}: {error}"))
}
