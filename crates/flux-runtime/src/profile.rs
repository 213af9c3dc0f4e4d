//! Which paths flows take, and how long their nodes run: counted while the program runs.
//!
//! A path costs an addition at each fork and one count at its end. Times cost a look at the clock for each step, so that only one
//! flow of [`TIMED`] has a stopwatch, unless whoever runs the program says otherwise.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::Program;

/// One flow of so many is timed.
pub const TIMED: u64 = 32;
/// With more paths than these, only those that are taken have a count.
const COUNTED: u64 = 1 << 16;
/// Times fall into four classes for each power of two of nanoseconds.
const CLASSES: usize = 4 * 48;

/// What was counted of a program.
#[derive(Debug)]
pub struct Profile {
    program: Program,
    /// One flow of so many is timed.
    timed: u64,
    begun: AtomicU64,
    /// What the process had used of its processors when this was made, if the system tells.
    processor_ns: Option<u64>,
    paths: Box<[AtomicU64]>,
    rare_paths: Mutex<BTreeMap<u64, u64>>,
    places: Box<[Times]>,
}

/// How long what is done at one place took.
#[derive(Debug)]
struct Times {
    count: AtomicU64,
    total_ns: AtomicU64,
    classes: Box<[AtomicU64]>,
}

/// The clock of one flow: since when what is done at its place takes.
#[derive(Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// A thread goes on with the flow.
    pub(crate) fn start(&mut self) {
        self.0 = Instant::now();
    }

    /// What is done at `place` is over, and what is next begins.
    pub(crate) fn lap(&mut self, profile: &Profile, place: usize) {
        let now = Instant::now();
        profile.took(place, now - self.0);
        self.0 = now;
    }
}

impl Profile {
    /// Of a program of which nothing has run.
    pub fn new(program: Program) -> Self {
        Self::timing(program, TIMED)
    }

    /// The same, of which one flow of `timed` is timed: all of them, say, where flows are few and take long.
    pub fn timing(program: Program, timed: u64) -> Self {
        let counts = |count| (0..count).map(|_| AtomicU64::new(0)).collect();
        let paths = if program.paths <= COUNTED {
            program.paths
        } else {
            0
        };
        let times = |_: &&str| Times {
            count: AtomicU64::new(0),
            total_ns: AtomicU64::new(0),
            classes: counts(CLASSES as u64),
        };
        Self {
            program,
            timed: timed.max(1),
            begun: AtomicU64::new(0),
            processor_ns: processor_ns(),
            paths: counts(paths),
            rare_paths: Mutex::default(),
            places: program.places.iter().map(times).collect(),
        }
    }

    /// A stopwatch for a flow that begins, if it is one of those that are timed.
    pub(crate) fn stopwatch(&self) -> Option<Stopwatch> {
        let begun = self.begun.fetch_add(1, Relaxed);
        begun
            .is_multiple_of(self.timed)
            .then(|| Stopwatch(Instant::now()))
    }

    /// A flow is over that took this path.
    pub(crate) fn count(&self, path: u64) {
        let counted = usize::try_from(path)
            .ok()
            .and_then(|path| self.paths.get(path));
        match counted {
            Some(count) => _ = count.fetch_add(1, Relaxed),
            None => {
                let mut rare = self
                    .rare_paths
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                *rare.entry(path).or_default() += 1;
            }
        }
    }

    fn took(&self, place: usize, time: Duration) {
        let Some(times) = self.places.get(place) else {
            return;
        };
        let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        times.count.fetch_add(1, Relaxed);
        times.total_ns.fetch_add(ns, Relaxed);
        times.classes[class(ns)].fetch_add(1, Relaxed);
    }

    /// What was counted, a line each, as `archbench flux profile` reads it: `processor NS`, what all threads have used of the processors
    /// since, in their sources and between nodes as well; `path NUMBER COUNT`; `place NUMBER COUNT TOTAL_NS`, and behind that the
    /// classes of times that are not empty, `FROM_NS:COUNT` each.
    pub fn lines(&self) -> String {
        let mut lines = format!(
            "flux-profile 1 paths {} places {} timed 1/{}\n",
            self.program.paths,
            self.program.places.len(),
            self.timed
        );
        if let Some((before, now)) = self.processor_ns.zip(processor_ns()) {
            let _ = writeln!(lines, "processor {}", now.saturating_sub(before));
        }
        let load = |count: &AtomicU64| count.load(Relaxed);
        let counted = self.paths.iter().map(load).enumerate();
        let counted = counted.map(|(path, count)| (path as u64, count));
        let rare = self
            .rare_paths
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let rare = rare.iter().map(|(&path, &count)| (path, count));
        for (path, count) in counted.chain(rare).filter(|(_, count)| *count > 0) {
            let _ = writeln!(lines, "path {path} {count}");
        }
        for (place, times) in self.places.iter().enumerate() {
            let (count, total) = (load(&times.count), load(&times.total_ns));
            if count == 0 {
                continue;
            }
            let _ = write!(lines, "place {place} {count} {total}");
            for (number, count) in times.classes.iter().map(load).enumerate() {
                if count > 0 {
                    let _ = write!(lines, " {}:{count}", least_of(number));
                }
            }
            lines.push('\n');
        }
        lines
    }
}

/// What all threads of this process have used of the processors, in nanoseconds, in user mode and in the system, as Linux tells it: in
/// hundredths of a second (proc_pid_stat(5)). None where no system tells.
fn processor_ns() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is a name in brackets, with whatever in it.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks = ticks.map(|ticks| ticks.parse::<u64>().ok());
    Some(ticks.sum::<Option<u64>>()? * 10_000_000)
}

/// The class that a time falls into.
fn class(ns: u64) -> usize {
    let ns = ns.max(4);
    let power = ns.ilog2();
    let quarter = (ns >> (power - 2)) & 3;
    ((power as usize - 2) * 4 + quarter as usize).min(CLASSES - 1)
}

/// The least time of a class, in nanoseconds.
fn least_of(class: usize) -> u64 {
    (4 + (class as u64 & 3)) << (class / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells_what_the_process_has_used() {
        let begin = processor_ns().expect("this is Linux");
        let mut sum = 0_u64;
        while processor_ns().expect("as before") < begin + 20_000_000 {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
    }

    #[test]
    fn a_lap_begins_where_the_one_before_ends() {
        let profile = Profile::new(Program {
            sources: &[],
            places: &["One", "Other"],
            constraints: &[],
            paths: 1,
        });
        let began = Instant::now();
        let mut stopwatch = profile.stopwatch().expect("the first is timed");
        assert!(profile.stopwatch().is_none());
        stopwatch.start();
        stopwatch.lap(&profile, 0);
        stopwatch.lap(&profile, 1);
        let lasted = began.elapsed().as_nanos();
        let total = |place: usize| u128::from(profile.places[place].total_ns.load(Relaxed));
        assert!(total(0) + total(1) <= lasted);
        let lines = profile.lines();
        assert!(lines.contains("\nplace 0 1 ") && lines.contains("\nplace 1 1 "));
        assert!(lines.contains("\nprocessor "));
    }

    #[test]
    fn a_time_falls_into_the_class_that_begins_at_or_below_it() {
        for ns in [4, 5, 7, 8, 9, 10, 1000, 1023, 1024, 123_456_789] {
            let class = class(ns);
            assert!(least_of(class) <= ns && ns < least_of(class + 1), "{ns}");
        }
        assert_eq!(class(0), 0);
        assert_eq!(class(u64::MAX), CLASSES - 1);
    }
}
