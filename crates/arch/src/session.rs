//! A connection's session: told what happened, it says what is next. No descriptor, no system call, no clock.
//!
//! ```text
//!  transport (socket, ring, stack in user space)      who moves bytes, and who waits for them: the driver
//!      │ received bytes             ▲ outputs, owned
//!  security: none, or TLS                              `secured`
//!      │ plain bytes                ▲
//!  session: what was not taken, turns, the end         this file
//!      │ bytes                      ▲ heads, pieces
//!  protocol: HTTP/1.1, HTTP/2                          `http1`, `http2`; `beginning` where both are spoken
//!      │ works                      ▲ what came of them
//!  files                                               a face that may wait, a face that never does
//! ```

pub mod answer;
mod at_hand;
mod beginning;
mod endings;
mod found;
mod http1;
mod http2;
pub mod output;
mod protocol;
pub mod scratch;
mod secured;
mod spoken;
pub mod work;

#[cfg(test)]
mod multiplexed;
#[cfg(test)]
mod tests;

use http::Phase;

pub use answer::{Answer, FileAnswer, KeptFile};
use beginning::Beginning;
pub use files::Delivery;
pub use found::Caches;
pub use http::h2::Frames;
use http1::Http1;
pub use output::{Output, SendError, Tail};
use protocol::{PIECE, Protocol, Want};
pub use scratch::Scratch;
use secured::{Before, Secured};
use spoken::{Spoken, ask};
pub use work::{Calls, Done, Left, Piece, Source, Step, Work};

/// What a session needs next from its driver.
#[derive(Debug)]
pub enum Next {
    /// Bytes from the client: [`receive`](Session::receive) or [`end_of_input`](Session::end_of_input). What the last call did not
    /// take is offered again at once, before anybody else is worked on; otherwise the transport has to be asked.
    Receive,
    /// To be put on the wire, and to come back by [`sent`](Session::sent).
    Send(Output),
    /// To be done by whoever may wait or compute, and to come back by [`done`](Session::done). Others may follow before it has.
    Work(Work),
    /// The last answer has been sent: end the sending half of the connection.
    ShutdownWrite,
    /// Nothing; it has had its turn, and others may want theirs.
    Yield,
    /// What was handed out has to come back first, or a body's source has nothing yet.
    Wait,
    /// It is over.
    Closed,
}

impl Next {
    /// Which of the paper's boxes is next, where it is one that is given away as a work.
    pub fn step(&self) -> Option<Step> {
        match self {
            Self::Work(work) => work.step(),
            _ => None,
        }
    }
}

/// The work of one turn, in bytes; a request counts as [`REQUEST_COST`] at least.
const TURN: u64 = PIECE;
/// What a request costs beside the bytes of its answer, in bytes that could be sent meanwhile.
const REQUEST_COST: u64 = 8 << 10;
/// Answers to pipelined requests are collected up to this many bytes before they are sent.
const COLLECT: usize = 64 << 10;

/// One connection, as its protocol sees it.
///
/// | when | call |
/// | --- | --- |
/// | at any time | [`next`](Self::next) or [`next_uncached`](Self::next_uncached), [`phase`](Self::phase), [`is_multiplexed`](Self::is_multiplexed) |
/// | when time or the network says so | [`expire`](Self::expire), [`finish`](Self::finish), [`abandon`](Self::abandon), [`broken`](Self::broken) |
/// | after [`Next::Receive`] | [`receive`](Self::receive), [`end_of_input`](Self::end_of_input) |
/// | with a [`Next::Send`] in hand | [`sent`](Self::sent) |
/// | with a [`Next::Work`] in hand | [`done`](Self::done); before it is given to somebody who takes long, [`collected`](Self::collected) |
/// | when others are to have their turn | [`rest`](Self::rest) |
///
/// A call out of turn changes nothing. What is to be counted of each lies in the [`Scratch`] afterwards. One output is out at a time,
/// and as many works as the protocol has requests under way.
///
/// An idle session owns nothing beyond these few bytes. What it needs meanwhile lies in the [`Scratch`] that its calls are given;
/// one thread's serves all of its sessions, one after the other.
#[derive(Debug)]
pub struct Session {
    /// None in the clear.
    secured: Option<Box<Secured>>,
    spoken: Spoken,
    /// What the transport did not take of the output before.
    unsent: Option<Output>,
    /// Works that were done meanwhile.
    held: Vec<Done>,
    /// What it has used of its present turn.
    turn: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// An output is out.
    Sending,
    Closed,
}

impl Session {
    /// A session of HTTP/1.1 on a connection on which nothing has come. `gather_from`: bodies in memory from this length on, in
    /// bytes, are tails of outputs; shorter ones are copied beside their heads.
    pub fn new(gather_from: u64) -> Self {
        Self::speaking(Spoken::Http1(Http1::new(gather_from, Delivery::PageCache)))
    }

