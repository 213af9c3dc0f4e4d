//! What is no fault and should be known.

use crate::address::Address;
use crate::asked::Asked;
use crate::clock::seconds;
use crate::failure::Failure;
use crate::measure::{Newcomers, Outcome};
use crate::report::figures::Figures;

/// Jain's index below which figures of all clients together say little of any.
const UNFAIR: f64 = 0.5;

/// What else a reader should know.
pub(crate) fn notes(run: &Asked, outcome: &Outcome, figures: &Figures<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let counts = &outcome.record.counts;
    if run.is_closed_loop() {
        notes.push(
            "closed loop: requests have no intended time, so the latency is service time; a server that stalls is asked less often while it does"
                .to_owned(),
        );
    }
    if counts.waited > 0 {
        notes.push(format!(
            "{} of {} requests ({:.1} %) found no connection free and waited, which their response times include; there were {} connections of at most {} (--max-connections)",
            counts.waited,
            counts.asked(),
            100.0 * counts.waited as f64 / counts.asked().max(1) as f64,
            outcome.connections,
            run.max_connections
        ));
    }
    if outcome.unsent > 0 {
        notes.push(never_sent(outcome));
    }
    if let Some(fair) = figures.fairness()
        && fair.jain < UNFAIR
        && outcome.unheard == 0
    {
        notes.push(format!(
            "clients were served very unequally (Jain's index {:.2}, from {} to {} requests): what is said of all is true of few",
            fair.jain, fair.fewest, fair.most
        ));
    }
    if run.warmup > 0 {
        notes.push(format!(
            "what was due in the first {} s is not measured (--warmup)",
            seconds(run.warmup)
        ));
    }
    if let Some(came) = &outcome.newcomers {
        notes.push(newcomers(came));
    }
    if outcome.interrupted {
        notes.push(format!(
            "ended early, after {:.1} s",
            seconds(outcome.window)
        ));
    }
    if run.addresses.iter().all(Address::is_local) {
        let way = match run.addresses.first() {
            Some(Address::Unix(_)) => "a Unix socket",
            _ => "loopback",
        };
        notes.push(format!(
            "over {way}: no network, no loss, no interrupts; the cost of copying dominates"
        ));
    }
    notes
}

/// Who came beside those who asked.
fn newcomers(came: &Newcomers) -> String {
    let mut told = format!("{} newcomers came beside those who asked", came.made);
    if came.failed > 0 {
        told += &format!(", {} could not", came.failed);
    }
    if let Some(why) = &came.why {
        told += &format!(", the first since {why}");
    }
    if came.missed > 0 {
        told += &format!(
            "; {} were left out, since those before had not all come",
            came.missed
        );
    }
    told
}

/// Why requests were never sent.
fn never_sent(outcome: &Outcome) -> String {
    let counts = &outcome.record.counts;
    let attempts = counts.connects_failed();
    let why = if counts.of(Failure::NoConnection) > 0 {
        format!("no connection could be made; {attempts} attempts failed")
    } else if attempts > 0 {
        format!(
            "connections were busy to the end of the drain, or could not be made ({attempts} attempts failed)"
        )
    } else {
        "every connection was busy to the end of the drain".to_owned()
    };
    format!("{} requests were due and never sent: {why}", outcome.unsent)
}
