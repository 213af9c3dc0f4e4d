//! What a loop hears of a socket, and what it waits for there.

/// What the network said of a socket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Readiness {
    /// There is something to read.
    pub readable: bool,
    /// There is room to write.
    pub writable: bool,
    /// The client has sent its FIN: a short read no longer means that there is nothing left to read.
    pub is_ended: bool,
    /// Urgent data has come: a read stops short in front of it.
    pub is_urgent: bool,
}

impl Readiness {
    /// Adds what is said now; whether any of it is news.
    #[inline]
    pub fn add(&mut self, now: Self) -> bool {
        let before = *self;
        self.readable |= now.readable || now.is_ended || now.is_urgent;
        self.writable |= now.writable;
        self.is_ended |= now.is_ended;
        self.is_urgent |= now.is_urgent;
        before != *self
    }
}

/// What an endpoint at rest waits for: whatever it does not take to be so already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Interest {
    /// Something to read.
    pub readable: bool,
    /// Room to write.
    pub writable: bool,
}

impl Interest {
    /// Nothing.
    pub const NOTHING: Self = Self {
        readable: false,
        writable: false,
    };
    /// Something to read, and no more.
    pub const READABLE: Self = Self {
        readable: true,
        writable: false,
    };
}
