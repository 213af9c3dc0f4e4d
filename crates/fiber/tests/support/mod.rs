//! Runs fibers in threads of a test.

#![allow(dead_code, reason = "not every test does all of it")]

use std::io;
use std::thread::JoinHandle;

use fiber::runtime::Report;
use fiber::{Fiber, Runtime, Settings};

pub(crate) struct Running {
    pub(crate) runtime: Runtime,
    workers: Vec<JoinHandle<io::Result<()>>>,
}

/// A runtime with so many workers.
pub(crate) fn start(workers: usize) -> Running {
    start_with(&Settings {
        workers,
        ..SETTINGS
    })
}

pub(crate) const SETTINGS: Settings = Settings::new(20_000, 128 << 10);

/// A runtime with such settings.
pub(crate) fn start_with(settings: &Settings) -> Running {
    let (runtime, workers, watchdog) = Runtime::new(settings).unwrap();
    std::thread::spawn(|| watchdog.run());
    let workers = workers.into_iter();
    Running {
        runtime,
        workers: workers
            .map(|worker| std::thread::spawn(|| worker.run()))
            .collect(),
    }
}

impl Running {
    pub(crate) fn spawn(&self, body: impl FnOnce(&Fiber<'_>) + Send + 'static) {
        self.runtime.spawn(body).unwrap();
    }

    /// Waits until all fibers are over.
    pub(crate) fn join(self) -> Report {
        let runtime = self.runtime.clone();
        self.runtime.close();
        for worker in self.workers {
            worker.join().unwrap().unwrap();
        }
        runtime.report()
    }
}

/// Runs a fiber, and those that it starts, to their ends.
pub(crate) fn run(workers: usize, body: impl FnOnce(&Fiber<'_>) + Send + 'static) -> Report {
    let running = start(workers);
    running.spawn(body);
    running.join()
}
