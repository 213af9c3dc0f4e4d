//! The machine, as far as it must be known to run the same again.

use std::fs::read_to_string;

/// A description of this machine.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// The kernel and its release.
    pub kernel: String,
    /// The processor's name.
    pub processor: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// Main memory.
    pub memory_bytes: u64,
}

impl Host {
    /// This machine. What cannot be found out is left empty.
    pub fn here() -> Self {
        let system = rustix::system::uname();
        let field = |file: &str, name: &str| {
            let text = read_to_string(file).unwrap_or_default();
            let line = text.lines().find(|line| line.starts_with(name));
            let value = line.and_then(|line| line.split_once(':'));
            value.map_or_else(String::new, |(_, value)| value.trim().to_owned())
        };
        let memory_kb = field("/proc/meminfo", "MemTotal");
        Self {
            name: system.nodename().to_string_lossy().into_owned(),
            kernel: format!(
                "{} {}",
                system.sysname().to_string_lossy(),
                system.release().to_string_lossy()
            ),
            processor: field("/proc/cpuinfo", "model name"),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_bytes: memory_kb
                .split_whitespace()
                .next()
                .and_then(|kb| kb.parse::<u64>().ok())
                .unwrap_or(0)
                * 1024,
        }
    }
}
