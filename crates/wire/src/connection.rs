//! One connection: its two streams, and which bytes of one answer which of the other.

use std::collections::VecDeque;
use std::time::Duration;

use crate::message::{Lost, Mark, Messages, Speaker};
use crate::segment::Segment;
use crate::stream::{Brought, Piece, Stream};

/// How a request was told from the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matched {
    /// By the heads of HTTP/1.
    Http,
    /// By bytes and time alone: all that one end sends before the other does is one message. So it is for what is encrypted or
    /// multiplexed, for chunked bodies, and where a head was not captured; what was asked meanwhile counts as one request.
    BytesAndTime,
}

/// A request and its answer, by the clock of the segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// When the connection was opened, if this is its first request.
    pub opened: Option<Duration>,
    /// The request's first byte.
    pub request_first: Duration,
    /// The request's last byte.
    pub request_last: Duration,
    /// The answer's first byte.
    pub answer_first: Duration,
    /// The answer's last byte.
    pub answer_last: Duration,
    /// How they were told.
    pub matched: Matched,
    /// Whether the request came before the answer to the one before had ended.
    pub pipelined: bool,
}

/// What one segment did.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Step {
    pub(crate) brought: Brought,
    /// From the SYN to the answer to it.
    pub(crate) handshake: Option<Duration>,
    /// Answers that nobody had asked for.
    pub(crate) unasked: u64,
    /// From here on it is matched by bytes and time.
    pub(crate) lost: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Connection {
    opened: Option<Duration>,
    shook_hands: bool,
    /// Which ends have said that they are done: the client, the server.
    done: [bool; 2],
    to_server: Stream,
    to_client: Stream,
    matching: Matching,
}

#[derive(Debug, Clone)]
enum Matching {
    Http(Box<Http>),
    Turns(Turns),
}

impl Connection {
    pub(crate) fn new() -> Self {
        Self {
            opened: None,
            shook_hands: false,
            done: [false; 2],
            to_server: Stream::default(),
            to_client: Stream::default(),
            matching: Matching::Http(Box::default()),
        }
    }

    /// Whether a client's SYN opens another connection between the same ends.
    pub(crate) fn is_another(&self, syn: &Segment<'_>) -> bool {
        self.to_server.is_another(syn.sequence)
    }

    /// Takes a segment; `done` is called with each exchange that it completes.
    pub(crate) fn take(
        &mut self,
        segment: &Segment<'_>,
        from_server: bool,
        mut done: impl FnMut(Exchange),
    ) -> Step {
        let mut step = Step::default();
        if segment.syn && !from_server {
            self.opened.get_or_insert(segment.at);
        }
        if segment.syn && from_server && !std::mem::replace(&mut self.shook_hands, true) {
            step.handshake = self.opened.map(|opened| segment.at.saturating_sub(opened));
        }
        let Self {
            opened,
            to_server,
            to_client,
            matching,
            ..
        } = self;
        let stream = if from_server { to_client } else { to_server };
        let mut finish = |exchange: Exchange| {
            done(Exchange {
                opened: opened.take(),
                ..exchange
            });
        };
        step.brought = stream.take(segment, |piece| {
            if let Matching::Http(http) = matching {
                match http.take(
                    segment.at,
                    piece,
                    from_server,
                    &mut finish,
                    &mut step.unasked,
                ) {
                    Ok(()) => return,
                    Err(Lost) => {
                        step.lost = true;
                        *matching = Matching::Turns(Turns::default());
                    }
                }
            }
            if let Matching::Turns(turns) = matching {
                turns.take(segment.at, from_server, &mut finish);
            }
        });
        if step.brought.hole && matches!(matching, Matching::Http(_)) {
            step.lost = true;
            *matching = Matching::Turns(Turns::default());
        }
        self.done[usize::from(from_server)] |= segment.fin;
        self.done = self.done.map(|done| done || segment.reset);
        if segment.reset || (segment.fin && from_server) {
            match matching {
                Matching::Http(http) => http.end(segment.at, &mut finish),
                Matching::Turns(turns) => turns.end(&mut finish),
            }
        }
        step
    }

    /// Whether neither end has anything more to say.
    pub(crate) fn is_over(&self) -> bool {
        self.done == [true; 2]
    }

