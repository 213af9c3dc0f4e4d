//! Servers that do not do what servers do: then nothing was measured, however well it was asked.

use crate::asked::Asked;
use crate::clock::{nanos, seconds};
use crate::failure::Failure;
use crate::measure::Outcome;
use crate::schedule::Think;

/// The share of the schedule that must be left when the last answer comes, so that it is no accident that none followed.
const LEFT: u64 = 10;
/// The share of the schedule for which nothing must have been answered.
const SILENT: u64 = 4;

/// When the server answered for the last time, if that was well before the end, and requests then waited in vain. A server that has
/// time for some and none for others goes on to answer those; one that is slow answers after the schedule has ended.
pub(super) fn fell_silent(run: &Asked, outcome: &Outcome) -> Option<String> {
    let asked = outcome.record.counts.failed() + outcome.unfinished;
    let think = match run.think {
        Think::Constant(time) => nanos(time),
        // One in e² is longer.
        Think::Exponential(mean) => 2 * nanos(mean),
    };
    let left = outcome.window.saturating_sub(outcome.last_answer);
    let silent = outcome.elapsed.saturating_sub(outcome.last_answer);
    let fell_silent = asked > 0
        && outcome.last_answer > 0
        && !outcome.interrupted
        && left > (outcome.window / LEFT).saturating_add(think)
        && silent >= run.timeout.min(outcome.window / SILENT);
    fell_silent.then(|| {
        format!(
            "the server fell silent: {:.1} s after the start it answered for the last time, and then nothing for {:.1} s, though it was asked",
            seconds(outcome.last_answer),
            seconds(silent)
        )
    })
}

/// How many answers were none, or had the wrong bytes.
pub(super) fn unsound_answers(outcome: &Outcome) -> Option<String> {
    let counts = &outcome.record.counts;
    let classes = Failure::unsound().map(|failure| (failure, counts.of(failure)));
    let found: Vec<_> = classes.filter(|(_, count)| *count > 0).collect();
    let all: u64 = found.iter().map(|(_, count)| count).sum();
    let (failure, _) = found.into_iter().max_by_key(|(_, count)| *count)?;
    let mut examples = outcome.record.examples.iter();
    let example = examples.find(|example| example.of == failure);
    let like = example.map_or(String::new(), |example| format!(", like {}", example.words));
    let name = Failure::name(failure.index());
    Some(format!(
        "{all} answers were none, or not what they must be: {name}{like}"
    ))
}
