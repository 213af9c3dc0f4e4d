//! The actors that wait for the disk. Each has a thread of its own, since a worker must not wait; they are alike, and share one
//! mailbox, from which whoever is free takes the next job: so nobody's job waits behind a slow one while another is free.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use arch::{ProcessContext, context};

use crate::cell::Cell;
use crate::connection::Connection;
use crate::mailbox::{Kind, Mailbox, Waiter};
use crate::message::{Carriage, Envelope};
use crate::supervisor::{Supervisor, ToSupervisor, words};

/// What a file actor is asked.
pub(crate) struct Job {
    /// What is to be found, or to be had in memory.
    pub(crate) work: Envelope,
    /// Who is to have it back.
    pub(crate) asker: Arc<Cell<Connection>>,
}

/// All of them: their mailbox.
pub(crate) struct FileActors {
    inside: Mutex<Inside>,
    /// Those who are free wait here for a job.
    came: Condvar,
    carriage: Option<Carriage>,
    kind: Arc<Kind>,
}

struct Inside {
    mailbox: Mailbox<Job>,
    is_closed: bool,
}

/// What the supervisor starts a file actor again by: its thread makes a new one.
pub(crate) type Restart = SyncSender<()>;

impl FileActors {
    pub(crate) fn new(places: usize, carriage: Option<Carriage>, kind: Arc<Kind>) -> Arc<Self> {
        Arc::new(Self {
            inside: Mutex::new(Inside {
                mailbox: Mailbox::new(places, Arc::clone(&kind)),
                is_closed: false,
            }),
            came: Condvar::new(),
            carriage,
            kind,
        })
    }

    /// Starts so many, of whose ends the supervisor is told.
    ///
    /// # Errors
    /// Where the system does not give as many threads.
    pub(crate) fn start(
        self: &Arc<Self>,
        count: usize,
        process: &ProcessContext,
        supervisor: &Arc<Cell<Supervisor>>,
    ) -> std::io::Result<()> {
        for number in 1..=count {
            let (restart, restarted) = sync_channel(1);
            let file_actor = FileActor {
                process: process.clone(),
                mailbox: Arc::clone(self),
            };
            let supervisor = Arc::clone(supervisor);
            let serving = process.serving_thread();
            std::thread::Builder::new()
                .name("file-actor".into())
                .spawn(move || {
                    let _serving = serving;
                    file_actor.live(&supervisor, &restart, &restarted);
                })
                .map_err(context(format!(
                    "cannot start file actor {number} of {count}; try fewer --file-actors"
                )))?;
        }
        Ok(())
    }

    /// Sends whoever is free first a job.
    ///
    /// # Errors
    /// The job, where the mailbox is full; its asker is told when there is a place, if it `waits` for one.
    pub(crate) fn send(&self, job: Job, waits: bool) -> Result<(), Job> {
        let asker = waits.then(|| Arc::clone(&job.asker) as Arc<dyn Waiter>);
        self.inside().mailbox.put(job, asker)?;
        self.came.notify_one();
        Ok(())
    }

    /// Waits for a job; none when the server is at its end.
    fn receive(&self) -> Option<Job> {
        let mut inside = self.inside();
        loop {
            if inside.is_closed {
                return None;
            }
            if let Some((job, waiter)) = inside.mailbox.take() {
                drop(inside);
                if let Some(waiter) = waiter {
                    waiter.has_room();
                }
                return Some(job);
            }
            // Whoever was told of the last place may have had no use for it, and all that wait now find one.
            let waiters: VecDeque<_> = inside.mailbox.take_waiters();
            if waiters.is_empty() {
                inside = self
                    .came
                    .wait(inside)
                    .unwrap_or_else(PoisonError::into_inner);
            } else {
                drop(inside);
                waiters.into_iter().for_each(Waiter::has_room);
                inside = self.inside();
            }
        }
    }

    /// Nobody will ask for anything any more.
    pub(crate) fn close(&self) {
        self.inside().is_closed = true;
        self.came.notify_all();
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of them.
struct FileActor {
    process: ProcessContext,
    mailbox: Arc<FileActors>,
}

impl FileActor {
    /// Its thread's life: takes a job, waits for the disk, and answers. Where that has a defect, the asker is told so, and there is
    /// no actor here until the supervisor has started one again.
    fn live(self, supervisor: &Arc<Cell<Supervisor>>, restart: &Restart, restarted: &Receiver<()>) {
        while let Some(Job { work, asker }) = self.mailbox.receive() {
            let started = Instant::now();
            let work = work.open();
            let defect = Envelope::seal(work.defect(), None);
            let done = catch_unwind(AssertUnwindSafe(|| {
                Envelope::seal(work.fetch(&self.process.files), self.mailbox.carriage)
            }));
            self.mailbox.kind.count_handled(1, started.elapsed());
            match done {
                Ok(done) => asker.send_expected(done),
                Err(panic) => {
                    // Before the client can hear of it.
                    supervisor.send_expected(ToSupervisor::FileActorExited {
                        words: words(&*panic),
                        restart: restart.clone(),
                    });
                    asker.send_expected(defect);
                    if restarted.recv().is_err() {
                        return;
                    }
                }
            }
        }
    }
}
