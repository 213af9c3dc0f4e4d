//! Adds up what parts wrote, line by line, in whatever order the parts come.
//!
//! What is held is one record, the series with the times of what comes first in it, and a few figures of each part: no part is ever
//! held as a whole.

use super::bins::Bins;
use super::second::{self, TIMES};
use super::seen::{Ended, Seen};
use super::times;
use crate::asked::Asked;
use crate::clock::{Nanos, SECOND};
use crate::collect::{CollectedSecond, Live};
use crate::fidelity::Fidelity;
use crate::measure::{Cpu, Newcomers, Outcome};
use crate::record::{Counts, Record};
use crate::report::histograms::Log;
use contracts::load;
use contracts::load::{Part, PartState};
use contracts::part::{PartAsked, PartEnded, PartLine, PartSecond};
use std::collections::BTreeMap;
use std::time::Duration;

/// Times of a second that are kept for the series …
const OF_SERIES: [[&str; 2]; 2] = [
    ["response", "given_up_response"],
    ["service", "given_up_service"],
];
/// … and for the histogram log.
const OF_LOG: [&str; 6] = [
    "response",
    "given_up_response",
    "service",
    "given_up_service",
    "wait",
    "lag",
];

/// What was added up so far.
pub(super) struct Fold {
    /// What the first part said that was asked for; parts that were asked for something else are named.
    pub(super) asked: PartAsked,
    /// How many parts there are to be.
    pub(super) of: u32,
    closed_loop: bool,
    /// Which times are kept by the second.
    kept: [bool; TIMES.len()],
    /// All but the times.
    total: Record,
    /// The times that are not kept by the second.
    times: [Bins; TIMES.len()],
    seconds: BTreeMap<Nanos, Second>,
    /// What was seen of each part, by its number.
    pub(super) parts: BTreeMap<u32, Seen>,
    ends: Ends,
    /// What times are decoded by way of.
    bytes: Vec<u8>,
}

/// One second of all parts.
#[derive(Default)]
struct Second {
    counts: Counts,
    live: Live,
    end: Nanos,
    /// Those that are kept.
    times: [Bins; TIMES.len()],
}

/// What is added up of how parts ended.
#[derive(Default)]
struct Ends {
    threads: u64,
    window: Nanos,
    elapsed: Nanos,
    scheduled: u64,
    unfinished: u64,
    unsent: u64,
    connections: u64,
    made: BTreeMap<String, u64>,
    unheard: u64,
    newcomers: Option<Newcomers>,
    last_answer: Nanos,
    answered_of: Vec<u64>,
    gave_up: bool,
    interrupted: bool,
    busy: f64,
    starved: f64,
    stolen: f64,
    cpu: Cpu,
    fidelity: Option<Fidelity>,
    arguments: Option<Vec<String>>,
}

/// What was put together.
pub(super) struct Whole {
    pub(super) asked: Asked,
    pub(super) outcome: Outcome,
    pub(super) parts: Vec<Part>,
    pub(super) arguments: Vec<String>,
}

/// Why a line was not added.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotAdded {
    /// It is of a part that was there before.
    Repeated,
    /// Something in it is not known here: it is of another version.
    Unknown,
}

/// What was under way at the end of a second.
fn live(second: &PartSecond) -> Live {
    Live {
        in_flight: usize::try_from(second.in_flight).unwrap_or(usize::MAX),
        waiting: second.waiting,
    }
}

impl Fold {
    /// Nothing yet of a run of `of` parts that is asked for `asked`.
    pub(super) fn new(asked: PartAsked, of: u32, with_log: bool) -> Self {
        let closed_loop = asked.run.model.name == Some(load::Loop::Closed);
        let kept: &[_] = match with_log {
            true => &OF_LOG,
            false => &OF_SERIES[usize::from(closed_loop)],
        };
        Self {
            asked,
            of,
            closed_loop,
            kept: TIMES.map(|name| kept.contains(&name)),
            total: Record::default(),
            times: Default::default(),
            seconds: BTreeMap::new(),
            parts: BTreeMap::new(),
            ends: Ends::default(),
            bytes: Vec::new(),
        }
    }

