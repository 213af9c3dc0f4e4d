//! The few system calls that the well-kept safe crates do not cover.
//!
//! This is the only crate in the house with `unsafe` code. Each module is one small, safe face over one
//! thing that the kernel offers; everything else goes through `rustix` or the standard library.
//!
//! | module | what it offers |
//! | --- | --- |
//! | [`shared`] | counters in memory that forked processes share |
//! | [`priority`] | who gives way to whom on a core |
//! | [`process`] | `fork` for a process that has one thread |
//! | [`coroutine`] | coroutines with stacks of their own, which any thread may resume |
//! | [`stack`] | stacks by the hundred thousand in one mapping, each with a guard |
//! | [`overflow`] | what is said when a stack is not enough |
//! | [`signals`] | blocking signals, and waiting for them |
//! | [`socket`] | how much of what was sent has been taken; accepting only who has sent something |
//! | [`waiting`] | `poll` and `select`, with sets that are kept |
//! | [`usage`] | processor time, memory and context switches of a process and its children |
//! | [`host_clock`] | how far the host's clock may be believed |
//! | [`namespace`] | network namespaces: making one, entering one, starting a process in one |
//! | [`packet_ring`] | packets as an interface sees them, in a ring shared with the kernel |
//! | [`ring`] | operations that the kernel completes later (io_uring), and the memory that is the kernel's until it has |
//! | [`tun`] | network interfaces whose packets a program reads and writes |
//! | [`residency`] | whether a range of a file is in the page cache |
//! | [`mapping`] | a file that is written through a mapping, for tests |
//! | [`user`] | users and groups by name |
//! | [`heap`] | an allocator that counts, for tests |
//! | [`xdp`] | an interface whose packets are this process's, in rings shared with the kernel (AF_XDP) |
//! | `watched` | a descriptor that a runtime of tasks watches; with the feature `tokio` |

#![allow(
    unsafe_code,
    reason = "the workspace denies it; this crate is where it lives instead"
)]

pub mod coroutine;
pub mod heap;
pub mod host_clock;
pub mod mapping;
pub mod namespace;
pub mod overflow;
pub mod packet_ring;
pub mod priority;
pub mod process;
pub mod residency;
pub mod ring;
pub mod shared;
pub mod signals;
pub mod socket;
pub mod stack;
pub mod tun;
pub mod usage;
pub mod user;
pub mod waiting;
#[cfg(feature = "tokio")]
pub mod watched;
pub mod xdp;

/// Turns the C convention "-1 and errno" into a `Result`.
fn check(result: libc::c_int) -> std::io::Result<libc::c_int> {
    if result == -1 {
        Err(std::io::Error::last_os_error())
    } else {
        Ok(result)
    }
}
