//! A server on virtual time, which several generators ask at once.

use crate::clock::{Nanos, SECOND};
use crate::record::Record;
use crate::run::Run;
use crate::schedule::{Due, Origin, Schedule, Think};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// How it serves. Service times depend on the number of a request in the whole run, so that it is served alike whoever asks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Server {
    /// One at a time, first come, first served, in exponentially distributed times.
    Queue {
        /// The mean service time.
        mean_us: f64,
    },
    /// All at once, each for an exponentially distributed time.
    Delay {
        /// The mean service time.
        mean_us: f64,
    },
    /// At once, but for the beginning of every so many milliseconds.
    Stalls {
        /// The period.
        every_ms: u64,
        /// How long it answers nobody in each.
        for_ms: u64,
    },
}

/// A request: when it will be answered, its number, whose it is, and when it was intended.
type UnderWay = (Nanos, u64, usize, Origin, Nanos);

/// What each generator records, second by second; what comes after so many counts to the last.
pub(super) fn serve(runs: &[Run], server: Server, seconds: usize) -> Vec<Vec<Record>> {
    let mut records = vec![vec![Record::default(); seconds]; runs.len()];
    let mut schedules: Vec<_> = runs
        .iter()
        .map(|run| Schedule::new(run.schedule(0)))
        .collect();
    // What is under way, by when it will be answered.
    let mut answers: BinaryHeap<Reverse<UnderWay>> = BinaryHeap::new();
    let mut free: Nanos = 0;
    loop {
        let due = schedules.iter().enumerate();
        let due = due
            .filter_map(|(part, schedule)| Some((schedule.next_at()?, part)))
            .min();
        let answer = answers.peek().map(|Reverse((at, ..))| *at);
        match (due, answer) {
            (None, None) => return records,
            (Some((at, part)), next) if next.is_none_or(|next| at < next) => {
                let asked = schedules[part].take(at).expect("it is due");
                let answered = match server {
                    Server::Queue { mean_us } => {
                        free = free.max(at) + service(mean_us, asked.number);
                        free
                    }
                    Server::Delay { mean_us } => at + service(mean_us, asked.number),
                    Server::Stalls { every_ms, for_ms } => {
                        let within = at % (every_ms * 1_000_000);
                        at + (for_ms * 1_000_000).saturating_sub(within)
                    }
                };
                answers.push(Reverse((answered, asked.number, part, asked.origin, at)));
            }
            _ => {
                let Some(Reverse((at, number, part, origin, intended))) = answers.pop() else {
                    return records;
                };
                let session = schedules[part].answered(origin, number, at);
                let place = ((at / SECOND) as usize).min(seconds - 1);
                let due = Due {
                    intended,
                    number,
                    origin,
                };
                record(&mut records[part][place], due, at, session);
            }
        }
    }
}

fn service(mean_us: f64, number: u64) -> Nanos {
    Think::Exponential(Duration::from_nanos((mean_us * 1e3) as u64)).at(77, number)
}

fn record(record: &mut Record, due: Due, at: Nanos, session: Option<Nanos>) {
    let took = at - due.intended;
    if !matches!(due.origin, Origin::Client(_)) {
        record.response.saturating_record(took);
    }
    record.service.saturating_record(took);
    record.batches.add(due.intended, took);
    if let Some(start) = session {
        record.session.saturating_record(at - start);
    }
    record.counts.sent += 1;
    record.counts.completed += 1;
    record.status(200);
}
