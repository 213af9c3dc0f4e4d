//! A server that stands still for a part of every second.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use lab::Failure;
use rustix::process::{Pid, Signal, kill_process};

/// How long it stands still.
const STALL: Duration = Duration::from_millis(100);
/// And how long it runs between.
const BETWEEN: Duration = Duration::from_millis(900);

/// When it stood still, from and to.
pub(super) type Stall = (Instant, Instant);

/// A thread that stops a server again and again.
#[derive(Debug)]
pub(super) struct Staller {
    enough: Sender<()>,
    thread: JoinHandle<rustix::io::Result<Vec<Stall>>>,
}

impl Staller {
    /// Begins at once.
    pub(super) fn start(server: u32) -> Self {
        let (enough, until) = channel::<()>();
        let thread = std::thread::spawn(move || {
            let mut stalls = Vec::new();
            let Some(server) = i32::try_from(server).ok().and_then(Pid::from_raw) else {
                return Ok(stalls);
            };
            loop {
                kill_process(server, Signal::STOP)?;
                let from = Instant::now();
                std::thread::sleep(STALL);
                kill_process(server, Signal::CONT)?;
                stalls.push((from, Instant::now()));
                if until.recv_timeout(BETWEEN) != Err(RecvTimeoutError::Timeout) {
                    return Ok(stalls);
                }
            }
        });
        Self { enough, thread }
    }

    /// Ends it; the server runs.
    ///
    /// # Errors
    /// When the server could not be stopped.
    pub(super) fn stop(self) -> Result<Vec<Stall>, Failure> {
        drop(self.enough);
        let ended = self
            .thread
            .join()
            .map_err(|_| "the thread that stops the server has panicked")?;
        Ok(ended.map_err(|error| format!("cannot stop the server for a while: {error}"))?)
    }
}

/// What a user would meet at quantile `p`, in ms, if all time but the stalls is negligible: with stalls of length d, one in every P, it is
/// d − (1 − p) · P. `None` without two stalls, by which P is known.
pub(super) fn quantile_ms(stalls: &[Stall], p: f64) -> Option<f64> {
    let ((first, _), (last, _)) = (stalls.first()?, stalls.last()?);
    let count = stalls.len() as f64;
    if stalls.len() < 2 {
        return None;
    }
    let period = last.duration_since(*first).as_secs_f64() / (count - 1.0);
    let lengths = stalls
        .iter()
        .map(|(from, to)| to.duration_since(*from).as_secs_f64());
    let length = lengths.sum::<f64>() / count;
    Some((length - (1.0 - p) * period) * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_truth_follows_from_when_it_stood_still() {
        let zero = Instant::now();
        let stall = |at_ms: u64, length_ms: u64| {
            let from = zero + Duration::from_millis(at_ms);
            (from, from + Duration::from_millis(length_ms))
        };
        let stalls = [stall(0, 100), stall(1000, 102), stall(2000, 98)];
        let quantile = |p| quantile_ms(&stalls, p).unwrap();
        assert!((quantile(0.99) - 90.0).abs() < 1e-9);
        assert!((quantile(1.0) - 100.0).abs() < 1e-9);
        assert_eq!(quantile_ms(&stalls[..1], 0.99), None);
        assert_eq!(quantile_ms(&[], 0.99), None);
    }
}
