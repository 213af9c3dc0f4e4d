//! How a session ends: deadlines that have passed, a server that stops, a connection that broke.

use http::Phase;
use meter::Event;

use super::protocol::Protocol;
use super::spoken::ask;
use super::{Scratch, Session, State};

impl Session {
    /// The deadline of its phase has passed: a late request is answered, and a silent client is left.
    pub fn expire(&mut self, scratch: &mut Scratch) {
        match self.phase() {
            Some(Phase::Answer) => self.stalled(scratch),
            Some(phase) if self.state != State::Closed => {
                if self.expire_handshake(scratch) {
                    return;
                }
                if phase == Phase::Request {
                    scratch.events.push(Event::RequestTimeout);
                }
                self.spoken.decide_for_http1(scratch);
                ask!(&mut self.spoken, protocol => protocol.expire(scratch));
            }
            _ => {}
        }
    }

    /// The client has taken nothing for too long.
    fn stalled(&mut self, scratch: &mut Scratch) {
        let has_all_left = self.unsent.is_none() && self.state == State::Open;
        let given_up = match has_all_left {
            true => ask!(&mut self.spoken, protocol => protocol.stalled()),
            false => None,
        };
        match given_up {
            Some(answers @ 1..) => {
                let events = std::iter::repeat_n(Event::Stalled, answers);
                scratch.events.extend(events);
            }
            _ => self.end(Some(Event::Stalled), scratch),
        }
    }

    /// The server is stopping: the answer under way, or that to the request which has begun to come, is the last.
    pub fn finish(&mut self) {
        if !self.finish_handshake() {
            self.spoken.finish();
        }
    }

    /// The drain deadline has passed: whatever is under way ends here.
    pub fn abandon(&mut self, scratch: &mut Scratch) {
        let is_answering = matches!(self.phase(), None | Some(Phase::Answer));
        self.end(is_answering.then_some(Event::Abandoned), scratch);
    }

    /// The connection broke while it was read from.
    pub fn broken(&mut self, scratch: &mut Scratch) {
        let loses = !matches!(self.phase(), Some(Phase::Idle | Phase::Linger));
        self.end(loses.then_some(Event::Broken), scratch);
    }

    pub(super) fn end(&mut self, event: Option<Event>, scratch: &mut Scratch) {
        if self.state != State::Closed {
            scratch.events.extend(event);
        }
        self.state = State::Closed;
        self.unsent = None;
        self.held = Vec::new();
        scratch.clear();
    }
}
