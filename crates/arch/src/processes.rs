//! Worker processes: made, replaced when they die, and told to end, by a parent that serves nobody and has one thread.
//!
//! What a worker does, how many there are and when each is made is the architecture's.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use meter::{Counters, Event, Gauge};
use rustix::process::{
    Pid, PidfdFlags, Signal as Kill, WaitOptions, getpid, getppid, kill_process, pidfd_open,
    pidfd_send_signal, set_parent_process_death_signal, waitpid,
};
use sys::process::{Fork, exit_now, fork};
use sys::signals::{self, Signal};

use crate::error::context;
use crate::process::ProcessContext;
use crate::setup::ServerSetup;
use crate::stop::ENDED_AT_ONCE;

/// The signals that a parent waits for.
pub const SIGNALS: [Signal; 5] = [
    Signal::Interrupt,
    Signal::Terminate,
    Signal::Quit,
    Signal::HangUp,
    Signal::Child,
];
/// The least time between two replacements, so that workers that cannot live do not take the machine.
const REPLACE_EVERY: Duration = Duration::from_millis(50);
/// How often a parent with nothing else to do forgets keys of tickets whose time is over.
const FORGET_EVERY: Duration = Duration::from_secs(60 * 60);

/// Exit status of a worker with a defect.
const PANICKED: i32 = 101;

/// A process whose children serve.
pub struct Parent {
    /// What they open.
    pub setup: ServerSetup,
    counters: Counters,
    workers: HashMap<Pid, Worker>,
    draining_until: Option<Instant>,
}

struct Worker {
    /// By which it alone can be meant, where the kernel has one to give.
    descriptor: Option<OwnedFd>,
    /// Whose place it has among those that are kept alive.
    place: usize,
}

impl Parent {
    /// Without any children yet.
    ///
    /// # Errors
    /// What the kernel reports of the signals that it is to wait for.
    pub fn new(setup: ServerSetup) -> io::Result<Self> {
        signals::take_over(&SIGNALS)?;
        Ok(Self {
            counters: setup.meter.counters(),
            setup,
            workers: HashMap::new(),
            draining_until: None,
        })
    }

    /// Keeps `count` workers alive until it is told to stop, and waits for their ends. Each does `work`, and is told its place among
    /// them; `option` says how many there are to be, like `--processes`.
    ///
    /// # Errors
    /// Where one cannot be made at the start.
    pub fn keep(
        mut self,
        count: usize,
        option: &str,
        work: impl Fn(usize, ProcessContext) -> io::Result<()>,
        ready: impl FnOnce(),
    ) -> io::Result<()> {
        let fork = |parent: &mut Self, place| parent.fork(place, |process| work(place, process?));
        for place in 0..count {
            if let Err(error) = fork(&mut self, place) {
                self.signal_all(Kill::KILL);
                let what = format!(
                    "cannot start process {} of {count}; try fewer {option}",
                    place + 1
                );
                return Err(context(what)(error));
            }
        }
        ready();
        while !self.is_stopping() {
            let missing = (0..count).find(|&place| !self.has(place));
            let pause = match missing {
                Some(_) => Some(REPLACE_EVERY),
                None => self.setup.security.as_ref().map(|_| FORGET_EVERY),
            };
            match signals::wait(&SIGNALS, pause)? {
                Some(signal) => {
                    self.take(signal);
                }
                // Others would find it shut as well.
                None if self.setup.listener.is_shut() => self.stop(),
                // Without a process to be had now, the next round tries again.
                None => {
                    if let Some(place) = missing
                        && fork(&mut self, place).is_ok()
                    {
                        self.counters.count(Event::Replaced, 1);
                    }
                }
            }
        }
        self.drain()
    }

