//! Requests that are answered elsewhere: handed over as values, and answered with what comes back.

use crate::h1::delivery::Extent;
use crate::h1::encode::Persistence;
use crate::h1::relay::RelayedHead;
use crate::h1::scratch::Scratch;
use crate::h1::server::{Connection, Step};
use crate::semantics::request::Request;
use crate::semantics::status::Status;

/// The end of a body of which nobody knows how long it is.
const UNKNOWN: u64 = u64::MAX;

impl Connection {
    /// Takes the request that is to be answered; `None` unless [`want`](Connection::want) is
    /// [`Want::Find`](crate::Want::Find). [`give_back_request`](Connection::give_back_request) comes
    /// before [`found`](Connection::found), which needs it; other answers do not.
    pub fn take_request(&mut self) -> Option<Request> {
        let is_wanted = self.step == Step::Find;
        let exchange = self.exchange.as_deref_mut().filter(|_| is_wanted)?;
        Some(std::mem::take(&mut exchange.request))
    }

    /// Gives back what was taken by [`take_request`](Connection::take_request).
    pub fn give_back_request(&mut self, request: Request) {
        if let (Step::Find, Some(exchange)) = (self.step, &mut self.exchange) {
            exchange.request = request;
        }
    }

    /// In place of a file: an answer that has nothing more to say than its status.
    pub fn answer_with(&mut self, status: Status, scratch: &mut Scratch) {
        if self.step == Step::Find {
            self.page(status, scratch);
        }
    }

    /// In place of a file: another server's answer. If it has a body, that is wanted
    /// [sent](crate::Want::Send) next, in pieces as they come, each announced by
    /// [`begin_piece`](Connection::begin_piece).
    pub fn relay(&mut self, head: &RelayedHead, scratch: &mut Scratch) {
        let Some(exchange) = self.exchange.as_deref().filter(|_| self.step == Step::Find) else {
            return;
        };
        let has_body = head.has_body() && !exchange.head_only;
        let extent = match (head.length(), exchange.head.old) {
            (Some(_), _) => Extent::Length,
            (None, false) => Extent::Chunks,
            (None, true) => Extent::UntilClose,
        };
        if has_body && extent == Extent::UntilClose {
            self.lifetime.close();
        }
        let persistence = self.manner().persistence;
        head.encode(persistence, has_body.then_some(extent), scratch);
        let length = head.length().unwrap_or(UNKNOWN);
        match &mut self.exchange {
            Some(exchange) if has_body && length > 0 => {
                exchange.delivery.relay(head.status(), extent);
                self.rest = 0..length;
                self.step = Step::Send;
            }
            _ => self.end(head.status(), scratch),
        }
    }

    /// The next piece of a relayed body has so many bytes: what has to stand before it is appended to
    /// [`Scratch::out`], and no more than the piece is wanted sent.
    pub fn begin_piece(&mut self, bytes: u64, scratch: &mut Scratch) {
        if self.relayed() == Some(Extent::Chunks) && bytes > 0 && self.rest.end == UNKNOWN {
            scratch
                .out
                .extend_from_slice(format!("{bytes:x}\r\n").as_bytes());
            self.rest.end = self.rest.start.saturating_add(bytes);
        }
    }

    /// A relayed body is whole. One that is shorter than was said is as good as
    /// [failed](Connection::failed).
    pub fn end_of_body(&mut self, scratch: &mut Scratch) {
        let is_whole = match self.relayed() {
            Some(Extent::Chunks) => self.rest.end == UNKNOWN,
            Some(Extent::UntilClose) => true,
            Some(Extent::Length) | None => false,
        };
        if !is_whole {
            return self.failed(scratch);
        }
        if self.relayed() == Some(Extent::Chunks) {
            scratch.out.extend_from_slice(b"0\r\n\r\n");
        }
        self.end_relayed(scratch);
    }

    /// More of the present piece has been sent.
    pub(super) fn sent_of_relayed(&mut self, scratch: &mut Scratch) {
        if self.rest.start < self.rest.end {
            return;
        }
        match self.relayed() {
            Some(Extent::Chunks) => {
                scratch.out.extend_from_slice(b"\r\n");
                self.rest.end = UNKNOWN;
            }
            _ => self.end_relayed(scratch),
        }
    }

    fn relayed(&self) -> Option<Extent> {
        let exchange = self.exchange.as_deref();
        exchange
            .filter(|_| self.step == Step::Send)?
            .delivery
            .relayed()
    }

    fn end_relayed(&mut self, scratch: &mut Scratch) {
        if let Some(exchange) = &self.exchange {
            let status = exchange.delivery.status();
            self.end(status, scratch);
        }
    }
}

impl RelayedHead {
    /// Appends the head as this connection gives it. `extent`: there is a body, whose end is told so.
    fn encode(&self, persistence: Persistence, extent: Option<Extent>, scratch: &mut Scratch) {
        let Scratch { out, stamp, .. } = scratch;
        let mut put = |text: &[u8]| out.extend_from_slice(text);
        put(b"HTTP/1.1 ");
        put(self.lines());
        // Whoever has a clock dates what came without a date (RFC 9110, 6.6.1).
        if !self.is_dated() && !stamp.date().is_empty() {
            put(b"Date: ");
            put(stamp.date());
            put(b"\r\n");
        }
        match persistence {
            Persistence::Kept => {}
            Persistence::Granted => put(b"Connection: keep-alive\r\n"),
            Persistence::Closed => put(b"Connection: close\r\n"),
        }
        // A HEAD, or a 304, tells how long the body would have been.
        if let Some(length) = self.length() {
            put(format!("Content-Length: {length}\r\n").as_bytes());
        } else if extent == Some(Extent::Chunks) {
            put(b"Transfer-Encoding: chunked\r\n");
        }
        put(b"\r\n");
    }
}
