//! What a server says when it has stopped.

use std::fmt::Write;
use std::time::Duration;

use meter::{Event, Snapshot, StageLook, StageSnapshot};
use serde_json::{Value, json};
use sys::usage::{Usage, Who, usage};

/// The version of the JSON lines that `serve` prints.
pub(crate) const SCHEMA: &str = "archbench.serve/1";

const PERCENTILES: [(&str, f64); 6] = [
    ("p50", 0.5),
    ("p75", 0.75),
    ("p90", 0.9),
    ("p99", 0.99),
    ("p99.9", 0.999),
    ("p99.99", 0.9999),
];

/// What a server did, and what it took.
pub(crate) struct Summary<'a> {
    model: &'a str,
    counted: &'a Snapshot,
    elapsed: Duration,
    /// Of this process.
    own: Usage,
    /// Of the workers that have ended, which by now are all.
    workers: Usage,
}

impl<'a> Summary<'a> {
    pub(crate) fn new(
        model: &'a str,
        counted: &'a Snapshot,
        elapsed: Duration,
    ) -> std::io::Result<Self> {
        let (own, workers) = (usage(Who::Process)?, usage(Who::EndedChildren)?);
        Ok(Self {
            model,
            counted,
            elapsed,
            own,
            workers,
        })
    }

    fn user(&self) -> Duration {
        self.own.user + self.workers.user
    }

    fn system(&self) -> Duration {
        self.own.system + self.workers.system
    }

    /// The largest resident set of one process, of which there were several.
    fn peak_resident_bytes(&self) -> u64 {
        self.own
            .peak_resident_bytes
            .max(self.workers.peak_resident_bytes)
    }

    fn cpu_per_request_us(&self) -> Option<f64> {
        let requests = self.counted.requests();
        (requests > 0).then(|| (self.user() + self.system()).as_secs_f64() * 1e6 / requests as f64)
    }

    pub(crate) fn json(&self) -> Value {
        let counted = self.counted;
        let latency = &counted.latency_ns;
        let microseconds = |nanoseconds: u64| nanoseconds as f64 / 1e3;
        let mut server_time = json!({
            "count": latency.len(),
            "mean": latency.mean() / 1e3,
            "min": microseconds(latency.min()),
            "max": microseconds(latency.max()),
        });
        for (name, quantile) in PERCENTILES {
            server_time[name] = json!(microseconds(latency.value_at_quantile(quantile)));
        }
        let errors: serde_json::Map<_, _> = Event::ERRORS
            .iter()
            .map(|&(event, name)| (name.to_owned(), json!(counted.count(event))))
            .collect();
        json!({
            "event": "summary",
            "schema": SCHEMA,
            "model": self.model,
            "elapsed_s": self.elapsed.as_secs_f64(),
            "requests": counted.requests(),
            "bytes": counted.count(Event::Byte),
            "connections": counted.count(Event::Connection),
            "status": {
                "2xx": counted.count(Event::Success),
                "3xx": counted.count(Event::Redirection),
                "4xx": counted.count(Event::ClientError),
                "5xx": counted.count(Event::ServerError),
            },
            "errors": errors,
            "server_time_us": server_time,
            "cpu": {
                "user_s": self.user().as_secs_f64(),
                "system_s": self.system().as_secs_f64(),
                "per_request_us": self.cpu_per_request_us(),
            },
            "context_switches": {
                "voluntary": self.own.voluntary_switches + self.workers.voluntary_switches,
                "involuntary": self.own.involuntary_switches + self.workers.involuntary_switches,
            },
            "faults": {
                "minor": self.own.minor_faults + self.workers.minor_faults,
                "major": self.own.major_faults + self.workers.major_faults,
            },
            "peak_resident_bytes_of_largest_process": self.peak_resident_bytes(),
            "peak_threads": counted.peak_threads,
            "peak_processes": counted.peak_processes,
            "residency": residency(),
            "stages": counted.stages.iter().map(stage).collect::<Vec<_>>(),
        })
    }

