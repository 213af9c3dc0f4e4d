//! The client's end of HTTP/1.1: a machine that reads responses.
//!
//! It does no I/O, knows no clock and owns no socket. Its grammar:
//!
//! ```text
//! ( expect  next* → Done )*  ( next → Unasked )?  closed
//! ```
//!
//! [`Responses::expect`] announces that a request was written and whether its response may carry a body; [`Responses::next`] is
//! then handed bytes as they came, cut anywhere, and answers with what they mean, until [`Event::More`] (all used) or
//! [`Event::Done`] (that response is whole). With pipelining, call `expect` again after each `Done` and go on with the same bytes.
//! [`Responses::closed`] says what the peer's closing means here.
//!
//! A server that closes an idle connection may say why, most often with 408 (RFC 9110, section 15.5.9): a response to which no request
//! belongs is [`Event::Unasked`], after which nothing more can be asked for. Other bytes to which none belongs are [`Error::Unsolicited`].
//!
//! Nothing is allocated for a response whose head arrives in one piece. A head that is cut waits in a buffer that is kept and used
//! again. Every malformation is an [`Error`] of its own class, and the machine stays in it.

mod chunked;
mod error;
mod framing;
mod head;
mod input;
mod lenient;
#[cfg(test)]
mod tests;

use chunked::{Chunked, Piece};
pub use error::Error;
pub use framing::Framing;
pub use head::{Head, MAX_HEAD_BYTES};
use input::take;

/// How many interim (1xx) responses may come before the final one.
const MAX_INTERIM: u8 = 16;

/// What the response to a request may look like, as far as its request decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// A response to GET and the like: framed as its head says.
    Body,
    /// A response to HEAD: it ends with its head, whatever the head promises.
    HeadOnly,
}

/// What the bytes mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// All bytes are used; the response goes on.
    More,
    /// The head of the final response (interim ones are skipped).
    Head(Head),
    /// A piece of the body, chunk framing removed. Never empty.
    Body(&'a [u8]),
    /// The response is whole. What is left of the input belongs to the next one.
    Done {
        /// Whether the connection may carry another request.
        keep_alive: bool,
    },
    /// A response to which no request belongs: the connection is about to end, and what still comes is dropped.
    Unasked {
        /// Whether it says so itself, so that there is nothing to wait for.
        closing: bool,
    },
}

/// What the peer's closing means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// No response was outstanding: an idle connection ended.
    Idle,
    /// The response ended with the connection, as its framing allows.
    Done,
}

/// The responses on one connection, one after the other.
#[derive(Debug, Default)]
pub struct Responses {
    state: State,
    /// The beginning of a head that was cut; empty otherwise.
    partial: Vec<u8>,
    keep_alive: bool,
    interim: u8,
    /// The head of the present response, for whoever passes it on.
    kept: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Idle,
    Head(Expect),
    Length(u64),
    Chunked(Chunked),
    UntilClose,
    /// In the head of a response to which no request belongs.
    Unasked,
    /// Behind that head: everything is dropped.
    Parting,
    Failed(Error),
}

impl Responses {
    /// A machine for a fresh connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same for whoever has a use for whole heads: each is kept until the next one, as [`head`](Self::head).
    pub fn keeping_heads() -> Self {
        Self {
            kept: Some(Vec::new()),
            ..Self::default()
        }
    }

    /// The head of the last response as it came, its empty line included; empty unless heads are [kept](Self::keeping_heads).
    pub fn head(&self) -> &[u8] {
        self.kept.as_deref().unwrap_or_default()
    }

    /// Forgets everything: the connection is a new one. Keeps its buffer.
    pub fn reset(&mut self) {
        self.state = State::Idle;
        self.partial.clear();
        self.keep_alive = false;
        self.interim = 0;
    }

    /// Announces a response. The one before must be done.
    pub fn expect(&mut self, expect: Expect) {
        debug_assert!(matches!(self.state, State::Idle | State::Failed(_)));
        if self.state == State::Idle {
            self.state = State::Head(expect);
            self.interim = 0;
        }
    }

    /// Whether a response is announced and not yet whole.
    pub fn in_progress(&self) -> bool {
        matches!(
            self.state,
            State::Head(_) | State::Length(_) | State::Chunked(_) | State::UntilClose
        )
    }

    /// Whether the machine waits for nothing, and a response may be announced.
    #[inline]
    pub fn is_idle(&self) -> bool {
        self.state == State::Idle
    }

    /// Whether nothing of the announced response has come yet.
    pub fn at_start(&self) -> bool {
        matches!(self.state, State::Head(_)) && self.partial.is_empty() && self.interim == 0
    }

