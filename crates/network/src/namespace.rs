//! One network namespace.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::leftover::Name;
use crate::{Error, interface};

pub(crate) const LOOPBACK: &str = "lo";

/// A network namespace that is held open. It ends when nobody holds it and no process runs in it.
#[derive(Debug)]
pub struct Namespace {
    descriptor: OwnedFd,
}

impl Namespace {
    /// A new one, with nothing in it but a loopback interface, which is up and has the name of the namespace beside it.
    ///
    /// # Errors
    /// [`Error::Forbidden`] without the right to make one.
    pub fn new(name: &Name) -> Result<Self, Error> {
        let made =
            in_a_thread(|| sys::namespace::unshare().and_then(|()| sys::namespace::current()));
        let descriptor = made.map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => Error::Forbidden(error),
            _ => Error::when("make a network namespace")(error),
        })?;
        let namespace = Self { descriptor };
        namespace
            .run(|| {
                interface::set_alias(LOOPBACK, name.to_string())?;
                interface::bring_up(LOOPBACK)
            })
            .and_then(|brought| brought)
            .map_err(Error::when(
                "bring up the loopback interface of a namespace",
            ))?;
        Ok(namespace)
    }

    /// The one at `path`, like `/proc/PID/ns/net` or `/run/netns/NAME`.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let descriptor = File::open(path)?.into();
        Ok(Self { descriptor })
    }

    /// A path by which other processes can open it as long as this one holds it, for `nsenter --net=PATH`.
    pub fn path(&self) -> PathBuf {
        let (process, descriptor) = (std::process::id(), self.descriptor.as_raw_fd());
        format!("/proc/{process}/fd/{descriptor}").into()
    }

    /// Does `work` in the namespace, on a thread that ends with it. Sockets that it makes stay in there wherever they are used.
    ///
    /// # Errors
    /// When the namespace cannot be entered.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        in_a_thread(|| sys::namespace::enter(self.descriptor.as_fd()).map(|()| work()))
    }

    /// Has the process that `command` starts begin in the namespace.
    ///
    /// # Errors
    /// At the limit of descriptors.
    pub fn start_in(&self, command: &mut Command) -> io::Result<()> {
        sys::namespace::start_in(command, self.descriptor.as_fd())
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// Whoever enters a namespace stays there, so it is a thread that ends.
fn in_a_thread<T: Send>(work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().spawn_scoped(scope, work)?;
        match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