    /// Nothing more comes; gives how many requests have no answer.
    pub(crate) fn end(&mut self, mut done: impl FnMut(Exchange)) -> u64 {
        match &mut self.matching {
            Matching::Http(http) => http.pending.len() as u64,
            Matching::Turns(turns) => {
                turns.end(&mut done);
                u64::from(turns.asked.is_some())
            }
        }
    }
}

/// Matching by the heads of HTTP/1: answers come in the order of the requests (RFC 9112, section 9.3.2).
#[derive(Debug, Clone, Default)]
struct Http {
    requests: Messages,
    answers: Messages,
    /// Requests whose answers have not ended, oldest first; the last may still be coming.
    pending: VecDeque<Pending>,
    /// The first byte of the answer that is coming.
    answer_first: Option<Duration>,
}

#[derive(Debug, Clone, Copy)]
struct Pending {
    first: Duration,
    last: Duration,
    is_head: bool,
    pipelined: bool,
}

impl Http {
    fn take(
        &mut self,
        at: Duration,
        mut piece: Piece<'_>,
        from_server: bool,
        done: &mut impl FnMut(Exchange),
        unasked: &mut u64,
    ) -> Result<(), Lost> {
        if from_server {
            loop {
                let to_head = self.pending.front().is_some_and(|pending| pending.is_head);
                match self.answers.next(&mut piece, Speaker::Server { to_head })? {
                    None => return Ok(()),
                    Some(Mark::Begins) => self.answer_first = Some(at),
                    Some(Mark::Head { .. }) => {}
                    Some(Mark::Ends) => *unasked += u64::from(!self.answered(at, done)),
                }
            }
        }
        while let Some(mark) = self.requests.next(&mut piece, Speaker::Client)? {
            let pipelined = !self.pending.is_empty();
            match (mark, self.pending.back_mut()) {
                (Mark::Begins, _) => self.pending.push_back(Pending {
                    first: at,
                    last: at,
                    is_head: false,
                    pipelined,
                }),
                (Mark::Head { is_head }, Some(pending)) => pending.is_head = is_head,
                (Mark::Ends, Some(pending)) => pending.last = at,
                (_, None) => {}
            }
        }
        Ok(())
    }

    /// The answer that was coming has ended; whether somebody had asked for it.
    fn answered(&mut self, at: Duration, done: &mut impl FnMut(Exchange)) -> bool {
        let first = self.answer_first.take().unwrap_or(at);
        let Some(pending) = self.pending.pop_front() else {
            return false;
        };
        done(Exchange {
            opened: None,
            request_first: pending.first,
            request_last: pending.last,
            answer_first: first,
            answer_last: at,
            matched: Matched::Http,
            pipelined: pending.pipelined,
        });
        true
    }

    fn end(&mut self, at: Duration, done: &mut impl FnMut(Exchange)) {
        if self.answers.end() {
            self.answered(at, done);
        }
    }
}

/// Matching by whose turn it is to speak.
#[derive(Debug, Clone, Copy, Default)]
struct Turns {
    asked: Option<(Duration, Duration)>,
    answered: Option<(Duration, Duration)>,
}

impl Turns {
    fn take(&mut self, at: Duration, from_server: bool, done: &mut impl FnMut(Exchange)) {
        let widen = |turn: &mut Option<(Duration, Duration)>| turn.get_or_insert((at, at)).1 = at;
        match (from_server, self.asked) {
            // The server speaks first: nothing has been asked.
            (true, None) => {}
            (true, Some(_)) => widen(&mut self.answered),
            (false, _) => {
                self.end(done);
                widen(&mut self.asked);
            }
        }
    }

    /// The turn of the server is over, if it had one.
    fn end(&mut self, done: &mut impl FnMut(Exchange)) {
        let (Some(asked), Some(answered)) = (self.asked, self.answered) else {
            return;
        };
        *self = Self::default();
        done(Exchange {
            opened: None,
            request_first: asked.0,
            request_last: asked.1,
            answer_first: answered.0,
            answer_last: answered.1,
            matched: Matched::BytesAndTime,
            pipelined: false,
        });
    }
}
