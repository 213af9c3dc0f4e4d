//! Finding a file, one call after the other. It does nothing itself that may wait, but for finding the root again when that is lost.

use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;

use crate::calls::{Call, Returned, UNASKED};
use crate::path::{Path, PathBuf, index_of};
use crate::residency::Asked;
use crate::slow::Access;
use crate::{Entry, Files, Identity, Missing, Resolver};

/// A look-up under way: [`call`](Self::call) says what is to be done next, and [`returned`](Self::returned) is told what came of it.
///
/// What is found is looked at before it is opened for reading, so that whoever waits at the other end of a FIFO, or drives a
/// device, does not notice.
#[derive(Debug)]
pub struct Finding<H> {
    path: PathBuf,
    now: Instant,
    /// What was found under the path before.
    known: Option<Arc<Entry<H>>>,
    resolver: Resolver,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// The disk is slow on purpose.
    Wait(Duration),
    /// Open what is there, without opening it for reading.
    Locate(Place),
    /// See what it is.
    Look(Place, File),
    /// Open it for reading.
    Open(Place, Expected),
    /// See whether it is still the same.
    Verify(File, Expected),
}

/// Where a file is looked for.
#[derive(Debug)]
struct Place {
    directory: Arc<File>,
    path: Vec<u8>,
    /// It is the index file of a directory that was asked for by its bare name, and is not served under that.
    is_index_of_bare: bool,
    /// The root was lost and found again.
    is_renewed: bool,
}

/// What is to be opened.
#[derive(Debug)]
struct Expected {
    identity: Identity,
    revision: u64,
}

type Found<H> = Result<Arc<Entry<H>>, Missing>;

impl<H> Files<H> {
    /// Begins to find which file `path` names, whatever is known of it.
    ///
    /// # Errors
    /// Why there is nothing to serve under that path, where that is known without asking the disk.
    pub fn begin_find(&self, path: Path<'_>, now: Instant) -> Result<Finding<H>, Missing> {
        if !self.recipe.dotfiles && path.is_hidden() {
            return Err(Missing::NotFound);
        }
        let mut finding = Finding {
            path: PathBuf::from(path),
            now,
            known: self.names.peek(&path),
            resolver: self.recipe.root.resolver(),
            step: Step::Wait(Duration::ZERO),
        };
        match self.slow(path.bytes, Access::LookUp) {
            Some(slow) => finding.step = Step::Wait(slow),
            None => match finding.locate(self) {
                Ok(step) => finding.step = step,
                Err(missing) => {
                    self.forget(path);
                    return Err(missing);
                }
            },
        }
        Ok(finding)
    }

    /// There is nothing to serve under `path` any more.
    fn forget(&self, path: Path<'_>) {
        if let Some((_, gone)) = self.names.remove(&path) {
            self.contents.forget(&gone.identity);
        }
    }
}

