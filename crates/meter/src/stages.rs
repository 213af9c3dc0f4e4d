//! What an architecture made of stages tells of each: how long its queue is, how many threads it has, how many events they
//! take at a time, how long they work on one; at the end, and over time.
//!
//! A room names its stages, and from then on counts in them; somebody looks at all of them every so often. When there is no
//! room for another look, every second one is forgotten, so that a long run is known as evenly as a short one.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Stages that a room may have.
const STAGES: usize = 12;
/// Looks that are remembered.
const LOOKS: usize = 512;
/// Words of a stage: its name, then what is in [`Word`].
const STAGE: usize = NAME + Word::ALL;
/// Words for a name, of eight bytes each.
const NAME: usize = 2;
/// Words of a look at all stages: when, and what was seen of each.
const LOOK: usize = 1 + STAGES * SEEN;
/// Of a stage's words, how many a look remembers: the first.
const SEEN: usize = Word::QueuePeak as usize;

/// Words of the page.
pub(crate) const WORDS: usize = HEADER + STAGES * STAGE + LOOKS * LOOK;
/// The stages there are, the looks there are, how many to leave out after each, how many were left out.
const HEADER: usize = 4;

#[derive(Clone, Copy)]
enum Word {
    Queue,
    Threads,
    Batch,
    Events,
    Batches,
    BusyNs,
    Rejected,
    Restarts,
    QueuePeak,
    ThreadsPeak,
}

impl Word {
    const ALL: usize = Self::ThreadsPeak as usize + 1;
}

/// One stage's counters.
#[derive(Debug, Clone, Copy)]
pub struct StageCounters {
    words: &'static [AtomicU64],
}

impl StageCounters {
    fn word(&self, word: Word) -> &AtomicU64 {
        &self.words[NAME + word as usize]
    }

    /// So many events wait in its queue.
    pub fn queue(&self, length: usize) {
        self.word(Word::Queue).store(length as u64, Relaxed);
        self.peak(Word::QueuePeak, length);
    }

    /// It has so many threads.
    pub fn threads(&self, count: usize) {
        self.word(Word::Threads).store(count as u64, Relaxed);
        self.peak(Word::ThreadsPeak, count);
    }

    /// A thread takes so many events at a time, at the most.
    pub fn batch(&self, events: usize) {
        self.word(Word::Batch).store(events as u64, Relaxed);
    }

    /// A thread has handled so many events, and worked on them for so long.
    pub fn handled(&self, events: usize, busy: Duration) {
        let busy_ns = u64::try_from(busy.as_nanos()).unwrap_or(u64::MAX);
        self.word(Word::Events).fetch_add(events as u64, Relaxed);
        self.word(Word::Batches).fetch_add(1, Relaxed);
        self.word(Word::BusyNs).fetch_add(busy_ns, Relaxed);
    }

    /// So many events found no place in its queue, or were not admitted.
    pub fn rejected(&self, events: usize) {
        self.word(Word::Rejected).fetch_add(events as u64, Relaxed);
    }

    /// Something in it had a defect, and was started again.
    pub fn restarted(&self) {
        self.word(Word::Restarts).fetch_add(1, Relaxed);
    }

    /// Events handled so far.
    pub fn events(&self) -> u64 {
        self.word(Word::Events).load(Relaxed)
    }

    fn peak(&self, word: Word, value: usize) {
        let peak = self.word(word);
        // As a rule it is no news, and reading is all.
        if peak.load(Relaxed) < value as u64 {
            peak.fetch_max(value as u64, Relaxed);
        }
    }

    fn name(&self) -> String {
        let bytes = self.words[..NAME]
            .iter()
            .flat_map(|word| word.load(Relaxed).to_le_bytes());
        let name: Vec<u8> = bytes.take_while(|&byte| byte != 0).collect();
        String::from_utf8_lossy(&name).into_owned()
    }
}

/// What a stage did, from the start to the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageSnapshot {
    /// What the room calls it.
    pub name: String,
    /// The present.
    pub now: StageLook,
    /// The longest that its queue ever was.
    pub queue_peak: u64,
    /// The most threads that it ever had.
    pub threads_peak: u64,
    /// The past, evenly spaced.
    pub looks: Vec<StageLook>,
}

/// A stage at one time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StageLook {
    /// When, since the room named its stages; zero for the present.
    pub at: Duration,
    /// Events that waited.
    pub queue: u64,
    /// Threads that it had.
    pub threads: u64,
    /// Events that a thread took at a time, at the most.
    pub batch: u64,
    /// Events handled until then.
    pub events: u64,
    /// How often threads took some.
    pub batches: u64,
    /// Nanoseconds that threads had worked until then, all together.
    pub busy_ns: u64,
    /// Events rejected until then.
    pub rejected: u64,
    /// How often something was started again until then.
    pub restarts: u64,
}

impl StageLook {
    fn read(at: Duration, seen: &[AtomicU64]) -> Self {
        let word = |word: Word| seen[word as usize].load(Relaxed);
        Self {
            at,
            queue: word(Word::Queue),
            threads: word(Word::Threads),
            batch: word(Word::Batch),
            events: word(Word::Events),
            batches: word(Word::Batches),
            busy_ns: word(Word::BusyNs),
            rejected: word(Word::Rejected),
            restarts: word(Word::Restarts),
        }
    }
}

/// The part of the page that belongs to stages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stages {
    pub(crate) words: &'static [AtomicU64],
}

