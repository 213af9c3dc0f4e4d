//! Which cores the server and the generator run on.

use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The cores of both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cores {
    /// Of the server.
    pub server: Vec<usize>,
    /// Of the generator.
    pub generator: Vec<usize>,
}

/// The cores that this process may use.
pub fn available() -> Vec<usize> {
    let set = sched_getaffinity(None).unwrap_or_default();
    (0..CpuSet::MAX_CPU)
        .filter(|core| set.is_set(*core))
        .collect()
}

impl Cores {
    /// Whether a core serves both sides.
    pub(crate) fn overlap(&self) -> bool {
        self.server.iter().any(|core| self.generator.contains(core))
    }
}

/// Like `0,2,3`.
pub fn list(cores: &[usize]) -> String {
    let words: Vec<_> = cores.iter().map(ToString::to_string).collect();
    words.join(",")
}

/// Runs `start` with this thread on `cores`, so that the process it starts stays there, and then goes back.
///
/// # Errors
/// When the kernel refuses the cores, or `start` fails.
pub fn pinned<T>(cores: &[usize], start: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let before = sched_getaffinity(None)?;
    let mut set = CpuSet::new();
    for core in cores.iter().filter(|core| **core < CpuSet::MAX_CPU) {
        set.set(*core);
    }
    sched_setaffinity(None, &set)?;
    let started = start();
    sched_setaffinity(None, &before)?;
    started
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_stays_where_it_was_started() {
        let cores = available();
        let last = *cores.last().unwrap();
        let output = pinned(&[last], || {
            std::process::Command::new("cat")
                .arg("/proc/self/status")
                .output()
        });
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        let line = text
            .lines()
            .find(|line| line.starts_with("Cpus_allowed_list"))
            .unwrap();
        assert!(line.ends_with(&format!("\t{last}")), "{line}");
        assert_eq!(available(), cores);
    }
}
