//! The machine, as far as it must be known to run the same again.

use contracts::Unknown;
use contracts::load::Host;
use std::fs::read_to_string;

/// This machine. What cannot be found out is left empty.
pub fn here() -> Host {
    let system = rustix::system::uname();
    let field = |file: &str, name: &str| {
        let text = read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.split_once(':'));
        value.map_or_else(String::new, |(_, value)| value.trim().to_owned())
    };
    let memory_kb = field("/proc/meminfo", "MemTotal");
    Host {
        name: system.nodename().to_string_lossy().into_owned(),
        kernel: format!(
            "{} {}",
            system.sysname().to_string_lossy(),
            system.release().to_string_lossy()
        ),
        processor: field("/proc/cpuinfo", "model name"),
        cores: std::thread::available_parallelism()
            .ok()
            .map(|cores| cores.get() as u64),
        memory_bytes: memory_kb
            .split_whitespace()
            .next()
            .and_then(|kb| kb.parse::<u64>().ok())
            .map(|kb| kb * 1024),
        unknown: Unknown::new(),
    }
}
