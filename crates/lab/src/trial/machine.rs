//! The machine, as far as it bears on figures.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use contracts::Unknown;
use results::Machine;
use rustix::process::{Resource, getrlimit};

use crate::cores::{self, Cores};
use crate::trial::memory::Support;

/// The content of a small file of the kernel's, trimmed.
pub fn read(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// All that can be found out.
pub fn machine(cores: &Cores, memory: &Support, files: &Path) -> Machine {
    let name = rustix::system::uname();
    let text = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
    Machine {
        kernel: format!("{} {}", text(name.sysname()), text(name.release())),
        architecture: text(name.machine()),
        cpu_model: cpu_field("model name"),
        cores: cores::available(),
        server_cores: cores.server.clone(),
        generator_cores: cores.generator.clone(),
        governor: governor(),
        virtualised: cpu_field("flags")
            .map(|flags| flags.split(' ').any(|flag| flag == "hypervisor")),
        mitigations: mitigations(),
        limits: limits(),
        cgroup: memory.name().into(),
        clock_source: clock_source(),
        memory_bytes: memory_bytes(),
        file_system: file_system(files),
        unknown: Unknown::new(),
    }
}

/// A field of the first processor in `/proc/cpuinfo`, like `model name`.
pub fn cpu_field(name: &str) -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The frequency governor of the first core.
pub fn governor() -> Option<String> {
    read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
}

/// The clock source.
pub fn clock_source() -> Option<String> {
    read("/sys/devices/system/clocksource/clocksource0/current_clocksource")
}

fn mitigations() -> BTreeMap<String, String> {
    let entries = fs::read_dir("/sys/devices/system/cpu/vulnerabilities");
    entries
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let state = read(entry.path().to_str()?)?;
            Some((entry.file_name().into_string().ok()?, state))
        })
        .collect()
}

fn limits() -> BTreeMap<String, String> {
    let mut limits = BTreeMap::new();
    let mut put = |name: &str, value: Option<String>| {
        limits.extend(value.map(|value| (name.to_owned(), value)));
    };
    let files = getrlimit(Resource::Nofile);
    let show =
        |limit: Option<u64>| Some(limit.map_or("unlimited".into(), |limit| limit.to_string()));
    put("open_files_soft", show(files.current));
    put("open_files_hard", show(files.maximum));
    put("processes_soft", show(getrlimit(Resource::Nproc).current));
    put("somaxconn", read("/proc/sys/net/core/somaxconn"));
    put(
        "tcp_max_syn_backlog",
        read("/proc/sys/net/ipv4/tcp_max_syn_backlog"),
    );
    put(
        "local_ports",
        read("/proc/sys/net/ipv4/ip_local_port_range").map(|range| range.replace('\t', "-")),
    );
    put("threads_max", read("/proc/sys/kernel/threads-max"));
    limits
}

fn memory_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// The kind of file system that a path is on: that of the longest mount point above it.
pub fn file_system(path: &Path) -> Option<String> {
    // A set that is still to be made will lie where its parents are.
    let path = path
        .ancestors()
        .find_map(|path| fs::canonicalize(path).ok())?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let found = mounts.lines().filter_map(|line| {
        let (mount, kind) = line.split_once(" - ")?;
        let point = mount.split(' ').nth(4)?;
        path.starts_with(point)
            .then(|| (point.len(), kind.split(' ').next().unwrap_or_default()))
    });
    // Of two at the same place, the later one covers the earlier.
    found
        .max_by_key(|(length, _)| *length)
        .map(|(_, kind)| kind.to_owned())
}

/// The revision of the source that a file belongs to, with a mark if something has been changed since.
pub fn revision(near: &Path) -> Option<String> {
    let directory = near
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let git = |arguments: &[&str]| {
        let output = std::process::Command::new("git")
            .arg("-C")
            .arg(directory.unwrap_or(Path::new(".")))
            .args(arguments)
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        output.status.success().then_some(text)
    };
    let revision = git(&["rev-parse", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])
        .is_some_and(|changes| !changes.is_empty());
    Some(if changed {
        format!("{revision} with changes")
    } else {
        revision
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_described() {
        let cores = Cores {
            server: vec![0],
            generator: vec![1],
        };
        let machine = machine(&cores, &Support::None("no".into()), Path::new("/proc/self"));
        assert!(machine.kernel.starts_with("Linux "));
        assert_eq!(machine.cgroup, "none");
        assert_eq!(machine.file_system.as_deref(), Some("proc"));
        assert!(machine.limits.contains_key("open_files_soft"));
    }
}
