//! `epoll`, level-triggered.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use arch::{Interest, Readiness};
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;

use super::{ByDescriptor, Epoll, Poller, Ready, Trigger};

/// `epoll`, level-triggered: the kernel says of a socket that it is ready for as long as it is, so what it is registered for has to be
/// changed whenever something else is waited for; that costs a system call, and is done only then.
pub struct EpollLevel {
    epoll: OwnedFd,
    /// What each descriptor is registered for.
    registered: ByDescriptor<Interest>,
}

impl EpollLevel {
    /// Without anybody to watch.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            registered: ByDescriptor::default(),
        })
    }
}

impl Poller for EpollLevel {
    fn trigger(&self) -> Trigger {
        Trigger::Level
    }

    fn watch(
        &mut self,
        descriptor: BorrowedFd<'_>,
        number: usize,
        interest: Interest,
    ) -> io::Result<()> {
        let registered = self.registered.place(descriptor.as_raw_fd());
        // Whoever waits for nothing is not registered: that a connection is broken is told without being asked for.
        let wanted = (interest != Interest::NOTHING).then_some(interest);
        if wanted == *registered {
            return Ok(());
        }
        let mut flags = EventFlags::empty();
        flags.set(EventFlags::IN, interest.readable);
        flags.set(EventFlags::OUT, interest.writable);
        let data = EventData::new_u64(number as u64);
        match (*registered, wanted) {
            (None, _) => epoll::add(&self.epoll, descriptor, data, flags)?,
            (Some(_), Some(_)) => epoll::modify(&self.epoll, descriptor, data, flags)?,
            (Some(_), None) => epoll::delete(&self.epoll, descriptor)?,
        }
        *registered = wanted;
        Ok(())
    }

    fn forget(&mut self, descriptor: RawFd) {
        *self.registered.place(descriptor) = None;
    }

    fn wait(&mut self, at_most: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()> {
        let at_most = at_most.and_then(|at_most| Timespec::try_from(at_most).ok());
        let mut buffer = [const { MaybeUninit::<Event>::uninit() }; Epoll::EVENTS];
        let events = match epoll::wait(&self.epoll, &mut buffer, at_most.as_ref()) {
            Err(Errno::INTR) => return Ok(()),
            waited => waited?.0,
        };
        let of = |event: &Event| {
            let (flags, data) = (event.flags, event.data);
            Ready {
                number: data.u64() as usize,
                readiness: Readiness {
                    readable: flags.intersects(!EventFlags::OUT),
                    writable: flags.intersects(!EventFlags::IN),
                    ..Readiness::default()
                },
            }
        };
        ready.extend(events.iter().map(of));
        Ok(())
    }
}
