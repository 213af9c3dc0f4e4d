//! Whether the arrivals that really went out are those that were asked for.
//!
//! An arrival goes out when the generator gets to it: at its intended time plus the generator's lag. (That a connection was not free is the
//! server's doing and does not count.) By time rescaling, gaps of any Poisson process measured in its own cumulative rate Λ are
//! exponential with mean 1, and the sum of m of them is Erlang-m (Brown et al., *Neural Computation* 14, 2002). So one test serves
//! every rate, ramp and number of threads: the value F(Λ-gap) must be uniform.
//!
//! Gaps are taken over as many arrivals as make about a millisecond: what a generator may lag (50 µs) is small beside that, and a finer test would refuse every
//! generator there is at rates where the gaps themselves are microseconds.

use crate::clock::Nanos;
use stats::ks::{Binned, erlang_cdf};
use stats::spacing::Spacing;
use workload::RateStages;

/// The stretch of time that the gaps are taken over, in seconds.
const SCALE: f64 = 1e-3;
/// Sums of more gaps than this are not needed, and e^−x would leave the doubles.
const MOST_GAPS: f64 = 500.0;
/// How far a sum of even gaps may be off.
const TOLERANCE: f64 = 0.1;

/// The arrivals of one thread, tested as they go out.
#[derive(Clone, Debug)]
pub struct Fidelity {
    stages: RateStages,
    poisson: bool,
    /// Arrivals of the whole stream between two tested ones.
    gaps: u64,
    last: Option<(u64, f64)>,
    /// The distribution of Poisson gaps.
    pub fit: Binned,
    /// The evenness of constant ones.
    pub spacing: Spacing,
}

impl Fidelity {
    /// A test for arrivals of these stages.
    pub fn new(stages: RateStages, poisson: bool) -> Self {
        let gaps = (stages.peak() * SCALE).ceil().clamp(1.0, MOST_GAPS) as u64;
        Self {
            stages,
            poisson,
            gaps,
            last: None,
            fit: Binned::new(),
            spacing: Spacing::new(TOLERANCE).expect("the tolerance is a positive constant"),
        }
    }

    /// A test that was made elsewhere: how many gaps of a Poisson process fell into each bin, and how many even ones there were and how many of
    /// them were not.
    pub(crate) fn counted(poisson: bool, bins: &[(u32, u64)], even: (u64, u64)) -> Self {
        let nothing = RateStages::steady(1.0, None).expect("the rate is a positive constant");
        let mut counted = Self::new(nothing, poisson);
        for (bin, count) in bins {
            counted.fit.add_to_bin(*bin as usize, *count);
        }
        counted.spacing.add_counts(even);
        counted
    }

    /// Arrival `number` of the whole stream went out at `at`.
    #[inline]
    pub(crate) fn went_out(&mut self, number: u64, at: Nanos) {
        match self.last {
            Some((last, _)) if number < last + self.gaps => {}
            last => self.test(last, number, at),
        }
    }

    fn test(&mut self, last: Option<(u64, f64)>, number: u64, at: Nanos) {
        let reached = self.stages.cumulative(at);
        self.last = Some((number, reached));
        let Some((last, before)) = last else {
            return;
        };
        let gaps = number - last;
        if self.poisson {
            let shape = u32::try_from(gaps).unwrap_or(u32::MAX);
            self.fit.add(erlang_cdf(shape, reached - before));
        } else {
            self.spacing.add((reached - before) / gaps as f64);
        }
    }

    /// Whether a Poisson process was asked for.
    pub(crate) fn is_poisson(&self) -> bool {
        self.poisson
    }

    /// Adds what another thread saw of the same stream.
    pub fn merge(&mut self, other: &Self) {
        self.fit.merge(&other.fit);
        self.spacing.merge(&other.spacing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use workload::Schedule;

    fn stages(text: &str) -> RateStages {
        text.parse().expect("stages")
    }

    fn p_and_d(asked: &str, times: impl Iterator<Item = u64>, threads: u64) -> (f64, f64) {
        let mut parts = vec![Fidelity::new(stages(asked), true); threads as usize];
        for (number, time) in times.enumerate() {
            parts[number % threads as usize].went_out(number as u64, time);
        }
        let (first, others) = parts.split_first_mut().expect("a thread");
        others.iter().for_each(|other| first.merge(other));
        let fit = first.fit.fit().expect("arrivals");
        (fit.p, fit.d)
    }

    #[test]
    fn a_poisson_stream_passes_at_any_rate_ramp_and_number_of_threads() {
        for (asked, threads) in [
            ("60s@300", 1),
            ("5s@30000", 1),
            ("30s@100..3000,10s@500", 3),
        ] {
            let (p, d) = p_and_d(asked, Schedule::poisson(stages(asked), 3), threads);
            assert!(p > 0.001 && d < 0.03, "{asked}: p {p}, D {d}");
        }
    }

    #[test]
    fn other_streams_do_not_pass() {
        let asked = "20s@2000";
        // Arrivals held back to ticks of 10 ms, as by a coarse timer.
        let coarse = Schedule::poisson(stages(asked), 3).map(|at| at.next_multiple_of(10_000_000));
        let (p, d) = p_and_d(asked, coarse, 1);
        assert!(p < 1e-6 && d > 0.1, "p {p}, D {d}");
        let (p, d) = p_and_d(asked, Schedule::poisson(stages("20s@1700"), 3), 1);
        assert!(p < 1e-6 && d > 0.05, "p {p}, D {d}");
        let (p, d) = p_and_d(asked, Schedule::constant(stages(asked)), 1);
        assert!(p < 1e-6 && d > 0.1, "p {p}, D {d}");
    }

    #[test]
    fn even_spacing_is_told_from_uneven() {
        let off = |shake: u64| {
            let mut fidelity = Fidelity::new(stages("20s@2000"), false);
            for (number, at) in Schedule::constant(stages("20s@2000")).enumerate() {
                fidelity.went_out(number as u64, at + (number as u64 / 2 % 2) * shake);
            }
            fidelity.spacing.evenness().expect("gaps").off
        };
        assert_eq!(off(50_000), 0.0);
        assert!(off(500_000) > 0.3);
    }
}
