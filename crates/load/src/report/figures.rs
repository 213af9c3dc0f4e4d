//! The figures of a run, as every report and objective uses them.

use crate::asked::Asked;
use crate::clock::seconds;
use crate::failure::Failure;
use crate::measure::Outcome;
use crate::metric::Metric;
use contracts::load::availability;
use stats::hist::Censored;

/// Whether all clients of a closed loop got the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fairness {
    /// Jain's index of the requests that each had answered: 1 if all had as many.
    pub jain: f64,
    /// How many clients there were.
    pub clients: usize,
    /// Requests of the client that had the fewest answered.
    pub fewest: u64,
    /// Of the one that had the most.
    pub most: u64,
}

impl Fairness {
    /// None where there are no clients, or none got anything.
    fn of(answered: &[u64]) -> Option<Self> {
        let fewest = *answered.iter().min()?;
        let most = *answered.iter().max().filter(|most| **most > 0)?;
        let shares: Vec<f64> = answered.iter().map(|count| *count as f64).collect();
        Some(Self {
            jain: stats::fairness::jain(&shares).ok()?,
            clients: answered.len(),
            fewest,
            most,
        })
    }
}

/// The figures of one run.
#[derive(Debug)]
pub struct Figures<'a> {
    outcome: &'a Outcome,
    closed_loop: bool,
    warmup_s: f64,
    times: [Option<Censored>; Metric::ALL.len()],
}

impl<'a> Figures<'a> {
    /// Puts answered and given-up requests together.
    pub fn new(run: &Asked, outcome: &'a Outcome) -> Self {
        let closed_loop = run.is_closed_loop();
        let times = Metric::ALL.map(|metric| metric.times(&outcome.record, closed_loop));
        Self {
            outcome,
            closed_loop,
            warmup_s: seconds(run.warmup),
            times,
        }
    }

    /// The times of a kind.
    pub fn times(&self, metric: Metric) -> Option<&Censored> {
        self.times[metric as usize].as_ref()
    }

    /// Requests that were due and are measured.
    pub fn due(&self) -> u64 {
        let outcome = self.outcome;
        let warming_up = outcome.record.counts.warming_up;
        outcome.scheduled.saturating_sub(warming_up)
    }

    /// Requests that failed, timeouts included. Attempts to connect are none.
    pub fn errors(&self) -> u64 {
        self.outcome.record.counts.failed()
    }

    /// Requests without an answer: timed out, under way at the end, or never sent.
    pub fn censored(&self) -> u64 {
        let record = &self.outcome.record;
        if self.closed_loop {
            record.censored_service.len()
        } else {
            record.censored_response.len()
        }
    }

    /// Requests that failed, in percent of those that were due. In one division: what is just within an objective is within it.
    pub fn error_percent(&self) -> f64 {
        100.0 * self.errors() as f64 / self.due().max(1) as f64
    }

    /// Requests that were answered well, in percent of those that were due; those under way at the end apart.
    pub fn availability_percent(&self) -> Option<f64> {
        let outcome = self.outcome;
        availability::of_requests(
            outcome.record.counts.completed,
            self.due(),
            outcome.unfinished,
        )
    }

    /// Seconds after the warm-up with a good answer, in percent.
    pub fn available_seconds_percent(&self) -> Option<f64> {
        let seconds = self.outcome.seconds.iter();
        availability::of_seconds(
            self.warmup_s,
            seconds.map(|second| (second.at_s, second.completed)),
        )
    }

    /// How many of the failed are part of the times, as lower bounds.
    pub(crate) fn errors_timed(&self) -> u64 {
        let counts = &self.outcome.record.counts;
        let open = !self.closed_loop;
        counts.of(Failure::Timeout)
            + if open {
                counts.of(Failure::NoConnection)
            } else {
                0
            }
    }

    /// The length of the window that throughput is counted in.
    pub fn window_s(&self) -> f64 {
        (seconds(self.outcome.window) - self.warmup_s).max(1e-9)
    }

    /// Good answers within the window, per second.
    pub fn requests_per_s(&self) -> f64 {
        self.outcome.record.counts.in_window as f64 / self.window_s()
    }

    /// Whether all clients got the same; none in an open loop, which has no clients.
    pub fn fairness(&self) -> Option<Fairness> {
        Fairness::of(&self.outcome.answered_of)
    }

    /// The generator's processor time for each answer, well or not, spinning apart.
    pub(crate) fn cpu_s_per_request(&self) -> f64 {
        let (cpu, counts) = (self.outcome.cpu, &self.outcome.record.counts);
        let spent = (cpu.user + cpu.system).saturating_sub(cpu.spun);
        spent.as_secs_f64() / (counts.completed + counts.failed()).max(1) as f64
    }

    /// Bytes received within the window, per second.
    pub fn bytes_per_s(&self) -> f64 {
        self.outcome.record.counts.bytes as f64 / self.window_s()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fairness_of_clients() {
        let fair = Fairness::of(&[1, 3]).expect("a figure");
        assert!((fair.jain - 0.8).abs() < 1e-15);
        assert_eq!((fair.clients, fair.fewest, fair.most), (2, 1, 3));
        assert_eq!(Fairness::of(&[5, 0]).map(|fair| fair.jain), Some(0.5));
        assert_eq!((Fairness::of(&[]), Fairness::of(&[0, 0])), (None, None));
    }
}
