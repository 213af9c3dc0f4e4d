//! What a running process has used so far, with its threads and children, by /proc (proc_pid_stat(5), proc_schedstat(5)).

use std::fs;
use std::time::Duration;

/// What a process and all its descendants have used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// Time on a processor.
    ///
    /// To the nanosecond for threads that live; what ended threads and children have used is known in clock ticks, of 10 ms as a
    /// rule. Never more than was used.
    pub(crate) processor_time: Duration,
    /// Voluntary context switches of the threads that live: how often one fell asleep.
    pub(crate) voluntary_switches: u64,
    /// Memory that is resident, in bytes.
    pub(crate) resident_bytes: u64,
}

impl Account {
    /// Of process `id` and its descendants, now; nothing for those that are gone.
    pub(crate) fn of(id: u32) -> Self {
        let tick = Duration::from_secs(1) / rustix::param::clock_ticks_per_second() as u32;
        let mut sum = Self::default();
        for Family { process, threads } in family(id) {
            let mut living = Threads::default();
            for thread in threads {
                let home = format!("/proc/{process}/task/{thread}");
                living.add(
                    &read(&format!("{home}/schedstat")),
                    &read(&format!("{home}/status")),
                );
            }
            if let Some(process) = Process::parse(&read(&format!("/proc/{process}/stat"))) {
                let own = living.processor_time.max(tick * process.own_ticks);
                sum.processor_time += own + tick * process.ended_children_ticks;
                sum.resident_bytes += process.resident_pages * rustix::param::page_size() as u64;
            }
            sum.voluntary_switches += living.voluntary_switches;
        }
        sum
    }

    /// What was used since `before`; of memory, how much more is resident.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            processor_time: self.processor_time.saturating_sub(before.processor_time),
            voluntary_switches: self
                .voluntary_switches
                .saturating_sub(before.voluntary_switches),
            resident_bytes: self.resident_bytes.saturating_sub(before.resident_bytes),
        }
    }
}

/// A process and its threads.
#[derive(Debug)]
struct Family {
    process: u32,
    threads: Vec<u32>,
}

/// Process `id` and all its descendants that live.
fn family(id: u32) -> Vec<Family> {
    let mut families = Vec::new();
    let mut left = vec![id];
    while let Some(process) = left.pop() {
        let tasks = fs::read_dir(format!("/proc/{process}/task"));
        let names = tasks.into_iter().flatten().flatten();
        let threads: Vec<u32> = names
            .filter_map(|task| task.file_name().to_str()?.parse().ok())
            .collect();
        for thread in &threads {
            // Whichever thread has started them.
            let children = read(&format!("/proc/{process}/task/{thread}/children"));
            left.extend(children.split_whitespace().flat_map(str::parse::<u32>));
        }
        families.push(Family { process, threads });
    }
    families
}

/// All threads of process `id` and its descendants.
pub(crate) fn threads(id: u32) -> Vec<u32> {
    let families = family(id).into_iter();
    families.flat_map(|family| family.threads).collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The threads of a process that live.
#[derive(Debug, Default, PartialEq, Eq)]
struct Threads {
    processor_time: Duration,
    voluntary_switches: u64,
}

impl Threads {
    /// Adds one, by its `schedstat` (nanoseconds on a processor come first) and its `status`.
    fn add(&mut self, schedstat: &str, status: &str) {
        let nanoseconds = schedstat.split_whitespace().next();
        let nanoseconds = nanoseconds.and_then(|count| count.parse().ok());
        self.processor_time += Duration::from_nanos(nanoseconds.unwrap_or(0));
        let switches = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        let switches = switches.and_then(|count| count.trim().parse::<u64>().ok());
        self.voluntary_switches += switches.unwrap_or(0);
    }
}

/// What `/proc/PID/stat` says of a process.
#[derive(Debug, PartialEq, Eq)]
struct Process {
    /// User and system time of all its threads, the ended ones too, in clock ticks.
    own_ticks: u32,
    /// The same of the children that have ended and been waited for.
    ended_children_ticks: u32,
    resident_pages: u64,
}

impl Process {
    fn parse(stat: &str) -> Option<Self> {
        // The name may hold anything, brackets too; the first field after it is number 3.
        let (_, after) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = after.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        let ticks = |user: usize, system: usize| {
            let sum = field(user)?.saturating_add(field(system)?);
            u32::try_from(sum).ok()
        };
        Some(Self {
            own_ticks: ticks(14, 15)?,
            ended_children_ticks: ticks(16, 17)?,
            resident_pages: field(24)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 0 0 70 80 5 6 20 0 1 0 9 1000 42 1";

    #[test]
    fn a_process_is_read_whatever_its_name_is() {
        let expected = Process {
            own_ticks: 150,
            ended_children_ticks: 11,
            resident_pages: 42,
        };
        assert_eq!(Process::parse(STAT), Some(expected));
        assert_eq!(Process::parse("7 (short) S 1 2"), None);
        assert_eq!(Process::parse(""), None);
    }

    #[test]
    fn threads_add_up() {
        let mut threads = Threads::default();
        let status = "Name:\tx\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t500\n";
        threads.add("1500 7 3\n", status);
        threads.add("500 0 1\n", status);
        // One that has just ended.
        threads.add("", "");
        let expected = Threads {
            processor_time: Duration::from_nanos(2000),
            voluntary_switches: 24,
        };
        assert_eq!(threads, expected);
    }

    #[test]
    fn this_process_and_its_children_are_seen() {
        let alone = Account::of(std::process::id());
        assert!(alone.processor_time > Duration::ZERO && alone.resident_bytes > 100_000);
        let mut child = std::process::Command::new("sleep")
            .arg("1000")
            .spawn()
            .unwrap();
        let id = child.id();
        let is_seen = || threads(std::process::id()).contains(&id);
        assert!(is_seen());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!is_seen());
        assert_eq!(Account::of(id), Account::default());
    }
}
