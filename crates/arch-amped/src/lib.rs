//! AMPED, asymmetric multi-process event-driven: SPED's loop, and helpers for whatever would block (Flash, section 3.4).
#![doc = concat!("\n```text", include_str!("diagram.txt"), "```\n")]
//! What is shared: the caches, between the loop and its helpers. A helper waits for the disk and then says so; contents
//! never pass through the channel. Before the loop sends from a file, it asks the kernel whether those bytes are in
//! memory; what the content cache holds, as a copy or locked in the page cache, it need not ask about.
//!
//! What blocks: nothing in the loop; a helper, for the disk. Helpers find as well as read, as in the paper: that it takes
//! both was measured later (Ruan and Pai, USENIX 2004).
//!
//! Departures from the paper: helpers are threads, all made at the start, and channels take the place of pipes. Residency is
//! asked with `cachestat`, which `mincore` has to confirm until a file has settled, or else with `preadv2(RWF_NOWAIT)`, and
//! not by `mincore` each time; hot files are locked in memory instead, as section 5.7 proposes for systems that cannot
//! tell. Bytes leave by `sendfile`, not by `writev` from a mapping.

use std::collections::VecDeque;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arch::nature::{
    Behaviour, Concurrency, DiskWait, Family, IdleConnection, Killed, Loss, Nature,
};
use arch::{
    Acceptor, Architecture, Blocked, Entry, Files, Found, ProcessContext, ServerSetup, Sessions,
    Token, Worker, context,
};
use crossbeam_channel::{Receiver, Sender, unbounded};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Waker};

/// The options of AMPED.
#[derive(Debug, Clone, clap::Args)]
pub struct Amped {
    /// Threads that wait for the disk on behalf of the loop
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub helpers: u32,
}

impl Architecture for Amped {
    const NAME: &'static str = "amped";
    const SUMMARY: &'static str =
        "one event loop; helper threads find and read whatever is not in memory";
    const DIAGRAM: &'static str = include_str!("diagram.txt");
    const NATURE: Nature = Nature {
        family: Family::Events,
        predecessors: &["sped"],
        paper: "Pai, Druschel, Zwaenepoel: Flash, USENIX Annual Technical Conference, section 3.4",
        year: 1999,
        behaviour: Behaviour {
            concurrency: Concurrency::Any,
            disk_wait: DiskWait::Helper { count: "--helpers" },
            defect: Loss::Answer,
            killed: Killed::Server,
            idle_connection: IdleConnection::Place,
        },
        variants: &[],
        settings: &["--helpers 1"],
    };

    fn serve(self, setup: ServerSetup, ready: impl FnOnce()) -> std::io::Result<()> {
        let process = setup.open()?;
        let poll = Poll::new()?;
        let listener = process.listener.as_fd().as_raw_fd();
        poll.registry()
            .register(&mut SourceFd(&listener), LISTENER, Interest::READABLE)?;
        let helpers = Helpers::start(
            self.helpers,
            &process,
            Waker::new(poll.registry(), NOTICES)?,
        )?;
        let event_loop = EventLoop {
            poll,
            helpers,
            worker: process.worker(),
            acceptor: Acceptor::new(process.listener)?,
            sessions: Sessions::default(),
            turns: VecDeque::new(),
        };
        ready();
        event_loop.run()
    }
}

/// How often bytes that have been fetched and are gone again are fetched anew, before the loop takes what it gets.
const FETCHES: u8 = 3;
const LISTENER: mio::Token = mio::Token(usize::MAX);
const NOTICES: mio::Token = mio::Token(usize::MAX - 1);

struct EventLoop {
    poll: Poll,
    acceptor: Acceptor,
    helpers: Helpers,
    sessions: Sessions,
    worker: Worker,
    /// Sessions that could go on but let others go first.
    turns: VecDeque<Token>,
}

impl EventLoop {
    fn run(mut self) -> std::io::Result<()> {
        let mut events = Events::with_capacity(1024);
        while !(self.worker.is_stopping() && self.sessions.is_empty()) {
            let poll_timeout = self.poll_timeout();
            match self.poll.poll(&mut events, poll_timeout) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            self.worker.tick();
            for event in &events {
                match event.token() {
                    LISTENER => self.acceptor.notify(),
                    NOTICES => self.read_notices(),
                    token => {
                        let token = Token::from(token.0);
                        let (readable, writable) = (event.is_readable(), event.is_writable());
                        if self
                            .sessions
                            .ready(token, readable, writable, event.is_read_closed())
                        {
                            self.serve(token);
                        }
                    }
                }
            }
            for _ in 0..self.turns.len() {
                if let Some(token) = self.turns.pop_front() {
                    self.serve(token);
                }
            }
            for token in self.sessions.expire(&mut self.worker) {
                self.serve(token);
            }
            self.accept();
        }
        Ok(())
    }

