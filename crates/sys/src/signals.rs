//! Signals, taken by waiting for them rather than by interrupting whatever runs.
//!
//! A process blocks the signals it cares about before it starts its first thread; one thread then waits for
//! them. No code ever runs inside a signal handler.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

/// The signals that this house handles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// What `kill` and service managers send.
    Terminate,
    /// Ctrl-\\: to end, as other servers understand it, in good order.
    Quit,
    /// The terminal is gone.
    HangUp,
    /// A child process ended.
    Child,
}

impl Signal {
    /// The kernel's number for it.
    pub const fn number(self) -> i32 {
        match self {
            Self::Interrupt => libc::SIGINT,
            Self::Terminate => libc::SIGTERM,
            Self::Quit => libc::SIGQUIT,
            Self::HangUp => libc::SIGHUP,
            Self::Child => libc::SIGCHLD,
        }
    }
}

fn set(signals: &[Signal]) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset initialises the whole set; sigaddset gets an initialised set and valid numbers.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in signals {
            libc::sigaddset(set.as_mut_ptr(), signal.number());
        }
        set.assume_init()
    }
}

/// Makes nothing of what this process inherited: each of `signals` has its default disposition, and they alone are blocked, pending
/// until somebody [`wait`]s for them, in this thread and all that it starts later. SIGPIPE is ignored, as everywhere in Rust.
///
/// Whoever started it may have had signals ignored or blocked (supervisors, other languages' process libraries, shells that start
/// something in the background of a script): an ignored SIGCHLD has the kernel forget children before anybody has waited for them,
/// whether an ignored signal that is blocked becomes pending is the kernel's to choose (POSIX.1-2024, section 2.4.1), and children
/// inherit it.
/// A hang-up that is ignored stays so: that is what `nohup` is for.
///
/// # Errors
/// What `sigaction` or `pthread_sigmask` reports.
pub fn take_over(signals: &[Signal]) -> io::Result<()> {
    for signal in signals {
        if *signal == Signal::HangUp && is_ignored(*signal)? {
            continue;
        }
        disposition(signal.number(), libc::SIG_DFL)?;
    }
    disposition(libc::SIGPIPE, libc::SIG_IGN)?;
    mask(libc::SIG_SETMASK, signals)
}

/// Has the kernel do with `signals` what it does by default, whatever this process has inherited.
///
/// # Errors
/// What the kernel reports.
pub fn reset(signals: &[Signal]) -> io::Result<()> {
    for signal in signals {
        disposition(signal.number(), libc::SIG_DFL)?;
    }
    mask(libc::SIG_UNBLOCK, signals)
}

fn disposition(number: libc::c_int, handler: libc::sighandler_t) -> io::Result<()> {
    // SAFETY: all-zero is a valid sigaction: no flags, an empty mask; the handler is one of the two that are no function.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler;
    // SAFETY: the action is initialised, and the old one is not asked for.
    crate::check(unsafe { libc::sigaction(number, &raw const action, std::ptr::null_mut()) })
        .map(drop)
}

fn is_ignored(signal: Signal) -> io::Result<bool> {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: without a new action the old one is written to where there is room for it, and is initialised where the call succeeds.
    unsafe {
        crate::check(libc::sigaction(
            signal.number(),
            std::ptr::null(),
            action.as_mut_ptr(),
        ))?;
        Ok(action.assume_init().sa_sigaction == libc::SIG_IGN)
    }
}

/// Keeps `signals` pending until somebody [`wait`]s for them, in this thread and all that it starts later.
///
/// # Errors
/// What `pthread_sigmask` reports.
pub fn block(signals: &[Signal]) -> io::Result<()> {
    mask(libc::SIG_BLOCK, signals)
}

/// Undoes [`block`]: the signals act as they do by default again.
///
/// # Errors
/// What `pthread_sigmask` reports.
pub fn unblock(signals: &[Signal]) -> io::Result<()> {
    mask(libc::SIG_UNBLOCK, signals)
}

/// Has a command start with no signal blocked. What this process blocks, its children inherit, and one that does not expect that
/// would never see SIGTERM.
pub fn start_unblocked(command: &mut Command) -> &mut Command {
    // SAFETY: between fork and exec only sigemptyset and pthread_sigmask are called, which are async-signal-safe.
    unsafe { command.pre_exec(|| mask(libc::SIG_SETMASK, &[])) }
}

fn mask(how: libc::c_int, signals: &[Signal]) -> io::Result<()> {
    // SAFETY: the set is initialised and the old mask is not asked for.
    match unsafe { libc::pthread_sigmask(how, &set(signals), std::ptr::null_mut()) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// Waits until one of `signals` (blocked before) comes, at most `timeout`; `None` when none came.
///
/// # Errors
/// What `sigtimedwait` reports.
pub fn wait(signals: &[Signal], timeout: Option<Duration>) -> io::Result<Option<Signal>> {
    let set = set(signals);
    let timeout = timeout.map(|timeout| libc::timespec {
        tv_sec: timeout.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    let timeout = timeout
        .as_ref()
        .map_or(std::ptr::null(), std::ptr::from_ref);
    loop {
        // SAFETY: the set is initialised, no details are asked for, and a null timeout means for ever.
        match crate::check(unsafe { libc::sigtimedwait(&set, std::ptr::null_mut(), timeout) }) {
            Ok(number) => {
                return Ok(signals
                    .iter()
                    .copied()
                    .find(|signal| signal.number() == number));
            }
            Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A descriptor that is readable while one of `signals` (blocked before) is pending, for whoever waits for other
/// descriptors too; [`wait`] then takes the signal.
///
/// # Errors
/// What `signalfd` reports, `EMFILE` as a rule.
pub fn descriptor(signals: &[Signal]) -> io::Result<OwnedFd> {
    // SAFETY: the set is initialised, and a new descriptor is asked for, which is ours alone.
    unsafe {
        let descriptor = crate::check(libc::signalfd(-1, &set(signals), libc::SFD_CLOEXEC))?;
        Ok(OwnedFd::from_raw_fd(descriptor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blocked_signal_waits_to_be_taken() {
        block(&[Signal::Child]).unwrap();
        let none = wait(&[Signal::Child], Some(Duration::ZERO)).unwrap();
        assert_eq!(none, None);
        // SAFETY: raise sends a signal to this thread, where it is blocked.
        unsafe { libc::raise(libc::SIGCHLD) };
        let taken = wait(&[Signal::Child], Some(Duration::from_secs(10))).unwrap();
        assert_eq!(taken, Some(Signal::Child));
    }
}
