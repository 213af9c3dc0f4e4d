//! Descriptors that a runtime of tasks watches.

use std::io;
use std::ops::Deref;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A descriptor that the runtime of the calling task watches, edge-triggered, until this is dropped.
#[derive(Debug)]
pub struct Watched<'fd>(AsyncFd<Descriptor<'fd>>);

/// A descriptor that stays open meanwhile, and the same.
#[derive(Debug)]
pub struct Descriptor<'fd>(BorrowedFd<'fd>);

impl AsRawFd for Descriptor<'_> {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl<'fd> Watched<'fd> {
    /// Has `descriptor` watched for what is of `interest`.
    ///
    /// # Errors
    /// What the kernel reports: there is no memory for it, or it is a descriptor that cannot be watched.
    ///
    /// # Panics
    /// Outside of a runtime that does I/O.
    pub fn new(descriptor: BorrowedFd<'fd>, interest: Interest) -> io::Result<Self> {
        // SAFETY: the descriptor is borrowed, and therefore open and the same, for longer than the watching lasts; nobody can put
        // another in its place, since all that is given out is a shared reference.
        let watched = unsafe { AsyncFd::register_with_interest(Descriptor(descriptor), interest) };
        Ok(Self(watched.map_err(|error| error.into_parts().1)?))
    }
}

impl<'fd> Deref for Watched<'fd> {
    type Target = AsyncFd<Descriptor<'fd>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_task_hears_of_what_comes_and_what_can_go() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (ours, mut theirs) = UnixStream::pair().unwrap();
            let watched = Watched::new(ours.as_fd(), Interest::READABLE | Interest::WRITABLE);
            let watched = watched.unwrap();
            watched.writable().await.unwrap().retain_ready();
            let unready = watched.try_io(Interest::READABLE, |_| Ok(()));
            assert_eq!(unready.unwrap_err().kind(), io::ErrorKind::WouldBlock);
            theirs.write_all(b"x").unwrap();
            watched.readable().await.unwrap().clear_ready();
        });
    }

    #[test]
    fn a_file_cannot_be_watched() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .unwrap();
        runtime.block_on(async {
            let file = tempfile::tempfile().unwrap();
            let error = Watched::new(file.as_fd(), Interest::READABLE).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        });
    }
}
