//! Whether a run may be believed.
//!
//! INVALID: the generator did not do what was asked, so the figures are not the server's. SUSPECT: it did, and something makes the
//! figures less than they seem. The rules have fixed limits, so that nobody chooses them after seeing the figures.

mod failures;
mod notes;
mod server;
mod trend;

pub use contracts::Validity;
pub use contracts::load::{Finding, Rule};
pub(crate) use notes::notes;
use trend::ALPHA;
pub use trend::Trend;

use crate::asked::Asked;
use crate::clock::{Nanos, seconds};
use crate::collect::CollectedSecond;
use crate::failure::Failure;
use crate::measure::Outcome;
use crate::metric::Metric;
use crate::report::figures::Figures;
use command::quantity::counted;
use contracts::Unknown;
use stats::spacing::Evenness;

/// p99 of the generator's lag, at most: this, or …
const LAG_LIMIT: Nanos = 50_000;
/// … this share of the reported p99, whichever is more.
const LAG_SHARE: f64 = 0.05;
/// The share of the schedule that must be offered.
const OFFERED: f64 = 0.99;
/// How busy a loop may be in an open-loop run.
const BUSY: f64 = 0.8;
/// How far the distribution of arrivals may be from the one that was asked for (Kolmogorov–Smirnov's D).
const ARRIVALS_D: f64 = 0.05;
/// The share of constant gaps that may be off.
const ARRIVALS_OFF: f64 = 0.05;
/// The share of time stolen from the machine, or the loop waited for its core.
const DISTURBED: f64 = 0.02;
/// The share of time that a loop waited for its core beyond which an open-loop run is refused. Answers then lie unread, and connections
/// that the server has long freed seem busy: nothing of that shows in the lag.
const STARVED: f64 = 0.1;
/// How many requests may fail, in percent, before percentiles of the rest mean little.
const FAILED: f64 = 1.0;
/// The share of requests that may be late by more than the limit: a percentile of 99.
const LATE: f64 = 0.01;
/// A run that was shorter says little of how busy a loop was, or how it shared its core.
const MOMENT: Nanos = 100_000_000;

/// Everything that speaks against a run, the worst first.
pub(crate) fn findings(
    run: &Asked,
    outcome: &Outcome,
    figures: &Figures<'_>,
    trend: Option<&Trend>,
) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut add = |level, rule, text: String| {
        found.push(Finding {
            level,
            rule,
            text,
            unknown: Unknown::new(),
        });
    };
    punctuality(run, outcome, figures, &mut add);
    refusals(run, outcome, figures, &mut add);
    doubts(run, outcome, figures, trend, &mut add);
    found.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    found
}

/// Whether requests went out when they were due. More than so many may be late, out of order or unsent; of few requests, more may be by chance: then the run is
/// only in doubt, and too short to tell.
fn punctuality(
    run: &Asked,
    outcome: &Outcome,
    figures: &Figures<'_>,
    add: &mut impl FnMut(Validity, Rule, String),
) {
    let mut judge = |rule, (count, n, share): (u64, u64, f64), text: String| {
        let chance = stats::proportion::at_least(count, n, share).unwrap_or(0.0);
        match chance < ALPHA {
            true => add(Validity::Invalid, rule, text),
            false => {
                let text = format!("{text}; of only {n}, that may be chance: a longer run tells");
                add(Validity::Suspect, rule, text);
            }
        }
    };
    let p99 = figures
        .times(Metric::Response)
        .map_or(0, |times| times.quantile(0.99).value);
    let lags = &outcome.record.lag;
    let lag = lags.value_at_quantile(1.0 - LATE);
    let limit = LAG_LIMIT.max((p99 as f64 * LAG_SHARE) as Nanos);
    if lag > limit {
        // Counts are by buckets of a thousandth; the one of the limit is within it.
        let late = lags.len() - lags.count_between(0, limit);
        judge(
            Rule::GeneratorLag,
            (late, lags.len(), LATE),
            format!(
                "the generator was late: p99 of its lag is {}, allowed are {} (50 µs, or 5 % of the reported p99)",
                micros(lag),
                micros(limit)
            ),
        );
    }
    let (behind, due) = (outcome.record.counts.behind, outcome.scheduled.max(1));
    if behind as f64 > (1.0 - OFFERED) * due as f64 {
        judge(
            Rule::ScheduleNotOffered,
            (behind, due, 1.0 - OFFERED),
            format!(
                "the generator was behind: {behind} of {due} requests went out only after the schedule had ended, though connections were free before"
            ),
        );
    }
    if let Some(evenness) = uneven(outcome) {
        let (n, off) = (evenness.n, evenness.off);
        judge(
            Rule::Arrivals,
            ((off * n as f64).round() as u64, n, ARRIVALS_OFF),
            format!(
                "the arrivals that went out are not evenly spaced: {:.1} % of the gaps are off by more than a tenth",
                off * 100.0
            ),
        );
    }
    if !run.is_closed_loop() && outcome.busy > BUSY {
        let text = format!(
            "the generator's core was {:.0} % busy (spinning apart), allowed are {:.0} %: use more threads (-t) on more cores",
            outcome.busy * 100.0,
            BUSY * 100.0
        );
        add(of_shares(outcome), Rule::GeneratorBusy, text);
    }
    if is_too_starved(run, outcome) {
        add(of_shares(outcome), Rule::Starved, starved(outcome));
    }
}

