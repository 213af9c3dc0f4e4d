//! Looking at an empty queue for a while before sleeping there (`--spin`).
//!
//! A thread that sleeps has to be woken, which costs whoever hands something over a system call, and the thread itself a change of
//! context before it begins. One that still looks finds what comes by itself; what it looks with is processor time. After Ousterhout,
//! "Scheduling Techniques for Concurrent Systems", ICDCS 1982, section 4: whoever waits for less than a change of context costs does
//! better not to begin one.

use std::time::{Duration, Instant};

/// Looks between which nothing else is done: some microseconds.
const LOOKS: u32 = 32;

/// The longest that a thread may look.
const MOST: Duration = Duration::from_millis(10);

/// How long a thread looks at its queue before it sleeps there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::Args)]
pub struct Spin {
    /// How long a thread that finds its queue empty looks at it before it sleeps there, 10ms at most: handing over to one that looks takes
    /// no wake-up, and looking takes processor time
    #[arg(id = "spin", long = "spin", value_name = "TIME", default_value = "0s", value_parser = time)]
    pub time: Duration,
}

/// Reads how long to look.
///
/// # Errors
/// In words, for the command line.
fn time(text: &str) -> Result<Duration, String> {
    let time = workload::units::duration(text).map_err(|error| error.to_string())?;
    (time <= MOST)
        .then_some(time)
        .ok_or_else(|| format!("'{text}' is more than 10ms, the longest that a thread may look"))
}

impl Spin {
    /// Reads how long to look, for a room with more to say of its option than others.
    ///
    /// # Errors
    /// In words, for the command line.
    pub fn parse(text: &str) -> Result<Self, String> {
        Ok(Self { time: time(text)? })
    }

    /// Whether a thread sleeps at once.
    pub fn is_off(self) -> bool {
        self.time.is_zero()
    }

    /// Looks until `is_there` says so or the time is over, and returns whether it is there. No lock is to be held meanwhile. Now and then
    /// the processor is left to whoever else can run: it may be the only one, and the other the one who has something.
    pub fn until(self, mut is_there: impl FnMut() -> bool) -> bool {
        if self.is_off() {
            return false;
        }
        let since = Instant::now();
        loop {
            for _ in 0..LOOKS {
                if is_there() {
                    return true;
                }
                std::hint::spin_loop();
            }
            if since.elapsed() >= self.time {
                return false;
            }
            std::thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    use super::*;

    const FOR_EVER: Spin = Spin {
        time: Duration::from_secs(3600),
    };

    #[test]
    fn it_is_off_unless_asked_for() {
        assert!(Spin::default().is_off());
        assert!(!Spin::default().until(|| panic!("it looks")));
    }

    #[test]
    fn who_looks_finds_what_another_thread_puts_there() {
        let is_there = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let looks = scope.spawn(|| FOR_EVER.until(|| is_there.load(Relaxed)));
            is_there.store(true, Relaxed);
            assert!(looks.join().unwrap());
        });
    }

    #[test]
    fn nobody_looks_longer_than_asked_for() {
        let (spin, since) = (time("200us").unwrap(), Instant::now());
        assert!(!Spin { time: spin }.until(|| false));
        assert!(since.elapsed() >= spin);
        assert!(time("10ms").is_ok() && time("0s").is_ok());
        assert!(time("11ms").unwrap_err().contains("10ms"));
        assert!(time("much").is_err());
    }
}
