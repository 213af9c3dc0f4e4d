//! What goes through the queues: a session on its way, and its tray.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use arch::{Blocked, Desk, Entry, Files, Session, Sessions, Step, Steps, Token, Tray, Workplace};
use meter::Event;

/// What came of running some steps of a session: the step that is next, or what it is blocked on.
pub(crate) type Outcome = Result<Step, Blocked>;

/// How often bytes that have been fetched and are gone again are fetched anew, before they are sent from where they are.
const FETCHES: u8 = 3;

/// A session on its way from stage to stage. Whoever has it owns it.
pub(crate) struct Task {
    pub(crate) token: Token,
    /// When its present request was let in.
    pub(crate) admitted: Option<Instant>,
    session: Option<Session>,
    tray: Box<Tray>,
}

/// A task for the stage that waits for the disk.
pub(crate) struct Miss {
    pub(crate) task: Box<Task>,
    /// What is not in memory.
    pub(crate) missing: Blocked,
}

impl Task {
    /// A tray on which nothing lies yet.
    pub(crate) fn new(workplace: &Workplace) -> Self {
        Self {
            token: Token::from(0),
            admitted: None,
            session: None,
            tray: workplace.tray(),
        }
    }

    pub(crate) fn begin(&mut self, token: Token, session: Session) {
        (self.token, self.session, self.admitted) = (token, Some(session), None);
    }

    /// Gives the session up.
    pub(crate) fn end(&mut self) -> Option<Session> {
        self.session.take()
    }

    /// Tells the session what the network has said meanwhile, and returns whether that is news.
    pub(crate) fn catch_up(&mut self, sessions: &mut Sessions) -> bool {
        let session = self.session.as_mut();
        session.is_some_and(|session| sessions.catch_up(self.token, session))
    }

    /// Runs those of `steps` that are next.
    pub(crate) fn run(&mut self, steps: Steps, desk: &mut Desk) -> Outcome {
        self.at(desk, |session, desk| session.run(steps, desk))
            .unwrap_or(Err(Blocked::Closed))
    }

    /// Answers 503.
    pub(crate) fn refuse(&mut self, desk: &mut Desk) {
        self.at(desk, Session::refuse);
    }

    /// Waits for the disk to give what is missing.
    pub(crate) fn fetch(&mut self, missing: Blocked, desk: &mut Desk) {
        self.at(desk, |session, desk| match missing {
            Blocked::Find => {
                let find = |files: &Files| files.find(session.path(), Instant::now());
                let found = shielded(desk, find).unwrap_or(Err(files::Missing::Failed));
                session.found(found, desk);
            }
            Blocked::Load(entry, range) => {
                let load = |files: &Files| load(files, &entry, &range);
                let failed = || Err(std::io::Error::other("the stage failed"));
                let loaded = shielded(desk, load).unwrap_or_else(failed);
                session.loaded(loaded, desk);
            }
            _ => {}
        });
    }

    /// Works on the session at a desk, with its own tray. A defect there costs the session, and not the thread.
    fn at<T>(
        &mut self,
        desk: &mut Desk,
        work: impl FnOnce(&mut Session, &mut Desk) -> T,
    ) -> Option<T> {
        let session = self.session.as_mut()?;
        desk.exchange(&mut self.tray);
        let done = catch_unwind(AssertUnwindSafe(|| work(session, desk))).ok();
        desk.exchange(&mut self.tray);
        if done.is_none() {
            desk.tally.count(Event::Replaced, 1);
            self.tray.clear();
            self.session = None;
        }
        done
    }
}

/// Has the bytes in memory, so that whoever sends them need not wait.
fn load(files: &Files, entry: &Entry, range: &Range<u64>) -> std::io::Result<files::Body> {
    for _ in 0..FETCHES {
        if let Some(body) = files.try_load(entry, range.clone()) {
            return Ok(body);
        }
        files.fetch(entry, range.clone())?;
    }
    let body = files.try_load(entry, range.clone());
    // Under memory pressure it may be gone again before it could be sent.
    Ok(body.unwrap_or(files::Body::File))
}

/// Asks for a file so that a defect in what finds and reads files costs one answer, a 500.
fn shielded<T>(desk: &Desk, ask: impl FnOnce(&Files) -> T) -> Option<T> {
    let done = catch_unwind(AssertUnwindSafe(|| ask(&desk.files))).ok();
    if done.is_none() {
        desk.tally.count(Event::Replaced, 1);
    }
    done
}