    pub(crate) fn text(&self) -> String {
        let counted = self.counted;
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {name:<18}{value}");
        };
        line(
            "requests",
            format!(
                "{} in {:.1} s  (2xx {}, 3xx {}, 4xx {}, 5xx {})",
                counted.requests(),
                self.elapsed.as_secs_f64(),
                counted.count(Event::Success),
                counted.count(Event::Redirection),
                counted.count(Event::ClientError),
                counted.count(Event::ServerError),
            ),
        );
        line("bytes sent", bytes(counted.count(Event::Byte)));
        line("connections", counted.count(Event::Connection).to_string());
        let errors: Vec<_> = Event::ERRORS
            .iter()
            .map(|&(event, name)| (counted.count(event), name.replace('_', " ")))
            .filter(|&(count, _)| count > 0)
            .map(|(count, name)| format!("{name} {count}"))
            .collect();
        line(
            "errors",
            if errors.is_empty() {
                "none".into()
            } else {
                errors.join(", ")
            },
        );
        let latency = &counted.latency_ns;
        if !latency.is_empty() {
            let percentiles: Vec<_> = PERCENTILES
                .iter()
                .map(|&(name, quantile)| {
                    format!("{name} {}", time(latency.value_at_quantile(quantile)))
                })
                .collect();
            line(
                "readable to sent",
                format!("{}, max {}", percentiles.join(", "), time(latency.max())),
            );
        }
        line(
            "processor time",
            format!(
                "{:.2} s user, {:.2} s system{}",
                self.user().as_secs_f64(),
                self.system().as_secs_f64(),
                self.cpu_per_request_us()
                    .map_or(String::new(), |us| format!(", {us:.1} µs a request")),
            ),
        );
        line(
            "context switches",
            format!(
                "{} voluntary, {} involuntary",
                self.own.voluntary_switches + self.workers.voluntary_switches,
                self.own.involuntary_switches + self.workers.involuntary_switches,
            ),
        );
        let largest = if counted.peak_processes > 1 {
            " in the largest process"
        } else {
            ""
        };
        line(
            "peak memory",
            format!("{} resident{largest}", bytes(self.peak_resident_bytes())),
        );
        line(
            "at the most",
            format!(
                "{}, {}",
                plural(counted.peak_threads, "serving thread", "serving threads"),
                plural(counted.peak_processes, "process", "processes")
            ),
        );
        if !counted.stages.is_empty() {
            text.push_str(&stages(&counted.stages));
        }
        format!("{} has stopped\n{}", self.model, text.trim_end())
    }
}

/// A stage, at the end and over time.
fn stage(stage: &StageSnapshot) -> Value {
    let start = StageLook::default();
    let since = |of: fn(&StageLook, &StageLook) -> f64| -> Vec<f64> {
        let pairs = std::iter::once(&start)
            .chain(&stage.looks)
            .zip(&stage.looks);
        pairs
            .map(|(before, now)| rounded(of(before, now)))
            .collect()
    };
    let now = &stage.now;
    json!({
        "name": stage.name,
        "events": now.events,
        "events_per_batch": rounded(per(now.events as f64, now.batches)),
        "service_us": rounded(per(now.busy_ns as f64 / 1e3, now.events)),
        "queue_peak": stage.queue_peak,
        "threads_peak": stage.threads_peak,
        "rejected": now.rejected,
        "over_time": {
            "at_s": since(|_, now| now.at.as_secs_f64()),
            "queue": since(|_, now| now.queue as f64),
            "threads": since(|_, now| now.threads as f64),
            "batch": since(|_, now| now.batch as f64),
            "events_per_s": since(|before, now| (now.events - before.events) as f64 / seconds(before, now)),
            "service_us": since(|before, now| {
                let busy_us = (now.busy_ns - before.busy_ns) as f64 / 1e3;
                per(busy_us, now.events - before.events)
            }),
            "rejected_per_s": since(|before, now| (now.rejected - before.rejected) as f64 / seconds(before, now)),
        },
    })
}

/// The stages at the end, for people.
fn stages(stages: &[StageSnapshot]) -> String {
    let mut text = format!(
        "  {:<18}{:>10} {:>8} {:>10} {:>13} {:>15} {:>9}\n",
        "stage", "events", "a batch", "an event", "queue at most", "threads at most", "rejected"
    );
    for stage in stages {
        let now = &stage.now;
        let _ = writeln!(
            text,
            "  {:<18}{:>10} {:>8.1} {:>10} {:>13} {:>15} {:>9}",
            stage.name,
            now.events,
            per(now.events as f64, now.batches),
            time(per(now.busy_ns as f64, now.events) as u64),
            stage.queue_peak,
            stage.threads_peak,
            now.rejected,
        );
    }
    text
}

fn seconds(before: &StageLook, now: &StageLook) -> f64 {
    (now.at - before.at).as_secs_f64().max(1e-9)
}

fn per(sum: f64, count: u64) -> f64 {
    sum / count.max(1) as f64
}

/// As many digits as anybody will read.
fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// How this process asked the kernel what is in memory; none that only waits ever asks.
fn residency() -> Option<&'static str> {
    arch::residency().map(|method| match method {
        files::Residency::CacheStat => "cachestat, confirmed by mincore",
        files::Residency::ReadNoWait => "preadv2(RWF_NOWAIT)",
        files::Residency::Mincore => "mincore",
    })
}

fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn time(nanoseconds: u64) -> String {
    let nanoseconds = nanoseconds as f64;
    match nanoseconds {
        ..1e6 => format!("{:.1} µs", nanoseconds / 1e3),
        ..1e9 => format!("{:.1} ms", nanoseconds / 1e6),
        _ => format!("{:.1} s", nanoseconds / 1e9),
    }
}

pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{count} B")
    } else {
        format!("{value:.1} {}", UNITS[unit])
    }
}
