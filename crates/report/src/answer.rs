//! The answer of a run in a sentence or two, made by rule: who leads and by how much, who cannot be told apart, what does not count.

use crate::standing::{Criterion, Ranked, Standing};
use crate::study::Study;
use command::quantity::{Unit, counted, significant};
use results::{Outcome, Run, Validity};
use stats::Interval;

/// Names that are listed; of more, how many there are.
const MOST_NAMES: usize = 6;

/// What came out of a run.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Who leads: a sentence for the closed loop, or for the open one, or for each.
    pub leaders: Vec<String>,
    /// What became of what was expected, and what does not count; empty where there is nothing to say.
    pub verdicts: String,
    pub(crate) standings: Vec<Standing>,
}

impl Answer {
    /// The answer of a run.
    pub fn of(run: &Run) -> Self {
        Self::of_study(&Study::new(run, &[]))
    }

    pub(crate) fn of_study(study: &Study<'_>) -> Self {
        let run = study.run;
        let nothing = |why: String| Self {
            leaders: vec![why],
            verdicts: expectations(run).unwrap_or_default(),
            standings: Vec::new(),
        };
        if run.trials.is_empty() {
            return nothing("There is no answer yet: no trial has finished.".into());
        }
        if !run.trials.iter().any(results::Trial::counts) {
            let trials = match run.trials.len() {
                1 => "the only trial does not count".to_owned(),
                count => format!("none of {count} trials counts"),
            };
            return nothing(format!(
                "There is no answer: {trials} ({}).",
                crate::page::counts(run)
            ));
        }
        let mut chosen = Vec::new();
        if let Some(first) = study.panels.first() {
            let mut panels = study.panels.iter();
            chosen.push(Standing::telling(first));
            chosen.extend(
                panels
                    .find(|panel| panel.is_open() != first.is_open())
                    .map(Standing::telling),
            );
        }
        let mut verdicts: Vec<String> = expectations(run).into_iter().collect();
        verdicts.extend(uncounted(run));
        Self {
            leaders: chosen.iter().map(sentence).collect(),
            verdicts: verdicts.join(" "),
            standings: chosen,
        }
    }
}

/// As it stands at the end of a run: a line for each sentence.
impl std::fmt::Display for Answer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sentences = self.leaders.iter().chain([&self.verdicts]);
        let sentences = sentences.filter(|sentence| !sentence.is_empty());
        let lines: Vec<&str> = sentences.map(String::as_str).collect();
        out.write_str(&lines.join("\n"))
    }
}

fn sentence(standing: &Standing) -> String {
    let mut text = match standing.ranked.as_slice() {
        [] => "nobody has a trial that counts".to_owned(),
        [only] => alone(only, standing),
        [best, .., last] if standing.repeats < 2 => format!(
            "one repeat decides nothing; {}, {}",
            extreme(best, standing.criterion, true),
            extreme(last, standing.criterion, false)
        ),
        [best, .., last] => {
            let behind = |ranked: &&Ranked| ranked.behind.is_some();
            match standing.ranked.iter().find(behind) {
                Some(next) => leads(best, next, standing),
                None => format!(
                    "it is undecided who leads: {} cannot be told from {}; {}, {}",
                    listed(equals(standing)),
                    best.model,
                    extreme(best, standing.criterion, true),
                    extreme(last, standing.criterion, false)
                ),
            }
        }
    };
    match standing.uncounted.as_slice() {
        [] => {}
        none => {
            let names = none.iter().map(|uncounted| uncounted.model.as_str());
            let have = if none.len() == 1 { "has" } else { "have" };
            text += &format!("; {} {have} no trial that counts", listed(names.collect()));
        }
    }
    let circumstances = match standing.circumstances.as_str() {
        "" => "overall",
        circumstances => circumstances,
    };
    format!("{}: {text}.", capitalised(circumstances))
}

fn alone(only: &Ranked, standing: &Standing) -> String {
    let interval = only.estimate.range.map_or(String::new(), |range| {
        let range = match standing.criterion.unit() {
            Unit::PerSecond => format!("{} to {}", rounded(range.0), rounded(range.1)),
            unit => unit.range(range),
        };
        format!(" (95 % interval {range})")
    });
    let others = match standing.uncounted.is_empty() {
        true => ", and nobody else was measured",
        false => "",
    };
    format!(
        "{} has {}{interval}{others}",
        only.model,
        value(only, standing.criterion)
    )
}

