//! Waiting for descriptors that nobody lends: `poll` and `select` with sets that are kept from one call to the next.
//!
//! The safe crates borrow each descriptor for as long as it stands in a set, which whoever owns sockets and sets side by side cannot
//! do. Here they are numbers. The kernel says of a number that is closed that it is (`poll`), or that it will not wait (`select`), and
//! of one that has come to mean another file whether that is ready: nothing is read, written or changed.

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

use rustix::event::{
    FdSetElement, FdSetIter, Timespec, fd_set_bound, fd_set_insert, fd_set_remove,
};
use rustix::io::Errno;

/// A descriptor in the array of [`poll`], with what is asked about it and what was said.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Polled(libc::pollfd);

impl Polled {
    /// Asks whether a descriptor can be read, written, or both; where neither, not even whether its connection is broken.
    pub fn new(descriptor: RawFd, readable: bool, writable: bool) -> Self {
        let mut events = 0;
        if readable {
            events |= libc::POLLIN;
        }
        if writable {
            events |= libc::POLLOUT;
        }
        // A negative number is passed over.
        let asked = if events == 0 { !descriptor } else { descriptor };
        Self(libc::pollfd {
            fd: asked,
            events,
            revents: 0,
        })
    }

    /// Whether something was said of it by the last call.
    #[inline]
    pub fn is_ready(&self) -> bool {
        self.0.revents != 0
    }

    /// Whether reading would not wait: there is something, or the end, or an error.
    #[inline]
    pub fn is_readable(&self) -> bool {
        self.0.revents & !libc::POLLOUT != 0
    }

    /// Whether writing would not wait: there is room, or an error.
    #[inline]
    pub fn is_writable(&self) -> bool {
        self.0.revents & !libc::POLLIN != 0
    }
}

/// Waits until one of `polled` is ready, at most so long (poll(2)); how many are. None where a signal came first.
///
/// # Errors
/// What the kernel reports.
pub fn poll(polled: &mut [Polled], at_most: Option<Duration>) -> io::Result<usize> {
    let at_most = at_most.map(|at_most| libc::timespec {
        tv_sec: at_most.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: at_most.subsec_nanos().into(),
    });
    let at_most = at_most
        .as_ref()
        .map_or(std::ptr::null(), std::ptr::from_ref);
    let count = polled.len() as libc::nfds_t;
    // SAFETY: a `Polled` is a `pollfd`; the kernel reads and writes `count` of them, which are borrowed exclusively. The time-out is
    // null or lives above, and there is no signal mask. A number that is no open descriptor is reported as that.
    let ready =
        unsafe { libc::ppoll(polled.as_mut_ptr().cast(), count, at_most, std::ptr::null()) };
    match crate::check(ready) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
        ready => Ok(usize::try_from(ready?).unwrap_or(0)),
    }
}

/// The number at which descriptors end that [`select`] can be asked about (`FD_SETSIZE`).
pub const SELECT_END: RawFd = 1024;

/// Descriptors below [`SELECT_END`], as [`select`] takes them.
#[derive(Clone, Copy, Default)]
pub struct DescriptorSet([FdSetElement; ELEMENTS]);

const ELEMENTS: usize = SELECT_END as usize / (8 * size_of::<FdSetElement>());

impl DescriptorSet {
    /// Whether a set can hold `descriptor`.
    pub fn can_hold(descriptor: RawFd) -> bool {
        (0..SELECT_END).contains(&descriptor)
    }

    /// Puts a descriptor in, or takes it out. One that no set can hold is in none.
    pub fn set(&mut self, descriptor: RawFd, is_in: bool) {
        if !Self::can_hold(descriptor) {
            return;
        }
        if is_in {
            fd_set_insert(&mut self.0, descriptor);
        } else {
            fd_set_remove(&mut self.0, descriptor);
        }
    }

    /// Those that are in it, the lowest first.
    pub fn iter(&self) -> impl Iterator<Item = RawFd> {
        FdSetIter::new(&self.0)
    }

    /// The number after the highest that is in it.
    fn bound(&self) -> RawFd {
        fd_set_bound(&self.0)
    }
}

/// Waits until one of `readable` can be read, or one of `writable` written, at most so long (select(2)), and leaves in each those
/// that can. None where a signal came first.
///
/// # Errors
/// What the kernel reports: `EBADF` where a set holds a number that is no open descriptor.
pub fn select(
    readable: &mut DescriptorSet,
    writable: &mut DescriptorSet,
    at_most: Option<Duration>,
) -> io::Result<()> {
    let bound = readable.bound().max(writable.bound());
    let at_most = at_most.and_then(|at_most| Timespec::try_from(at_most).ok());
    // SAFETY: both sets have room for all numbers below `bound`. A number that is no open descriptor is an error, and one that has
    // come to mean another file is asked whether it is ready, which changes nothing.
    let ready = unsafe {
        rustix::event::select(
            bound,
            Some(&mut readable.0),
            Some(&mut writable.0),
            None,
            at_most.as_ref(),
        )
    };
    match ready {
        Err(Errno::INTR) => {
            (*readable, *writable) = Default::default();
            Ok(())
        }
        ready => Ok(ready.map(drop)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn poll_says_who_can_be_read_and_who_can_be_written() {
        let (here, mut there) = UnixStream::pair().unwrap();
        let number = here.as_raw_fd();
        let ask = |readable, writable| {
            let mut polled = [Polled::new(number, readable, writable)];
            let ready = poll(&mut polled, Some(Duration::ZERO)).unwrap();
            assert_eq!(ready, usize::from(polled[0].is_ready()));
            (polled[0].is_readable(), polled[0].is_writable())
        };
        assert_eq!(ask(true, true), (false, true));
        assert_eq!(ask(true, false), (false, false));
        there.write_all(b"x").unwrap();
        assert_eq!(ask(true, true), (true, true));
        (&here).read_exact(&mut [0]).unwrap();
        drop(there);
        assert_eq!(ask(true, false), (true, true), "it is broken");
        assert_eq!(ask(false, false), (false, false), "nobody asks");
    }

    #[test]
    fn select_says_who_can_be_read_and_who_can_be_written() {
        let (here, mut there) = UnixStream::pair().unwrap();
        let number = here.as_raw_fd();
        let mut asked = DescriptorSet::default();
        asked.set(number, true);
        let ask = || {
            let (mut readable, mut writable) = (asked, asked);
            select(&mut readable, &mut writable, Some(Duration::ZERO)).unwrap();
            [readable, writable].map(|set| set.iter().collect::<Vec<_>>())
        };
        assert_eq!(ask(), [vec![], vec![number]]);
        there.write_all(b"x").unwrap();
        assert_eq!(ask(), [vec![number], vec![number]]);
    }

    #[test]
    fn a_set_ends_at_1024() {
        let mut set = DescriptorSet::default();
        for number in [-1, 3, SELECT_END - 1, SELECT_END] {
            set.set(number, true);
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), [3, SELECT_END - 1]);
        assert_eq!(set.bound(), SELECT_END);
        set.set(SELECT_END - 1, false);
        assert_eq!(set.bound(), 4);
    }
}