    /// The same for a connection on which the client decides, by what it sends first, whether it is of HTTP/1.1 or of HTTP/2.
    pub fn of_either(gather_from: u64) -> Self {
        Self::speaking(Spoken::Beginning(Beginning::new(gather_from)))
    }

    fn speaking(spoken: Spoken) -> Self {
        Self {
            secured: None,
            spoken,
            unsent: None,
            held: Vec::new(),
            turn: 0,
            state: State::Open,
        }
    }

    /// What is to be done next.
    #[inline]
    pub fn next(&mut self, scratch: &mut Scratch) -> Next {
        self.next_beyond(None, scratch)
    }

    /// The same for whoever does at once what takes no system call: a work whose answer lies in the caches is done, and never next.
    #[inline]
    pub fn next_uncached(&mut self, caches: Caches<'_>, scratch: &mut Scratch) -> Next {
        self.next_beyond(Some(caches), scratch)
    }

    #[inline]
    fn next_beyond(&mut self, caches: Option<Caches<'_>>, scratch: &mut Scratch) -> Next {
        match self.state {
            State::Open => {}
            State::Sending => return Next::Wait,
            State::Closed => return Next::Closed,
        }
        if let Some(unsent) = self.unsent.take() {
            return self.hand_out(unsent);
        }
        if !self.held.is_empty() {
            self.take_held(scratch);
            if self.state == State::Closed {
                return Next::Closed;
            }
        }
        loop {
            if self.secured.is_some()
                && let Some(next) = self.next_of_security(scratch)
            {
                return next;
            }
            if self.turn >= TURN && scratch.is_clear() {
                self.turn = 0;
                return Next::Yield;
            }
            if self.turn >= TURN || scratch.collected() >= COLLECT {
                return self.send(Output::collect(scratch, false), scratch);
            }
            let want = ask!(&mut self.spoken, protocol => protocol.want(scratch));
            if let Some(secured) = &mut self.secured {
                match secured.before(want, scratch.is_clear()) {
                    Before::Nothing => {}
                    Before::Feed => {
                        self.feed(scratch);
                        continue;
                    }
                    Before::Flush => return self.flush(scratch),
                }
            }
            return match want {
                Want::Rest => Next::Receive,
                Want::Work => {
                    if let Some(caches) = caches
                        && ask!(&mut self.spoken, protocol => protocol.do_kept(caches, scratch))
                    {
                        continue;
                    }
                    ask!(&mut self.spoken, protocol => protocol.work(scratch).map_or(Next::Wait, Next::Work))
                }
                Want::Send => {
                    let tail = ask!(&self.spoken, protocol => protocol.tail());
                    let frames = ask!(&self.spoken, protocol => protocol.frames());
                    let is_announced = ask!(&self.spoken, protocol => protocol.announces_tails());
                    let output = Output::collect_before(tail, frames, is_announced, scratch);
                    self.send(output, scratch)
                }
                // The FIN goes with the last bytes.
                _ if !scratch.is_clear() => {
                    let is_last = want == Want::ShutdownWrite;
                    self.send(Output::collect(scratch, is_last), scratch)
                }
                Want::Receive => Next::Receive,
                Want::Wait => Next::Wait,
                Want::ShutdownWrite => {
                    ask!(&mut self.spoken, protocol => protocol.write_was_shut());
                    Next::ShutdownWrite
                }
                Want::Close | Want::BreakOff => {
                    self.state = State::Closed;
                    Next::Closed
                }
            };
        }
    }

    #[cold]
    fn take_held(&mut self, scratch: &mut Scratch) {
        for done in std::mem::take(&mut self.held) {
            self.done(done, scratch);
        }
    }

    /// What is collected and not sent yet, to be sent before a work takes long.
    pub fn collected(&mut self, scratch: &mut Scratch) -> Option<Output> {
        if self.state != State::Open || scratch.is_clear() {
            return None;
        }
        let output = Output::collect(scratch, false);
        match self.send(output, scratch) {
            Next::Send(output) => Some(output),
            _ => None,
        }
    }

    /// Hands out what a protocol has to say.
    #[inline]
    fn send(&mut self, output: Output, scratch: &mut Scratch) -> Next {
        if self.secured.is_none() {
            return self.hand_out(output);
        }
        match self.seal(output, scratch) {
            Ok(output) => self.hand_out(output),
            Err(()) => Next::Closed,
        }
    }

    #[inline]
    fn hand_out(&mut self, output: Output) -> Next {
        self.state = State::Sending;
        Next::Send(output)
    }

    /// Takes bytes from the client, and returns how many. Fewer than given: the rest is to be offered again when
    /// [`Next::Receive`] is next.
    #[inline]
    pub fn receive(&mut self, input: &[u8], scratch: &mut Scratch) -> usize {
        self.turn += REQUEST_COST;
        if self.secured.is_some() {
            return self.receive_records(input, scratch);
        }
        self.spoken.receive(input, scratch)
    }

