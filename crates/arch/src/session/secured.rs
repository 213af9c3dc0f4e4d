//! TLS between a session's transport and its protocol: what comes is decrypted before the protocol sees it, and what it says is
//! encrypted before the transport does.
//!
//! ```text
//!  Blank ─► Handshake ─────────────► Open        the protocol is asked, as without TLS
//!             │ ▲                      │
//!      helper ▼ │                      │
//!             Due ─► Away              │
//!             └──────────┴─────────────┴─► Failed ─► Lingering      an alert, then closed in stages
//! ```

mod layer;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use http::Phase;
use meter::Event;
use rustls::HandshakeKind;

use super::http1::Http1;
use super::http2::Http2;
use super::output::Output;
use super::protocol::Want;
use super::work::{Done, Outcome, Work};
use super::{Next, REQUEST_COST, Scratch, Session, Spoken, State};
use crate::security::{HandshakePlace, Security};
use files::Delivery;
use layer::HANDSHAKE;
pub(super) use layer::Layer;
use tls::records::RECORD;

/// The security of one session.
#[derive(Debug)]
pub(super) struct Secured {
    /// Away while somebody else computes a handshake.
    layer: Option<Box<Layer>>,
    stage: Stage,
    place: HandshakePlace,
    gather_from: u64,
    /// The client has said that it sends no more.
    is_ended: bool,
    /// So has the server.
    is_closed: bool,
    /// Nothing is lost if what is out does not arrive.
    is_farewell: bool,
    /// The server is stopping, of which the protocol is told when there is one.
    is_finishing: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing has come.
    Blank,
    /// A handshake is under way.
    Handshake,
    /// So it is, and what has come of it is to be computed by whoever the driver gives it to.
    Due,
    /// That is being done.
    Away,
    Open,
    /// It is over, for a reason that the client is told.
    Failed,
    /// It has been told, and what it still sends is dropped.
    Lingering,
}

/// What has to be done before the protocol gets what it wants.
pub(super) enum Before {
    Nothing,
    /// It takes what was decrypted and not taken.
    Feed,
    /// What TLS has to say is sent.
    Flush,
}

impl Session {
    /// A session over TLS, on a connection on which nothing has come. `gather_from`: as for one [without](Self::new).
    pub fn secured(gather_from: u64, security: &Arc<Security>) -> Self {
        // What shares a record with its head is copied there.
        let gather_from = gather_from.max(RECORD as u64);
        let mut session = Self::speaking(speaks(None, gather_from));
        session.secured = Some(Box::new(Secured {
            layer: Some(Box::new(Layer::new(security.accept()))),
            stage: Stage::Blank,
            place: security.place(),
            gather_from,
            is_ended: false,
            is_closed: false,
            is_farewell: false,
            is_finishing: false,
        }));
        session
    }

    /// What TLS needs next; nothing where the protocol is to be asked.
    pub(super) fn next_of_security(&mut self, scratch: &mut Scratch) -> Option<Next> {
        let secured = self.secured.as_deref_mut()?;
        match secured.stage {
            Stage::Open => None,
            Stage::Away => Some(Next::Wait),
            Stage::Due => {
                let layer = secured.layer.take()?;
                secured.stage = Stage::Away;
                Some(Next::Work(Work::handshake(layer)))
            }
            _ if secured.has_outgoing() => Some(self.flush(scratch)),
            Stage::Failed => {
                secured.stage = Stage::Lingering;
                Some(Next::ShutdownWrite)
            }
            Stage::Blank | Stage::Handshake | Stage::Lingering => Some(Next::Receive),
        }
    }

    /// Sends what TLS has to say.
    pub(super) fn flush(&mut self, scratch: &mut Scratch) -> Next {
        let outgoing = match self.secured.as_deref_mut() {
            Some(secured) => secured.take_outgoing(),
            None => Vec::new(),
        };
        let is_last = self.is_farewell();
        self.hand_out(Output::of_bytes(&outgoing, is_last, scratch))
    }

