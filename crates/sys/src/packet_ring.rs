//! Packets as an interface sees them, in a ring that the kernel shares with this process (packet(7), TPACKET_V3 in the kernel's
//! packet_mmap.rst): no system call and no copy for a packet once it is in the ring.

use std::io;
use std::mem::{offset_of, size_of, zeroed};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use libc::{c_int, c_void, sockaddr_ll, tpacket_block_desc, tpacket_hdr_v1, tpacket3_hdr};

/// An instruction of a classic BPF program (`struct sock_filter`, the kernel's filter.rst).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// What is done.
    pub code: u16,
    /// How many instructions are skipped if a comparison holds.
    pub jump_true: u8,
    /// And if not.
    pub jump_false: u8,
    /// The constant.
    pub constant: u32,
}

/// Where a packet begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// At its link-layer header (`SOCK_RAW`).
    Raw,
    /// At its network header; the kernel has taken the one before it off (`SOCK_DGRAM`).
    Datagram,
}

/// What is captured, and into what.
#[derive(Debug, Clone)]
pub struct Settings<'a> {
    /// The number of the interface.
    pub interface: u32,
    /// Where packets begin.
    pub view: View,
    /// Run for each packet; gives how many of its bytes are kept, none if it does not count.
    pub filter: &'a [Instruction],
    /// Whether packets that the interface sends are left out. Loopback shows each packet as sent and again as received.
    pub only_received: bool,
    /// Bytes of a block, which the kernel hands over as one: a multiple of the page size.
    pub block_bytes: u32,
    /// Blocks of the ring.
    pub blocks: u32,
    /// How long a block that has packets and room is kept back.
    pub patience: Duration,
}

/// One packet in the ring.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// When the kernel saw it, since 1970.
    pub at: Duration,
    /// Its bytes on the wire.
    pub length: u32,
    /// The first of them, as many as the filter keeps.
    pub bytes: &'a [u8],
    /// Whether the interface sends it.
    pub sent: bool,
}

/// What became of the packets that the filter kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statistics {
    /// All, the dropped among them.
    pub packets: u64,
    /// Those that found the ring full.
    pub dropped: u64,
}

/// A capture and its ring. Packets are dropped, and counted, when all of its blocks wait to be read.
#[derive(Debug)]
pub struct PacketRing {
    socket: OwnedFd,
    map: NonNull<u8>,
    block_bytes: usize,
    blocks: usize,
    next: usize,
    statistics: Statistics,
}

// SAFETY: the mapping is this value's alone and belongs to no thread.
unsafe impl Send for PacketRing {}

impl PacketRing {
    /// Begins to capture in the network namespace of the calling thread.
    ///
    /// # Errors
    /// `EPERM` without `CAP_NET_RAW`, `ENODEV` if there is no such interface, `ENOMEM` or `EINVAL` for a ring that cannot be had.
    pub fn open(settings: &Settings<'_>) -> io::Result<Self> {
        let kind = match settings.view {
            View::Raw => libc::SOCK_RAW,
            View::Datagram => libc::SOCK_DGRAM,
        };
        // Of no protocol yet: nothing is to come in before the filter is there.
        // SAFETY: it makes a descriptor that nobody else has.
        let socket = unsafe {
            let raw = crate::check(libc::socket(libc::AF_PACKET, kind | libc::SOCK_CLOEXEC, 0))?;
            OwnedFd::from_raw_fd(raw)
        };
        let set = |level, name, value: &c_int| set_option(socket.as_fd(), level, name, value);
        set(
            libc::SOL_PACKET,
            libc::PACKET_VERSION,
            &(libc::tpacket_versions::TPACKET_V3 as c_int),
        )?;
        if settings.only_received {
            set(libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, &1)?;
        }
        attach(socket.as_fd(), settings.filter)?;
        // SAFETY: plain integers, for which all zeroes are a value.
        let mut request: libc::tpacket_req3 = unsafe { zeroed() };
        request.tp_block_size = settings.block_bytes;
        request.tp_block_nr = settings.blocks;
        // Frames are of any size in this version; the kernel wants them to fill the blocks evenly all the same.
        request.tp_frame_size = FRAME_BYTES;
        request.tp_frame_nr = (settings.block_bytes / FRAME_BYTES).saturating_mul(settings.blocks);
        request.tp_retire_blk_tov =
            u32::try_from(settings.patience.as_millis()).unwrap_or(u32::MAX);
        set_option(
            socket.as_fd(),
            libc::SOL_PACKET,
            libc::PACKET_RX_RING,
            &request,
        )?;
        let (block_bytes, blocks) = (settings.block_bytes as usize, settings.blocks as usize);
        let map = map(socket.as_fd(), block_bytes * blocks)?;
        let ring = Self {
            socket,
            map,
            block_bytes,
            blocks,
            next: 0,
            statistics: Statistics::default(),
        };
        ring.bind(settings.interface)?;
        Ok(ring)
    }

