//! Making processes.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Pid, Signal, getpid, getppid, set_parent_process_death_signal};

/// Which side of a [`fork`] the caller is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fork {
    /// The process that called; the new one's id.
    Parent(Pid),
    /// The new process.
    Child,
}

/// Makes a copy of this process.
///
/// Only a process with a single thread may call it: in the copy of a process with several, a lock that another
/// thread held would stay locked for ever.
///
/// # Errors
/// `EBUSY` when this process has more than one thread; otherwise what `fork` reports (`EAGAIN` at the limit
/// of processes, `ENOMEM`).
pub fn fork() -> io::Result<Fork> {
    if threads()? != 1 {
        return Err(io::Error::from_raw_os_error(libc::EBUSY));
    }
    // SAFETY: with one thread, the child is an exact copy, no lock is held by a thread that it lacks, and any
    // code may run in it.
    match crate::check(unsafe { libc::fork() })? {
        0 => Ok(Fork::Child),
        pid => Pid::from_raw(pid)
            .map(Fork::Parent)
            .ok_or_else(|| io::Error::other("fork returned no process id")),
    }
}

/// The threads that this process has now.
///
/// # Errors
/// Where /proc cannot be read.
pub fn threads() -> io::Result<usize> {
    Ok(std::fs::read_dir("/proc/self/task")?.count())
}

/// Exit status of whoever was interrupted: what a shell makes of a process that SIGINT has ended (128 and its number).
pub const INTERRUPTED: u8 = 130;

/// Ends this process now: no destructors, no flushing.
///
/// For a forked worker, which must not run what its parent had planned for its own end.
pub fn exit_now(status: i32) -> ! {
    // SAFETY: _exit only ends the process.
    unsafe { libc::_exit(status) }
}

/// Has the kernel send `signal` to the process that `command` starts as soon as the thread that starts it has ended, however it ended
/// (prctl(2), PR_SET_PDEATHSIG): whoever is killed leaves nobody behind.
pub fn end_with_parent(command: &mut Command, signal: Signal) {
    let parent = getpid();
    let ask = move || {
        set_parent_process_death_signal(Some(signal))?;
        // It may have gone before it could be asked for.
        match getppid() {
            Some(still) if still == parent => Ok(()),
            _ => Err(io::Error::from_raw_os_error(libc::ESRCH)),
        }
    };
    // SAFETY: between fork and exec it makes two system calls, and neither allocates nor takes a lock.
    unsafe { command.pre_exec(ask) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_ends_with_the_thread_that_started_it() {
        let started = std::thread::spawn(|| {
            let mut command = Command::new("sleep");
            command.arg("1000");
            end_with_parent(&mut command, Signal::KILL);
            command.spawn().unwrap()
        });
        let mut child = started.join().unwrap();
        assert!(!child.wait().unwrap().success());
    }

    #[test]
    fn a_process_with_several_threads_is_refused() {
        // The test harness runs every test in a thread of its own.
        let error = fork().unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EBUSY));
    }
}
