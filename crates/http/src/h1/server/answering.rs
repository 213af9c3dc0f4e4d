//! Answering with a file: which bytes of it, then piece by piece.

use super::{Connection, Step};
use crate::h1::exchange::Exchange;
use crate::h1::scratch::Scratch;
use crate::h1::want::Missing;
use crate::semantics::conditional::Outcome;
use crate::semantics::entity::Entity;
use crate::semantics::range::{self, Selection};
use crate::semantics::status::Status;

impl Connection {
    /// The file that [`target`](Connection::target) names, or why there is none.
    pub fn found(&mut self, found: Result<&Entity, Missing>, scratch: &mut Scratch) {
        if self.step != Step::Find {
            return;
        }
        let Some(mut exchange) = self.exchange.take() else {
            return;
        };
        let manner = self.manner();
        let status = match found {
            Ok(entity) => self.select(entity, &mut exchange, scratch),
            Err(Missing::NeedsSlash) => {
                scratch.redirect(&exchange.target, manner);
                Some(Status::MovedPermanently)
            }
            Err(missing) => {
                let status = missing.into();
                scratch.page(status, manner);
                Some(status)
            }
        };
        self.exchange = Some(exchange);
        if let Some(status) = status {
            self.end(status, scratch);
        }
    }

    /// The first of the bytes of [`Want::Load`](crate::Want::Load) are at hand. `entity` is the one
    /// that was found.
    ///
    /// The head of the answer is handed over here, and not before, so that a load that fails can
    /// still be answered.
    pub fn loaded(&mut self, entity: &Entity, scratch: &mut Scratch) {
        if self.step != Step::Load {
            return;
        }
        self.step = Step::Send;
        if self.opened {
            return;
        }
        self.opened = true;
        let persistence = self.manner().persistence;
        let Some(exchange) = self.exchange.as_deref_mut() else {
            return;
        };
        let Exchange {
            parts,
            part,
            boundary,
            ..
        } = exchange;
        match parts.as_slice() {
            [] => scratch.whole(entity, persistence),
            [only] => scratch.part(entity, only, persistence),
            parts => {
                if *part == 0 {
                    scratch.parts(entity, parts, boundary, persistence);
                }
                scratch.part_head(entity, &self.rest, boundary);
            }
        }
    }

    /// The bytes of [`Want::Load`](crate::Want::Load) or [`Want::Send`](crate::Want::Send) cannot
    /// be had: 500 if the answer has not begun. Otherwise the connection is closed short, which is
    /// the only way left to say so.
    pub fn failed(&mut self, scratch: &mut Scratch) {
        if self.step != Step::Find {
            self.give_up(Status::InternalServerError, scratch);
        }
    }

    /// The server has too much to do to find or load the file: 503, to come back in a second, if the
    /// answer has not begun. Otherwise as [`failed`](Connection::failed).
    pub fn refuse(&mut self, scratch: &mut Scratch) {
        self.give_up(Status::ServiceUnavailable, scratch);
    }

    fn give_up(&mut self, status: Status, scratch: &mut Scratch) {
        let parts_sent = self.exchange.as_ref().map_or(0, |exchange| exchange.part);
        match self.step {
            Step::Find => self.page(status, scratch),
            Step::Load if !self.opened && parts_sent == 0 => self.page(status, scratch),
            Step::Load | Step::Send => self.abandon(scratch),
            _ => {}
        }
    }

    /// So many of the bytes of [`Want::Send`](crate::Want::Send) have been put on the socket. If
    /// some are left, they are to be loaded next.
    pub fn sent(&mut self, bytes: u64, scratch: &mut Scratch) {
        if self.step != Step::Send {
            return;
        }
        debug_assert!(
            bytes <= self.rest.end - self.rest.start,
            "more was sent than wanted"
        );
        self.rest.start = self.rest.start.saturating_add(bytes).min(self.rest.end);
        self.step = Step::Load;
        if self.rest.start < self.rest.end {
            return;
        }
        let Some(exchange) = self.exchange.as_deref_mut() else {
            return;
        };
        exchange.part += 1;
        if let Some(next) = exchange.parts.get(exchange.part) {
            self.rest = next.clone();
            self.opened = false;
            return;
        }
        let status = match exchange.parts.len() {
            0 => Status::Ok,
            1 => Status::PartialContent,
            _ => {
                scratch.parts_end(&exchange.boundary);
                Status::PartialContent
            }
        };
        self.end(status, scratch);
    }

    /// Decides what of the file is wanted. Returns the status of an answer that is complete
    /// already.
    fn select(
        &mut self,
        entity: &Entity,
        exchange: &mut Exchange,
        scratch: &mut Scratch,
    ) -> Option<Status> {
        let manner = self.manner();
        let mut wanted = None;
        if !exchange.conditions.is_empty() {
            match exchange.conditions.evaluate(entity, scratch.stamp.now()) {
                Outcome::Perform { range } => wanted = range,
                Outcome::NotModified => {
                    scratch.not_modified(entity, manner.persistence);
                    return Some(Status::NotModified);
                }
                Outcome::Failed => {
                    scratch.page(Status::PreconditionFailed, manner);
                    return Some(Status::PreconditionFailed);
                }
            }
        }
        if self.head_only || entity.len() == 0 {
            scratch.whole(entity, manner.persistence);
            return Some(Status::Ok);
        }
        self.rest = 0..entity.len();
        if let Some(range) = wanted {
            match range::select(
                range,
                entity.len(),
                scratch.config.max_ranges,
                &mut exchange.parts,
            ) {
                Selection::Whole => {}
                Selection::Parts => self.rest = exchange.parts.first().cloned().unwrap_or_default(),
                Selection::Unsatisfiable => {
                    scratch.unsatisfiable(entity, manner);
                    return Some(Status::RangeNotSatisfiable);
                }
            }
        }
        self.opened = false;
        self.step = Step::Load;
        None
    }
}