    /// Adds a line of this run.
    ///
    /// # Errors
    /// Why it was not added.
    pub(super) fn add(&mut self, line: PartLine) -> Result<(), NotAdded> {
        let part = self.parts.entry(line.part).or_default();
        if line.line < part.next_line {
            return Err(NotAdded::Repeated);
        }
        let next = line.line.checked_add(1).ok_or(NotAdded::Unknown)?;
        part.lost += line.line - part.next_line;
        part.next_line = next;
        if line.parts != self.of {
            part.differs("the number of parts");
        }
        if let Some(asked) = line.asked {
            part.is_asked(&asked, &self.asked);
        }
        if let Some(began) = line.began {
            part.start = Some(*began);
        }
        if let Some(second) = line.second {
            self.second(line.part, &second).ok_or(NotAdded::Unknown)?;
        }
        if let Some(ended) = line.ended {
            self.ended(line.part, *ended);
        }
        Ok(())
    }

    fn second(&mut self, part: u32, second: &PartSecond) -> Option<()> {
        let counts = second::add(second, &mut self.total)?;
        // As seconds are told apart when they are collected: what ends within half a second counts to the one before.
        let number = second.end_ns.saturating_sub(SECOND / 2) / SECOND;
        let mine = self.seconds.entry(number).or_default();
        mine.counts.add(&counts);
        mine.end = mine.end.max(second.end_ns);
        mine.live.add(live(second));
        for (name, text) in &second.times {
            let kind = second::kind(name)?;
            let bins = match self.kept[kind] {
                true => &mut mine.times[kind],
                false => &mut self.times[kind],
            };
            times::decode(text, &mut self.bytes, |value, count| bins.add(value, count))?;
        }
        let seen = self.parts.entry(part).or_default();
        seen.reached = seen.reached.max(second.end_ns);
        seen.completed += counts.completed;
        seen.asked += counts.asked();
        seen.live = live(second);
        Some(())
    }

    fn ended(&mut self, number: u32, mut ended: PartEnded) {
        let Some(seen) = self.parts.get_mut(&number) else {
            return;
        };
        self.ends.add(&ended, &self.asked);
        let report = &mut ended.report;
        let part = report.parts.pop().unwrap_or_else(|| Part {
            host: Some(seen.host.clone()),
            verdict: report.verdict,
            scheduled: report.requests.scheduled,
            completed: report.requests.completed,
            requests_per_s: report.throughput.requests_per_s,
            response_time_us: report.response_time_us.take(),
            generator_lag_us: report.generator_lag_us.take(),
            ..Part::default()
        });
        seen.ended = Some(Ended {
            part,
            findings: std::mem::take(&mut report.findings),
            window: ended.window_ns,
            interrupted: report.run.interrupted == Some(true),
        });
    }

    /// From the start to the end of the schedule, as the parts that came to their ends say it.
    pub(super) fn window(&self) -> Nanos {
        match self.ends.window {
            0 => self
                .parts
                .values()
                .map(|seen| seen.reached)
                .max()
                .unwrap_or(0),
            window => window,
        }
    }

