//! What goes through the queues: a session on its way, and its buffers.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use arch::{
    Blocked, Entry, Files, ProcessContext, RequestBuffers, Session, Sessions, Step, Steps, Token,
    Worker,
};
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
    buffers: Box<RequestBuffers>,
}

/// A task for the stage that waits for the disk.
pub(crate) struct Miss {
    pub(crate) task: Box<Task>,
    /// What is not in memory.
    pub(crate) missing: Blocked,
}

impl Task {
    /// A buffers on which nothing lies yet.
    pub(crate) fn new(process: &ProcessContext) -> Self {
        Self {
            token: Token::from(0),
            admitted: None,
            session: None,
            buffers: process.buffers(),
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
    pub(crate) fn run(&mut self, steps: Steps, worker: &mut Worker) -> Outcome {
        self.at(worker, |session, worker| session.run(steps, worker))
            .unwrap_or(Err(Blocked::Closed))
    }

    /// Answers 503.
    pub(crate) fn refuse(&mut self, worker: &mut Worker) {
        self.at(worker, Session::refuse);
    }

    /// Waits for the disk to give what is missing.
    pub(crate) fn fetch(&mut self, missing: Blocked, worker: &mut Worker) {
        self.at(worker, |session, worker| match missing {
            Blocked::Find => {
                let find = |files: &Files| files.find(session.path(), Instant::now());
                let found = shielded(worker, find).unwrap_or(Err(files::Missing::Failed));
                session.found(found, worker);
            }
            Blocked::Load(entry, range) => {
                let load = |files: &Files| load(files, &entry, &range);
                let failed = || Err(std::io::Error::other("the stage failed"));
                let loaded = shielded(worker, load).unwrap_or_else(failed);
                session.loaded(loaded, worker);
            }
            _ => {}
        });
    }

    /// Works on the session at a worker, with its own buffers. A defect there costs the session, and not the thread.
    fn at<T>(
        &mut self,
        worker: &mut Worker,
        work: impl FnOnce(&mut Session, &mut Worker) -> T,
    ) -> Option<T> {
        let session = self.session.as_mut()?;
        worker.exchange(&mut self.buffers);
        let done = catch_unwind(AssertUnwindSafe(|| work(session, worker))).ok();
        worker.exchange(&mut self.buffers);
        if done.is_none() {
            worker.counters.count(Event::Replaced, 1);
            self.buffers.clear();
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
fn shielded<T>(worker: &Worker, ask: impl FnOnce(&Files) -> T) -> Option<T> {
    let done = catch_unwind(AssertUnwindSafe(|| ask(&worker.files))).ok();
    if done.is_none() {
        worker.counters.count(Event::Replaced, 1);
    }
    done
}
