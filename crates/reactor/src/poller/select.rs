//! `select`.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

use arch::{Interest, Readiness};
use rustix::process::{Resource, getrlimit};
use sys::waiting::{self, DescriptorSet, SELECT_END};

use super::{ByDescriptor, Poller, Ready, Trigger};

/// `select`: two bit sets, which are kept, and of which a copy goes to the kernel and comes back at each wait. They end at a
/// descriptor's *number*, [`END`](Self::END).
#[derive(Default)]
pub struct Select {
    readable: DescriptorSet,
    writable: DescriptorSet,
    /// The number that each descriptor is watched under.
    numbers: ByDescriptor<usize>,
}

impl Select {
    /// The number at which the descriptors end that can be watched (`FD_SETSIZE`).
    pub const END: RawFd = SELECT_END;

    /// Where they end in this process, which may not have so many.
    pub fn end() -> RawFd {
        let limit = getrlimit(Resource::Nofile).current;
        limit.map_or(Self::END, |limit| {
            RawFd::try_from(limit).map_or(Self::END, |limit| limit.min(Self::END))
        })
    }
}

impl Poller for Select {
    fn trigger(&self) -> Trigger {
        Trigger::Level
    }

    fn watch(
        &mut self,
        descriptor: BorrowedFd<'_>,
        number: usize,
        interest: Interest,
    ) -> io::Result<()> {
        let descriptor = descriptor.as_raw_fd();
        if !DescriptorSet::can_hold(descriptor) {
            return Err(io::Error::other(format!(
                "select cannot watch descriptor {descriptor}: its sets end at {SELECT_END}"
            )));
        }
        self.readable.set(descriptor, interest.readable);
        self.writable.set(descriptor, interest.writable);
        *self.numbers.place(descriptor) = Some(number);
        Ok(())
    }

    fn forget(&mut self, descriptor: RawFd) {
        self.readable.set(descriptor, false);
        self.writable.set(descriptor, false);
        *self.numbers.place(descriptor) = None;
    }

    fn wait(&mut self, at_most: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()> {
        let (mut readable, mut writable) = (self.readable, self.writable);
        waiting::select(&mut readable, &mut writable, at_most)?;
        for (set, readiness) in [(readable, READABLE), (writable, WRITABLE)] {
            let numbers = &mut self.numbers;
            let of = |descriptor| {
                let number = (*numbers.place(descriptor))?;
                Some(Ready { number, readiness })
            };
            ready.extend(set.iter().filter_map(of));
        }
        Ok(())
    }
}

const READABLE: Readiness = Readiness {
    readable: true,
    writable: false,
    is_ended: false,
    is_urgent: false,
};
const WRITABLE: Readiness = Readiness {
    readable: false,
    writable: true,
    ..READABLE
};
