//! What a process has used, as the kernel accounts it (getrusage).

use std::io;
use std::mem::MaybeUninit;
use std::time::Duration;

/// Whose usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// This process, all threads.
    Process,
    /// The children that have ended and been waited for, and theirs.
    EndedChildren,
    /// The calling thread.
    Thread,
}

/// Resources used since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time in user mode.
    pub user: Duration,
    /// Processor time in the kernel.
    pub system: Duration,
    /// The largest resident set ever, in bytes; for children, of the largest child.
    pub peak_resident_bytes: u64,
    /// Page faults that were served without the disk.
    pub minor_faults: u64,
    /// Page faults that had to wait for the disk.
    pub major_faults: u64,
    /// Context switches because the process waited for something.
    pub voluntary_switches: u64,
    /// Context switches because the processor was taken away.
    pub involuntary_switches: u64,
}

/// What `who` has used so far.
///
/// # Errors
/// What `getrusage` reports; none is known for valid arguments.
pub fn usage(who: Who) -> io::Result<Usage> {
    let who = match who {
        Who::Process => libc::RUSAGE_SELF,
        Who::EndedChildren => libc::RUSAGE_CHILDREN,
        Who::Thread => libc::RUSAGE_THREAD,
    };
    let mut usage = MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: getrusage fills the whole structure when it succeeds, which is checked before it is read.
    let usage = unsafe {
        crate::check(libc::getrusage(who, usage.as_mut_ptr()))?;
        usage.assume_init()
    };
    let count = |value: libc::c_long| u64::try_from(value).unwrap_or(0);
    let time = |time: libc::timeval| {
        Duration::from_secs(count(time.tv_sec)) + Duration::from_micros(count(time.tv_usec))
    };
    Ok(Usage {
        user: time(usage.ru_utime),
        system: time(usage.ru_stime),
        peak_resident_bytes: count(usage.ru_maxrss) * 1024,
        minor_faults: count(usage.ru_minflt),
        major_faults: count(usage.ru_majflt),
        voluntary_switches: count(usage.ru_nvcsw),
        involuntary_switches: count(usage.ru_nivcsw),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_memory_and_its_time_grows() {
        let before = usage(Who::Thread).unwrap();
        assert!(before.peak_resident_bytes > 100_000);
        let mut spin = 0_u64;
        let after = loop {
            for i in 0..1_000_000_u64 {
                spin = std::hint::black_box(spin.wrapping_mul(31).wrapping_add(i));
            }
            let now = usage(Who::Thread).unwrap();
            if now.user + now.system > before.user + before.system {
                break now;
            }
        };
        assert!(after.minor_faults >= before.minor_faults);
    }
}
