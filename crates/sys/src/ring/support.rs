//! What keeps a ring from being had, in one line for whoever started the server.

use std::fmt;
use std::io;

use io_uring::{IoUring, Probe, opcode};
use rustix::io::Errno;

/// Why there is no ring here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable {
    /// The reason, and what to do about it.
    message: String,
}

impl fmt::Display for Unavailable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Unavailable {}

impl From<Unavailable> for io::Error {
    fn from(unavailable: Unavailable) -> Self {
        Self::new(io::ErrorKind::Unsupported, unavailable)
    }
}

/// The operations that are used, each with the version of Linux that first had it.
const OPERATIONS: [(u8, &str, &str); 13] = [
    (opcode::PollAdd::CODE, "poll", "5.1"),
    (opcode::SendMsg::CODE, "sendmsg", "5.3"),
    (opcode::Timeout::CODE, "timeout", "5.4"),
    (opcode::Accept::CODE, "accept", "5.5"),
    (opcode::AsyncCancel::CODE, "cancel", "5.5"),
    (opcode::FilesUpdate::CODE, "files-update", "5.6"),
    (opcode::Close::CODE, "close", "5.6"),
    (opcode::Statx::CODE, "statx", "5.6"),
    (opcode::Read::CODE, "read", "5.6"),
    (opcode::Send::CODE, "send", "5.6"),
    (opcode::OpenAt2::CODE, "openat2", "5.6"),
    (opcode::Splice::CODE, "splice", "5.7"),
    (opcode::SendZc::CODE, "send without copying", "6.0"),
];

/// The value of `kernel.io_uring_disabled`, where there is one: 1 keeps all out but those with `CAP_SYS_ADMIN` and one group, 2
/// everybody.
pub fn forbidding_setting() -> Option<u32> {
    let value = std::fs::read_to_string("/proc/sys/kernel/io_uring_disabled").ok()?;
    value.trim().parse().ok()
}

impl Unavailable {
    /// The kernel did not set a ring up.
    pub(super) fn to_set_up(error: &io::Error) -> Self {
        Self::explain(error, forbidding_setting())
    }

    fn explain(error: &io::Error, setting: Option<u32>) -> Self {
        let errno = Errno::from_io_error(error);
        let message = match (errno, setting) {
            (Some(Errno::PERM), Some(setting @ 1..)) => format!(
                "io_uring is switched off here (kernel.io_uring_disabled is {setting}): have it set to 0, or choose another --model"
            ),
            (Some(Errno::PERM | Errno::ACCESS), _) => {
                "io_uring is refused here, by a sandbox (seccomp) as a rule: have io_uring_setup, io_uring_enter and io_uring_register allowed, or choose another --model".to_owned()
            }
            (Some(Errno::NOSYS), _) => {
                "there is no io_uring here: it takes Linux 6.1, and a sandbox that does not hide it; choose another --model".to_owned()
            }
            (Some(Errno::INVAL), _) => {
                "io_uring is too old here: completions that are worked out when they are waited for (DEFER_TASKRUN) take Linux 6.1; choose another --model".to_owned()
            }
            (Some(Errno::NOMEM | Errno::MFILE | Errno::NFILE), _) => format!(
                "cannot set up io_uring: {error}; raise the limits on descriptors and on locked memory (ulimit -n, ulimit -l)"
            ),
            _ => format!("cannot set up io_uring: {error}; choose another --model"),
        };
        Self { message }
    }

    /// The kernel did not give it `what`.
    pub(super) fn of(what: &str, error: &io::Error) -> Self {
        let message = match Errno::from_io_error(error) {
            Some(Errno::INVAL | Errno::NOSYS) => {
                format!("io_uring has no {what} here: it takes Linux 6.1; choose another --model")
            }
            _ => format!(
                "io_uring cannot have {what}: {error}; raise the limits on descriptors and on locked memory (ulimit -n, ulimit -l), or choose another --model"
            ),
        };
        Self { message }
    }

    fn lacking(operation: &str, since: &str) -> Self {
        Self {
            message: format!(
                "io_uring knows no '{operation}' here: it takes Linux {since}; choose another --model"
            ),
        }
    }
}

/// Whether the kernel knows what is used.
pub(super) fn check_operations(ring: &IoUring) -> Result<(), Unavailable> {
    let mut probe = Probe::new();
    let probed = ring.submitter().register_probe(&mut probe);
    probed.map_err(|error| Unavailable::of("probe", &error))?;
    check(|code| probe.is_supported(code))
}

fn check(is_supported: impl Fn(u8) -> bool) -> Result<(), Unavailable> {
    let lacking = OPERATIONS.iter().find(|(code, ..)| !is_supported(*code));
    match lacking {
        Some((_, operation, since)) => Err(Unavailable::lacking(operation, since)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_that_is_lacking_is_named() {
        assert_eq!(check(|_| true), Ok(()));
        for (code, name, since) in OPERATIONS {
            let lacking = check(|asked| asked != code).unwrap_err().to_string();
            assert!(lacking.contains(&format!("'{name}'")), "{lacking}");
            assert!(lacking.contains(&format!("Linux {since};")), "{lacking}");
            assert!(lacking.ends_with("choose another --model") && !lacking.contains('\n'));
        }
    }

    #[test]
    fn what_forbids_rings_is_named() {
        let explain =
            |errno: Errno, setting| Unavailable::explain(&errno.into(), setting).to_string();
        for (errno, setting, word) in [
            (Errno::PERM, Some(2), "kernel.io_uring_disabled is 2"),
            (Errno::PERM, Some(1), "kernel.io_uring_disabled is 1"),
            (Errno::PERM, Some(0), "seccomp"),
            (Errno::PERM, None, "seccomp"),
            (Errno::NOSYS, None, "Linux 6.1"),
            (Errno::INVAL, Some(0), "DEFER_TASKRUN"),
            (Errno::MFILE, Some(0), "ulimit -n"),
        ] {
            let line = explain(errno, setting);
            assert!(line.contains(word) && !line.contains('\n'), "{line}");
        }
    }
}
