//! Ctrl-C ends a run between two steps, and loses no finished trial.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use sys::signals::{self, Signal};

const STOPPING: [Signal; 2] = [Signal::Interrupt, Signal::Terminate];

/// Whether somebody wants it to end.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Watches for Ctrl-C and SIGTERM from here on; a second one ends the process at once. Call it before other threads start.
    pub fn watch() -> Self {
        let interrupt = Self::default();
        let flag = interrupt.0.clone();
        if signals::block(&STOPPING).is_ok() {
            std::thread::spawn(move || {
                let waited = signals::wait(&STOPPING, None);
                flag.store(matches!(waited, Ok(Some(_))), Relaxed);
                if matches!(signals::wait(&STOPPING, None), Ok(Some(_))) {
                    std::process::exit(i32::from(crate::INTERRUPTED));
                }
            });
        }
        interrupt
    }

    /// Whether it came.
    pub fn came(&self) -> bool {
        self.0.load(Relaxed)
    }

    /// As if it came.
    pub fn raise(&self) {
        self.0.store(true, Relaxed);
    }

    /// Sleeps, at most until it comes.
    pub fn sleep(&self, time: Duration) {
        let end = std::time::Instant::now() + time;
        while !self.came() {
            let left = end.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(Duration::from_millis(20)));
        }
    }
}