    fn bind(&self, interface: u32) -> io::Result<()> {
        // SAFETY: plain integers, for which all zeroes are a value.
        let mut address: sockaddr_ll = unsafe { zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
        address.sll_ifindex = interface.cast_signed();
        let length = size_of::<sockaddr_ll>() as libc::socklen_t;
        // SAFETY: the address is a whole `sockaddr_ll` and its length is given.
        let bound =
            unsafe { libc::bind(self.socket.as_raw_fd(), (&raw const address).cast(), length) };
        crate::check(bound).map(drop)
    }

    /// The kind of link that the interface has (`ARPHRD_`…, as in RFC 826 and if_arp.h).
    ///
    /// # Errors
    /// What `getsockname` reports.
    pub fn link_kind(&self) -> io::Result<u16> {
        // SAFETY: plain integers, for which all zeroes are a value.
        let mut address: sockaddr_ll = unsafe { zeroed() };
        let mut length = size_of::<sockaddr_ll>() as libc::socklen_t;
        // SAFETY: the kernel writes at most `length` bytes of an address, for which there is room.
        let told = unsafe {
            libc::getsockname(
                self.socket.as_raw_fd(),
                (&raw mut address).cast(),
                &raw mut length,
            )
        };
        crate::check(told)?;
        Ok(address.sll_hatype)
    }

    /// Shows all packets of the next block and gives the block back; whether there was one.
    ///
    /// # Errors
    /// When the kernel has written what makes no sense.
    pub fn read(&mut self, mut show: impl FnMut(Packet<'_>)) -> io::Result<bool> {
        let offset = self.next * self.block_bytes;
        // SAFETY: the status is an aligned word within the mapping, which both sides access as a whole.
        let status = unsafe {
            let status =
                offset_of!(tpacket_block_desc, hdr) + offset_of!(tpacket_hdr_v1, block_status);
            AtomicU32::from_ptr(self.map.add(offset + status).as_ptr().cast())
        };
        if status.load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return Ok(false);
        }
        {
            // SAFETY: the block lies within the mapping, and until its status says otherwise the kernel does not write to it.
            let block = unsafe {
                std::slice::from_raw_parts(self.map.add(offset).as_ptr(), self.block_bytes)
            };
            Block(block)
                .packets(&mut show)
                .ok_or(io::ErrorKind::InvalidData)?;
        }
        status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.next = (self.next + 1) % self.blocks;
        Ok(true)
    }

    /// What became of packets so far.
    ///
    /// # Errors
    /// What `getsockopt` reports.
    pub fn statistics(&mut self) -> io::Result<Statistics> {
        // SAFETY: plain integers, for which all zeroes are a value.
        let mut since: libc::tpacket_stats_v3 = unsafe { zeroed() };
        let mut length = size_of::<libc::tpacket_stats_v3>() as libc::socklen_t;
        // SAFETY: the kernel writes at most `length` bytes, for which there is room.
        let told = unsafe {
            libc::getsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                (&raw mut since).cast(),
                &raw mut length,
            )
        };
        crate::check(told)?;
        // The kernel counts from zero again after each look.
        self.statistics.packets += u64::from(since.tp_packets);
        self.statistics.dropped += u64::from(since.tp_drops);
        Ok(self.statistics)
    }
}