    /// Runs one session until it has to wait for its client or for a helper.
    fn serve(&mut self, token: Token) {
        while let Some((session, blocked)) = self.sessions.advance(token, &mut self.worker) {
            match blocked {
                // Only a helper waits.
                Blocked::Find => return self.helpers.send(Job::Find(token, session.path().into())),
                Blocked::Load(entry, range) => {
                    match self.worker.files.try_load(&entry, range.clone()) {
                        Some(body) => session.loaded(Ok(body), &mut self.worker),
                        None => return self.helpers.send(Job::Fetch(token, entry, range, FETCHES)),
                    }
                }
                Blocked::Turn => return self.turns.push_back(token),
                Blocked::Readable | Blocked::Writable | Blocked::Elsewhere | Blocked::Closed => {
                    return;
                }
            }
        }
    }

    /// Goes on with the sessions whose helpers are done.
    fn read_notices(&mut self) {
        while let Ok(notice) = self.helpers.notices.try_recv() {
            let (Notice::Found(token, _) | Notice::Fetched(token, ..)) = notice;
            let Some(session) = self.sessions.get_mut(token) else {
                continue;
            };
            match notice {
                Notice::Found(_, found) => session.found(found, &mut self.worker),
                Notice::Fetched(_, entry, range, left, fetched) => {
                    let body = match fetched {
                        Ok(()) => match self.worker.files.try_load(&entry, range.clone()) {
                            Some(body) => Ok(body),
                            // Under memory pressure it may be gone again before it could be sent.
                            None if left > 0 => {
                                self.helpers.send(Job::Fetch(token, entry, range, left - 1));
                                continue;
                            }
                            None => Ok(files::Body::File),
                        },
                        Err(error) => Err(error),
                    };
                    session.loaded(body, &mut self.worker);
                }
            }
            self.serve(token);
        }
    }

    fn accept(&mut self) {
        while let Some(client) = self.acceptor.admit(&self.worker.counters) {
            let token = self.sessions.insert(client, &self.worker);
            // Under load the request has come with the connection, and a connection for one request is over before it has
            // to be watched.
            self.serve(token);
            let interest = Interest::READABLE | Interest::WRITABLE;
            let registry = self.poll.registry();
            self.sessions.watch(token, |socket| {
                registry.register(&mut SourceFd(&socket), mio::Token(token.into()), interest)
            });
        }
    }

    /// How long to wait for events.
    fn poll_timeout(&self) -> Option<Duration> {
        if !self.turns.is_empty() {
            return Some(Duration::ZERO);
        }
        let sweep = self.sessions.poll_timeout(self.worker.now);
        sweep.into_iter().chain(self.acceptor.poll_timeout()).min()
    }
}

/// What a helper is asked for; each session has at most one job out, which bounds the channel.
enum Job {
    Find(Token, files::PathBuf),
    /// With how often it may be fetched again.
    Fetch(Token, Entry, Range<u64>, u8),
}

/// What a helper says when it is done.
enum Notice {
    Found(Token, Found),
    Fetched(Token, Entry, Range<u64>, u8, std::io::Result<()>),
}

struct Helpers {
    jobs: Sender<Job>,
    notices: Receiver<Notice>,
}

impl Helpers {
    fn start(count: u32, process: &ProcessContext, waker: Waker) -> std::io::Result<Self> {
        let (jobs, taken) = unbounded();
        let (done, notices) = unbounded();
        let waker = Arc::new(waker);
        for helper in 1..=count {
            let (process, taken, done, waker) = (
                process.clone(),
                taken.clone(),
                done.clone(),
                Arc::clone(&waker),
            );
            std::thread::Builder::new()
                .name("helper".into())
                .spawn(move || {
                    let _serving = process.serving_thread();
                    help(&process, &taken, |notice| {
                        done.send(notice).is_ok() && waker.wake().is_ok()
                    });
                })
                .map_err(context(format!(
                    "cannot start helper {helper} of {count}; try fewer --helpers"
                )))?;
        }
        Ok(Self { jobs, notices })
    }

    fn send(&self, job: Job) {
        // The helpers hold the other end for as long as this one is held.
        let _ = self.jobs.send(job);
    }
}

/// A helper's life: takes a job, waits for the disk, gives notice.
fn help(process: &ProcessContext, jobs: &Receiver<Job>, notify: impl Fn(Notice) -> bool) {
    for job in jobs {
        let notice = match job {
            Job::Find(token, path) => {
                let found = shielded(process, |files| files.find(path.as_path(), Instant::now()));
                Notice::Found(token, found.unwrap_or(Err(files::Missing::Failed)))
            }
            Job::Fetch(token, entry, range, left) => {
                let fetched = shielded(process, |files| files.fetch(&entry, range.clone()));
                let fetched =
                    fetched.unwrap_or_else(|| Err(std::io::Error::other("the helper failed")));
                Notice::Fetched(token, entry, range, left, fetched)
            }
        };
        if !notify(notice) {
            return;
        }
    }
}

/// Runs one job so that a defect in it costs that job and not the helper.
fn shielded<T>(process: &ProcessContext, job: impl FnOnce(&Files) -> T) -> Option<T> {
    let done = catch_unwind(AssertUnwindSafe(|| job(&process.files))).ok();
    if done.is_none() {
        process.count_replaced();
    }
    done
}
