//! The program that gives an interface's packets to an XDP socket: six instructions, loaded by bpf(2) itself.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use libc::c_long;

/// The commands of bpf(2) that are used here (linux/bpf.h).
const MAP_CREATE: c_long = 0;
const MAP_UPDATE_ELEM: c_long = 2;
const PROG_LOAD: c_long = 5;
const LINK_CREATE: c_long = 28;

const MAP_TYPE_XSKMAP: u32 = 17;
const PROG_TYPE_XDP: u32 = 6;
const ATTACH_TYPE_XDP: u32 = 37;
/// The driver runs the program before it makes a buffer of the packet (`XDP_FLAGS_DRV_MODE`).
const IN_THE_DRIVER: u32 = 1 << 2;

/// One instruction (`struct bpf_insn`; RFC 9669, section 3).
#[repr(C)]
#[derive(Debug, Clone, Copy)]
struct Instruction {
    code: u8,
    /// The destination register in the low four bits, the source in the high ones.
    registers: u8,
    offset: i16,
    immediate: i32,
}

const fn instruction(code: u8, registers: u8, offset: i16, immediate: i32) -> Instruction {
    Instruction {
        code,
        registers,
        offset,
        immediate,
    }
}

/// `return bpf_redirect_map(&sockets, context->rx_queue_index, XDP_PASS)`: to the socket of the queue that the packet came by, or to
/// the kernel's stack where there is none.
fn redirect(sockets: BorrowedFd<'_>) -> [Instruction; 6] {
    /// Where `struct xdp_md` has the number of the queue.
    const QUEUE: i16 = 16;
    const XDP_PASS: i32 = 2;
    const REDIRECT_MAP: i32 = 51;
    /// The immediate of a load is the descriptor of a map (`BPF_PSEUDO_MAP_FD`), as the source register.
    const MAP: u8 = 1;
    [
        instruction(0x61, 2 | 1 << 4, QUEUE, 0), // r2 = *(u32 *)(r1 + QUEUE)
        instruction(0x18, 1 | MAP << 4, 0, sockets.as_raw_fd()), // r1 = sockets, of 64 bits
        instruction(0, 0, 0, 0),
        instruction(0xb7, 3, 0, XDP_PASS),     // r3 = XDP_PASS
        instruction(0x85, 0, 0, REDIRECT_MAP), // r0 = bpf_redirect_map(r1, r2, r3)
        instruction(0x95, 0, 0, 0),            // return r0
    ]
}

/// `union bpf_attr` as far as it is needed, for each command.
#[repr(C)]
struct MapCreate {
    map_type: u32,
    key_bytes: u32,
    value_bytes: u32,
    most_entries: u32,
}

#[repr(C)]
struct MapUpdate {
    map: u32,
    padding: u32,
    key: u64,
    value: u64,
    flags: u64,
}

#[repr(C)]
struct ProgramLoad {
    program_type: u32,
    instructions: u32,
    first: u64,
    license: u64,
    log_level: u32,
    log_bytes: u32,
    log: u64,
}

#[repr(C)]
struct LinkCreate {
    program: u32,
    interface: u32,
    attach_type: u32,
    flags: u32,
}

/// # Safety
/// The attribute must be the command's, and its pointers must be to what the command takes there.
unsafe fn bpf<T>(command: c_long, attribute: &T) -> io::Result<libc::c_int> {
    let attribute: *const T = attribute;
    // SAFETY: the kernel reads so many bytes of the attribute, and what its pointers lead to, for which whoever calls vouches.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, attribute, size_of::<T>()) };
    crate::check(libc::c_int::try_from(result).unwrap_or(-1))
}

/// # Safety
/// As [`bpf`], for a command that makes a descriptor.
unsafe fn bpf_descriptor<T>(command: c_long, attribute: &T) -> io::Result<OwnedFd> {
    // SAFETY: as whoever calls vouches; the descriptor is new and nobody else's.
    unsafe { Ok(OwnedFd::from_raw_fd(bpf(command, attribute)?)) }
}

/// A program at an interface. Dropped, it is gone from there, as it is when the process ends.
#[derive(Debug)]
pub(super) struct Redirection {
    /// What keeps the program where it is.
    _link: OwnedFd,
}

impl Redirection {
    /// Has the packets that come to `interface` by the queue go to `socket`, which is bound to both.
    pub(super) fn attach(interface: u32, queue: u32, socket: BorrowedFd<'_>) -> io::Result<Self> {
        let create = MapCreate {
            map_type: MAP_TYPE_XSKMAP,
            key_bytes: 4,
            value_bytes: 4,
            most_entries: queue + 1,
        };
        // SAFETY: the attribute has no pointers.
        let sockets = unsafe { bpf_descriptor(MAP_CREATE, &create) }
            .map_err(super::when("make a map of XDP sockets"))?;
        let (key, value) = (queue, socket.as_raw_fd().cast_unsigned());
        let update = MapUpdate {
            map: sockets.as_raw_fd().cast_unsigned(),
            padding: 0,
            key: (&raw const key) as u64,
            value: (&raw const value) as u64,
            flags: 0,
        };
        // SAFETY: key and value are the four bytes each that the map was made for, and live on behind the call.
        unsafe { bpf(MAP_UPDATE_ELEM, &update) }
            .map_err(super::when("put the XDP socket into its map"))?;
        let instructions = redirect(std::os::fd::AsFd::as_fd(&sockets));
        let load = ProgramLoad {
            program_type: PROG_TYPE_XDP,
            instructions: instructions.len() as u32,
            first: instructions.as_ptr() as u64,
            license: c"Dual MIT/GPL".as_ptr() as u64,
            log_level: 0,
            log_bytes: 0,
            log: 0,
        };
        // SAFETY: so many instructions are there, the licence ends with a zero, and both live on behind the call.
        let program = unsafe { bpf_descriptor(PROG_LOAD, &load) }
            .map_err(super::when("load the XDP program"))?;
        let create = LinkCreate {
            program: program.as_raw_fd().cast_unsigned(),
            interface,
            attach_type: ATTACH_TYPE_XDP,
            flags: IN_THE_DRIVER,
        };
        // SAFETY: the attribute has no pointers. The link holds the program, and that the map.
        let link = unsafe { bpf_descriptor(LINK_CREATE, &create) }
            .map_err(super::when("attach the XDP program"))?;
        Ok(Self { _link: link })
    }
}