impl<H> Finding<H> {
    /// The next call.
    pub fn call(&self) -> Call<'_> {
        match &self.step {
            Step::Wait(time) => Call::Wait(*time),
            Step::Locate(place) => self.open(place, OFlags::PATH),
            // NONBLOCK, so that a FIFO that has taken its place makes nobody wait; regular files ignore it.
            Step::Open(place, _) => {
                self.open(place, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)
            }
            Step::Look(_, file) | Step::Verify(file, _) => Call::Identify(file),
        }
    }

    fn open<'a>(&self, place: &'a Place, flags: OFlags) -> Call<'a> {
        Call::Open {
            resolver: self.resolver,
            directory: &place.directory,
            path: &place.path,
            flags,
        }
    }

    /// Its call has returned. What was found, or why there is nothing to serve; `None`: another call is next.
    pub fn returned(&mut self, returned: Returned, files: &Files<H>) -> Option<Found<H>> {
        let step = std::mem::replace(&mut self.step, Step::Wait(Duration::ZERO));
        match self.go_on(step, returned, files) {
            Ok(Ok(entry)) => Some(Ok(entry)),
            Ok(Err(step)) => {
                self.step = step;
                None
            }
            Err(missing) => {
                files.forget(self.path.as_path());
                Some(Err(missing))
            }
        }
    }

    /// What was found, or the next step.
    fn go_on(
        &self,
        step: Step,
        returned: Returned,
        files: &Files<H>,
    ) -> Result<Result<Arc<Entry<H>>, Step>, Missing> {
        match (step, returned) {
            (Step::Wait(_), Returned::Waited) => self.locate(files).map(Err),
            (Step::Locate(place), Returned::Opened(Ok(file))) => Ok(Err(Step::Look(place, file))),
            (Step::Locate(place), Returned::Opened(Err(error))) => {
                Self::look_in_new_root(place, error, files).map(Err)
            }
            (Step::Look(place, _), Returned::Identified(identified)) => {
                let (kind, identity) = identified?;
                self.located(place, kind, identity, files)
            }
            (Step::Open(_, expected), Returned::Opened(opened)) => {
                Ok(Err(Step::Verify(opened?, expected)))
            }
            (Step::Verify(file, expected), Returned::Identified(identified)) => match identified? {
                (FileType::RegularFile, identity) => {
                    let file = files.out_of_the_way(file)?;
                    Ok(Ok(self.opened(file, identity, &expected, files)))
                }
                _ => Err(Missing::NotFound),
            },
            _ => Err(UNASKED),
        }
    }

    /// The first look at the disk, which a defect strikes.
    fn locate(&self, files: &Files<H>) -> Result<Step, Missing> {
        let path = self.path.as_path();
        if let Some(defect) = &files.recipe.defect {
            defect.strike(path.bytes);
        }
        // Where what was known of a file is doubted, the root is as well.
        let directory = files.recipe.root.present(self.is_doubted())?;
        let path = match path.directory {
            true => index_of(path.bytes),
            false => path.bytes.to_vec(),
        };
        Ok(Step::Locate(Place {
            directory,
            path,
            is_index_of_bare: false,
            is_renewed: false,
        }))
    }

    fn look_in_new_root(place: Place, error: Errno, files: &Files<H>) -> Result<Step, Missing> {
        let root = &files.recipe.root;
        if place.is_renewed || !root.is_lost(&place.directory, error) {
            return Err(error.into());
        }
        Ok(Step::Locate(Place {
            directory: root.renew()?,
            is_renewed: true,
            ..place
        }))
    }

    /// Something is there.
    fn located(
        &self,
        place: Place,
        kind: FileType,
        identity: Identity,
        files: &Files<H>,
    ) -> Result<Result<Arc<Entry<H>>, Step>, Missing> {
        match kind {
            FileType::RegularFile if place.is_index_of_bare => Err(Missing::NeedsSlash),
            FileType::RegularFile => Ok(self.known_or_opened(place, identity, files)),
            // A directory that is asked for by its bare name leads somewhere only if it has an index file.
            FileType::Directory if !place.is_index_of_bare && !self.path.as_path().directory => {
                Ok(Err(Step::Locate(Place {
                    path: index_of(&place.path),
                    is_index_of_bare: true,
                    is_renewed: false,
                    ..place
                })))
            }
            _ => Err(Missing::NotFound),
        }
    }

    /// The file that is known, if it is that and has not changed; otherwise it is opened.
    fn known_or_opened(
        &self,
        place: Place,
        identity: Identity,
        files: &Files<H>,
    ) -> Result<Arc<Entry<H>>, Step> {
        let mut revision = 0;
        match &self.known {
            Some(known) if known.identity == identity => {
                revision = known.revision;
                if !self.is_doubted() {
                    let now_ns = files.age_ns(self.now);
                    let seen = files.look(&identity, &known.file, revision, self.now);
                    if seen.revision == revision {
                        known.check(seen.at_ns);
                        known.use_at(now_ns, files.idle_ns());
                        return Ok(Arc::clone(known));
                    }
                    revision = seen.revision;
                }
            }
            // It may be gone for good, and is not to keep its space.
            Some(known) => files.contents.forget(&known.identity),
            None => {}
        }
        Err(Step::Open(place, Expected { identity, revision }))
    }

    /// It is open for reading, or what has taken its place meanwhile.
    fn opened(
        &self,
        file: File,
        identity: Identity,
        expected: &Expected,
        files: &Files<H>,
    ) -> Arc<Entry<H>> {
        let revision = match identity == expected.identity {
            true => expected.revision,
            false => 0,
        };
        let path = self.path.as_path();
        let seen = files.look(&identity, &file, revision, self.now);
        let asked = Asked::new(files.file_systems.on(identity.device()));
        let now_ns = files.age_ns(self.now);
        let slow = files.slow(path.bytes, Access::FirstRead);
        let entry = Arc::new(Entry::new(file, identity, path, seen, now_ns, slow, asked));
        if files.recipe.name_cache > 0 {
            files.names.insert(self.path.clone(), Arc::clone(&entry));
        }
        entry
    }

    fn is_doubted(&self) -> bool {
        self.known.as_ref().is_some_and(|known| known.is_doubted())
    }
}
