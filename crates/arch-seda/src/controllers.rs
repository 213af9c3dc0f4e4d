//! The controllers: pure functions of what was observed, on any clock.
//!
//! | controller | observes | decides | after |
//! | --- | --- | --- | --- |
//! | thread pool | the length of the queue | one thread more; an idle one less | SEDA, section 4.2 |
//! | batching | the rate of events handled | how many events a thread takes at a time | SEDA, section 4.2 |
//! | admission | response times | how many requests a second are let in | Welsh and Culler, USITS 2003, section 3 |

use std::time::Duration;

/// A number that is fixed, or kept within limits by a controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// It is never less.
    pub least: usize,
    /// It is never more.
    pub most: usize,
}

impl Limits {
    /// Reads `off`, which is one, `N`, or `MIN..MAX`.
    ///
    /// # Errors
    /// In words, for the command line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "'{text}' is neither 'off' nor a number like 4 nor a range like 1..16, from 1 to 4096"
            )
        };
        let number = |text: &str| {
            let number = text.parse().ok();
            number.filter(|number| (1..=4096).contains(number))
        };
        let (least, most) = match text.split_once("..") {
            None if text == "off" => (Some(1), Some(1)),
            None => (number(text), number(text)),
            Some((least, most)) => (number(least), number(most)),
        };
        match (least, most) {
            (Some(least), Some(most)) if least <= most => Ok(Self { least, most }),
            _ => Err(wrong()),
        }
    }
}

/// Reads how often, or after how long, a controller acts: from a millisecond to an hour.
///
/// # Errors
/// In words, for the command line.
pub fn interval(text: &str) -> Result<Duration, String> {
    let interval = workload::units::duration(text).map_err(|error| error.to_string())?;
    let range = Duration::from_millis(1)..=Duration::from_secs(3600);
    range
        .contains(&interval)
        .then_some(interval)
        .ok_or_else(|| format!("'{text}' is not within 1ms and 1h"))
}

/// Batches that may wait for each thread before there is one more.
const BATCHES_WAITING: usize = 2;

/// Whether a stage needs another thread: more waits than those it has will soon have taken. (The paper's threshold is a
/// number of events; here it grows with the threads, so that a pool grows no further than helps.)
pub(crate) fn is_to_grow(waiting: usize, batch: usize, threads: usize, limits: Limits) -> bool {
    threads < limits.most && waiting > BATCHES_WAITING * batch * threads
}

/// Whether a thread may end that has had nothing to do for long.
pub(crate) fn is_to_retire(threads: usize, limits: Limits) -> bool {
    threads > limits.least
}

/// Shrinks batches for as long as the throughput holds, since an event waits for all others of its batch; goes back to the
/// largest when it drops.
#[derive(Debug)]
pub(crate) struct Batching {
    limits: Limits,
    limit: usize,
    events: u64,
    /// Events a second, smoothed.
    throughput: Option<f64>,
}

impl Batching {
    /// What counts as holding.
    const TOLERANCE: f64 = 0.1;
    /// The weight of the past.
    const SMOOTHING: f64 = 0.7;

    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            limit: limits.most,
            events: 0,
            throughput: None,
        }
    }

    /// How many events a thread may take at a time.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// So many events have been handled up to now, `interval` after the last time.
    pub(crate) fn observe(&mut self, events: u64, interval: Duration) {
        let now = events.saturating_sub(self.events) as f64 / interval.as_secs_f64();
        self.events = events;
        let Some(before) = self.throughput else {
            self.throughput = (now > 0.0).then_some(now);
            return;
        };
        if now < before * (1.0 - Self::TOLERANCE) {
            self.limit = self.limits.most;
            self.throughput = (now > 0.0).then_some(now);
        } else {
            self.limit = (self.limit - self.limit.div_ceil(8)).max(self.limits.least);
            self.throughput = Some(Self::SMOOTHING * before + (1.0 - Self::SMOOTHING) * now);
        }
    }
}