    /// Uses bytes off the front of `input` and says what they were.
    #[inline]
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Event<'a>, Error> {
        let outcome = match self.state {
            State::Idle if input.is_empty() => Ok(Event::More),
            State::Idle | State::Unasked => self.next_unasked(input),
            State::Parting => {
                *input = &[];
                Ok(Event::More)
            }
            State::Head(expect) => self.next_head(expect, input),
            State::Length(0) => Ok(self.done()),
            State::Length(left) => {
                let piece = take(input, left);
                self.state = State::Length(left - piece.len() as u64);
                Ok(body_or_more(piece))
            }
            State::Chunked(mut chunked) => {
                let piece = chunked.next(input);
                self.state = State::Chunked(chunked);
                match piece {
                    Ok(Piece::More) => Ok(Event::More),
                    Ok(Piece::Data(data)) => Ok(Event::Body(data)),
                    Ok(Piece::End) => Ok(self.done()),
                    Err(error) => Err(error),
                }
            }
            State::UntilClose => Ok(body_or_more(take(input, u64::MAX))),
            State::Failed(error) => Err(error),
        };
        if let Err(error) = outcome {
            self.state = State::Failed(error);
        }
        outcome
    }

    /// The peer has closed and every byte was handed over.
    pub fn closed(&mut self) -> Result<Closed, Error> {
        let outcome = match self.state {
            State::Idle | State::Parting => Ok(Closed::Idle),
            State::Unasked => Err(Error::Unsolicited),
            State::UntilClose | State::Length(0) => Ok(Closed::Done),
            State::Head(_) if self.at_start() => Err(Error::ClosedBeforeResponse),
            State::Head(_) => Err(Error::ClosedInHead),
            State::Length(_) | State::Chunked(_) => Err(Error::ClosedInBody),
            State::Failed(error) => Err(error),
        };
        self.state = match outcome {
            Ok(_) => State::Idle,
            Err(error) => State::Failed(error),
        };
        outcome
    }

    /// How many bytes, at least, are surely body and nothing else: a driver that does not look at bodies may drop them unread (a socket can
    /// do so without copying) and say so by [`Responses::skip`].
    pub fn skippable(&self) -> u64 {
        match self.state {
            State::Length(left) => left,
            State::Chunked(chunked) => chunked.data_left(),
            _ => 0,
        }
    }

    /// `bytes` of the body, at most [`Responses::skippable`], were dropped unread.
    pub fn skip(&mut self, bytes: u64) {
        match &mut self.state {
            State::Length(left) => *left = left.saturating_sub(bytes),
            State::Chunked(chunked) => chunked.skip(bytes),
            _ => debug_assert!(bytes == 0, "only a body can be skipped"),
        }
    }

    fn done<'a>(&mut self) -> Event<'a> {
        self.state = State::Idle;
        Event::Done {
            keep_alive: self.keep_alive,
        }
    }

    #[inline]
    fn next_head<'a>(&mut self, expect: Expect, input: &mut &'a [u8]) -> Result<Event<'a>, Error> {
        while let Some(head) = self.read_head(input)? {
            match head.status {
                101 => return Err(Error::Upgrade),
                100..200 if self.interim == MAX_INTERIM => return Err(Error::TooManyInterim),
                100..200 => self.interim += 1,
                _ => return Ok(self.begin_body(expect, head)),
            }
        }
        Ok(Event::More)
    }

    /// A head to which no request belongs. Whatever is wrong with it, that is.
    #[cold]
    fn next_unasked<'a>(&mut self, input: &mut &'a [u8]) -> Result<Event<'a>, Error> {
        self.state = State::Unasked;
        match self.read_head(input) {
            Ok(None) => Ok(Event::More),
            Ok(Some(head)) if head.status >= 200 => {
                self.state = State::Parting;
                Ok(Event::Unasked {
                    closing: !head.keep_alive || head.framing == Framing::UntilClose,
                })
            }
            Ok(Some(_)) | Err(_) => Err(Error::Unsolicited),
        }
    }

    /// A head, once it is whole. Until then all of `input` is used.
    #[inline]
    fn read_head(&mut self, input: &mut &[u8]) -> Result<Option<Head>, Error> {
        if self.partial.is_empty() {
            let Some(end) = head::find_end(input)? else {
                self.keep_partial(input);
                return Ok(None);
            };
            let bytes = take(input, end as u64);
            keep(&mut self.kept, bytes);
            return head::parse(bytes).map(Some);
        }
        if !self.complete_partial(input)? {
            return Ok(None);
        }
        keep(&mut self.kept, &self.partial);
        let parsed = head::parse(&self.partial);
        self.partial.clear();
        parsed.map(Some)
    }

    fn begin_body<'a>(&mut self, expect: Expect, mut head: Head) -> Event<'a> {
        if expect == Expect::HeadOnly || matches!(head.status, 204 | 304) {
            head.framing = Framing::Length(0);
        }
        self.state = match head.framing {
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Chunked(Chunked::default()),
            Framing::UntilClose => State::UntilClose,
        };
        head.keep_alive &= head.framing != Framing::UntilClose;
        self.keep_alive = head.keep_alive;
        Event::Head(head)
    }

    /// No end of the head in `input`: keep what came, if it can still become a head.
    #[cold]
    fn keep_partial(&mut self, input: &mut &[u8]) {
        self.partial.extend_from_slice(input);
        *input = &[];
    }

    /// Moves the rest of a cut head, line by line, from `input` to the kept part. True when that is whole.
    #[cold]
    fn complete_partial(&mut self, input: &mut &[u8]) -> Result<bool, Error> {
        while !input.is_empty() {
            let line = memchr::memchr(b'\n', input).map_or(input.len(), |at| at + 1);
            let (bytes, rest) = input.split_at(line);
            self.partial.extend_from_slice(bytes);
            *input = rest;
            if head::ends_with_empty_line(&self.partial) {
                head::check_size(self.partial.len())?;
                return Ok(true);
            }
            head::check_unfinished(&self.partial)?;
        }
        Ok(false)
    }
}

#[inline]
fn keep(kept: &mut Option<Vec<u8>>, head: &[u8]) {
    if let Some(kept) = kept {
        kept.clear();
        kept.extend_from_slice(head);
    }
}

fn body_or_more(piece: &[u8]) -> Event<'_> {
    if piece.is_empty() {
        Event::More
    } else {
        Event::Body(piece)
    }
}
