//! What the battery took, by room: its budget is 25 s of wall time for each room and variant, on two cores that nobody else needs.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a room may take.
const BUDGET: Duration = Duration::from_secs(25);
/// The slowest trials that are named of each room.
const NAMED: usize = 4;

/// A trial that has ended.
struct Trial {
    name: String,
    began: Instant,
    ended: Instant,
}

/// By room.
static ENDED: Mutex<BTreeMap<String, Vec<Trial>>> = Mutex::new(BTreeMap::new());

/// Runs a trial of a room, and notes what it took; also of one that fails.
pub(crate) fn timed(room: &str, name: &str, trial: impl FnOnce()) {
    struct Note<'a>(&'a str, &'a str, Instant);
    impl Drop for Note<'_> {
        fn drop(&mut self) {
            let Self(room, name, began) = *self;
            let trial = Trial {
                name: name.into(),
                began,
                ended: Instant::now(),
            };
            let mut ended = ENDED.lock().unwrap_or_else(PoisonError::into_inner);
            ended.entry(room.into()).or_default().push(trial);
        }
    }
    let _note = Note(room, name, Instant::now());
    trial();
}

/// Prints what each room took, and which of its trials took most.
pub(crate) fn print() {
    let mut ended = ENDED.lock().unwrap_or_else(PoisonError::into_inner);
    for (room, trials) in ended.iter_mut() {
        let began = trials.iter().map(|trial| trial.began).min();
        let last = trials.iter().map(|trial| trial.ended).max();
        let wall = began.zip(last).map(|(began, last)| last - began);
        let wall = wall.unwrap_or_default();
        trials.sort_by_key(|trial| std::cmp::Reverse(trial.ended - trial.began));
        let slowest: Vec<_> = trials
            .iter()
            .take(NAMED)
            .map(|trial| {
                let took = trial.ended - trial.began;
                format!("{} {:.1} s", trial.name, took.as_secs_f64())
            })
            .collect();
        let more = if wall > BUDGET {
            ", more than its 25 s"
        } else {
            ""
        };
        println!(
            "{room:<24} {:>5.1} s for {} trials{more}; most: {}",
            wall.as_secs_f64(),
            trials.len(),
            slowest.join(", ")
        );
    }
}
