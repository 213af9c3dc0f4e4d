//! Checks of figures on a machine that others may use meanwhile.
//!
//! Wrong figures on a quiet machine are a failure. Where a run was disturbed, and said so, the generator did what it must: it refused the run, and
//! nothing is shown either way. So that a check can be wrong only for a while, a witness of its own looks at who used the processors: with others at work the
//! check is repeated when they rest, for as long as patience lasts, and else said to be not shown. With nobody else at work a
//! generator that calls itself disturbed is excused a few times (a virtual machine's host does not tell all that it takes), and then it is what is wrong.
//! With `GOLDEN=strict` everything must be shown.

use super::Checked;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// For how long quiet is waited for and runs are repeated, all checks of a binary together.
const PATIENCE: Duration = Duration::from_secs(15);
/// How many checks may be disturbed by nobody.
const EXCUSED: usize = 2;
/// How much of one core others may use.
const NOISE: f64 = 0.05;

/// What became of one attempt.
pub struct Attempt {
    /// Whether the figures were right.
    pub checked: Checked,
    /// Why the same run might do better on a quieter machine.
    pub disturbed: Vec<String>,
    /// How much of one core others used meanwhile.
    pub others: f64,
}

/// What all checks of a binary share.
#[derive(Default)]
pub struct Ledger {
    spent: Duration,
    blameless: usize,
}

/// What became of a check.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// The figures were right.
    Shown,
    /// Every attempt was disturbed; in words.
    NotShown(String),
    /// The figures were wrong, or were never let to be right; in words.
    Wrong(String),
}

impl Ledger {
    /// Makes a check, at most `times` times; `quiet` waits for a quiet moment and says whether there was one.
    pub fn check(
        &mut self,
        times: usize,
        mut attempt: impl FnMut() -> Attempt,
        mut quiet: impl FnMut(Duration) -> bool,
    ) -> Outcome {
        let mut said = Vec::new();
        let mut noisy = false;
        // Every check is given its first attempt; patience is for what comes after.
        let mut after_first = None;
        let since = |first: Option<Instant>| first.map_or(Duration::ZERO, |first| first.elapsed());
        for number in 1..=times {
            let tried = attempt();
            let Err(wrong) = tried.checked else {
                self.spent += since(after_first);
                return Outcome::Shown;
            };
            if tried.disturbed.is_empty() {
                return Outcome::Wrong(wrong);
            }
            noisy |= tried.others > NOISE;
            said.push(format!(
                "{wrong} (disturbed: {:?}; others used {:.0} % of a core)",
                tried.disturbed,
                tried.others * 100.0
            ));
            after_first.get_or_insert_with(Instant::now);
            let left = PATIENCE.saturating_sub(self.spent + since(after_first));
            if number == times || left.is_zero() || !quiet(left) {
                break;
            }
        }
        self.spent += since(after_first);
        let said = said.join("\n  ");
        self.blameless += usize::from(!noisy);
        if !noisy && self.blameless > EXCUSED {
            return Outcome::Wrong(format!(
                "{} checks were disturbed, and nobody else used the processors: {said}",
                self.blameless
            ));
        }
        Outcome::NotShown(said)
    }
}

/// Makes a check, at most `times` times.
#[track_caller]
pub fn golden(what: &str, times: usize, mut attempt: impl FnMut() -> (Checked, Vec<String>)) {
    static LEDGER: Mutex<Ledger> = Mutex::new(Ledger {
        spent: Duration::ZERO,
        blameless: 0,
    });
    let witnessed = || {
        let witness = Witness::begin();
        let (checked, disturbed) = attempt();
        Attempt {
            checked,
            disturbed,
            others: witness.others(),
        }
    };
    let outcome = {
        let mut ledger = LEDGER
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        ledger.check(times, witnessed, wait_for_quiet)
    };
    let strict = std::env::var_os("GOLDEN").is_some_and(|how| how == "strict");
    match outcome {
        Outcome::Shown => {}
        Outcome::NotShown(said) if !strict => eprintln!("NOT SHOWN: {what}: {said}"),
        Outcome::NotShown(said) | Outcome::Wrong(said) => panic!("{what}: {said}"),
    }
}

fn wait_for_quiet(most: Duration) -> bool {
    let began = Instant::now();
    while began.elapsed() < most {
        let witness = Witness::begin();
        std::thread::sleep(Duration::from_millis(200));
        if witness.others() <= NOISE {
            return true;
        }
    }
    false
}

/// Looks at who uses the machine's processors.
struct Witness {
    at: Instant,
    all: f64,
    own: f64,
}

impl Witness {
    fn begin() -> Self {
        Self {
            at: Instant::now(),
            all: busy(),
            own: own(),
        }
    }

    /// How much of one core others have used since.
    fn others(&self) -> f64 {
        let others = (busy() - self.all) - (own() - self.own);
        others.max(0.0) / self.at.elapsed().as_secs_f64()
    }
}

/// Seconds for which processors were busy or stolen, since the machine started (proc_stat(5)).
fn busy() -> f64 {
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = text.lines().next().unwrap_or_default();
    let ticks = line.split_whitespace().skip(1).take(8).enumerate();
    // The fourth is idle, the fifth waits for a disk.
    let busy = ticks.filter(|(place, _)| !matches!(place, 3 | 4));
    let ticks = busy.filter_map(|(_, ticks)| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / rustix::param::clock_ticks_per_second() as f64
}

/// Seconds of processor time that this process has used.
fn own() -> f64 {
    let usage = sys::usage::usage(sys::usage::Who::Process).expect("it is always known");
    (usage.user + usage.system).as_secs_f64()
}
