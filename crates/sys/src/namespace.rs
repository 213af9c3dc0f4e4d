//! Network namespaces: a network stack of one's own, with its interfaces, addresses and ports (network_namespaces(7)).

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe};

/// Moves the calling thread, and no other, into a network namespace that has just been made (unshare(2)).
///
/// # Errors
/// `EPERM` without `CAP_SYS_ADMIN`; `ENOSPC` or `EUSERS` at the limit of namespaces.
pub fn unshare() -> io::Result<()> {
    // SAFETY: what makes unshare unsafe is CLONE_FILES, a descriptor table of one thread; this is CLONE_NEWNET alone. Sockets that are
    // open stay in the namespace where they were made.
    Ok(unsafe { unshare_unsafe(UnshareFlags::NEWNET) }?)
}

/// Moves the calling thread, and no other, into a network namespace (setns(2)).
///
/// # Errors
/// `EPERM` without `CAP_SYS_ADMIN`; `EINVAL` if it is no network namespace.
pub fn enter(namespace: BorrowedFd<'_>) -> io::Result<()> {
    let network = Some(LinkNameSpaceType::Network);
    Ok(move_into_link_name_space(namespace, network)?)
}

/// The network namespace of the calling thread, which lives on as long as the descriptor does.
///
/// # Errors
/// Where /proc cannot be read.
pub fn current() -> io::Result<OwnedFd> {
    Ok(File::open("/proc/thread-self/ns/net")?.into())
}

/// Has the process that `command` starts begin in a network namespace.
///
/// # Errors
/// When the descriptor cannot be duplicated; starting the command reports what [`enter`] does.
pub fn start_in(command: &mut Command, namespace: BorrowedFd<'_>) -> io::Result<()> {
    let namespace = namespace.try_clone_to_owned()?;
    // SAFETY: between fork and exec it makes one system call on a descriptor that the child has inherited; nothing is allocated and no
    // lock is taken.
    unsafe { command.pre_exec(move || enter(namespace.as_fd())) };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_network_namespace_cannot_be_entered() {
        let file = tempfile::tempfile().unwrap();
        let error = enter(file.as_fd()).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
        let mut command = Command::new("true");
        start_in(&mut command, file.as_fd()).unwrap();
        assert!(command.status().is_err());
    }

    #[test]
    fn only_the_calling_thread_is_moved() {
        let link = || std::fs::read_link("/proc/thread-self/ns/net").unwrap();
        let here = link();
        let moved = std::thread::spawn(move || unshare().map(|()| link()));
        match moved.join().unwrap() {
            Ok(there) => assert_ne!(there, here),
            Err(error) => println!("skipped: no network namespace can be made here: {error}"),
        }
        assert_eq!(link(), here);
    }
}