impl Stages {
    pub(crate) fn name<const N: usize>(self, names: [&str; N]) -> io::Result<[StageCounters; N]> {
        let first = self.words[0].fetch_add(N as u64, Relaxed) as usize;
        if first + N > STAGES {
            return Err(io::Error::other(format!("more than {STAGES} stages")));
        }
        let mut number = first;
        Ok(names.map(|name| {
            let stage = self.stage(number);
            number += 1;
            let mut bytes = [0; 8 * NAME];
            let length = name.len().min(bytes.len());
            bytes[..length].copy_from_slice(&name.as_bytes()[..length]);
            for (word, bytes) in stage.words.iter().zip(bytes.as_chunks::<8>().0) {
                word.store(u64::from_le_bytes(*bytes), Relaxed);
            }
            stage
        }))
    }

    fn count(self) -> usize {
        (self.words[0].load(Relaxed) as usize).min(STAGES)
    }

    fn stage(self, number: usize) -> StageCounters {
        let start = HEADER + number * STAGE;
        StageCounters {
            words: &self.words[start..start + STAGE],
        }
    }

    fn look(self, number: usize) -> &'static [AtomicU64] {
        let start = HEADER + STAGES * STAGE + number * LOOK;
        &self.words[start..start + LOOK]
    }

    /// Remembers what is seen now. Only one thread looks.
    pub(crate) fn remember(self, at: Duration) {
        let [_, looks, leave_out, left_out, ..] = self.words else {
            return;
        };
        if left_out.load(Relaxed) < leave_out.load(Relaxed) {
            left_out.fetch_add(1, Relaxed);
            return;
        }
        left_out.store(0, Relaxed);
        let mut number = looks.load(Relaxed) as usize;
        if number == LOOKS {
            // Those that stay are the odd ones, so that the next one is as far away as they are from each other.
            for kept in 0..LOOKS / 2 {
                for (to, from) in self.look(kept).iter().zip(self.look(2 * kept + 1)) {
                    to.store(from.load(Relaxed), Relaxed);
                }
            }
            number = LOOKS / 2;
            let every = 2 * (leave_out.load(Relaxed) + 1);
            leave_out.store(every - 1, Relaxed);
            left_out.store(every / 2, Relaxed);
            looks.store(number as u64, Relaxed);
            return;
        }
        let look = self.look(number);
        look[0].store(u64::try_from(at.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        for stage in 0..self.count() {
            let words = &self.stage(stage).words[NAME..NAME + SEEN];
            for (to, from) in look[1 + stage * SEEN..].iter().zip(words) {
                to.store(from.load(Relaxed), Relaxed);
            }
        }
        looks.store(number as u64 + 1, Relaxed);
    }

    pub(crate) fn snapshot(self) -> Vec<StageSnapshot> {
        let looks = (self.words[1].load(Relaxed) as usize).min(LOOKS);
        let snapshot = |number: usize| {
            let stage = self.stage(number);
            let looks = (0..looks).map(|look| {
                let look = self.look(look);
                let at = Duration::from_nanos(look[0].load(Relaxed));
                StageLook::read(at, &look[1 + number * SEEN..])
            });
            StageSnapshot {
                name: stage.name(),
                now: StageLook::read(Duration::ZERO, &stage.words[NAME..]),
                queue_peak: stage.word(Word::QueuePeak).load(Relaxed),
                threads_peak: stage.word(Word::ThreadsPeak).load(Relaxed),
                looks: looks.collect(),
            }
        };
        (0..self.count()).map(snapshot).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Meter;

    #[test]
    fn a_stage_is_known_by_its_name_and_by_what_it_counts() {
        let meter = Meter::new().unwrap();
        assert_eq!(meter.snapshot().stages, []);
        let [parse, send] = meter.stages(["parse", "a very long name"]).unwrap();
        parse.queue(7);
        parse.queue(3);
        parse.threads(2);
        parse.batch(64);
        parse.handled(10, Duration::from_micros(50));
        parse.rejected(4);
        parse.restarted();
        meter.look_at_stages(Duration::from_secs(1));
        parse.handled(10, Duration::from_micros(50));
        send.handled(1, Duration::from_nanos(1));
        let stages = meter.snapshot().stages;
        assert_eq!(stages.len(), 2);
        let first = &stages[0];
        assert_eq!(
            (&first.name[..], first.queue_peak, first.threads_peak),
            ("parse", 7, 2)
        );
        assert_eq!(
            (first.now.events, first.now.batches, first.now.busy_ns),
            (20, 2, 100_000)
        );
        let look = first.looks[0];
        assert_eq!(
            (look.at, look.queue, look.events),
            (Duration::from_secs(1), 3, 10)
        );
        assert_eq!((look.threads, look.batch, look.rejected), (2, 64, 4));
        assert_eq!((look.restarts, stages[1].now.restarts), (1, 0));
        assert_eq!(stages[1].name, "a very long name");
        assert_eq!(stages[1].looks[0].events, 0);
        assert!(meter.stages(["x"; STAGES]).is_err());
    }

    #[test]
    fn a_long_past_is_remembered_evenly() {
        for count in [1, LOOKS, LOOKS + 1, 3 * LOOKS, 10 * LOOKS + 17] {
            let meter = Meter::new().unwrap();
            let [stage] = meter.stages(["only"]).unwrap();
            for second in 1..=count {
                stage.queue(second);
                meter.look_at_stages(Duration::from_secs(second as u64));
            }
            let looks = meter.snapshot().stages.remove(0).looks;
            assert!(looks.len() <= LOOKS && 2 * looks.len() >= count.min(LOOKS));
            let step = looks[0].at;
            for (number, look) in (1..).zip(&looks) {
                assert_eq!(
                    (look.at, look.queue),
                    (number * step, look.at.as_secs()),
                    "{count}"
                );
            }
        }
    }
}
