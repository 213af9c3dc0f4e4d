//! One connection: its socket, the responses on it, and the requests under way.

use super::multiplexed::Multiplexed;
use super::stream::Stream;
use crate::clock::Nanos;
use crate::failure::Failure;
use crate::schedule::Due;
use crate::security::Secured;
use crate::verify::Check;
use http::client::Responses;
use std::collections::VecDeque;
use std::io::ErrorKind;

/// A request that is to be sent, for the first time or again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    pub(super) due: Due,
    /// When it was first written, and when it became due again; None: it has not been written.
    pub(super) before: Option<(Nanos, Nanos)>,
    /// Whether it is sent again because a connection ended. That happens once.
    pub(super) retried: bool,
}

impl From<Due> for Pending {
    fn from(due: Due) -> Self {
        Self {
            due,
            before: None,
            retried: false,
        }
    }
}

/// A request under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    pub(super) pending: Pending,
    /// When its connection was free for it.
    pub(super) free: Nanos,
    pub(super) written: Nanos,
    /// 0 until something came.
    pub(super) first_byte: Nanos,
    pub(super) target: usize,
    /// The number of its stream, in HTTP/2.
    pub(super) stream: u32,
}

impl Flight {
    /// When it was to be sent.
    #[inline]
    pub(super) fn intended(&self) -> Nanos {
        self.pending.due.intended
    }

    /// When it was written, the first time if it was written more than once.
    #[inline]
    pub(super) fn first_written(&self) -> Nanos {
        self.pending.before.map_or(self.written, |(first, _)| first)
    }

    /// Whether its connection had been open and idle when it became due.
    fn found_idle(&self) -> bool {
        self.free < self.intended()
    }

