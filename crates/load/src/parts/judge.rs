//! What of the parts speaks against the whole.

use super::fold::Fold;
use super::seen::Seen;
use crate::clock::{Nanos, seconds};
use command::quantity::counted;
use contracts::load::{Finding, Rule};
use contracts::{Unknown, Validity};
use std::collections::BTreeSet;

/// How far from the agreed time a part may begin, in seconds.
const LATE_S: f64 = 0.05;
/// The share of the schedule by which a part may be late, or shorter than others, before the whole is refused: as much as may not be
/// offered.
const MISSED: f64 = 0.01;

/// Everything in the parts of a run that speaks against it; `window` is the length of the whole, and `repeated` are the parts that
/// were there more than once.
pub(super) fn findings(fold: &Fold, window: Nanos, repeated: &BTreeSet<u32>) -> Vec<Finding> {
    let mut found = Vec::new();
    for number in 1..=fold.of {
        let Some(seen) = fold.parts.get(&number) else {
            let text = "is missing: nothing of it was found";
            found.push(of_part(
                fold,
                number,
                Validity::Invalid,
                Rule::PartMissing,
                text,
            ));
            continue;
        };
        let mut add =
            |level, rule, text: &str| found.push(of_part(fold, number, level, rule, text));
        if repeated.contains(&number) {
            let text = "is there twice; what came later was left out";
            add(Validity::Suspect, Rule::PartRepeated, text);
        }
        if !seen.differences.is_empty() {
            let text = format!(
                "differs from the first in {}",
                seen.differences.join(" and ")
            );
            add(Validity::Invalid, Rule::PartDiffers, &text);
        }
        if let Some(text) = cut_short(seen, window) {
            add(Validity::Invalid, Rule::PartCutShort, &text);
        }
        if let Some((level, text)) = late(seen, window) {
            add(level, Rule::PartLate, &text);
        }
    }
    found.extend(clocks(fold));
    found
}

fn of_part(fold: &Fold, number: u32, level: Validity, rule: Rule, text: &str) -> Finding {
    let host = fold.parts.get(&number).map(|seen| seen.host.as_str());
    let host = host.filter(|name| !name.is_empty());
    let on = host.map_or(String::new(), |name| format!(" (on {name})"));
    Finding {
        level,
        rule,
        text: format!("part {number} of {}{on} {text}", fold.of),
        unknown: Unknown::new(),
    }
}

fn cut_short(seen: &Seen, window: Nanos) -> Option<String> {
    if seen.lost > 0 {
        let lines = counted(seen.lost, "line");
        let were = if seen.lost == 1 { "was" } else { "were" };
        return Some(format!(
            "is not all there: {lines} of what it wrote {were} lost, and its figures with that. A launcher may cut what it gathers; \
             files in a folder are whole (--out-dir)"
        ));
    }
    let Some(ended) = &seen.ended else {
        return Some(match seen.start {
            None => "never began, as far as is known".to_owned(),
            Some(_) => format!(
                "was cut short: it wrote nothing after {:.1} s, and what was under way then is lost",
                seconds(seen.reached)
            ),
        });
    };
    let missed = window.saturating_sub(ended.window) as f64;
    (ended.interrupted && missed > MISSED * window as f64).then(|| {
        format!(
            "was ended early, after {:.1} s of {:.1} s",
            seconds(ended.window),
            seconds(window)
        )
    })
}

/// Whether it began at another time than was agreed, by more than may be. Its clock is put right by what is known of it.
fn late(seen: &Seen, window: Nanos) -> Option<(Validity, String)> {
    let start = seen.start.as_ref()?;
    let late_s = start.late_s()?;
    if late_s.abs() <= LATE_S {
        return None;
    }
    let level = match late_s.abs() > MISSED * seconds(window) {
        true => Validity::Invalid,
        false => Validity::Suspect,
    };
    let clock = match start.clock.ahead_s.unwrap_or(0.0) {
        ahead_s if ahead_s.abs() > LATE_S => {
            let way = if ahead_s > 0.0 { "ahead" } else { "behind" };
            format!(": its clock was {:.3} s {way}", ahead_s.abs())
        }
        _ => String::new(),
    };
    let way = if late_s > 0.0 { "late" } else { "early" };
    Some((
        level,
        format!("began {:.3} s too {way}{clock}", late_s.abs()),
    ))
}

/// Clocks that nothing keeps right, where there is more than one.
fn clocks(fold: &Fold) -> Option<Finding> {
    let started = || {
        let parts = fold.parts.iter();
        parts.filter_map(|(number, seen)| Some((number, &seen.start.as_ref()?.clock)))
    };
    let clocks: BTreeSet<_> = started()
        .map(|(_, clock)| clock.boot_id.as_deref())
        .collect();
    if clocks.len() < 2 {
        return None;
    }
    let unsure: Vec<_> = started()
        .filter(|(_, clock)| clock.synchronised != Some(true))
        .map(|(number, _)| number.to_string())
        .collect();
    if unsure.is_empty() {
        return None;
    }
    Some(Finding {
        level: Validity::Suspect,
        rule: Rule::PartClock,
        text: format!(
            "no time service keeps the clocks right of {} of {} parts ({}): whether they began together is not known. Run chrony or systemd-timesyncd there",
            unsure.len(),
            fold.of,
            first(&unsure)
        ),
        unknown: Unknown::new(),
    })
}

/// What parts said against themselves, as far as that is lost among the figures of all: what a generator did not do that it should have, and what
/// a server did to one part. What a short run cannot know, all parts together may.
pub(super) fn own(fold: &Fold) -> Vec<Finding> {
    let mut own = Vec::new();
    for (number, seen) in &fold.parts {
        let findings = seen.ended.iter().flat_map(|ended| &ended.findings);
        let told = findings.filter(|finding| {
            finding.rule.is_disturbance()
                || finding.rule.is_shortage_of_generator()
                || matches!(
                    finding.rule,
                    Rule::ServerGone | Rule::FellSilent | Rule::NothingAnswered
                )
        });
        own.extend(told.map(|finding| {
            of_part(
                fold,
                *number,
                finding.level,
                finding.rule.clone(),
                &format!("says: {}", finding.text),
            )
        }));
    }
    own
}

/// The first of a list that may be long.
fn first(names: &[String]) -> String {
    const SHOWN: usize = 5;
    match names {
        few if few.len() <= SHOWN => few.join(", "),
        many => format!("{}, …", many[..SHOWN].join(", ")),
    }
}