fn refusals(
    run: &Asked,
    outcome: &Outcome,
    figures: &Figures<'_>,
    add: &mut impl FnMut(Validity, Rule, String),
) {
    let counts = &outcome.record.counts;
    let mut invalid = |rule, text| add(Validity::Invalid, rule, text);
    if outcome.scheduled > 0 && figures.due() == 0 {
        invalid(Rule::NothingAnswered, used_up(run, outcome));
    } else if counts.completed == 0 {
        let mostly =
            failures::mostly(run, outcome).map_or(String::new(), |mostly| format!(" ({mostly})"));
        invalid(
            Rule::NothingAnswered,
            format!("not one request was answered well: nothing was measured{mostly}"),
        );
    }
    if counts.of(Failure::NoDescriptors) > 0 {
        invalid(
            Rule::OutOfDescriptors,
            "out of descriptors: raise the limit (ulimit -n) or use fewer connections".to_owned(),
        );
    }
    if counts.of(Failure::NoPorts) > 0 {
        invalid(
            Rule::OutOfPorts,
            "out of ports to connect from: keep connections, use fewer, or widen net.ipv4.ip_local_port_range".to_owned(),
        );
    }
    if let Some(text) = not_poisson(outcome) {
        invalid(Rule::Arrivals, text);
    }
    if outcome.gave_up {
        invalid(
            Rule::ServerGone,
            "the server went away and did not come back: the run was given up".to_owned(),
        );
    }
    if let Some(text) = server::fell_silent(run, outcome) {
        invalid(Rule::FellSilent, text);
    }
    if let Some(text) = server::unsound_answers(outcome) {
        invalid(Rule::UnsoundAnswers, text);
    }
}

/// Nothing was due after the warm-up.
fn used_up(run: &Asked, outcome: &Outcome) -> String {
    format!(
        "the run was over before it had warmed up: all of its {} fell into the first {} s, of which nothing is measured (--warmup). Ask for more, or warm up for less",
        counted(outcome.scheduled, "request"),
        seconds(run.warmup)
    )
}

/// What a share of a loop's time may cost a run.
fn of_shares(outcome: &Outcome) -> Validity {
    match outcome.elapsed < MOMENT {
        true => Validity::Suspect,
        false => Validity::Invalid,
    }
}

/// A closed loop runs as fast as both ends can, so that on one machine they often compete; what it measures is in doubt, and no schedule was missed.
fn is_too_starved(run: &Asked, outcome: &Outcome) -> bool {
    !run.is_closed_loop() && outcome.starved > STARVED
}

fn starved(outcome: &Outcome) -> String {
    format!(
        "others ran on the generator's core for {:.1} % of the time while it wanted to run: pin server and generator to different cores (--pin)",
        outcome.starved * 100.0
    )
}

fn not_poisson(outcome: &Outcome) -> Option<String> {
    let fidelity = outcome
        .fidelity
        .as_ref()
        .filter(|asked| asked.is_poisson())?;
    let fit = fidelity.fit.fit().ok()?;
    fit.rejects(ALPHA, ARRIVALS_D).then(|| {
        format!(
            "the arrivals that went out are not Poisson at the rate asked for: Kolmogorov–Smirnov D = {:.3}, p {} (allowed is D ≤ {ARRIVALS_D})",
            fit.d,
            p_value(fit.p)
        )
    })
}

