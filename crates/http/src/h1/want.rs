//! What a connection and its driver say to each other.

use std::ops::Range;

/// What a connection needs next from its driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// Nothing to do until more bytes come: [`Connection::receive`](crate::Connection::receive), or
    /// [`Connection::end_of_input`](crate::Connection::end_of_input).
    Request,
    /// Which file is [`Connection::target`](crate::Connection::target)? Answered by
    /// [`Connection::found`](crate::Connection::found).
    Find,
    /// Have these bytes of the file at hand: all that is left of the present part. Never empty.
    /// Answered by [`Connection::loaded`](crate::Connection::loaded) as soon as the first of them
    /// are, or by [`Connection::failed`](crate::Connection::failed).
    Load(Range<u64>),
    /// Put these bytes of the file on the socket, after whatever
    /// [`Scratch::out`](crate::Scratch::out) holds: all that is left of the present part; the
    /// driver sends as many as it has at hand. Never empty. Answered by
    /// [`Connection::sent`](crate::Connection::sent).
    Send(Range<u64>),
    /// Close in stages: send what [`Scratch::out`](crate::Scratch::out) holds, shut the write side,
    /// then read and drop until the end of the input or the linger deadline, and close. Closing with
    /// input unread, or before it comes, makes the kernel reset the connection, and the reset would
    /// destroy the answer before the client has read it (RFC 9112, 9.6).
    ///
    /// So ends every connection that has answered something, unless its client has shut its side:
    /// a driver that hears of it, from a read or from its poller, says so by
    /// [`Connection::end_of_input`](crate::Connection::end_of_input), before or after, and this turns
    /// into [`Want::Close`]. A client that closes when it has its answer so costs one more read,
    /// which waits for no more than a round trip; one that keeps its side open holds a descriptor,
    /// and where a worker serves one connection at a time that worker, for the linger time-out and
    /// no longer.
    Linger,
    /// Send what [`Scratch::out`](crate::Scratch::out) holds, and close.
    Close,
}

/// Which deadline applies to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Between requests: no byte of the next has come.
    Idle,
    /// A request has begun to come.
    Request,
    /// An answer is under way, or what is left of one.
    Answer,
    /// Nothing but dropping input is left.
    Linger,
}
