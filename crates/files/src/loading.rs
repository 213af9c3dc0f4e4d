//! Having the bytes of a file at hand, one call after the other: as [`Files::load`], for whoever has the calls made by somebody else.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustix::io::Errno;

use crate::body::{Body, Delivery};
use crate::calls::{Call, Returned};
use crate::contents::Holding;
use crate::{Entry, Files, Identity};

/// Bytes read at a time where they have to be in memory of ours.
const PIECE: u64 = 256 << 10;

/// A load under way: [`call`](Self::call) says what is to be done next, and [`returned`](Self::returned) is told what came of it.
///
/// A small file is read whole, and held. Of a larger one the first byte that is wanted is read, if none has been, so that a disk that
/// fails is met before anything is promised; its bytes are then to be sent from the file. Nothing is locked in the page cache, since
/// that may wait, and no call that somebody else could make does it.
#[derive(Debug)]
pub struct Loading<H> {
    entry: Arc<Entry<H>>,
    range: Range<u64>,
    delivery: Delivery,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// The disk is slow on purpose.
    Wait(Duration),
    /// Read it whole, to be held.
    Copy { is_settled: bool },
    /// See whether it is still the same.
    Verify { bytes: Vec<u8>, is_settled: bool },
    /// Read what is wanted.
    Read,
    /// Read a byte, to see whether it can be read.
    Probe,
}

/// What is at hand, or the next step.
type Progress = Result<Result<Body, Step>, Errno>;

impl<H> Files<H> {
    /// Begins to have bytes of `entry` at hand, from the beginning of `range` on.
    ///
    /// # Errors
    /// The body itself, where nothing has to be asked of the disk.
    pub fn begin_load(
        &self,
        entry: Arc<Entry<H>>,
        range: Range<u64>,
        delivery: Delivery,
    ) -> Result<Loading<H>, Body> {
        let mut loading = Loading {
            entry,
            range,
            delivery,
            step: Step::Probe,
        };
        loading.step = match loading.entry.slowness() {
            Some(slow) => Step::Wait(slow),
            None => match loading.begin(self) {
                Ok(body) => return Err(body),
                Err(step) => step,
            },
        };
        Ok(loading)
    }
}

impl<H> Loading<H> {
    /// The next call.
    pub fn call(&self) -> Call<'_> {
        let read = |offset, length: u64| Call::Read {
            file: &self.entry.file,
            offset,
            length: usize::try_from(length).unwrap_or(usize::MAX),
        };
        match self.step {
            Step::Wait(time) => Call::Wait(time),
            Step::Copy { .. } => read(0, self.entry.len()),
            Step::Verify { .. } => Call::Identify(&self.entry.file),
            Step::Read => read(
                self.range.start,
                (self.range.end - self.range.start).min(PIECE),
            ),
            Step::Probe => read(self.range.start, 1),
        }
    }

    /// Its call has returned. What is at hand; `None`: another call is next.
    ///
    /// # Errors
    /// What reading the file reports.
    pub fn returned(
        &mut self,
        returned: Returned,
        files: &Files<H>,
    ) -> Option<std::io::Result<Body>> {
        let step = std::mem::replace(&mut self.step, Step::Probe);
        match self.go_on(step, returned, files) {
            Ok(Ok(body)) => Some(Ok(body)),
            Ok(Err(step)) => {
                self.step = step;
                None
            }
            Err(error) => Some(Err(self.entry.fail(error))),
        }
    }

    fn go_on(&self, step: Step, returned: Returned, files: &Files<H>) -> Progress {
        match (step, returned) {
            (Step::Wait(_), Returned::Waited) => {
                self.entry.has_warmed_up();
                Ok(self.begin(files))
            }
            (Step::Copy { is_settled }, Returned::Read(read)) => Ok(match read? {
                bytes if bytes.len() as u64 == self.entry.len() => {
                    Err(Step::Verify { bytes, is_settled })
                }
                // It changes meanwhile: the sender meets its new length there.
                _ => Ok(Body::File),
            }),
            (Step::Verify { bytes, is_settled }, Returned::Identified(identified)) => {
                Ok(Ok(self.copied(bytes, is_settled, identified?.1, files)))
            }
            (Step::Read, Returned::Read(read)) => Ok(Ok(match read? {
                bytes if bytes.is_empty() => Body::File,
                bytes => Body::Memory {
                    bytes: bytes.into(),
                    start: self.range.start,
                },
            })),
            (Step::Probe, Returned::Read(read)) => {
                read?;
                self.entry.has_been_read();
                Ok(Ok(Body::File))
            }
            // Whoever made the call has a defect.
            _ => Err(Errno::INVAL),
        }
    }

    /// What is at hand without asking the disk, or the first step.
    fn begin(&self, files: &Files<H>) -> Result<Body, Step> {
        let kept = files.kept(&self.entry);
        if let Some(body) = kept.filter(|body| self.delivery.suits(body)) {
            return Ok(body);
        }
        if files.holding(&self.entry) == Holding::Copy {
            // Asked before it is read: what changes from here on will show.
            let is_settled = self.entry.identity.is_settled(SystemTime::now());
            return Err(Step::Copy { is_settled });
        }
        match self.delivery {
            Delivery::Memory => Err(Step::Read),
            Delivery::PageCache if self.entry.has_been_read_before() => Ok(Body::File),
            Delivery::PageCache => Err(Step::Probe),
        }
    }

    fn copied(
        &self,
        bytes: Vec<u8>,
        is_settled: bool,
        identity: Identity,
        files: &Files<H>,
    ) -> Body {
        if identity != self.entry.identity {
            return Body::File;
        }
        let bytes = Arc::<[u8]>::from(bytes);
        if is_settled {
            let seen = self.entry.seen();
            files
                .contents
                .hold(self.entry.identity, Arc::clone(&bytes), seen);
        }
        Body::Memory { bytes, start: 0 }
    }
}