    /// Encrypts an output, where there is TLS.
    ///
    /// # Errors
    /// Where nothing more may be encrypted: the session is over.
    pub(super) fn seal(&mut self, output: Output, scratch: &mut Scratch) -> Result<Output, ()> {
        let Some(secured) = self.secured.as_deref_mut() else {
            return Ok(output);
        };
        let is_last = output.is_last();
        let sealed = match secured.layer.as_deref_mut() {
            Some(layer) => output.seal(scratch, |plain, buffer| {
                layer.write(plain, is_last, buffer).ok()
            }),
            None => None,
        };
        secured.is_closed |= is_last;
        sealed.ok_or_else(|| self.end(Some(Event::Broken), scratch))
    }

    /// As [`receive`](Self::receive), of records.
    pub(super) fn receive_records(&mut self, input: &[u8], scratch: &mut Scratch) -> usize {
        let Some(secured) = self.secured.as_deref_mut() else {
            return 0;
        };
        match (secured.stage, input.first()) {
            (Stage::Due | Stage::Away, _) | (_, None) => return 0,
            (Stage::Failed | Stage::Lingering, _) => return input.len(),
            (Stage::Open, _) if secured.is_closed => return input.len(),
            (Stage::Blank, Some(&first)) if is_text(first) => {
                self.is_no_tls(scratch);
                return input.len();
            }
            (Stage::Blank, _) => secured.stage = Stage::Handshake,
            (Stage::Handshake | Stage::Open, _) => {}
        }
        let Some(layer) = secured.layer.as_deref_mut() else {
            return 0;
        };
        if secured.stage == Stage::Handshake {
            layer.incoming.extend_from_slice(input);
            match secured.place {
                HandshakePlace::Helper if layer.has_record() => secured.stage = Stage::Due,
                HandshakePlace::Helper => {}
                HandshakePlace::Inline => {
                    let shaken = layer.shake_hands();
                    self.shaken(shaken, scratch);
                }
            }
            return input.len();
        }
        // What is not whole afterwards is kept; as a rule there is nothing, and the buffer is the thread's.
        let mut kept = std::mem::take(&mut layer.incoming);
        let mut buffer = std::mem::take(&mut scratch.incoming);
        let records = match kept.is_empty() {
            true => &mut buffer,
            false => &mut kept,
        };
        records.extend_from_slice(input);
        let (mut fed, mut rest) = (true, &mut self.spoken);
        let (used, read) = layer.read(records, |plain, payload| {
            let taken = match (&mut rest, fed) {
                (spoken, true) => spoken.receive(payload, scratch),
                (_, false) => 0,
            };
            fed &= taken == payload.len();
            plain.extend_from_slice(&payload[taken..]);
        });
        if kept.is_empty() {
            kept = buffer[used..].to_vec();
        } else {
            kept.drain(..used);
        }
        layer.incoming = kept;
        buffer.clear();
        scratch.incoming = buffer;
        self.read(read, scratch);
        input.len()
    }

    /// Has the protocol take what was decrypted and not taken.
    pub(super) fn feed(&mut self, scratch: &mut Scratch) {
        let Some(secured) = self.secured.as_deref_mut() else {
            return;
        };
        let Some(layer) = secured.layer.as_deref_mut() else {
            return;
        };
        self.turn += REQUEST_COST;
        let taken = self.spoken.receive(&layer.plain[layer.taken..], scratch);
        debug_assert!(taken > 0, "it asks for bytes and takes none");
        layer.taken += taken;
        if layer.taken >= layer.plain.len() || taken == 0 {
            (layer.plain, layer.taken) = (Vec::new(), 0);
        }
        self.tell_protocol(scratch);
    }

