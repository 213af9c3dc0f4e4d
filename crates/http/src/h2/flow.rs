//! Flow control: how many bytes of bodies may be sent (RFC 9113, section 5.2).

use crate::h2::frame::LARGEST_WINDOW;

/// How many bytes may still be sent, of a stream or of a connection. It may be less than none, when the receiver has made all
/// windows smaller (RFC 9113, section 6.9.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window(i64);

/// A window is larger than 31 bits can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overflow;

impl Window {
    pub(crate) fn new(bytes: u32) -> Window {
        Window(bytes.into())
    }

    /// How many bytes may be sent.
    #[inline]
    pub(crate) fn open(self) -> u32 {
        u32::try_from(self.0.max(0)).unwrap_or(LARGEST_WINDOW)
    }

    /// So many bytes have been sent, no more than were [`open`](Window::open).
    #[inline]
    pub(crate) fn take(&mut self, bytes: u32) {
        self.0 -= i64::from(bytes);
    }

    /// The receiver has room for so many more, or for fewer.
    #[inline]
    pub(crate) fn change(&mut self, by: i64) -> Result<(), Overflow> {
        let changed = self.0 + by;
        if changed > i64::from(LARGEST_WINDOW) {
            return Err(Overflow);
        }
        self.0 = changed;
        Ok(())
    }
}

/// How many bytes the other end may still send to us, and when to give it more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Credit {
    window: u32,
    left: u32,
}

impl Credit {
    /// The other end has been told of so many bytes.
    pub(crate) fn new(window: u32) -> Credit {
        Credit {
            window,
            left: window,
        }
    }

    /// So many bytes have come. `false`: more than were allowed.
    #[inline]
    pub(crate) fn spend(&mut self, bytes: u32) -> bool {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }

    /// What to give back, once half of it is spent: all that came is used up.
    #[inline]
    pub(crate) fn renew(&mut self) -> Option<u32> {
        if self.left > self.window / 2 {
            return None;
        }
        let spent = self.window - self.left;
        self.left = self.window;
        Some(spent)
    }
}
