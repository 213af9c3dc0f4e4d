//! `poll`.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

use arch::{Interest, Readiness};
use sys::waiting::{self, Polled};

use super::{Places, Poller, Ready, Trigger};

/// `poll`: an array of all that are watched, which is kept and changed in place, and which the kernel walks through at each wait.
#[derive(Default)]
pub struct Poll {
    polled: Vec<Polled>,
    /// Beside each of them, the number that it is watched under.
    numbers: Vec<usize>,
    places: Places,
}

impl Poller for Poll {
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
        let polled = Polled::new(descriptor, interest.readable, interest.writable);
        match self.places.place(descriptor) {
            Some(place) => (self.polled[place], self.numbers[place]) = (polled, number),
            None => {
                self.polled.push(polled);
                self.numbers.push(number);
            }
        }
        Ok(())
    }

    fn forget(&mut self, descriptor: RawFd) {
        if let Some(place) = self.places.leave(descriptor) {
            self.polled.swap_remove(place);
            self.numbers.swap_remove(place);
        }
    }

    fn wait(&mut self, at_most: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()> {
        let count = waiting::poll(&mut self.polled, at_most)?;
        let all = self.polled.iter().zip(&self.numbers);
        let of = |(polled, &number): (&Polled, &usize)| Ready {
            number,
            readiness: Readiness {
                readable: polled.is_readable(),
                writable: polled.is_writable(),
                ..Readiness::default()
            },
        };
        // Nobody looks on when all have been found.
        let all = all.filter(|(polled, _)| polled.is_ready()).take(count);
        ready.extend(all.map(of));
        Ok(())
    }
}
