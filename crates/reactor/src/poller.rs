//! Asking the kernel who is ready: the seam behind which an event loop has `epoll`, or whatever else it is made to ask.
//!
//! | poller | asks | each wait costs |
//! | --- | --- | --- |
//! | [`Epoll`] | `epoll`, edge-triggered: the kernel keeps the set, and tells of changes | by those that are ready |
//! | [`EpollLevel`] | `epoll`, level-triggered: the kernel keeps the set, and tells of states | by those that are ready |
//! | [`Poll`] | `poll`: an array goes to the kernel and back | by those that are watched |
//! | [`Select`] | `select`: two bit sets go to the kernel and back; they end at descriptor 1024 | by the highest number watched |
//! | [`Scan`] | nobody: each socket is tried in turn | a system call for each that is watched |

mod epoll;
mod epoll_level;
mod poll;
mod scan;
mod select;

use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::time::Duration;

use arch::{Interest, Readiness};

pub use epoll::{Epoll, Waker, Watcher};
pub use epoll_level::EpollLevel;
pub use poll::Poll;
pub use scan::Scan;
pub use select::Select;

/// Who has become ready, by the number that it is watched under.
#[derive(Debug, Clone, Copy)]
pub struct Ready {
    /// The number.
    pub number: usize,
    /// What has become of it.
    pub readiness: Readiness,
}

/// When a poller tells of a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// When something changes. A descriptor is watched once, for everything.
    Edge,
    /// For as long as somebody could go on. A descriptor is watched anew whenever something else is waited for.
    Level,
}

/// Whoever waits for descriptors on behalf of an event loop.
pub trait Poller: Send {
    /// When it tells of a descriptor.
    fn trigger(&self) -> Trigger;

    /// Whether the listener is to be watched only while somebody may come in: where the same would be said again and again, or
    /// where others are not told of a client of whom this one is.
    fn withdraws(&self) -> bool {
        self.trigger() == Trigger::Level
    }

    /// Watches a descriptor under a number, for `interest` and nothing else from now on; an edge-triggered one for everything.
    ///
    /// # Errors
    /// What the kernel reports; that the descriptor is beyond what the interface can watch.
    fn watch(
        &mut self,
        descriptor: BorrowedFd<'_>,
        number: usize,
        interest: Interest,
    ) -> io::Result<()>;

    /// No longer watches a descriptor, where that takes a call at most; whether it does.
    fn unwatch(&mut self, descriptor: BorrowedFd<'_>) -> bool {
        let _ = descriptor;
        false
    }

    /// A descriptor that was watched has been closed.
    fn forget(&mut self, descriptor: RawFd);

    /// Waits until somebody is ready, at most so long, and adds who is to `ready`.
    ///
    /// # Errors
    /// What the kernel reports.
    fn wait(&mut self, at_most: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()>;
}

/// What is known of each descriptor, by its number: the lowest that is free is always the next that the kernel gives.
#[derive(Debug)]
struct ByDescriptor<T>(Vec<Option<T>>);

impl<T> Default for ByDescriptor<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> ByDescriptor<T> {
    /// The place of what is known of `descriptor`.
    fn place(&mut self, descriptor: RawFd) -> &mut Option<T> {
        let place = usize::try_from(descriptor).unwrap_or(0);
        if place >= self.0.len() {
            self.0.resize_with(place + 1, || None);
        }
        &mut self.0[place]
    }
}

/// Those that are watched, close together: whoever leaves has its place taken by the last.
#[derive(Debug, Default)]
struct Places {
    descriptors: Vec<RawFd>,
    places: ByDescriptor<usize>,
}

impl Places {
    /// The place of a descriptor; `None` for one that has come just now, and stands behind all others.
    fn place(&mut self, descriptor: RawFd) -> Option<usize> {
        let place = self.places.place(descriptor);
        if place.is_none() {
            *place = Some(self.descriptors.len());
            self.descriptors.push(descriptor);
            return None;
        }
        *place
    }

    /// Takes a descriptor out; which place the last one has now, if it was in.
    fn leave(&mut self, descriptor: RawFd) -> Option<usize> {
        let place = self.places.place(descriptor).take()?;
        self.descriptors.swap_remove(place);
        if let Some(&moved) = self.descriptors.get(place) {
            *self.places.place(moved) = Some(place);
        }
        Some(place)
    }
}