    /// The client sends no more; all that it has sent was received.
    pub fn end_of_input(&mut self, scratch: &mut Scratch) {
        if !self.end_of_records(scratch) {
            self.spoken.end_of_input(scratch);
        }
    }

    /// An output is back, of which the transport took so many bytes; none if it would have had to wait.
    #[inline]
    pub fn sent(
        &mut self,
        mut output: Output,
        sent: Result<usize, SendError>,
        scratch: &mut Scratch,
    ) {
        if self.state == State::Sending {
            self.state = State::Open;
        }
        let bytes = match sent {
            Ok(bytes) => bytes,
            Err(error) => {
                // What stands before the tail has not left, and can still be made another thing.
                if output.is_whole()
                    && output.announces_its_tail()
                    && error != SendError::Broken
                    && let Some(void) = ask!(&mut self.spoken, protocol => protocol.take_back())
                {
                    scratch.events.push(error.event());
                    self.unsent = Some(output.without_tail(void));
                    return;
                }
                output.recycle(scratch);
                let event = (!self.is_farewell()).then(|| error.event());
                return self.end(event, scratch);
            }
        };
        self.turn += bytes as u64;
        let tail = output.advance(bytes);
        if output.is_head_sent() {
            let sent = output.tail_sent(tail);
            output.settle(scratch);
            if sent.payload > 0 && self.state == State::Open {
                // Before the client can know that it has all: a file is not kept open for an answer that is over.
                ask!(&mut self.spoken, protocol => protocol.sent(sent, scratch));
                scratch.settle();
            }
            if let Some((header, begun)) = sent.header
                && self.state == State::Open
            {
                let rest = &header[begun..];
                self.unsent = (!rest.is_empty()).then(|| Output::of_header(rest));
            }
        } else if self.state == State::Open {
            self.unsent = Some(output.rest(scratch));
        } else {
            output.recycle(scratch);
        }
    }

    /// A work is back, done.
    #[inline]
    pub fn done(&mut self, done: Done, scratch: &mut Scratch) {
        let is_away = self.secured.as_ref().is_some_and(|it| it.is_away());
        if self.state != State::Open || self.unsent.is_some() || is_away {
            self.done_meanwhile(done, scratch);
        } else {
            ask!(&mut self.spoken, protocol => protocol.done(done, scratch));
        }
    }

    /// A work is back while the transport has an output, or that of a handshake.
    #[inline(never)]
    fn done_meanwhile(&mut self, done: Done, scratch: &mut Scratch) {
        if self.state == State::Closed {
            return;
        }
        if self.waits_for_transport() {
            // What came of it would be collected behind what waits for the client, and be there when others are worked on.
            self.held.push(done);
        } else {
            self.handshake_done(done, scratch);
        }
    }

    /// Whether an output is out, or waits to go out again.
    #[inline]
    fn waits_for_transport(&self) -> bool {
        self.unsent.is_some() || self.state == State::Sending
    }

    /// Whether its client may have several requests under way, so that others can go on while one waits for the disk.
    #[inline]
    pub fn is_multiplexed(&self) -> bool {
        matches!(self.spoken, Spoken::Http2(_))
    }

    /// Which deadline applies; none while somebody works for it.
    #[inline]
    pub fn phase(&self) -> Option<Phase> {
        if self.held.is_empty() && ask!(&self.spoken, protocol => protocol.is_worked_for()) {
            None
        } else if self.waits_for_transport() {
            Some(Phase::Answer)
        } else {
            let phase = ask!(&self.spoken, protocol => protocol.phase());
            match &self.secured {
                None => Some(phase),
                Some(secured) if secured.is_away() => None,
                Some(secured) => Some(secured.phase(phase)),
            }
        }
    }

    /// Whether it would take what has come, though something else may be next: whoever drives it asks the transport without waiting.
    /// One that answers at length would otherwise not hear what its client changes meanwhile.
    #[inline]
    pub fn is_to_listen(&mut self) -> bool {
        match &mut self.spoken {
            Spoken::Http1(_) => false,
            _ if self.state != State::Open || self.unsent.is_some() => false,
            spoken => ask!(spoken, protocol => protocol.is_to_listen()),
        }
    }

    /// Others have their turn now.
    #[inline]
    pub fn rest(&mut self, scratch: &Scratch) {
        debug_assert!(
            scratch.is_clear(),
            "what a session leaves would go to the next one's client"
        );
        self.begin_turn();
    }

    /// Somebody else works on it from now on, in whose queue it has waited: what it used of a turn before does not count.
    #[inline]
    pub fn begin_turn(&mut self) {
        self.turn = 0;
    }
}
