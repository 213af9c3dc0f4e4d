//! What is recorded in a second, as it is written and read.

use super::times;
use crate::collect::CollectedSecond;
use crate::failure::Failure;
use crate::record::{Counts, Record};
use contracts::part::PartSecond;

/// The times of a record by name, in the order of its histograms.
pub(super) const TIMES: [&str; 10] = [
    "response",
    "service",
    "wait",
    "lag",
    "first_byte",
    "connect",
    "handshake",
    "session",
    "given_up_response",
    "given_up_service",
];

/// The most of anything that is counted in a run, so that a few such counts can be added up; no run comes near it.
pub(super) const MOST: u64 = 1 << 56;

/// The counts of a record, by name.
fn counts(counts: &mut Counts) -> [(&'static str, &mut u64); 12] {
    [
        ("sent", &mut counts.sent),
        ("warming_up", &mut counts.warming_up),
        ("completed", &mut counts.completed),
        ("in_window", &mut counts.in_window),
        ("bytes", &mut counts.bytes),
        ("waited", &mut counts.waited),
        ("behind", &mut counts.behind),
        ("retried", &mut counts.retried),
        ("behind_close", &mut counts.behind_close),
        ("connected", &mut counts.connected),
        ("resumed", &mut counts.resumed),
        ("verified", &mut counts.verified),
    ]
}

/// The counts of a second; none where one of them is of something that is not known here.
fn counts_of(second: &PartSecond) -> Option<Counts> {
    let mut all = Counts::default();
    let mut by_name = counts(&mut all);
    for (name, count) in &second.counts {
        let (_, mine) = by_name.iter_mut().find(|(known, _)| known == name)?;
        **mine = *count;
    }
    for (name, count) in &second.failures {
        all.failures[Failure::named(name)?.index()] = *count;
    }
    Some(all)
}

/// What was recorded in a second.
pub(super) fn written(row: &CollectedSecond, record: &Record) -> PartSecond {
    let mut all = record.counts;
    let there = |count: &u64| *count > 0;
    let failures = (0..Failure::CLASSES).map(|class| (class, record.counts.failures[class]));
    let statuses = (0_u16..).zip(record.statuses.iter().copied());
    let (batch_width, batches) = record.batches.filled();
    let examples = record.examples.iter();
    PartSecond {
        end_ns: (row.at_s * 1e9) as u64,
        counts: counts(&mut all)
            .into_iter()
            .filter(|(_, count)| there(count))
            .map(|(name, count)| (name.to_owned(), *count))
            .collect(),
        failures: failures
            .filter(|(_, count)| there(count))
            .map(|(class, count)| (Failure::name(class).to_owned(), count))
            .collect(),
        statuses: statuses.filter(|(_, count)| there(count)).collect(),
        examples: examples
            .map(|example| {
                let name = Failure::name(example.of.index());
                (name.to_owned(), example.status, example.words.clone())
            })
            .collect(),
        times: TIMES
            .into_iter()
            .zip(record.times())
            .filter(|(_, times)| !times.is_empty())
            .map(|(name, times)| (name.to_owned(), times::encode(times)))
            .collect(),
        batch_width,
        batches,
        in_flight: row.in_flight as u64,
        waiting: row.waiting,
    }
}

/// Adds what was written of a second to a record, all but its times, and gives its counts. None where something in it is of a kind that is not
/// known here, or more than can be counted; then the record is no record of anything any more.
pub(super) fn add(second: &PartSecond, record: &mut Record) -> Option<Counts> {
    let add = |sum: &mut u64, count: u64| {
        *sum = sum.checked_add(count).filter(|sum| *sum <= MOST)?;
        Some(())
    };
    let mut all = counts_of(second)?;
    let named = counts(&mut record.counts).into_iter();
    for ((_, sum), (_, count)) in named.zip(counts(&mut all)) {
        add(sum, *count)?;
    }
    for (sum, count) in record.counts.failures.iter_mut().zip(all.failures) {
        add(sum, count)?;
    }
    for (status, count) in &second.statuses {
        add(record.statuses.get_mut(usize::from(*status))?, *count)?;
    }
    for (name, status, words) in &second.examples {
        record.example((Failure::named(name)?, *status), || words.clone());
    }
    record
        .batches
        .add_filled(second.batch_width, &second.batches)?;
    Some(all)
}

/// Which of [`TIMES`] those of this name are.
pub(super) fn kind(name: &str) -> Option<usize> {
    TIMES.iter().position(|known| *known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_of_a_second_is_all_that_was_recorded() {
        let mut record = Record::default();
        for (number, times) in record.times_mut().into_iter().enumerate() {
            (0..100).for_each(|k| times.saturating_record(k * k * 1_000 + number as u64));
        }
        for (number, (_, count)) in counts(&mut record.counts).into_iter().enumerate() {
            *count = 1 + number as u64;
        }
        (0..Failure::CLASSES).for_each(|class| record.counts.failures[class] = 3 * class as u64);
        record.status(200);
        record.status(999);
        record.example((Failure::Timeout, 0), || "slow".to_owned());
        record.batches.add(7_000_000_000, 5);
        let row = CollectedSecond {
            at_s: 8.001,
            in_flight: 4,
            waiting: 5,
            ..CollectedSecond::default()
        };
        let second = written(&row, &record);
        let text = serde_json::to_string(&second).expect("JSON");
        let second: PartSecond = serde_json::from_str(&text).expect("the same");
        assert_eq!((second.in_flight, second.waiting), (4, 5));
        let mut back = Record::default();
        let all = add(&second, &mut back).expect("a second");
        assert_eq!(all.asked(), record.counts.asked());
        for (name, text) in &second.times {
            let kind = kind(name).expect("a name");
            let times = back.times_mut().into_iter().nth(kind).expect("times");
            let read = times::decode(text, &mut Vec::new(), |value, count| {
                times.saturating_record_n(value, count);
            });
            read.expect("times");
        }
        assert_eq!(back.times(), record.times());
        assert_eq!(written(&row, &back), second);
        for (spoilt, name) in [("sent", "sent_twice"), ("timeout", "patience")] {
            let text = text.replace(&format!("\"{spoilt}\""), &format!("\"{name}\""));
            let second: PartSecond = serde_json::from_str(&text).expect("a second");
            assert!(add(&second, &mut back).is_none(), "{name}");
        }
        assert_eq!(kind("log"), None);
    }
}