    /// Makes a process that does `work`, with the setup open if it can be opened, and ends.
    ///
    /// # Errors
    /// What the kernel reports, where it gives no process.
    pub fn fork(
        &mut self,
        place: usize,
        work: impl FnOnce(io::Result<ProcessContext>) -> io::Result<()>,
    ) -> io::Result<()> {
        let parent = getpid();
        if let Some(security) = &self.setup.security {
            // Keys whose time is over are in no process.
            security.tickets().advance();
        }
        match fork()? {
            Fork::Parent(worker) => {
                let descriptor = pidfd_open(worker, PidfdFlags::empty()).ok();
                self.workers.insert(worker, Worker { descriptor, place });
                self.setup.meter.rise(Gauge::Processes);
                Ok(())
            }
            Fork::Child => {
                // Workers whose parent is gone would serve for ever.
                let _ = set_parent_process_death_signal(Some(Kill::INT));
                if getppid() != Some(parent) {
                    // It went before it could be asked for.
                    exit_now(ENDED_AT_ONCE);
                }
                let setup = &self.setup;
                // A panic must not go on into what was the parent's business.
                let served = catch_unwind(AssertUnwindSafe(|| work(setup.open_as_worker())));
                exit_now(match served {
                    Ok(Ok(())) => 0,
                    Ok(Err(_)) => 1,
                    Err(_) => PANICKED,
                })
            }
        }
    }

    /// Workers that have not ended.
    pub fn workers(&self) -> usize {
        self.workers.len()
    }

    /// Whether it has been told to stop.
    pub fn is_stopping(&self) -> bool {
        self.draining_until.is_some()
    }

    fn has(&self, place: usize) -> bool {
        self.workers.values().any(|worker| worker.place == place)
    }

    /// Does what a signal is for; how many workers have been killed since the last.
    pub fn take(&mut self, signal: Signal) -> u64 {
        match signal {
            Signal::Child => return self.reap(),
            _ if self.is_stopping() => {
                self.signal_all(Kill::KILL);
                exit_now(ENDED_AT_ONCE);
            }
            Signal::HangUp if self.setup.security.is_some() => self.reload(),
            _ => self.stop(),
        }
        0
    }

    /// Reads the certificate again: workers that come later have what is read here, those that there are read it themselves.
    fn reload(&self) {
        let security = self.setup.security.as_ref();
        if security.is_some_and(|security| security.reload_or_complain()) {
            self.signal_all(Kill::HUP);
        }
    }

    /// Lets nobody else in. Also where a worker has shut the listener that all share, as one does that is interrupted alone.
    pub fn stop(&mut self) {
        self.draining_until = Some(Instant::now() + self.setup.options.drain_timeout);
        self.setup.listener.shut();
        self.signal_all(Kill::TERM);
    }

    /// Takes note of the workers that have ended; how many of them were killed.
    fn reap(&mut self) -> u64 {
        let mut killed = 0;
        while let Ok(Some((worker, status))) = waitpid(None, WaitOptions::NOHANG) {
            self.workers.remove(&worker);
            self.setup.meter.fall(Gauge::Processes);
            if status.signaled() || status.exit_status() == Some(ENDED_AT_ONCE) {
                // It had no time to take its thread off the count.
                self.setup.meter.fall(Gauge::Threads);
            }
            killed += u64::from(status.signaled());
        }
        killed
    }

    /// Waits for the workers' last answers; they keep to the drain deadline themselves, unless they cannot.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn drain(mut self) -> io::Result<()> {
        const GRACE: Duration = Duration::from_millis(500);
        while !self.workers.is_empty() {
            let left = self
                .draining_until
                .map(|until| (until + GRACE).saturating_duration_since(Instant::now()));
            match signals::wait(&SIGNALS, left)? {
                Some(signal) => {
                    self.take(signal);
                }
                None => {
                    self.signal_all(Kill::KILL);
                    self.draining_until = None;
                }
            }
        }
        Ok(())
    }

    fn signal_all(&self, signal: Kill) {
        for (&worker, Worker { descriptor, .. }) in &self.workers {
            // It fails only for a worker that has ended already. One that nobody has waited for yet keeps its number.
            let _ = match descriptor {
                Some(descriptor) => pidfd_send_signal(descriptor, signal),
                None => kill_process(worker, signal),
            };
        }
    }
}