fn uneven(outcome: &Outcome) -> Option<Evenness> {
    let fidelity = outcome.fidelity.as_ref();
    let fidelity = fidelity.filter(|asked| !asked.is_poisson())?;
    let evenness = fidelity.spacing.evenness().ok()?;
    (evenness.n >= 20 && evenness.off > ARRIVALS_OFF).then_some(evenness)
}

fn doubts(
    run: &Asked,
    outcome: &Outcome,
    figures: &Figures<'_>,
    trend: Option<&Trend>,
    add: &mut impl FnMut(Validity, Rule, String),
) {
    let mut suspect = |rule, text| add(Validity::Suspect, rule, text);
    if let Some(trend) = trend {
        if !trend.steady {
            suspect(
                Rule::Drift,
                format!(
                    "not stationary: response times grew by {:.3} s each second. The server cannot keep up; percentiles depend on how long the run lasted, and there is no steady p99",
                    trend.slope_s_per_s
                ),
            );
        } else if trend.drifts {
            suspect(
                Rule::Drift,
                format!(
                    "response times drifted by {:+.0} % over the run: it was too short, or had not warmed up (--warmup)",
                    trend.drift * 100.0
                ),
            );
        }
        if trend.correlated {
            suspect(
                Rule::Autocorrelation,
                format!(
                    "neighbouring stretches of the run are alike (correlation {:.2}): intervals from this run are too narrow, and a longer one is needed",
                    trend.autocorrelation
                ),
            );
        }
    }
    if outcome.stolen > DISTURBED {
        suspect(
            Rule::Stolen,
            format!(
                "{:.1} % of the machine's processor time was stolen by its host",
                outcome.stolen * 100.0
            ),
        );
    }
    if outcome.starved > DISTURBED && !is_too_starved(run, outcome) {
        suspect(Rule::Starved, starved(outcome));
    }
    let silent = silent_seconds(outcome);
    if run.is_closed_loop() && silent > 0 {
        suspect(
            Rule::Silence,
            format!(
                "nothing but failures in {silent} of {} seconds: a closed loop hardly asks while nobody answers, so its figures leave the outage out",
                outcome.seconds.len()
            ),
        );
    }
    if figures.error_percent() > FAILED {
        suspect(Rule::Failures, failed(run, outcome, figures));
    }
    if outcome.unheard > 0 && outcome.record.counts.completed > 0 {
        suspect(Rule::Unheard, unheard(run, outcome));
    }
}

fn failed(run: &Asked, outcome: &Outcome, figures: &Figures<'_>) -> String {
    let percent = figures.error_percent();
    let timed = figures.errors_timed();
    let what = match figures.errors() - timed {
        0 => "they count as lower bounds (≥)".to_owned(),
        _ if timed == 0 => "the times leave them out".to_owned(),
        left_out => {
            format!("the times leave out {left_out} of them; {timed} count as lower bounds (≥)")
        }
    };
    let mostly =
        failures::mostly(run, outcome).map_or(String::new(), |mostly| format!(": {mostly}"));
    format!("{percent:.1} % of the requests failed, and {what}{mostly}")
}

fn unheard(run: &Asked, outcome: &Outcome) -> String {
    let who = if run.is_closed_loop() {
        "clients"
    } else {
        "connections"
    };
    let fact = format!(
        "{} of {} {who} got no answer as long as others asked",
        outcome.unheard, outcome.connections
    );
    if run.replaces_connections {
        return fact;
    }
    format!(
        "{fact}: a server whose workers each belong to a connection (a process or a thread for each) serves as many as it has workers, and the others wait. \
         Give it more workers, use fewer connections (-c), or let clients take turns there ('archbench serve --keep-alive off' or --max-requests-per-connection)"
    )
}

/// Seconds with failures and without a single answer.
fn silent_seconds(outcome: &Outcome) -> usize {
    let is_silent = |second: &&CollectedSecond| second.completed == 0 && second.failed > 0;
    outcome.seconds.iter().filter(is_silent).count()
}

fn p_value(p: f64) -> String {
    match p {
        p if p < 1e-99 => "< 1e-99".to_owned(),
        p => format!("= {p:.1e}"),
    }
}

fn micros(nanos: Nanos) -> String {
    format!("{:.1} µs", nanos as f64 / 1e3)
}
