//! Which deadline a connection has: pure, on any clock.

use std::time::{Duration, Instant};

use http::Phase;

use crate::options::ServeOptions;

/// While an answer is under way its client is looked at this often in its time-out.
pub(crate) const LOOKS: u32 = 8;

/// The deadline of one connection, by what its session waits for.
#[derive(Debug)]
pub(crate) struct Timer {
    phase: Phase,
    /// Since when the phase lasts; of an answer, when its client was last seen to take some of it.
    since: Instant,
    /// How many bytes its client had yet to take when it was looked at last.
    unacknowledged: Option<u64>,
    /// It has taken some since, nobody having looked at the clock.
    has_taken: bool,
}

impl Timer {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            phase: Phase::Idle,
            since: now,
            unacknowledged: None,
            has_taken: false,
        }
    }

    /// The session waits for this from now on, unless it did already.
    #[inline]
    pub(crate) fn note(&mut self, phase: Phase, now: Instant) {
        if phase != self.phase {
            self.phase = phase;
            self.restart(now);
        }
    }

    /// The client has done something, or has had nothing to do.
    #[inline]
    pub(crate) fn restart(&mut self, now: Instant) {
        self.since = now;
        self.unacknowledged = None;
    }

    /// The client has taken something, for whoever has not looked at the clock: it counts from the next look on.
    pub(crate) fn has_taken(&mut self) {
        self.has_taken = true;
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    /// When the client is to be looked at.
    #[inline]
    pub(crate) fn deadline(&self, options: &ServeOptions) -> Instant {
        self.since + self.limit(options)
    }

    #[inline]
    fn limit(&self, options: &ServeOptions) -> Duration {
        match self.phase {
            Phase::Idle => options.idle_timeout,
            Phase::Request => options.request_timeout,
            Phase::Answer => options.send_timeout,
            Phase::Linger => options.linger_timeout,
        }
    }

    /// When to look again at a client to whom an answer is under way. What counts is what it takes: the kernel says that there is
    /// room for more only when much of its buffer is free, which takes a slow reader long.
    #[inline]
    pub(crate) fn next_look(&self, now: Instant, options: &ServeOptions) -> Instant {
        let deadline = self.deadline(options);
        match self.phase {
            Phase::Answer => deadline.min(now + options.send_timeout / LOOKS),
            _ => deadline,
        }
    }

    /// Whether the deadline has passed, the client having so many bytes of an answer yet to take, where that is known.
    pub(crate) fn is_over(
        &mut self,
        unacknowledged: Option<u64>,
        now: Instant,
        options: &ServeOptions,
    ) -> bool {
        if self.phase != Phase::Answer {
            return now >= self.deadline(options);
        }
        let before = std::mem::replace(&mut self.unacknowledged, unacknowledged);
        match (before, unacknowledged) {
            _ if std::mem::take(&mut self.has_taken) => {
                self.since = now;
                false
            }
            (Some(before), Some(left)) if left < before => {
                self.since = now;
                false
            }
            // Without an earlier look nobody can tell whether the client takes anything.
            (None, Some(_)) => false,
            _ => now >= self.deadline(options),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct CommandLine {
        #[command(flatten)]
        options: ServeOptions,
    }

    const SECOND: Duration = Duration::from_secs(1);

    fn options() -> ServeOptions {
        let arguments = ["test", "--send-timeout", "8s", "--request-timeout", "3s"];
        CommandLine::parse_from(arguments).options
    }

    /// When the timer says that it is over, with a client who takes so many bytes between two looks; within an hour.
    fn end(options: &ServeOptions, mut takes: impl FnMut(u64) -> u64) -> Option<u64> {
        let start = Instant::now();
        let mut timer = Timer::new(start);
        timer.note(Phase::Answer, start);
        let (mut now, mut left) = (start, 4_000_000);
        while now < start + 3600 * SECOND && left > 0 {
            now = timer.next_look(now, options);
            let seconds = (now - start).as_secs();
            left -= takes(seconds).min(left);
            if timer.is_over(Some(left), now, options) {
                return Some(seconds);
            }
        }
        None
    }

    #[test]
    fn a_client_who_takes_a_little_now_and_then_is_not_left() {
        let options = options();
        assert_eq!(end(&options, |_| 0), Some(8));
        assert_eq!(end(&options, |_| 1000), None);
        // A byte in each seven seconds.
        assert_eq!(end(&options, |second| u64::from(second % 7 == 0)), None);
        // Until it takes no more.
        assert_eq!(end(&options, |second| u64::from(second <= 20)), Some(28));
    }

    #[test]
    fn where_nobody_knows_what_was_taken_time_alone_counts() {
        let (options, start) = (options(), Instant::now());
        let mut timer = Timer::new(start);
        timer.note(Phase::Answer, start);
        assert!(!timer.is_over(None, start + 7 * SECOND, &options));
        timer.restart(start + 7 * SECOND);
        assert!(!timer.is_over(None, start + 14 * SECOND, &options));
        assert!(timer.is_over(None, start + 15 * SECOND, &options));
    }

    /// A request that drips has its time from its first byte on, however often a byte comes.
    #[test]
    fn a_phase_lasts_until_another_begins() {
        let (options, start) = (options(), Instant::now());
        let mut timer = Timer::new(start);
        assert_eq!(timer.deadline(&options), start + options.idle_timeout);
        for second in 1..3 {
            timer.note(Phase::Request, start + second * SECOND);
        }
        assert_eq!(timer.deadline(&options), start + 4 * SECOND);
        assert!(!timer.is_over(None, start + 3 * SECOND, &options));
        assert!(timer.is_over(None, start + 4 * SECOND, &options));
    }
}
