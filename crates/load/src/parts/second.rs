//! What is recorded in a second, as it is written and read.

use super::times::{self, Times};
use crate::collect::CollectedSecond;
use crate::failure::Failure;
use crate::record::{Counts, Record};
use contracts::part::PartSecond;
use hdrhistogram::Histogram;

/// The times of a record, by name.
const TIMES: [&str; 10] = [
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

/// The counts of a second, those of names that are not known left out.
pub(super) fn counts_of(second: &PartSecond) -> Counts {
    let mut all = Counts::default();
    for (name, count) in counts(&mut all) {
        *count = second.counts.get(name).copied().unwrap_or(0);
    }
    for (class, count) in all.failures.iter_mut().enumerate() {
        *count = second
            .failures
            .get(Failure::name(class))
            .copied()
            .unwrap_or(0);
    }
    all
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

/// The histogram of this name.
pub(super) fn times_mut<'a>(record: &'a mut Record, name: &str) -> Option<&'a mut Histogram<u64>> {
    let at = TIMES.iter().position(|known| *known == name)?;
    record.times_mut().into_iter().nth(at)
}

/// Adds what was written of a second to a record, and gives its times, whose names are those of [`times_mut`]. None where something in it is not what
/// it should be, or of a kind that is not known here; then the record is no record of anything any more.
pub(super) fn add(
    second: &PartSecond,
    record: &mut Record,
    bytes: &mut Vec<u8>,
) -> Option<Vec<(String, Times)>> {
    for (name, count) in &second.counts {
        let mut all = counts(&mut record.counts).into_iter();
        let (_, sum) = all.find(|(known, _)| known == name)?;
        *sum = sum.checked_add(*count)?;
    }
    for (name, count) in &second.failures {
        record.counts.failures[Failure::named(name)?.index()] += count;
    }
    for (status, count) in &second.statuses {
        *record.statuses.get_mut(usize::from(*status))? += count;
    }
    for (name, status, words) in &second.examples {
        record.example((Failure::named(name)?, *status), || words.clone());
    }
    record
        .batches
        .add_filled(second.batch_width, &second.batches)?;
    let decoded = second.times.iter().map(|(name, text)| {
        let read = times::decode(text, bytes)?;
        times::record(&read, times_mut(record, name)?);
        Some((name.clone(), read))
    });
    decoded.collect()
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
        let times = add(&second, &mut back, &mut Vec::new()).expect("a second");
        assert_eq!(times.len(), TIMES.len());
        assert_eq!(back.times(), record.times());
        assert_eq!(written(&row, &back), second);
        for (spoilt, name) in [
            ("sent", "sent_twice"),
            ("timeout", "patience"),
            ("lag", "log"),
        ] {
            let text = text.replace(&format!("\"{spoilt}\""), &format!("\"{name}\""));
            let second: PartSecond = serde_json::from_str(&text).expect("a second");
            assert!(add(&second, &mut back, &mut Vec::new()).is_none(), "{name}");
        }
    }
}
