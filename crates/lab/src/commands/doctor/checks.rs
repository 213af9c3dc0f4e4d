//! The checks themselves.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit};

use crate::cores;
use crate::trial::machine::{self, read};
use crate::trial::memory::Support;
use contracts::Unknown;
use contracts::doctor::Diagnosis;
use contracts::doctor::Severity::{self, Fail, Note, Ok, Warn};

/// What can be read off.
pub(super) fn settings() -> Vec<Diagnosis> {
    vec![
        core_count(),
        siblings(),
        governor(),
        clock(),
        open_files(),
        backlog(),
        ports(),
        timer_slack(),
        cgroups(),
        fuse(),
        disk(),
        hosts(),
        leftovers(),
        virtualised(),
    ]
}

/// What a check found, with advice unless all is well.
fn diagnosis(subject: &str, level: Severity, found: impl Into<String>, advice: &str) -> Diagnosis {
    Diagnosis {
        subject: subject.into(),
        level,
        found: found.into(),
        advice: match level {
            Ok => String::new(),
            _ => advice.into(),
        },
        unknown: Unknown::new(),
    }
}

fn core_count() -> Diagnosis {
    let cores = cores::available();
    let level = if cores.len() < 2 { Warn } else { Ok };
    let found = format!("{} to use: {}", cores.len(), cores::list(&cores));
    diagnosis(
        "cores",
        level,
        found,
        "server and generator need one each; use a machine with two or more",
    )
}

fn siblings() -> Diagnosis {
    let shared: Vec<_> = cores::available()
        .into_iter()
        .filter_map(|core| {
            read(&format!(
                "/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list"
            ))
        })
        .filter(|list| list.contains([',', '-']))
        .collect();
    if shared.is_empty() {
        return diagnosis(
            "siblings",
            Ok,
            "no core shares its units with another that is used",
            "",
        );
    }
    let found = format!("hardware threads share cores: {}", shared.join("; "));
    let advice = "give server_cores and generator_cores in the experiment so that no pair is split between them, or switch it off: \
        echo off > /sys/devices/system/cpu/smt/control";
    diagnosis("siblings", Warn, found, advice)
}

fn governor() -> Diagnosis {
    let advice =
        "cpupower frequency-set -g performance, so that speed does not change within a trial";
    match machine::governor() {
        None => diagnosis(
            "governor",
            Note,
            "not to be seen, as in most virtual machines",
            "clock speed may vary unseen",
        ),
        Some(governor) if governor == "performance" => diagnosis("governor", Ok, governor, ""),
        Some(governor) => diagnosis("governor", Warn, governor, advice),
    }
}

fn clock() -> Diagnosis {
    let advice = "reading it is a system call here; times of a few µs are coarse. Boot with clocksource=tsc if the processor has a steady one";
    match machine::clock_source() {
        None => diagnosis("clock source", Note, "not to be seen", "nothing to do"),
        Some(source) if matches!(source.as_str(), "tsc" | "kvm-clock" | "arch_sys_counter") => {
            diagnosis("clock source", Ok, source, "")
        }
        Some(source) => diagnosis("clock source", Warn, source, advice),
    }
}

fn open_files() -> Diagnosis {
    let limit = getrlimit(Resource::Nofile);
    let show = |limit: Option<u64>| limit.map_or("no limit".into(), |limit| limit.to_string());
    let found = format!(
        "{} now, {} at most",
        show(limit.current),
        show(limit.maximum)
    );
    let level = if limit.maximum.is_none_or(|most| most >= 20_000) {
        Ok
    } else {
        Warn
    };
    diagnosis(
        "open files",
        level,
        found,
        "for 10,000 clients raise the hard limit to 65536: ulimit -Hn, or /etc/security/limits.conf",
    )
}

