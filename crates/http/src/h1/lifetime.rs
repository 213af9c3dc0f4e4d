//! How long a connection is kept, and how it ends (RFC 9112, sections 9.3 to 9.6).

use crate::config::Config;
use crate::h1::encode::Persistence;
use crate::h1::head::Head;

/// What decides whether another request may come.
#[derive(Debug, Default)]
pub(crate) struct Lifetime {
    /// Requests that have been begun.
    requests: u64,
    /// The answer to the present request is the last.
    close: bool,
    /// The server is stopping.
    finishing: bool,
    /// The client has shut its write side.
    ended: bool,
}

/// What comes after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Another request.
    Request,
    /// Closing, in stages, for the client may still send.
    Linger,
    /// Closing at once.
    Close,
}

impl Lifetime {
    /// A request has begun, with this head.
    pub(crate) fn begin(&mut self, head: &Head, config: &Config) {
        self.requests = self.requests.saturating_add(1);
        let limit = config.max_requests_per_connection;
        let is_last = limit > 0 && self.requests >= limit;
        self.close = !head.persistent || head.withheld || !config.keep_alive || is_last;
    }

    /// The answer to the present request is the last.
    pub(crate) fn close(&mut self) {
        self.close = true;
    }

    /// The server is stopping: no request is begun any more.
    pub(crate) fn finish(&mut self) {
        self.finishing = true;
    }

    /// The client has shut its write side.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    /// What the present answer is to tell about the connection. From here on it is settled whether it
    /// is the last. `old`: the request is of HTTP/1.0.
    #[inline]
    pub(crate) fn settle(&mut self, old: bool) -> Persistence {
        self.close |= self.finishing;
        match (self.close, old) {
            (true, _) => Persistence::Closed,
            (false, true) => Persistence::Granted,
            (false, false) => Persistence::Kept,
        }
    }

    /// Whether nothing has been answered, so that nothing can be lost.
    pub(crate) fn is_fresh(&self) -> bool {
        self.requests == 0
    }

    /// What comes after an answer.
    ///
    /// A client who has said that this was its last request, or was told that the answer is the last
    /// one, is left in stages too (RFC 9112, 9.6): an empty line behind the request, or a request
    /// that was under way, is enough for a reset. Nearly all of them close as soon as they have read
    /// the answer, and so end the lingering a round trip later.
    #[inline]
    pub(crate) fn next(&self) -> Next {
        match (self.ended, self.close || self.finishing) {
            (true, _) => Next::Close,
            (false, true) => Next::Linger,
            (false, false) => Next::Request,
        }
    }
}