    /// A handshake that somebody else has computed is back.
    pub(super) fn handshake_done(&mut self, done: Done, scratch: &mut Scratch) {
        match done.outcome {
            Outcome::Handshake(layer, shaken) => {
                if let Some(secured) = self.secured.as_deref_mut() {
                    secured.layer = Some(layer);
                    secured.stage = Stage::Handshake;
                }
                self.shaken(shaken, scratch);
            }
            Outcome::Refused => self.end(Some(Event::Shed), scratch),
            _ => self.end(Some(Event::Replaced), scratch),
        }
    }

    /// What has come of a handshake was computed.
    fn shaken(&mut self, shaken: Result<bool, rustls::Error>, scratch: &mut Scratch) {
        let Some(secured) = self.secured.as_deref_mut() else {
            return;
        };
        if let (Ok(false), Some(layer)) = (&shaken, secured.layer.as_deref_mut())
            && !layer.connection.is_handshaking()
        {
            secured.stage = Stage::Open;
            scratch
                .events
                .push(match layer.connection.handshake_kind() {
                    Some(HandshakeKind::Resumed) => Event::Resumption,
                    _ => Event::Handshake,
                });
            let chosen = layer.connection.alpn_protocol();
            self.spoken = speaks(chosen, secured.gather_from);
        } else if let Ok(true) = shaken {
            // It leaves before it has said anything.
            return self.end(Some(Event::HandshakeFailed), scratch);
        }
        self.read(shaken, scratch);
    }

    /// Records have been read, as far as they were whole and right.
    fn read(&mut self, read: Result<bool, rustls::Error>, scratch: &mut Scratch) {
        let Some(secured) = self.secured.as_deref_mut() else {
            return;
        };
        match read {
            Ok(is_ended) => {
                secured.is_ended |= is_ended;
                if secured.stage == Stage::Open {
                    self.tell_protocol(scratch);
                }
            }
            Err(_) => {
                scratch.events.push(match secured.stage {
                    Stage::Open => Event::BadRecord,
                    _ => Event::HandshakeFailed,
                });
                secured.stage = Stage::Failed;
                secured.is_farewell = true;
                scratch.clear();
            }
        }
    }

    /// Tells the protocol what it could not be told before it had taken all that came before.
    fn tell_protocol(&mut self, scratch: &mut Scratch) {
        let Some(secured) = self.secured.as_deref_mut() else {
            return;
        };
        let is_behind = secured
            .layer
            .as_deref()
            .is_some_and(|layer| !layer.plain.is_empty());
        // The first request counts as one that has begun to come.
        if std::mem::take(&mut secured.is_finishing) {
            if is_behind {
                secured.is_finishing = true;
            } else {
                self.spoken.finish();
            }
        }
        if secured.is_ended && !is_behind {
            self.spoken.end_of_input(scratch);
        }
    }

    /// A client that knows nothing of TLS is answered as if there were none: 400.
    fn is_no_tls(&mut self, scratch: &mut Scratch) {
        self.secured = None;
        scratch.events.push(Event::NotTls);
        // It has nothing to send but a page.
        let mut plain = Http1::new(0, Delivery::PageCache);
        plain.reject(scratch);
        self.spoken = Spoken::Http1(plain);
    }

    /// The client sends no more. True: there is no protocol to be told.
    pub(super) fn end_of_records(&mut self, scratch: &mut Scratch) -> bool {
        let Some(secured) = self.secured.as_deref_mut() else {
            return false;
        };
        match secured.stage {
            Stage::Open => {
                if !std::mem::replace(&mut secured.is_ended, true) && !secured.is_closed {
                    scratch.events.push(Event::EndedWithoutClose);
                }
                return false;
            }
            Stage::Blank | Stage::Failed | Stage::Lingering => self.end(None, scratch),
            Stage::Handshake | Stage::Due | Stage::Away => {
                self.end(Some(Event::HandshakeFailed), scratch);
            }
        }
        true
    }

