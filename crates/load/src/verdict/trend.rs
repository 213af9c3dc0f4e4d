//! Whether the times went anywhere in the course of a run.

use crate::asked::Asked;
use crate::measure::Outcome;
use crate::precision::BATCHES;

/// Significance of all tests. A comparison with a share of runs that are refused in error.
pub(super) const ALPHA: f64 = 0.001;
/// A drift over the whole run by this share of the median is suspect …
const DRIFT: f64 = 0.2;
/// … and one by this share, rising nearly all the time, is no steady state.
const UNSTEADY_DRIFT: f64 = 1.0;
const UNSTEADY_TAU: f64 = 0.7;
/// Correlation between neighbouring batch means.
const CORRELATION: f64 = 0.6;

/// Where the times were going in the course of a run, from the means of its batches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// False: the times grew all along; the run has no steady state, and percentiles depend on how long it lasted.
    pub steady: bool,
    /// By how many seconds the mean grew each second.
    pub slope_s_per_s: f64,
    /// What that adds up to over the run, as a share of the median.
    pub drift: f64,
    /// Of neighbouring batches.
    pub autocorrelation: f64,
    pub(super) drifts: bool,
    pub(super) correlated: bool,
}

impl Trend {
    /// None where rates change by plan, or the run is too short to say.
    pub(crate) fn of(run: &Asked, outcome: &Outcome) -> Option<Self> {
        if !run.has_one_rate() {
            return None;
        }
        let (means, width) = outcome.record.batches.means(BATCHES);
        let trend = stats::series::mann_kendall(&means).ok()?;
        let neighbours = stats::series::autocorrelation(&means).ok()?;
        if means.len() < BATCHES / 2 {
            return None;
        }
        let rises = trend.drifts(ALPHA, UNSTEADY_DRIFT);
        Some(Self {
            steady: !(rises && trend.tau > UNSTEADY_TAU && trend.drift > 0.0),
            slope_s_per_s: trend.slope / width as f64,
            drift: trend.drift,
            autocorrelation: neighbours.r,
            drifts: trend.drifts(ALPHA, DRIFT),
            correlated: neighbours.p < ALPHA && neighbours.r > CORRELATION,
        })
    }
}