/// Who leads, how far, and who with it.
fn leads(best: &Ranked, next: &Ranked, standing: &Standing) -> String {
    let equals = equals(standing);
    let is_next = match equals.is_empty() {
        true => "the next",
        false => "the next that can be told from it",
    };
    let lead = next.behind.map_or(String::new(), |ratio| {
        lead(ratio, standing.criterion, &next.model, is_next)
    });
    let together = match equals.as_slice() {
        [] => String::new(),
        equals => format!("; {} cannot be", listed(equals.to_vec())),
    };
    format!(
        "{} leads with {}{lead}{together}",
        best.model,
        value(best, standing.criterion)
    )
}

/// The distance to the next: its `ratio` is that of the leader's figure to the other's.
fn lead(ratio: Interval, criterion: Criterion, model: &str, is_next: &str) -> String {
    let Interval {
        low,
        estimate,
        high,
        level,
    } = ratio;
    let digits = |number: f64| significant(number, 2);
    let within = |low: f64, high: f64, unit: &str| {
        let level = significant(level * 100.0, 2);
        match (digits(low), digits(high)) {
            (low, high) if low == high => String::new(),
            (low, high) => format!(" ({level} % interval {low} to {high}{unit})"),
        }
    };
    let more = |ratio: f64| 100.0 * (ratio - 1.0);
    let less = |ratio: f64| 100.0 * (1.0 - ratio);
    match criterion {
        Criterion::Throughput if estimate < 2.0 => format!(
            ", {} % more than {model}, {is_next}{}",
            digits(more(estimate)),
            within(more(low), more(high), " %")
        ),
        Criterion::Throughput => format!(
            ", {} times as many as {model}, {is_next}{}",
            digits(estimate),
            within(low, high, "")
        ),
        Criterion::Tail | Criterion::Cost if estimate > 0.5 => format!(
            ", {} % less than that of {model}, {is_next}{}",
            digits(less(estimate)),
            within(less(high), less(low), " %")
        ),
        Criterion::Tail | Criterion::Cost => format!(
            "; that of {model}, {is_next}, is {} times as long{}",
            digits(1.0 / estimate),
            within(1.0 / high, 1.0 / low, "")
        ),
    }
}

/// A figure with what it is of.
fn value(ranked: &Ranked, criterion: Criterion) -> String {
    let value = ranked.estimate.value;
    let bound = if ranked.estimate.at_least { "≥ " } else { "" };
    match criterion {
        Criterion::Throughput => format!("{} requests/s", rounded(value)),
        timed => format!("a {} of {bound}{}", timed.name(), timed.unit().show(value)),
    }
}

/// To three significant digits, however large it is.
fn rounded(value: f64) -> String {
    let magnitude = value.abs().max(1.0).log10().floor() as i32;
    let step = 10_f64.powi((magnitude - 2).max(0));
    significant((value / step).round() * step, 3)
}

/// The first or the last of those that were measured.
fn extreme(ranked: &Ranked, criterion: Criterion, first: bool) -> String {
    let superlative = match (criterion, first) {
        (Criterion::Throughput, true) => "the most",
        (Criterion::Throughput, false) => "the fewest",
        (_, true) => "the least",
        (_, false) => "the most",
    };
    format!(
        "{} has {superlative}, {}",
        ranked.model,
        value(ranked, criterion)
    )
}

/// Who cannot be told from the leader.
fn equals(standing: &Standing) -> Vec<&str> {
    let leaders = standing.leaders().skip(1);
    leaders.map(|ranked| ranked.model.as_str()).collect()
}

/// Names in words.
fn listed(names: Vec<&str>) -> String {
    match names.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        many if many.len() > MOST_NAMES => format!("{} others", many.len()),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// How many of the expectations came out how.
fn expectations(run: &Run) -> Option<String> {
    let judged = &run.verdicts.as_ref()?.expectations;
    if judged.is_empty() {
        return None;
    }
    let outcomes = [Outcome::Met, Outcome::Missed, Outcome::Undecided];
    let counts = outcomes.iter().filter_map(|outcome| {
        let count = judged
            .iter()
            .filter(|judged| judged.outcome == *outcome)
            .count();
        (count > 0).then(|| format!("{count} {}", outcome.name()))
    });
    let counts: Vec<String> = counts.collect();
    Some(format!(
        "Of {}: {}.",
        counted(judged.len() as u64, "expectation"),
        counts.join(", ")
    ))
}

/// How many trials do not count.
fn uncounted(run: &Run) -> Option<String> {
    let count = |of: Validity| {
        let trials = run.trials.iter().filter(|trial| trial.verdict == of);
        trials.count()
    };
    let kinds = [Validity::Invalid, Validity::Failed];
    let kinds = kinds.map(|kind| (count(kind), kind.name().to_lowercase()));
    let kinds: Vec<String> = kinds
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    (!kinds.is_empty()).then(|| {
        format!(
            "Of {} some do not count: {}.",
            counted(run.trials.len() as u64, "trial"),
            kinds.join(", ")
        )
    })
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