impl AsFd for PacketRing {
    /// Readable when a block is there.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for PacketRing {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's, of this length, and no slice of it outlives `read`.
        unsafe { libc::munmap(self.map.as_ptr().cast(), self.block_bytes * self.blocks) };
    }
}

/// A block that is ours, as bytes: what it says of itself is believed only within it.
struct Block<'a>(&'a [u8]);

/// What the kernel aligns the parts of a frame to.
const ALIGNMENT: usize = 16;
const FRAME_BYTES: u32 = 2048;

impl<'a> Block<'a> {
    /// None if an offset leads out of the block.
    fn packets(&self, show: &mut impl FnMut(Packet<'a>)) -> Option<()> {
        let header = offset_of!(tpacket_block_desc, hdr);
        let count = self.word(header + offset_of!(tpacket_hdr_v1, num_pkts))?;
        let mut at = self.word(header + offset_of!(tpacket_hdr_v1, offset_to_first_pkt))? as usize;
        for _ in 0..count {
            show(self.packet(at)?);
            at =
                at.checked_add(self.word(at + offset_of!(tpacket3_hdr, tp_next_offset))? as usize)?;
        }
        Some(())
    }

    fn packet(&self, at: usize) -> Option<Packet<'a>> {
        let word = |field: usize| self.word(at.checked_add(field)?);
        let seconds = word(offset_of!(tpacket3_hdr, tp_sec))?;
        let nanoseconds = word(offset_of!(tpacket3_hdr, tp_nsec))?;
        let kept = word(offset_of!(tpacket3_hdr, tp_snaplen))? as usize;
        let begins = at.checked_add(usize::from(
            self.half(at + offset_of!(tpacket3_hdr, tp_mac))?,
        ))?;
        let address = at + size_of::<tpacket3_hdr>().next_multiple_of(ALIGNMENT);
        let kind = *self.0.get(address + offset_of!(sockaddr_ll, sll_pkttype))?;
        Some(Packet {
            at: Duration::new(u64::from(seconds), nanoseconds),
            length: word(offset_of!(tpacket3_hdr, tp_len))?,
            bytes: self.0.get(begins..begins.checked_add(kept)?)?,
            sent: kind == libc::PACKET_OUTGOING,
        })
    }

    fn word(&self, at: usize) -> Option<u32> {
        let bytes = self.0.get(at..)?.first_chunk()?;
        Some(u32::from_ne_bytes(*bytes))
    }

    fn half(&self, at: usize) -> Option<u16> {
        let bytes = self.0.get(at..)?.first_chunk()?;
        Some(u16::from_ne_bytes(*bytes))
    }
}

fn attach(socket: BorrowedFd<'_>, filter: &[Instruction]) -> io::Result<()> {
    let mut program: Vec<_> = filter
        .iter()
        .map(|instruction| libc::sock_filter {
            code: instruction.code,
            jt: instruction.jump_true,
            jf: instruction.jump_false,
            k: instruction.constant,
        })
        .collect();
    let program = libc::sock_fprog {
        len: u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?,
        filter: program.as_mut_ptr(),
    };
    // The kernel copies the program before it returns.
    set_option(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
}

/// `T` is what the kernel takes for this option.
fn set_option<T>(socket: BorrowedFd<'_>, level: c_int, name: c_int, value: &T) -> io::Result<()> {
    let length = size_of::<T>() as libc::socklen_t;
    let value: *const c_void = std::ptr::from_ref(value).cast();
    // SAFETY: the kernel reads `length` bytes, all of them the value's; whoever calls gives the option's own type.
    crate::check(unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, value, length) })
        .map(drop)
}

fn map(socket: BorrowedFd<'_>, bytes: usize) -> io::Result<NonNull<u8>> {
    // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
    let address = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            bytes,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED,
            socket.as_raw_fd(),
            0,
        )
    };
    if address == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(address.cast()).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests;