/// Who is let in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Admit {
    /// Everybody.
    All,
    /// So many a second.
    Rate(f64),
    /// As many as leave the 90th percentile of response times at this.
    Within(Duration),
}

impl Admit {
    /// Reads `off`, `RATE/s`, or `p90<TIME`.
    ///
    /// # Errors
    /// In words, for the command line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let admit = if text == "off" {
            Some(Self::All)
        } else if let Some(time) = text.strip_prefix("p90<") {
            workload::units::duration(time).ok().map(Self::Within)
        } else {
            workload::units::rate(text).ok().map(Self::Rate)
        };
        admit
            .filter(|admit| match *admit {
                Self::All => true,
                Self::Rate(rate) => rate > 0.0,
                Self::Within(target) => !target.is_zero(),
            })
            .ok_or_else(|| {
                format!(
                    "'{text}' is neither 'off' nor a rate like 2000/s nor a target like p90<100ms"
                )
            })
    }
}

/// A token for each request that is let in; how many come a second is decided by the response times of those that were:
/// additive increase, multiplicative decrease.
///
/// The paper's constants (its table 1) suit some ten requests a second. Here the additive step is a share of the rate at
/// which the target was last missed, and requests that were let in before the rate was last changed are no evidence about
/// the rate as it is now: otherwise one long queue would be punished as often as it is seen.
#[derive(Debug)]
pub(crate) struct Admission {
    admit: Admit,
    /// Tokens a second.
    rate: f64,
    /// What is added to them when there is nothing but room.
    step: f64,
    tokens: f64,
    /// Up to when tokens have come, on the caller's clock.
    filled: Duration,
    /// Response times since the rate was last looked at, and when that was.
    window: Vec<Duration>,
    looked: Duration,
    /// Of those that asked since then, how many were refused.
    refused: u64,
    /// The 90th percentile in seconds, smoothed.
    response_s: Option<f64>,
}

impl Admission {
    /// Response times after which the rate is looked at, and the time after which it is in any case.
    const WINDOW: usize = 100;
    const TIMEOUT: Duration = Duration::from_secs(1);
    /// The weight of the past, for as long as the rate is the same.
    const SMOOTHING: f64 = 0.7;
    /// Relative errors below and above which the rate goes up and down.
    const INCREASE_BELOW: f64 = -0.1;
    const DECREASE_ABOVE: f64 = 0.0;
    /// What is added to the rate when there is nothing but room, as a share of what it last was divided to; in proportion
    /// when there is less room.
    const INCREASE: f64 = 0.03;
    /// What the rate is divided by when the target is missed.
    const DECREASE: f64 = 1.15;
    const LEAST: f64 = 1.0;
    const MOST: f64 = 1e6;
    /// How much of a second's tokens may be saved up.
    const BURST_S: f64 = 0.02;

    pub(crate) fn new(admit: Admit) -> Self {
        let rate = match admit {
            Admit::Rate(rate) => rate,
            Admit::All | Admit::Within(_) => Self::MOST,
        };
        Self {
            admit,
            rate,
            step: 0.0,
            tokens: 1.0,
            filled: Duration::ZERO,
            window: Vec::with_capacity(Self::WINDOW),
            looked: Duration::ZERO,
            refused: 0,
            response_s: None,
        }
    }

    /// Whether one more is let in at `now`.
    pub(crate) fn admits(&mut self, now: Duration) -> bool {
        let since = now.saturating_sub(self.filled).as_secs_f64();
        self.filled = self.filled.max(now);
        let most = (self.rate * Self::BURST_S).max(1.0);
        self.tokens = (self.tokens + since * self.rate).min(most);
        let admitted = self.tokens >= 1.0;
        if admitted {
            self.tokens -= 1.0;
        } else {
            self.refused += 1;
        }
        admitted
    }

