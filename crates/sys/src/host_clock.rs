//! What the host's time service has told the kernel of its clock (adjtimex).

use std::io;
use std::mem::MaybeUninit;
use std::time::Duration;

/// What is known of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostClock {
    /// Whether a time service keeps it right.
    pub is_synchronised: bool,
    /// By how many nanoseconds it is behind the true time, as far as the time service knows: what the kernel has still to add to it.
    pub behind_ns: i64,
    /// By how much it may be off at most, as far as the time service knows.
    pub maximum_error: Duration,
}

/// What the kernel has been told of its clock; nothing is changed.
///
/// # Errors
/// What `adjtimex` reports, as in a sandbox that does not have the call.
pub fn host_clock() -> io::Result<HostClock> {
    let mut state = MaybeUninit::<libc::timex>::zeroed();
    // SAFETY: a timex of zeroes is a valid one whose modes ask for no change; the kernel fills it when it succeeds, which is checked
    // before it is read.
    let (standing, state) = unsafe {
        let standing = crate::check(libc::adjtimex(state.as_mut_ptr()))?;
        (standing, state.assume_init())
    };
    let is_in_nanoseconds = state.status & libc::STA_NANO != 0;
    Ok(HostClock {
        is_synchronised: standing != libc::TIME_ERROR && state.status & libc::STA_UNSYNC == 0,
        behind_ns: state.offset * if is_in_nanoseconds { 1 } else { 1000 },
        maximum_error: Duration::from_micros(u64::try_from(state.maxerror).unwrap_or(0)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_kept_right_is_known_within_what_the_kernel_allows() {
        let Ok(clock) = host_clock() else {
            eprintln!("skipped: there is no adjtimex here");
            return;
        };
        // The kernel calls a clock unsynchronised whose error may be 16 s (NTP_PHASE_LIMIT).
        assert!(!clock.is_synchronised || clock.maximum_error < Duration::from_secs(16));
        assert!(clock.behind_ns.abs() <= 500_000_000, "{clock:?}");
    }
}