fn backlog() -> Diagnosis {
    let number = |name: &str| {
        read(&format!("/proc/sys/net/{name}")).and_then(|text| text.parse::<u64>().ok())
    };
    let (accept, half_open) = (number("core/somaxconn"), number("ipv4/tcp_max_syn_backlog"));
    let show =
        |number: Option<u64>| number.map_or("not to be seen".into(), |number| number.to_string());
    let found = format!(
        "somaxconn {}, tcp_max_syn_backlog {}",
        show(accept),
        show(half_open)
    );
    let level = match accept {
        Some(..4096) => Warn,
        Some(_) => Ok,
        None => Note,
    };
    diagnosis(
        "backlog",
        level,
        found,
        "servers ask for 4096: sysctl -w net.core.somaxconn=4096 net.ipv4.tcp_max_syn_backlog=4096",
    )
}

fn ports() -> Diagnosis {
    let range = read("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let ends: Vec<u64> = range
        .split_whitespace()
        .filter_map(|end| end.parse().ok())
        .collect();
    let [first, last] = ends.as_slice() else {
        return diagnosis(
            "ports",
            Note,
            "the range is not to be seen",
            "nothing to do",
        );
    };
    let waiting = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let waiting = waiting
        .lines()
        .filter(|line| line.split_whitespace().nth(3) == Some("06"))
        .count();
    let all = last.saturating_sub(*first) + 1;
    let found = format!("{all} for clients ({first} to {last}), {waiting} of them in TIME_WAIT");
    let level = if all < 20_000 || waiting as u64 > all / 2 {
        Warn
    } else {
        Ok
    };
    diagnosis(
        "ports",
        level,
        found,
        "loads with a connection for each request run out: sysctl -w net.ipv4.ip_local_port_range='1024 65535', and wait a minute",
    )
}

fn timer_slack() -> Diagnosis {
    match read("/proc/self/timerslack_ns").and_then(|text| text.parse::<u64>().ok()) {
        None => diagnosis(
            "timer slack",
            Note,
            "not to be seen",
            "nothing to do: the generator spins before a due time",
        ),
        Some(slack) => {
            let level = if slack <= 50_000 { Ok } else { Warn };
            let found = format!("{} µs", slack as f64 / 1e3);
            diagnosis(
                "timer slack",
                level,
                found,
                "wake-ups are late by up to that; start from a plain shell, without a service manager's settings",
            )
        }
    }
}

fn cgroups() -> Diagnosis {
    match Support::find() {
        Support::None(why) => diagnosis(
            "cgroups",
            Warn,
            format!("memory cannot be limited: {why}"),
            "experiments with a memory limit run without it. Run as root, or in a delegated group: systemd-run --user --scope -p Delegate=yes archbench run …",
        ),
        support => diagnosis(
            "cgroups",
            Ok,
            format!("memory can be limited by {}", support.name()),
            "",
        ),
    }
}

fn fuse() -> Diagnosis {
    match OpenOptions::new().read(true).write(true).open("/dev/fuse") {
        std::result::Result::Ok(_) => diagnosis(
            "/dev/fuse",
            Ok,
            "a file system of our own can be mounted",
            "",
        ),
        Err(error) => diagnosis(
            "/dev/fuse",
            Note,
            format!("cannot be opened: {error}"),
            "a disk that seeks cannot be imitated here; modprobe fuse, as root, outside a container",
        ),
    }
}

fn disk() -> Diagnosis {
    let Some(home) = workload::default_dir().ok() else {
        return diagnosis(
            "file sets",
            Fail,
            "no cache directory",
            "set HOME or XDG_CACHE_HOME to an absolute path",
        );
    };
    let kind = machine::file_system(&home).unwrap_or_else(|| "an unknown file system".into());
    let level = if matches!(kind.as_str(), "tmpfs" | "ramfs") {
        Warn
    } else {
        Ok
    };
    let found = format!(
        "below {} on {kind}",
        home.parent().unwrap_or(&home).display()
    );
    diagnosis(
        "file sets",
        level,
        found,
        "there is no disk below it to wait for; set XDG_CACHE_HOME to a directory on one",
    )
}

fn hosts() -> Diagnosis {
    match network::available().err() {
        None => diagnosis(
            "hosts",
            Ok,
            "two can be made on this machine, joined by a veth pair",
            "",
        ),
        Some(why) => diagnosis(
            "hosts",
            Note,
            why,
            "without it experiments go over loopback; those with a [network] of two hosts or a link do not begin",
        ),
    }
}

fn leftovers() -> Diagnosis {
    let found = crate::trial::hosts::clean_up();
    let level = match found.as_slice() {
        [] => Ok,
        found if found.iter().all(|left| left.gone) => Note,
        _ => Warn,
    };
    let told: Vec<_> = found.into_iter().map(|left| left.told).collect();
    let told = match told.as_slice() {
        [] => "no run that was killed has left a network namespace".to_owned(),
        told => told.join("; "),
    };
    let advice = match level {
        Warn => "end the processes by hand, or restart the machine",
        _ => "nothing more to do",
    };
    diagnosis("leftovers", level, told, advice)
}

fn virtualised() -> Diagnosis {
    let flags = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    if flags
        .lines()
        .any(|line| line.starts_with("flags") && line.contains(" hypervisor"))
    {
        return diagnosis(
            "machine",
            Note,
            "virtual",
            "neighbours may disturb it; look at steal time, and repeat more often",
        );
    }
    diagnosis("machine", Ok, "not virtual, as far as it says", "")
}

/// How late a thread wakes that asked for 100 µs.
pub(super) fn wake_ups() -> Diagnosis {
    const ASKED: Duration = Duration::from_micros(100);
    let mut late: Vec<f64> = (0..200)
        .map(|_| {
            let before = Instant::now();
            std::thread::sleep(ASKED);
            before.elapsed().saturating_sub(ASKED).as_secs_f64() * 1e6
        })
        .collect();
    let (median, p99) = (
        stats::sample::median(&mut late),
        stats::sample::quantile(&mut late, 0.99),
    );
    let found =
        format!("a sleep of 100 µs ends {median:.0} µs late, {p99:.0} µs in one of a hundred");
    let level = if p99 <= 1000.0 { Ok } else { Warn };
    diagnosis(
        "timers",
        level,
        found,
        "arrivals at high rates will be late and trials INVALID; stop what else runs, or use a machine of your own",
    )
}

/// What others took of the machine between two looks.
pub(super) fn disturbance(
    before: &BTreeMap<&'static str, u64>,
    after: &BTreeMap<&'static str, u64>,
) -> Vec<Diagnosis> {
    let ticks = |name: &str| {
        let of = |counts: &BTreeMap<&str, u64>| counts.get(name).copied().unwrap_or(0);
        of(after).saturating_sub(of(before)) as f64
    };
    let all: f64 = after.keys().map(|name| ticks(name)).sum::<f64>().max(1.0);
    let steal = ticks("steal") / all * 100.0;
    let idle = ticks("idle") + ticks("iowait") + ticks("steal");
    let used: f64 = after.keys().map(|name| ticks(name)).sum::<f64>() - idle;
    let busy = used.max(0.0) / all * 100.0;
    vec![
        diagnosis(
            "steal time",
            if steal < 1.0 { Ok } else { Warn },
            format!("{steal:.1} % of processor time goes to other virtual machines"),
            "wait until they are quiet, or use dedicated cores",
        ),
        diagnosis(
            "other load",
            if busy < 10.0 { Ok } else { Warn },
            format!("{busy:.0} % of all cores is busy though nothing is measured"),
            "stop what else runs; top shows it",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stolen_and_used_time_are_told_apart() {
        let before = BTreeMap::from([("user", 0), ("idle", 0), ("steal", 0)]);
        let after = BTreeMap::from([("user", 20), ("idle", 70), ("steal", 10)]);
        let findings = disturbance(&before, &after);
        assert_eq!((findings[0].level, findings[1].level), (Warn, Warn));
        assert!(findings[0].found.starts_with("10.0 %") && findings[1].found.starts_with("20 %"));
        assert!(
            disturbance(&before, &before)
                .iter()
                .all(|finding| finding.level == Ok)
        );
    }
}