    /// The same request, due again from `now` on.
    pub(super) fn again(&self, now: Nanos) -> Pending {
        Pending {
            before: Some((self.first_written(), now)),
            ..self.pending
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// To be opened when it is needed.
    Closed,
    /// Connecting failed; not to be tried again before then.
    Down { until: Nanos },
    /// Under way since then.
    Connecting { since: Nanos },
    /// Carries requests.
    Open,
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: Option<Stream>,
    /// None in the clear.
    pub(super) secured: Option<Box<Secured>>,
    pub(super) state: State,
    /// The number of the address that it was last opened to.
    pub(super) address: usize,
    pub(super) responses: Responses,
    /// Its streams, where it speaks HTTP/2.
    pub(super) http2: Option<Box<Multiplexed>>,
    pub(super) flights: VecDeque<Flight>,
    /// Bytes that the socket would not take yet, from `out_at` on; over TLS they are encrypted.
    pub(super) out: Vec<u8>,
    pub(super) out_at: usize,
    /// Since when it can take another request.
    pub(super) free_since: Nanos,
    /// Requests written since it was opened.
    pub(super) sent: u64,
    /// Whether it ends with the answers that are under way: its last request has been written.
    pub(super) closing: bool,
    /// Why it takes no more bytes, though there may be some to be read.
    pub(super) broken: Option<ErrorKind>,
    /// Whether it brought an answer since it was opened.
    pub(super) used: bool,
    /// When it must have ended, as a response that nobody asked for told; the end of time: it need not.
    pub(super) ends_by: Nanos,
    /// When it is to be looked at; the end of time: not at all.
    pub(super) armed: Nanos,
    /// Requests of its client that wait for it to open (closed loop).
    pub(super) owed: VecDeque<Pending>,
    /// Attempts to connect that failed in a row.
    pub(super) refusals: u32,
    /// When a request was first sent on it, opened anew or not.
    pub(super) first_asked: Option<Nanos>,
    /// Whether one was ever answered, well or not.
    pub(super) heard: bool,
    pub(super) check: Check,
    /// What is already wrong with the present response, though it goes on.
    pub(super) fault: Option<Failure>,
}

impl Connection {
    pub(super) fn new(depth: usize) -> Self {
        Self {
            stream: None,
            secured: None,
            state: State::Closed,
            address: 0,
            responses: Responses::new(),
            http2: None,
            flights: VecDeque::with_capacity(depth),
            out: Vec::new(),
            out_at: 0,
            free_since: 0,
            sent: 0,
            closing: false,
            broken: None,
            used: false,
            ends_by: Nanos::MAX,
            armed: Nanos::MAX,
            owed: VecDeque::with_capacity(depth),
            refusals: 0,
            first_asked: None,
            heard: false,
            check: Check::default(),
            fault: None,
        }
    }

    /// Whether another request may be written to it.
    #[inline]
    pub(super) fn has_room(&self, depth: usize) -> bool {
        self.state == State::Open
            && !self.closing
            && self.flights.len() < self.room(depth)
            && !self.is_parting()
    }

    /// How many requests may be under way on it, where `depth` were asked for: no more than its server takes.
    #[inline]
    fn room(&self, depth: usize) -> usize {
        let http2 = self.http2.as_deref();
        http2.map_or(depth, |http2| depth.min(http2.client.most_streams()))
    }

    /// A request is over, which was the n-th under way.
    pub(super) fn take_flight(&mut self, place: usize, depth: usize, now: Nanos) -> Option<Flight> {
        // Only a connection that was full becomes free now.
        if self.flights.len() >= self.room(depth) {
            self.free_since = now;
        }
        self.flights.remove(place)
    }

    /// One that went out on a later stream than that.
    pub(super) fn take_flight_after(&mut self, stream: u32) -> Option<Flight> {
        let place = self
            .flights
            .iter()
            .position(|flight| flight.stream > stream)?;
        self.flights.remove(place)
    }

    /// Whether bytes came for which nobody had asked, so that it can carry no more requests.
    #[inline]
    pub(super) fn is_parting(&self) -> bool {
        self.flights.is_empty() && !self.responses.is_idle()
    }

    /// Whether a request on it may be sent again over another connection, if this one has ended before any of the answer: the server may have closed it
    /// while it was idle, or at a limit, so that the request was never looked at. That goes once for each request. All methods
    /// here are safe (RFC 9110, section 9.2.2).
    pub(super) fn may_have_been_closed_before(&self, flight: &Flight) -> bool {
        !flight.pending.retried && (self.used || flight.found_idle())
    }

    /// Whether nothing is under way on it, and nothing waits for it or its end.
    pub(super) fn is_idle(&self) -> bool {
        self.flights.is_empty() && self.owed.is_empty() && self.responses.is_idle()
    }

    /// As before it was opened. What was under way must have been dealt with.
    pub(super) fn reset(&mut self) {
        self.stream = None;
        self.secured = None;
        self.state = State::Closed;
        self.responses.reset();
        self.http2 = None;
        self.flights.clear();
        self.out.clear();
        self.out_at = 0;
        self.sent = 0;
        self.closing = false;
        self.broken = None;
        self.used = false;
        self.ends_by = Nanos::MAX;
        self.fault = None;
    }

    /// Nothing more can be written to it.
    pub(super) fn broke(&mut self, why: ErrorKind) {
        self.closing = true;
        if let Some(http2) = &mut self.http2 {
            http2.said.clear();
        }
        self.broken.get_or_insert(why);
        self.out.clear();
        self.out_at = 0;
    }

    /// Writes what is left over, and what HTTP/2 has to say. False: the socket is full.
    pub(super) fn flush(&mut self) -> std::io::Result<bool> {
        self.take_said()?;
        while self.out_at < self.out.len() {
            match write(self.stream.as_ref(), &self.out[self.out_at..])? {
                Some(written) => self.out_at += written,
                None => return Ok(false),
            }
        }
        self.out.clear();
        self.out_at = 0;
        Ok(true)
    }

    /// Puts what HTTP/2 has to say behind what is left over.
    #[inline]
    fn take_said(&mut self) -> std::io::Result<()> {
        let Some(http2) = &mut self.http2 else {
            return Ok(());
        };
        let said = &mut http2.said;
        match &mut self.secured {
            _ if said.is_empty() => {}
            Some(secured) => secured.write(said, &mut self.out)?,
            None if self.out.is_empty() => std::mem::swap(said, &mut self.out),
            None => self.out.extend_from_slice(said),
        }
        said.clear();
        Ok(())
    }

    /// Adds `bytes` to what is left over, to be written with it.
    pub(super) fn queue(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match &mut self.secured {
            Some(secured) => secured.write(bytes, &mut self.out),
            None => {
                self.out.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// Writes `bytes` behind what is left over.
    #[inline]
    pub(super) fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if self.secured.is_some() {
            self.queue(bytes)?;
            return self.flush().map(drop);
        }
        let mut written = 0;
        if self.out.is_empty() {
            written = write(self.stream.as_ref(), bytes)?.unwrap_or(0);
        }
        if written < bytes.len() {
            self.out.extend_from_slice(&bytes[written..]);
        }
        Ok(())
    }
}

/// None: the socket is full.
#[inline]
fn write(stream: Option<&Stream>, bytes: &[u8]) -> std::io::Result<Option<usize>> {
    use std::io::Write;
    let Some(mut stream) = stream else {
        return Err(ErrorKind::NotConnected.into());
    };
    loop {
        match stream.write(bytes) {
            Ok(written) => return Ok(Some(written)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
