//! A work as the calls that it takes, for whoever has them made by somebody else and is told when they are over.

use std::fmt;
use std::time::Instant;

use files::{Call, Finding, Loading, Returned};
use http::Entity;

use super::{Done, Operation, Work};
use crate::document::Files;
use crate::session::found::{Document, as_path};

/// A work under way: [`call`](Self::call) says what is to be done next, and [`returned`](Self::returned) is told what came of it.
pub struct Calls {
    stream: u32,
    /// Apart, so that it is handed on as a pointer.
    under_way: Box<UnderWay>,
}

enum UnderWay {
    Finding {
        finding: Finding<Entity>,
        path: Vec<u8>,
    },
    Loading(Loading<Entity>),
}

impl Work {
    /// Does it if it takes no call that may wait.
    ///
    /// # Errors
    /// The calls that it takes.
    pub fn begin(mut self, files: &Files, now: Instant) -> Result<Done, Calls> {
        if let Some(done) = self.try_kept(files, now) {
            return Ok(done);
        }
        let Self {
            stream, operation, ..
        } = self;
        let under_way = match operation {
            Operation::Find { path, directory } => {
                match files.begin_find(as_path(&path, directory), now) {
                    Ok(finding) => UnderWay::Finding { finding, path },
                    Err(missing) => return Ok(Done::found(stream, Err(missing), path)),
                }
            }
            Operation::Load {
                entry,
                range,
                delivery,
            } => match files.begin_load(entry, range, delivery) {
                Ok(loading) => UnderWay::Loading(loading),
                Err(body) => return Ok(Done::loaded(stream, Ok(body.into()))),
            },
            operation @ Operation::Answer(_) => {
                return Ok(Self::new(stream, operation).wait(files, now));
            }
            // No call computes.
            Operation::Handshake(layer) => return Ok(Done::shaken(stream, layer)),
            Operation::Ready(outcome) => return Ok(Done::new(stream, outcome)),
        };
        Err(Calls {
            stream,
            under_way: Box::new(under_way),
        })
    }
}

impl Calls {
    /// The next call.
    pub fn call(&self) -> Call<'_> {
        match &*self.under_way {
            UnderWay::Finding { finding, .. } => finding.call(),
            UnderWay::Loading(loading) => loading.call(),
        }
    }

    /// Its call has returned.
    ///
    /// # Errors
    /// The calls that are left.
    pub fn returned(mut self, returned: Returned, files: &Files) -> Result<Done, Self> {
        match &mut *self.under_way {
            UnderWay::Finding { finding, path } => {
                if let Some(found) = finding.returned(returned, files) {
                    let path = std::mem::take(path);
                    let found = found.map(|entry| Document::new(entry, files));
                    return Ok(Done::found(self.stream, found, path));
                }
            }
            UnderWay::Loading(loading) => {
                if let Some(body) = loading.returned(returned, files) {
                    return Ok(Done::loaded(self.stream, body.map(Into::into)));
                }
            }
        }
        Err(self)
    }
}

impl fmt::Debug for Calls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut calls = formatter.debug_struct("Calls");
        calls.field("stream", &self.stream);
        calls.field("call", &self.call()).finish()
    }
}
