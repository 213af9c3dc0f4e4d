//! Ctrl-C and SIGTERM, which end a command in good order.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sys::process::{INTERRUPTED, exit_now};
use sys::signals::{self, Signal};

const SIGNALS: [Signal; 2] = [Signal::Interrupt, Signal::Terminate];

/// Has a thread call `comes` whenever one of them comes, from here on. Call it before other threads start, so that all have the
/// signals blocked.
///
/// They come whatever this process has inherited: who starts a command in the background of a script has SIGINT ignored without
/// having asked for it, and a load that nothing but SIGKILL ends is worth less to him than one that ends with its script.
///
/// # Errors
/// What the kernel reports: there is no thread, or signals cannot be blocked.
pub fn each(mut comes: impl FnMut() + Send + 'static) -> io::Result<()> {
    signals::take_over(&SIGNALS)?;
    let watch = move || {
        while signals::wait(&SIGNALS, None).is_ok() {
            comes();
        }
    };
    let thread = std::thread::Builder::new().name("signals".into());
    thread.spawn(watch).map(drop)
}

/// Has any of them end the process where it stands, until somebody watches for them: for what may take long and loses nothing by that.
///
/// # Errors
/// What the kernel reports.
pub fn end_by_any() -> io::Result<()> {
    signals::reset(&SIGNALS)
}

/// Ends the process as whoever was told twice to end does, whatever else is under way.
pub fn end_at_once() -> ! {
    exit_now(INTERRUPTED.into())
}

/// Whether somebody wants a command to end.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<(Mutex<bool>, Condvar)>);

impl Interrupt {
    /// Watches for Ctrl-C and SIGTERM from here on; a second one ends the process at once. Call it before other threads start.
    ///
    /// # Errors
    /// As [`each`].
    pub fn watch() -> io::Result<Self> {
        let interrupt = Self::default();
        let watched = interrupt.clone();
        each(move || {
            if watched.came() {
                end_at_once();
            }
            watched.raise();
        })?;
        Ok(interrupt)
    }

    /// Whether it came.
    pub fn came(&self) -> bool {
        *self.flag()
    }

    /// As if it came.
    pub fn raise(&self) {
        *self.flag() = true;
        self.0.1.notify_all();
    }

    /// Sleeps, at most until it comes; says whether it came.
    pub fn sleep(&self, time: Duration) -> bool {
        let sleeping = self
            .0
            .1
            .wait_timeout_while(self.flag(), time, |came| !*came);
        *sleeping.unwrap_or_else(PoisonError::into_inner).0
    }

    fn flag(&self) -> MutexGuard<'_, bool> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_sleeps_is_woken() {
        let interrupt = Interrupt::default();
        assert!(!interrupt.sleep(Duration::ZERO));
        let sleeper = interrupt.clone();
        let sleeps = std::thread::spawn(move || sleeper.sleep(Duration::MAX));
        interrupt.raise();
        assert!(sleeps.join().unwrap());
        assert!(interrupt.came());
    }
}