    /// One that was let in has had its answer at `now`, `response` later.
    pub(crate) fn observe(&mut self, now: Duration, response: Duration) {
        let Admit::Within(target) = self.admit else {
            return;
        };
        if now.saturating_sub(response) < self.looked {
            return;
        }
        if self.window.len() < Self::WINDOW {
            self.window.push(response);
        }
        let elapsed = now.saturating_sub(self.looked);
        if self.window.len() < Self::WINDOW && elapsed < Self::TIMEOUT {
            return;
        }
        let admitted_rate = self.window.len() as f64 / elapsed.as_secs_f64().max(1e-6);
        let place = (self.window.len() - 1) * 9 / 10;
        let (_, p90, _) = self.window.select_nth_unstable(place);
        let p90 = p90.as_secs_f64();
        self.window.clear();
        self.looked = now;
        let refused = std::mem::take(&mut self.refused);
        let response = match self.response_s {
            Some(before) => Self::SMOOTHING * before + (1.0 - Self::SMOOTHING) * p90,
            None => p90,
        };
        let target = target.as_secs_f64();
        let error = (response - target) / target;
        let before = self.rate;
        if error > Self::DECREASE_ABOVE {
            // A rate that nobody comes near decides nothing: it begins to count from what really came.
            self.rate = self.rate.min(2.0 * admitted_rate) / Self::DECREASE;
            self.step = self.rate * Self::INCREASE;
        } else if error < Self::INCREASE_BELOW && refused > 0 {
            self.rate += -error * self.step;
        }
        self.rate = self.rate.clamp(Self::LEAST, Self::MOST);
        self.response_s = (self.rate == before).then_some(response);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn limits_are_off_or_fixed_or_a_range() {
        let limits = |least, most| Ok(Limits { least, most });
        assert_eq!(Limits::parse("off"), limits(1, 1));
        assert_eq!(Limits::parse("16"), limits(16, 16));
        assert_eq!(Limits::parse("2..64"), limits(2, 64));
        for wrong in ["", "0", "-1", "4..2", "0..4", "1..", "..4", "5000", "on"] {
            let error = Limits::parse(wrong).unwrap_err();
            assert!(error.contains(&format!("'{wrong}'")), "{error}");
        }
    }

    #[test]
    fn admission_is_off_or_a_rate_or_a_target() {
        assert_eq!(Admit::parse("off"), Ok(Admit::All));
        assert_eq!(Admit::parse("2000/s"), Ok(Admit::Rate(2000.0)));
        assert_eq!(Admit::parse("p90<50ms"), Ok(Admit::Within(50 * MS)));
        for wrong in ["", "on", "-1", "0", "p90<", "p90<0s", "p99<50ms"] {
            let error = Admit::parse(wrong).unwrap_err();
            assert!(error.contains(&format!("'{wrong}'")), "{error}");
        }
    }

    /// A stage whose events each hold a thread for so long, under a load, looked at every 100 ms: the threads it comes to.
    fn threads_under(arrivals_per_s: f64, service: Duration, limits: Limits) -> usize {
        let (mut threads, mut waiting) = (limits.least, 0.0_f64);
        for _ in 0..300 {
            let capacity_per_s = threads as f64 / service.as_secs_f64();
            waiting = (waiting + (arrivals_per_s - capacity_per_s) * 0.1).clamp(0.0, 1000.0);
            threads += usize::from(is_to_grow(waiting as usize, 1, threads, limits));
        }
        threads
    }

    #[test]
    fn a_pool_grows_to_what_the_load_needs() {
        let limits = Limits { least: 1, most: 16 };
        let needed = |rate: f64| (rate * 0.01).ceil() as usize;
        for rate in [50.0, 150.0, 450.0, 950.0] {
            // Beyond the need only to work off what waited when it had grown so far.
            let threads = threads_under(rate, 10 * MS, limits);
            assert!(
                (needed(rate)..=2 * needed(rate)).contains(&threads),
                "{rate}/s: {threads}"
            );
        }
        // The cap holds, and a pool that is fixed stays.
        assert_eq!(threads_under(9000.0, 10 * MS, limits), 16);
        assert_eq!(
            threads_under(9000.0, 10 * MS, Limits { least: 3, most: 3 }),
            3
        );
    }

    #[test]
    fn a_pool_keeps_its_least() {
        let limits = Limits { least: 2, most: 4 };
        assert!(is_to_retire(3, limits) && !is_to_retire(2, limits));
    }

    #[test]
    fn a_batch_shrinks_while_the_throughput_holds_and_resets_when_it_drops() {
        let mut batching = Batching::new(Limits { least: 4, most: 64 });
        let mut events = 0;
        let mut second_of = |count: u64, batching: &mut Batching| {
            events += count;
            batching.observe(events, Duration::from_secs(1));
            batching.limit()
        };
        assert_eq!(second_of(1000, &mut batching), 64);
        let shrinking: Vec<_> = (0..30).map(|_| second_of(1000, &mut batching)).collect();
        assert!(
            shrinking.is_sorted_by(|before, after| before >= after),
            "{shrinking:?}"
        );
        assert_eq!(shrinking[29], 4);
        // A little less is noise.
        assert_eq!(second_of(950, &mut batching), 4);
        assert_eq!(second_of(700, &mut batching), 64);
        // Nothing to do, then work again.
        assert_eq!(second_of(0, &mut batching), 64);
        assert_eq!(second_of(0, &mut batching), 64);
        assert_eq!(second_of(1000, &mut batching), 64);
        assert!(second_of(1000, &mut batching) < 64);
        let mut fixed = Batching::new(Limits { least: 8, most: 8 });
        for second in 1..10 {
            fixed.observe(second * 100, Duration::from_secs(1));
            assert_eq!(fixed.limit(), 8);
        }
    }

    #[test]
    fn a_fixed_rate_lets_in_so_many() {
        let mut admission = Admission::new(Admit::Rate(100.0));
        let admitted = (0..10_000).filter(|&ms| admission.admits(ms * MS)).count();
        assert!((995..=1005).contains(&admitted), "{admitted} in 10 s");
        let mut all = Admission::new(Admit::All);
        assert!((0..10_000).all(|ms| all.admits(ms * MS)));
    }

    /// One server that takes `service` for each request, and what comes in order; arrivals are even. Returns how many of the
    /// last half were let in, and the 90th percentile of their response times.
    fn overloaded(
        admit: Admit,
        arrivals_per_s: u64,
        service: Duration,
        seconds: u64,
    ) -> (u64, Duration) {
        let mut admission = Admission::new(admit);
        let mut free_at = Duration::ZERO;
        // Answers that are still to come, with their response times.
        let mut answers = std::collections::VecDeque::new();
        let mut responses = Vec::new();
        let count = arrivals_per_s * seconds;
        for number in 0..count {
            let now = Duration::from_secs_f64(number as f64 / arrivals_per_s as f64);
            while let Some(&(at, response)) = answers.front() {
                if at > now {
                    break;
                }
                answers.pop_front();
                admission.observe(at, response);
            }
            if admission.admits(now) {
                free_at = free_at.max(now) + service;
                answers.push_back((free_at, free_at - now));
                if number > count / 2 {
                    responses.push(free_at - now);
                }
            }
        }
        responses.sort();
        (responses.len() as u64, responses[responses.len() * 9 / 10])
    }

    #[test]
    fn admission_holds_the_target_at_twice_the_capacity() {
        let (service, target) = (2 * MS, 100 * MS);
        let seconds = 60;
        let (admitted, p90) = overloaded(Admit::Within(target), 1000, service, seconds);
        let capacity = 500 * seconds / 2;
        assert!(p90 <= target * 12 / 10, "{p90:?}");
        assert!(admitted * 10 >= capacity * 9, "{admitted} of {capacity}");
        // Without it the queue grows for as long as the load lasts.
        let (_, p90) = overloaded(Admit::All, 1000, service, seconds);
        assert!(p90 > Duration::from_secs(20), "{p90:?}");
    }

    #[test]
    fn admission_refuses_nobody_while_there_is_room() {
        let mut admission = Admission::new(Admit::Within(100 * MS));
        for number in 0..100_000 {
            let now = number * MS;
            assert!(admission.admits(now), "at {now:?}");
            admission.observe(now, 5 * MS);
        }
    }
}
