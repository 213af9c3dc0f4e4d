//! What a server and its processes use, over time, by /proc.

use std::collections::BTreeMap;
use std::fs;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use results::Sample;

/// How often is looked.
pub(crate) const EVERY: Duration = Duration::from_millis(250);
/// Threads of a process whose context switches and children are looked at; looking at thousands would disturb the trial.
const MOST_THREADS: usize = 128;

/// A thread that looks at a process and its children.
#[derive(Debug)]
pub struct Watcher {
    stop: Sender<()>,
    thread: JoinHandle<Vec<Sample>>,
}

impl Watcher {
    /// Starts looking, at once and then every quarter of a second.
    pub fn start(process: u32) -> Self {
        let (stop, stopped) = channel();
        let thread = std::thread::spawn(move || {
            let start = Instant::now();
            let mut samples = Vec::new();
            loop {
                samples.extend(sample(process, start.elapsed()));
                let next = EVERY * u32::try_from(samples.len()).unwrap_or(u32::MAX);
                let pause = next.saturating_sub(start.elapsed()).max(EVERY / 5);
                if stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                    samples.extend(sample(process, start.elapsed()));
                    return samples;
                }
            }
        });
        Self { stop, thread }
    }

    /// Looks once more and gives all that was seen.
    pub fn stop(self) -> Vec<Sample> {
        drop(self.stop);
        self.thread.join().unwrap_or_default()
    }
}

/// What an agent said, with times since the first of it.
pub(super) fn since(samples: impl Iterator<Item = Sample>) -> Vec<Sample> {
    let mut samples: Vec<_> = samples.collect();
    let first_s = samples.first().map_or(0.0, |first| first.at_s);
    for sample in &mut samples {
        sample.at_s -= first_s;
    }
    samples
}

/// One look; `None` if the process is gone.
pub(crate) fn sample(process: u32, at: Duration) -> Option<Sample> {
    let mut sum = Sample {
        at_s: at.as_secs_f64(),
        ..Sample::default()
    };
    let mut left = vec![process];
    while let Some(process) = left.pop() {
        if let Some(seen) = look(process, &mut left) {
            add(&mut sum, &seen);
        }
    }
    (sum.processes > 0).then_some(sum)
}

/// One process, and its children onto a list. What its ended children used is its own.
fn look(process: u32, children: &mut Vec<u32>) -> Option<Sample> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields = fields(&stat)?;
    let field = |number: usize| fields.get(number).copied().unwrap_or(0);
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let mut sample = Sample {
        cpu_user_s: (field(14) + field(16)) as f64 / ticks,
        cpu_system_s: (field(15) + field(17)) as f64 / ticks,
        resident_bytes: field(24).saturating_mul(rustix::param::page_size() as u64),
        processes: 1,
        threads: field(20),
        minor_faults: field(10) + field(11),
        major_faults: field(12) + field(13),
        ..Sample::default()
    };
    let threads = fs::read_dir(format!("/proc/{process}/task")).ok()?;
    for thread in threads.flatten().take(MOST_THREADS) {
        let status = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        let count = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|count| count.trim().parse::<u64>().ok())
                .unwrap_or(0)
        };
        sample.voluntary_switches += count("voluntary_ctxt_switches:");
        sample.involuntary_switches += count("nonvoluntary_ctxt_switches:");
        // Whichever thread has started them.
        let list = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        children.extend(
            list.split_whitespace()
                .filter_map(|id| id.parse::<u32>().ok()),
        );
    }
    Some(sample)
}

/// The numbers of /proc/PID/stat by the numbers that proc(5) gives them. The name, which may hold anything, is passed over.
fn fields(stat: &str) -> Option<Vec<u64>> {
    let (_, after) = stat.rsplit_once(')')?;
    let numbers = after
        .split_whitespace()
        .map(|field| field.parse().unwrap_or(0));
    // The first after the name is number 3.
    Some([0, 0, 0].into_iter().chain(numbers).collect())
}

fn add(sum: &mut Sample, more: &Sample) {
    sum.cpu_user_s += more.cpu_user_s;
    sum.cpu_system_s += more.cpu_system_s;
    sum.resident_bytes += more.resident_bytes;
    sum.processes += more.processes;
    sum.threads += more.threads;
    sum.voluntary_switches += more.voluntary_switches;
    sum.involuntary_switches += more.involuntary_switches;
    sum.minor_faults += more.minor_faults;
    sum.major_faults += more.major_faults;
}

/// Counters of all processors by name, from /proc/stat, in ticks: `steal` and the rest.
pub(crate) fn processor_ticks() -> BTreeMap<&'static str, u64> {
    const NAMES: [&str; 8] = [
        "user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal",
    ];
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let first = stat.lines().next().unwrap_or_default();
    let ticks = first
        .split_whitespace()
        .skip(1)
        .map(|ticks| ticks.parse().unwrap_or(0));
    NAMES.into_iter().zip(ticks).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_seen() {
        let watcher = Watcher::start(std::process::id());
        let samples = watcher.stop();
        assert_eq!(samples.len(), 2);
        let last = &samples[1];
        assert!(last.resident_bytes > 100_000 && last.threads >= 1 && last.minor_faults > 10);
        assert!(sample(u32::MAX, Duration::ZERO).is_none());
    }

    #[test]
    fn a_name_with_brackets_is_passed_over() {
        let fields = fields("1 (a) b (c) S 1 2 3 4 5 6 70 80").unwrap();
        assert_eq!((fields[10], fields[11]), (70, 80));
    }
}
