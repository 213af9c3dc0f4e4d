//! Having the bytes of a file at hand: at once, or after waiting, for oneself or for somebody else.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use rustix::io::Errno;

use crate::Files;
use crate::body::{Body, Delivery};
use crate::contents::Holding;
use crate::entry::{Entry, Identity};
use crate::read::{self, Waiting};
use crate::residency::{Answer, Residency};

/// Bytes that are lent at a time, at most.
const PIECE: u64 = 256 << 10;
/// Bytes that count against nothing: no more than any connection's buffers hold.
const UNCOUNTED: u64 = 16 << 10;

impl<H> Files<H> {
    /// The bytes of `entry`, if the content cache holds them. Costs no system call.
    pub fn kept(&self, entry: &Entry<H>) -> Option<Body> {
        if self.holding(entry) == Holding::Nothing {
            return None;
        }
        self.contents.get(&entry.identity, entry.used_ns())
    }

    /// Bytes of `entry` from the beginning of `range` on, if they can be sent without waiting for the disk. Asks the kernel for
    /// what is not in the content cache; never guesses.
    pub fn try_load(
        &self,
        entry: &Entry<H>,
        range: Range<u64>,
        delivery: Delivery,
    ) -> Option<Body> {
        if let Some(body) = self.kept(entry).filter(|body| delivery.suits(body)) {
            return Some(body);
        }
        if !entry.is_fast() {
            return None;
        }
        match self.holding(entry) {
            Holding::Copy => return self.try_copy(entry).filter(|body| delivery.suits(body)),
            // Locking may wait, so it is left to whoever makes it resident.
            Holding::Locked if entry.is_worth_locking(&range) => return None,
            Holding::Locked | Holding::Nothing => {}
        }
        match delivery {
            Delivery::Memory => self.try_read(entry, range),
            Delivery::PageCache => match entry.ask(range.clone()) {
                Answer::Yes => Some(Body::File),
                Answer::No => None,
                Answer::Unknown => self.try_read(entry, range),
            },
        }
    }

    /// Bytes of `entry` from the beginning of `range` on. May wait for the disk, now or, for a file that is not held in memory,
    /// when they are sent: whoever may wait here may wait there as well. Of a file that was opened just now, the first byte of
    /// `range` is read here, so that one that cannot be read is known before anything is promised of it.
    ///
    /// # Errors
    /// What reading the file reports.
    pub fn load(
        &self,
        entry: &Entry<H>,
        range: Range<u64>,
        delivery: Delivery,
    ) -> io::Result<Body> {
        entry.wait_if_slow();
        if let Some(body) = self.cached(entry, delivery)? {
            return Ok(body);
        }
        let is_locked = self.holding(entry) == Holding::Locked;
        if is_locked && entry.is_worth_locking(&range) && entry.claim_locking() {
            self.lock(entry);
        }
        if delivery == Delivery::Memory {
            let body = self.read(entry, range, Waiting::Allowed);
            return body.map_err(|error| entry.fail(error));
        }
        entry.try_reading(range.start)?;
        Ok(Body::File)
    }

    /// Waits until bytes of `entry` from the beginning of `range` on can be sent without waiting, on behalf of somebody who
    /// has tried [`try_load`](Self::try_load) in vain. They are read once, or, where they are gone again before they could be
    /// asked about, twice, and never more often: then they come in memory of ours, as they do from a file system that keeps
    /// nothing, and where nobody says what is kept.
    ///
    /// Such memory is bounded by [`Recipe::helper_memory_bytes`](crate::Recipe::helper_memory_bytes); when that is used up, 16 KiB
    /// come at a time, which count against nothing.
    ///
    /// # Errors
    /// What reading the file reports.
    pub fn make_resident(
        &self,
        entry: &Entry<H>,
        range: Range<u64>,
        delivery: Delivery,
    ) -> io::Result<Body> {
        entry.wait_if_slow();
        if let Some(body) = self.cached(entry, delivery)? {
            return Ok(body);
        }
        if self.holding(entry) == Holding::Locked
            && entry.claim_locking()
            && self.lock(entry)
            && delivery.suits(&Body::File)
        {
            return Ok(Body::File);
        }
        let body = match delivery {
            Delivery::Memory => self.read(entry, range, Waiting::Allowed),
            Delivery::PageCache => self.fetch(entry, range),
        };
        body.map_err(|error| entry.fail(error))
    }

    /// What the content cache has of `entry`, or takes now, in a way that suits. May wait.
    fn cached(&self, entry: &Entry<H>, delivery: Delivery) -> io::Result<Option<Body>> {
        if let Some(body) = self.kept(entry).filter(|body| delivery.suits(body)) {
            return Ok(Some(body));
        }
        if self.holding(entry) != Holding::Copy {
            return Ok(None);
        }
        let body = self.copy(entry).map_err(|error| entry.fail(error))?;
        Ok(Some(body).filter(|body| delivery.suits(body)))
    }