    /// What all of it comes to. The log, if there is one, is given the times second by second.
    ///
    /// # Errors
    /// What of what was asked for makes no sense.
    pub(super) fn finish(self, mut log: Option<&mut Log>) -> Result<Whole, String> {
        let parts = (1..=self.of).map(|number| {
            let share = format!("{number}/{}", self.of);
            match self.parts.get(&number) {
                Some(seen) => seen.shown(share),
                None => Part {
                    share,
                    state: PartState::Missing,
                    ..Part::default()
                },
            }
        });
        let parts = parts.collect();
        let window = self.window();
        let asked = Asked::read(self.asked.run, self.ends.threads as usize)?;
        let mut total = self.total;
        for (times, histogram) in self.times.iter().zip(total.times_mut()) {
            times.record(histogram);
        }
        let mut record = Record::default();
        let mut rows = Vec::with_capacity(self.seconds.len());
        for second in self.seconds.into_values() {
            for (times, histogram) in second.times.iter().zip(record.times_mut()) {
                times.record(histogram);
            }
            // Its counts are in the whole already.
            total.merge(&record);
            record.counts = second.counts;
            rows.push(CollectedSecond::of(
                &record,
                second.end,
                second.live,
                self.closed_loop,
            ));
            if let Some(log) = &mut log {
                log.add(&record, second.end);
            }
            record.clear();
        }
        // What parts had under way that were killed, as far as they had come to say it.
        let cut = self.parts.values().filter(|seen| seen.ended.is_none());
        let reached = self.parts.values().map(|seen| seen.reached).max();
        let mut ends = self.ends;
        for seen in cut {
            let Live { in_flight, waiting } = seen.live;
            add(&mut ends.scheduled, Some(seen.asked));
            add(&mut ends.scheduled, Some(waiting));
            add(&mut ends.unfinished, Some(in_flight as u64));
            add(&mut ends.unsent, Some(waiting));
        }
        let made = asked.addresses.iter();
        let made = made.map(|address| ends.made.get(&address.to_string()).copied().unwrap_or(0));
        Ok(Whole {
            parts,
            arguments: ends.arguments.unwrap_or_default(),
            outcome: Outcome {
                record: total,
                seconds: rows,
                window,
                elapsed: ends.elapsed.max(reached.unwrap_or(0)),
                scheduled: ends.scheduled,
                unfinished: ends.unfinished,
                unsent: ends.unsent,
                connections: ends.connections as usize,
                made: made.collect(),
                unheard: ends.unheard as usize,
                newcomers: ends.newcomers,
                last_answer: ends.last_answer,
                answered_of: ends.answered_of,
                gave_up: ends.gave_up,
                interrupted: ends.interrupted,
                busy: ends.busy,
                starved: ends.starved,
                stolen: ends.stolen,
                cpu: ends.cpu,
                fidelity: ends.fidelity,
                start: None,
            },
            asked,
        })
    }
}

/// Adds what is there, as far as can be counted.
fn add(sum: &mut u64, more: Option<u64>) {
    *sum = sum.saturating_add(more.unwrap_or(0));
}

impl Ends {
    fn add(&mut self, ended: &PartEnded, asked: &PartAsked) {
        let report = &ended.report;
        let (requests, generator) = (&report.requests, &report.generator);
        add(&mut self.threads, Some(generator.threads.unwrap_or(1)));
        self.window = self.window.max(ended.window_ns);
        self.elapsed = self.elapsed.max(ended.elapsed_ns);
        add(&mut self.scheduled, requests.scheduled);
        add(&mut self.unfinished, requests.unfinished);
        add(&mut self.unsent, requests.never_sent);
        add(&mut self.connections, generator.connections);
        for (address, made) in &generator.connections_made_to {
            add(self.made.entry(address.clone()).or_default(), Some(*made));
        }
        add(&mut self.unheard, generator.connections_without_answer);
        if let Some(came) = &generator.newcomers {
            let all = self.newcomers.get_or_insert_default();
            add(&mut all.made, came.made);
            add(&mut all.failed, came.failed);
            add(&mut all.missed, came.missed);
            all.why = all.why.take().or(came.first_failure.clone());
        }
        self.last_answer = self.last_answer.max(ended.last_answer_ns);
        self.answered_of.extend(&ended.answered_of);
        self.gave_up |= ended.gave_up;
        self.interrupted |= report.run.interrupted == Some(true);
        let most = |mine: &mut f64, theirs: Option<f64>| *mine = mine.max(theirs.unwrap_or(0.0));
        most(&mut self.busy, generator.busy);
        most(&mut self.starved, generator.starved);
        most(&mut self.stolen, generator.machine_time_stolen);
        let [user, system, spun] = ended.cpu_ns.map(Duration::from_nanos);
        let cpu = &mut self.cpu;
        for (mine, theirs) in [
            (&mut cpu.user, user),
            (&mut cpu.system, system),
            (&mut cpu.spun, spun),
        ] {
            *mine = mine.saturating_add(theirs);
        }
        let spacing = asked.run.model.arrivals.as_deref();
        if let Some("poisson" | "constant") = spacing {
            let seen = Fidelity::counted(
                spacing == Some("poisson"),
                &ended.gaps_by_bin,
                ended.gaps.into(),
            );
            match &mut self.fidelity {
                None => self.fidelity = Some(seen),
                Some(all) => all.merge(&seen),
            }
        }
        if self.arguments.is_none() {
            self.arguments = Some(report.run.arguments.clone());
        }
    }
}
