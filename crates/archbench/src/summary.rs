//! What a server says when it has stopped.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use arch::Remarks;
use command::quantity::{self, Unit, time};
use contracts::serve::{self, BlockingEdge, StageSeries};
use contracts::{Distribution, Line, PERCENTILES, Statistic, Unknown};
use meter::{Event, Snapshot, StageLook, StageSnapshot};
use sys::usage::{Usage, Who, usage};

/// What a server did, and what it took.
pub(crate) struct Summary<'a> {
    model: &'a str,
    counted: &'a Snapshot,
    /// What the room says of itself.
    remarks: BTreeMap<&'static str, String>,
    blocking_graph: Vec<BlockingEdge>,
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
        remarks: &Remarks,
        elapsed: Duration,
    ) -> std::io::Result<Self> {
        let (own, workers) = (usage(Who::Process)?, usage(Who::EndedChildren)?);
        Ok(Self {
            model,
            counted,
            remarks: remarks.all(),
            blocking_graph: remarks.blocking_graph(),
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

    /// The same for programs.
    pub(crate) fn for_programs(&self) -> serve::Summary {
        let counted = self.counted;
        let count = |event| Some(counted.count(event));
        let classes = [
            ("2xx", Event::Success),
            ("3xx", Event::Redirection),
            ("4xx", Event::ClientError),
            ("5xx", Event::ServerError),
        ];
        let by_name = |events: &[(&str, Event)]| {
            let named = events.iter();
            named
                .map(|(name, event)| ((*name).to_owned(), counted.count(*event)))
                .collect()
        };
        serve::Summary {
            event: serve::Summary::EVENT.into(),
            schema: Some(serve::SCHEMA.into()),
            model: Some(self.model.into()),
            elapsed_s: Some(self.elapsed.as_secs_f64()),
            requests: Some(counted.requests()),
            bytes: count(Event::Byte),
            connections: count(Event::Connection),
            handshakes: handshakes(counted).map(|[full, resumed]| serve::Handshakes {
                full: Some(full),
                resumed: Some(resumed),
                unknown: Unknown::new(),
            }),
            connections_by_loop: counted.connections_by_loop.clone(),
            status: by_name(&classes),
            errors: by_name(&Event::ERRORS.map(|(event, name)| (name, event))),
            server_time_us: Some(server_time(counted)),
            cpu: Some(serve::Cpu {
                user_s: Some(self.user().as_secs_f64()),
                system_s: Some(self.system().as_secs_f64()),
                per_request_us: self.cpu_per_request_us(),
                unknown: Unknown::new(),
            }),
            context_switches: Some(serve::ContextSwitches {
                voluntary: Some(self.own.voluntary_switches + self.workers.voluntary_switches),
                involuntary: Some(
                    self.own.involuntary_switches + self.workers.involuntary_switches,
                ),
                unknown: Unknown::new(),
            }),
            faults: Some(serve::PageFaults {
                minor: Some(self.own.minor_faults + self.workers.minor_faults),
                major: Some(self.own.major_faults + self.workers.major_faults),
                unknown: Unknown::new(),
            }),
            peak_resident_bytes_of_largest_process: Some(self.peak_resident_bytes()),
            peak_threads: Some(counted.peak_threads),
            peak_processes: Some(counted.peak_processes),
            residency: residency().map(str::to_owned),
            stages: counted.stages.iter().map(stage).collect(),
            blocking_graph: self.blocking_graph.clone(),
            remarks: self
                .remarks
                .iter()
                .map(|(name, text)| ((*name).to_owned(), text.clone()))
                .collect(),
            unknown: Unknown::new(),
        }
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
        line(
            "bytes sent",
            Unit::Bytes.show(counted.count(Event::Byte) as f64),
        );
        line("connections", connections(counted));
        if let Some([full, resumed]) = handshakes(counted) {
            line("handshakes", format!("{full} in full, {resumed} resumed"));
        }
        line("errors", errors(counted));
        if let Some(latencies) = latencies(counted) {
            line("readable to sent", latencies);
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
            format!(
                "{} resident{largest}",
                Unit::Bytes.show(self.peak_resident_bytes() as f64)
            ),
        );
        line(
            "at the most",
            format!(
                "{}, {}",
                quantity::counted(counted.peak_threads, "serving thread"),
                quantity::counted(counted.peak_processes, "process")
            ),
        );
        for (name, remark) in &self.remarks {
            line(name, remark.clone());
        }
        if !counted.stages.is_empty() {
            text.push_str(&stages(&counted.stages));
        }
        format!("{} has stopped\n{}", self.model, text.trim_end())
    }
}

/// What went wrong and how often.
fn errors(counted: &Snapshot) -> String {
    let counts = Event::ERRORS.map(|(event, name)| (name, counted.count(event)));
    let some = counts.iter().filter(|(_, count)| *count > 0);
    let words: Vec<_> = some
        .map(|(name, count)| format!("{} {count}", name.replace('_', " ")))
        .collect();
    match words.is_empty() {
        true => "none".to_owned(),
        false => words.join(", "),
    }
}

/// From requests being readable to their answers being sent, where there were any.
fn latencies(counted: &Snapshot) -> Option<String> {
    let shown = |nanoseconds| time(Duration::from_nanos(nanoseconds));
    let percentiles = PERCENTILES.map(|percent| {
        let at = shown(time_at(counted, percent));
        format!("p{percent} {at}, ")
    });
    let max = shown(counted.latency_ns.max());
    let has_any = !counted.latency_ns.is_empty();
    has_any.then(|| format!("{}max {max}", percentiles.concat()))
}

/// How many handshakes of TLS came to their end, in full and resumed, where any did.
fn handshakes(counted: &Snapshot) -> Option<[u64; 2]> {
    let counts = [Event::Handshake, Event::Resumption].map(|event| counted.count(event));
    (counts != [0, 0]).then_some(counts)
}

/// How many connections there were, and of several loops how many each had.
fn connections(counted: &Snapshot) -> String {
    let all = counted.count(Event::Connection).to_string();
    let by_loop = &counted.connections_by_loop;
    if by_loop.is_empty() {
        return all;
    }
    let by_loop: Vec<_> = by_loop.iter().map(u64::to_string).collect();
    format!("{all}  (by loop {})", by_loop.join(", "))
}

/// The value that a percentage of the times does not exceed, in nanoseconds.
fn time_at(counted: &Snapshot, percent: f64) -> u64 {
    let quantile = Statistic::Percentile(percent).quantile();
    counted
        .latency_ns
        .value_at_quantile(quantile.unwrap_or(1.0))
}

fn server_time(counted: &Snapshot) -> Distribution {
    let times = &counted.latency_ns;
    Distribution::of(times.len(), 0, |statistic| {
        let nanoseconds = match statistic {
            Statistic::Mean => times.mean(),
            Statistic::Min => times.min() as f64,
            Statistic::Max => times.max() as f64,
            Statistic::Percentile(percent) => time_at(counted, percent) as f64,
        };
        (nanoseconds / 1e3, false)
    })
}

/// A stage, at the end and over time.
fn stage(stage: &StageSnapshot) -> serve::StageSummary {
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
    serve::StageSummary {
        name: stage.name.to_string(),
        events: Some(now.events),
        events_per_batch: Some(rounded(per(now.events as f64, now.batches))),
        service_us: Some(rounded(per(now.busy_ns as f64 / 1e3, now.events))),
        queue_peak: Some(stage.queue_peak),
        threads_peak: Some(stage.threads_peak),
        rejected: Some(now.rejected),
        restarts: Some(now.restarts),
        over_time: StageSeries {
            at_s: since(|_, now| now.at.as_secs_f64()),
            queue: since(|_, now| now.queue as f64),
            threads: since(|_, now| now.threads as f64),
            batch: since(|_, now| now.batch as f64),
            events_per_s: since(|before, now| {
                (now.events - before.events) as f64 / seconds(before, now)
            }),
            service_us: since(|before, now| {
                let busy_us = (now.busy_ns - before.busy_ns) as f64 / 1e3;
                per(busy_us, now.events - before.events)
            }),
            rejected_per_s: since(|before, now| {
                (now.rejected - before.rejected) as f64 / seconds(before, now)
            }),
            restarts_per_s: since(|before, now| {
                (now.restarts - before.restarts) as f64 / seconds(before, now)
            }),
            unknown: Unknown::new(),
        },
        unknown: Unknown::new(),
    }
}

/// The stages at the end, for people.
fn stages(stages: &[StageSnapshot]) -> String {
    let mut text = format!(
        "  {:<18}{:>10} {:>8} {:>10} {:>13} {:>15} {:>9} {:>9}\n",
        "stage",
        "events",
        "a batch",
        "an event",
        "queue at most",
        "threads at most",
        "rejected",
        "restarts"
    );
    for stage in stages {
        let now = &stage.now;
        let _ = writeln!(
            text,
            "  {:<18}{:>10} {:>8.1} {:>10} {:>13} {:>15} {:>9} {:>9}",
            stage.name,
            now.events,
            per(now.events as f64, now.batches),
            time(Duration::from_nanos(
                per(now.busy_ns as f64, now.events) as u64
            )),
            stage.queue_peak,
            stage.threads_peak,
            now.rejected,
            now.restarts,
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
        files::Residency::Mincore => "mincore",
        files::Residency::ReadNoWait => "preadv2(RWF_NOWAIT)",
        files::Residency::Nothing => "nothing here tells",
    })
}