    /// Has the page cache read `range`; what it does not keep comes in memory of ours.
    fn fetch(&self, entry: &Entry<H>, range: Range<u64>) -> Result<Body, Errno> {
        // Somebody else may have fetched it meanwhile.
        if entry.ask(range.clone()) == Answer::Yes {
            return Ok(Body::File);
        }
        entry.asked.unsettle();
        let mut unread = range.clone();
        if !entry.asked.is_kept_in_memory() {
            let body = self.read(entry, range.clone(), Waiting::Allowed)?;
            let Body::Memory { bytes, start } = &body else {
                // It has become shorter; whoever sends it will notice.
                return Ok(body);
            };
            let read = *start..start + bytes.len() as u64;
            unread.start = read.end;
            let answer = entry.ask_afresh(read);
            entry.asked.learn(answer);
            if answer != Answer::Yes {
                Residency::Nothing.note();
                return Ok(body);
            }
        }
        read::through(&entry.file, unread.clone())?;
        if unread.is_empty() {
            return Ok(Body::File);
        }
        let answer = entry.ask(range.clone());
        entry.asked.learn(answer);
        if answer == Answer::Yes {
            return Ok(Body::File);
        }
        self.read(entry, range, Waiting::Allowed)
    }

    /// In which way the content cache would hold a file.
    pub(crate) fn holding(&self, entry: &Entry<H>) -> Holding {
        self.contents.holding(entry.len())
    }

    /// Locks a file in memory; whether the kernel let it. If not (the limit on locked memory, as a rule), the file is asked
    /// about as if there were no content cache.
    fn lock(&self, entry: &Entry<H>) -> bool {
        let locked = self
            .contents
            .lock(entry.identity, &entry.file, entry.used_ns())
            .is_ok();
        if locked {
            entry.is_locked();
        }
        locked
    }

    /// A copy of a small file that is in memory.
    fn try_copy(&self, entry: &Entry<H>) -> Option<Body> {
        let file_system = &entry.asked.file_system;
        if !file_system.refuses_nowait() {
            // One call both asks and reads.
            match self.copy_with(entry, Waiting::Never) {
                Err(Errno::OPNOTSUPP) => file_system.note_nowait_refused(),
                copied => return copied.ok(),
            }
        }
        // What fails here fails once more for whoever may wait, who has to say why.
        (entry.ask(0..entry.len()) == Answer::Yes)
            .then(|| self.copy(entry).ok())
            .flatten()
    }

    /// Reads a whole small file and holds it, unless it changes meanwhile: then the file itself is the body, and
    /// the sender meets its new length there. One that has changed just now is read and not held.
    fn copy(&self, entry: &Entry<H>) -> Result<Body, Errno> {
        self.copy_with(entry, Waiting::Allowed)
    }

    fn copy_with(&self, entry: &Entry<H>, waiting: Waiting) -> Result<Body, Errno> {
        // Asked before it is read: what changes from here on will show.
        let settled = entry.identity.is_settled(SystemTime::now());
        let Some(bytes) = read::whole(&entry.file, entry.len(), waiting)? else {
            return Ok(Body::File);
        };
        if Identity::of(&entry.file)?.1 != entry.identity {
            return Ok(Body::File);
        }
        let bytes = Arc::<[u8]>::from(bytes);
        if settled {
            self.contents
                .hold(entry.identity, Arc::clone(&bytes), entry.seen());
        }
        Ok(Body::Memory { bytes, start: 0 })
    }

    /// Bytes of a file in memory of ours, if they are in memory.
    fn try_read(&self, entry: &Entry<H>, range: Range<u64>) -> Option<Body> {
        let file_system = &entry.asked.file_system;
        if !file_system.refuses_nowait() {
            match self.read(entry, range.clone(), Waiting::Never) {
                Err(Errno::OPNOTSUPP) => file_system.note_nowait_refused(),
                read => {
                    Residency::ReadNoWait.note();
                    return read.ok();
                }
            }
        }
        let piece = range.start..range.end.min(range.start + PIECE);
        (entry.ask(piece) == Answer::Yes)
            .then(|| self.read(entry, range, Waiting::Allowed).ok())
            .flatten()
    }

    /// Reads `range`, or as much from its beginning on as there is memory for. The file itself is the body where it has become
    /// shorter.
    fn read(&self, entry: &Entry<H>, range: Range<u64>, waiting: Waiting) -> Result<Body, Errno> {
        let start = range.start;
        let length = |most: u64| (range.end - start).min(most) as usize;
        let fill = |bytes: &mut [u8]| read::part(&entry.file, bytes, start, waiting);
        let bytes = match self.helper_memory.lend(length(PIECE), fill) {
            Some(lent) => lent?,
            None => {
                let mut bytes = vec![0; length(UNCOUNTED)];
                let filled = fill(&mut bytes)?;
                Arc::from(&bytes[..filled])
            }
        };
        Ok(if bytes.is_empty() {
            Body::File
        } else {
            Body::Memory { bytes, start }
        })
    }
}