    /// The deadline of its phase has passed. True: there is no protocol to be told.
    pub(super) fn expire_handshake(&mut self, scratch: &mut Scratch) -> bool {
        let stage = self.secured.as_ref().map(|secured| secured.stage);
        match stage {
            None | Some(Stage::Open) => return false,
            Some(Stage::Handshake | Stage::Due | Stage::Away) => {
                self.end(Some(Event::HandshakeTimeout), scratch);
            }
            Some(Stage::Blank | Stage::Failed | Stage::Lingering) => self.end(None, scratch),
        }
        true
    }

    /// The server is stopping. True: there is no protocol to be told yet.
    pub(super) fn finish_handshake(&mut self) -> bool {
        let Some(secured) = self.secured.as_deref_mut() else {
            return false;
        };
        match secured.stage {
            Stage::Open => return false,
            Stage::Blank => self.state = State::Closed,
            _ => secured.is_finishing = true,
        }
        true
    }

    /// Whether nothing is lost if what is out does not arrive.
    pub(super) fn is_farewell(&self) -> bool {
        let secured = self.secured.as_deref();
        secured.is_some_and(|secured| secured.is_farewell)
    }
}

impl Secured {
    fn has_outgoing(&self) -> bool {
        let layer = self.layer.as_deref();
        layer.is_some_and(|layer| !layer.outgoing.is_empty())
    }

    fn take_outgoing(&mut self) -> Vec<u8> {
        let layer = self.layer.as_deref_mut();
        layer
            .map(|layer| std::mem::take(&mut layer.outgoing))
            .unwrap_or_default()
    }

    /// Whether somebody else computes for it.
    pub(super) fn is_away(&self) -> bool {
        self.stage == Stage::Away
    }

    /// Which deadline applies, where the protocol's would be `phase`.
    pub(super) fn phase(&self, phase: Phase) -> Phase {
        match self.stage {
            Stage::Blank => Phase::Idle,
            Stage::Handshake | Stage::Due | Stage::Away => Phase::Request,
            // The beginning of a record is that of a request.
            Stage::Open if phase == Phase::Idle && self.has_begun() => Phase::Request,
            Stage::Open => phase,
            Stage::Failed => Phase::Answer,
            Stage::Lingering => Phase::Linger,
        }
    }

    fn has_begun(&self) -> bool {
        let layer = self.layer.as_deref();
        layer.is_some_and(|layer| !layer.incoming.is_empty())
    }

    /// What has to be done before the protocol gets what it wants, where it has collected nothing if it `is_clear`.
    pub(super) fn before(&mut self, want: Want, is_clear: bool) -> Before {
        let Some(layer) = self.layer.as_deref_mut() else {
            return Before::Nothing;
        };
        match want {
            Want::Rest | Want::Receive if !layer.plain.is_empty() => Before::Feed,
            Want::Receive if is_clear && !layer.outgoing.is_empty() => Before::Flush,
            Want::ShutdownWrite | Want::Close if is_clear && !self.is_closed => {
                self.is_closed = true;
                self.is_farewell = want == Want::Close;
                // Without keys that may be used, nothing is said.
                let mut goodbye = Vec::new();
                match layer.write([&[], &[]], true, &mut goodbye) {
                    Ok(end) => {
                        goodbye.truncate(end);
                        layer.outgoing = goodbye;
                        Before::Flush
                    }
                    Err(_) => Before::Nothing,
                }
            }
            _ => Before::Nothing,
        }
    }
}

/// The protocol that was chosen (RFC 7301); HTTP/1.1 where none was.
fn speaks(chosen: Option<&[u8]>, gather_from: u64) -> Spoken {
    match chosen {
        Some(b"h2") => Spoken::Http2(Box::new(Http2::new(gather_from, Delivery::Memory))),
        _ => Spoken::Http1(Http1::new(gather_from, Delivery::Memory)),
    }
}

/// Whether what begins like this can be a request in the clear, and no record of whatever kind.
fn is_text(first: u8) -> bool {
    first != HANDSHAKE && (first.is_ascii_graphic() || first.is_ascii_whitespace())
}
