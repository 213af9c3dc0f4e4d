//! A filter for system calls, as containers and service managers put before what they start.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use rustix::io::Errno;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

/// Has `openat2` refused to this thread, and to those that it starts, from now on.
pub(crate) fn refuse_openat2(errno: Errno) {
    /// The same on every processor.
    const OPENAT2: i64 = 437;
    let refuse = SeccompAction::Errno(errno.raw_os_error().cast_unsigned());
    let filter = SeccompFilter::new(
        [(OPENAT2, Vec::new())].into(),
        SeccompAction::Allow,
        refuse,
        std::env::consts::ARCH.try_into().unwrap(),
    );
    let program = BpfProgram::try_from(filter.unwrap()).unwrap();
    seccompiler::apply_filter(&program).unwrap();
}
