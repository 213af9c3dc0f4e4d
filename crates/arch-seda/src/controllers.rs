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
/// which the target was last missed, and one long queue is not punished as often as it is seen: requests that were let in
/// before the rate was last changed are no evidence about the rate as it is now, and while those who wait become fewer the
/// rate is let be. Where the target is missed by far, the rate begins from what is answered, which then is the capacity.
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
    /// When the first of the window came.
    began: Duration,
    /// Of those that asked since then, how many were refused.
    refused: u64,
    /// The 90th percentile in seconds, smoothed.
    response_s: Option<f64>,
    /// That of the window before, as it was.
    before_s: f64,
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
    const INCREASE: f64 = 0.04;
    /// What the rate is divided by when the target is missed, and when it is missed by as much again.
    const DECREASE: f64 = 1.1;
    const DECREASE_FAR: f64 = 1.5;
    /// What is aimed at, as a share of the target, since the rate swings about it.
    const AIM: f64 = 0.9;
    /// A window's percentile below this share of the one before tells that the queue becomes shorter.
    const DRAINING: f64 = 0.98;
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
            began: Duration::ZERO,
            refused: 0,
            response_s: None,
            before_s: 0.0,
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
        if self.window.is_empty() {
            self.began = now;
        }
        if self.window.len() < Self::WINDOW {
            self.window.push(response);
        }
        let elapsed = now.saturating_sub(self.looked);
        if self.window.len() < Self::WINDOW && elapsed < Self::TIMEOUT {
            return;
        }
        // From answer to answer: the first of them is waited for.
        let answering = now.saturating_sub(self.began).as_secs_f64().max(1e-3);
        let answered_rate = (self.window.len() - 1).max(1) as f64 / answering;
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
        let target = target.as_secs_f64() * Self::AIM;
        let error = (response - target) / target;
        let before = self.rate;
        if error > Self::DECREASE_ABOVE {
            // Whoever waits already has to be served whatever the rate is: while they become fewer it is low enough.
            if p90 >= self.before_s * Self::DRAINING {
                let factor = match error > 1.0 {
                    true => Self::DECREASE_FAR,
                    false => Self::DECREASE,
                };
                // No more than are answered now, however many a rate that nobody comes near would let in.
                self.rate = self.rate.min(answered_rate) / factor;
                self.step = self.rate * Self::INCREASE;
            }
        } else if error < Self::INCREASE_BELOW && refused > 0 {
            self.rate += -error * self.step;
        }
        self.before_s = p90;
        self.rate = self.rate.clamp(Self::LEAST, Self::MOST);
        self.response_s = (self.rate == before).then_some(response);
    }
}

#[cfg(test)]
mod tests;
