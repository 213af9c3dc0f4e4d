//! The report for programs.
//!
//! The schema is named in `schema`. Within a version fields may be added; a field that changes its meaning or goes makes a new version.
//! Of `requests.scheduled`, all that were due, `warming_up` fell into the warm-up and count in nothing else. Of the others `errors_total`
//! failed, which is `error_percent` of them; `errors` has these by class, and beside them bytes that answered nothing (`unsolicited`).
//! Times are in microseconds where the name ends in `_us`, in seconds where it ends in `_s`. A field is `null` where nothing was measured.

use super::Report;
use super::figures::{Metric, PERCENTILES};
use crate::clock::seconds;
use crate::failure::Failure;
use crate::run::{Model, Run};
use crate::schedule::Think;
use serde_json::{Map, Value, json};
use stats::hist::Censored;
use std::time::{Duration, SystemTime};

/// Name and version of the schema.
pub const SCHEMA: &str = "archbench.load/1";

/// The whole report.
pub fn render(report: &Report<'_>) -> Vec<u8> {
    let figures = &report.figures;
    let times = |metric| distribution(figures.times(metric));
    let mut root = Map::new();
    let mut put = |name: &str, value: Value| {
        root.insert(name.to_owned(), value);
    };
    let reasons: Vec<&str> = report
        .findings
        .iter()
        .map(|found| found.text.as_str())
        .collect();
    put("schema", json!(SCHEMA));
    put("verdict", json!(report.level()));
    put("reasons", json!(reasons));
    put("findings", json!(report.findings));
    put("notes", json!(report.notes));
    put("exit_status", json!(report.exit_status()));
    put("requests", requests(report));
    put(
        "throughput",
        json!({
            "requests_per_s": figures.requests_per_s(),
            "bytes": report.outcome.record.counts.bytes,
            "bytes_per_s": figures.bytes_per_s(),
            "window_s": figures.window_s(),
        }),
    );
    let closed = report.run.is_closed_loop();
    put(
        "response_time_is",
        json!(if closed {
            "service time: a closed loop has no intended times"
        } else {
            "last byte - intended"
        }),
    );
    put("response_time_us", times(Metric::Response));
    put("service_time_us", times(Metric::Service));
    put("connection_wait_us", times(Metric::Wait));
    put("generator_lag_us", times(Metric::Lag));
    put("first_byte_us", times(Metric::FirstByte));
    put("connect_time_us", times(Metric::Connect));
    put("session_time_us", times(Metric::Session));
    put("fairness", json!(figures.fairness()));
    put("stationarity", stationarity(report));
    put("slo", json!(report.slos));
    put("series", json!(report.outcome.seconds));
    put("generator", generator(report));
    put("run", run(report));
    put("host", json!(report.host));
    let mut text = serde_json::to_vec_pretty(&Value::Object(root)).unwrap_or_default();
    text.push(b'\n');
    text
}

fn us(nanos: f64) -> f64 {
    nanos / 1e3
}

fn distribution(times: Option<&Censored>) -> Value {
    let Some(times) = times.filter(|times| !times.is_empty()) else {
        return Value::Null;
    };
    let mut out = Map::new();
    let mut at_least = Vec::new();
    let mut put = |name: &str, nanos: f64, bound: bool| {
        out.insert(name.to_owned(), json!(us(nanos)));
        if bound {
            at_least.push(name.to_owned());
        }
    };
    let (mean, mean_bound) = times.mean();
    put("mean", mean, mean_bound);
    put("min", times.quantile(0.0).value as f64, false);
    let max = times.max();
    put("max", max.value as f64, max.at_least);
    for (name, quantile) in PERCENTILES {
        let bound = times.quantile(quantile);
        put(name, bound.value as f64, bound.at_least);
    }
    out.insert("count".to_owned(), json!(times.len()));
    out.insert("censored".to_owned(), json!(times.given_up()));
    out.insert("at_least".to_owned(), json!(at_least));
    Value::Object(out)
}

fn requests(report: &Report<'_>) -> Value {
    let (outcome, counts) = (report.outcome, &report.outcome.record.counts);
    let classes = |which: fn(usize) -> bool| -> Map<String, Value> {
        let named = counts.by_class(which);
        named
            .map(|(name, count)| (name.to_owned(), json!(count)))
            .collect()
    };
    let examples = outcome.record.examples.iter().map(|example| &example.words);
    let statuses: Map<String, Value> = (0..)
        .zip(&outcome.record.statuses)
        .filter(|(_, count)| **count > 0)
        .map(|(status, count): (u32, &u64)| (status.to_string(), json!(count)))
        .collect();
    json!({
        "scheduled": outcome.scheduled,
        "warming_up": counts.warming_up,
        "sent": counts.sent,
        "completed": counts.completed,
        "censored": report.figures.censored(),
        "unfinished": outcome.unfinished,
        "never_sent": outcome.unsent,
        "waited_for_connection": counts.waited,
        "retried": counts.retried,
        "behind_announced_close": counts.behind_close,
        "verified": counts.verified,
        "errors": classes(|class| !Failure::is_of_connecting(class)),
        "errors_total": report.figures.errors(),
        "error_percent": report.figures.error_percent(),
        "connects_failed": classes(Failure::is_of_connecting),
        "error_examples": examples.collect::<Vec<_>>(),
        "statuses": statuses,
    })
}

fn stationarity(report: &Report<'_>) -> Value {
    let Some(trend) = &report.trend else {
        return Value::Null;
    };
    let p99 = report
        .figures
        .times(Metric::Response)
        .map(|times| times.quantile(0.99).value);
    let mut value = json!(trend);
    if let Value::Object(fields) = &mut value {
        let steady = p99.filter(|_| trend.steady).map(|p99| us(p99 as f64));
        fields.insert("steady_p99_us".to_owned(), json!(steady));
    }
    value
}

fn generator(report: &Report<'_>) -> Value {
    let (outcome, cpu) = (report.outcome, report.outcome.cpu);
    json!({
        "threads": report.run.threads,
        "connections": outcome.connections,
        "connections_made": outcome.record.counts.connected,
        "connections_without_answer": outcome.unheard,
        "busy": outcome.busy,
        "starved": outcome.starved,
        "machine_time_stolen": outcome.stolen,
        "cpu_user_s": cpu.user.as_secs_f64(),
        "cpu_system_s": cpu.system.as_secs_f64(),
        "cpu_spun_s": cpu.spun.as_secs_f64(),
        "cpu_us_per_request": report.figures.cpu_s_per_request() * 1e6,
    })
}

fn run(report: &Report<'_>) -> Value {
    let run = report.run;
    let started = report
        .started
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    json!({
        "arguments": report.arguments,
        "version": env!("CARGO_PKG_VERSION"),
        "title": report.title,
        "seed": run.seed,
        "model": model(run),
        "address": run.address.to_string(),
        "targets": run.targets.targets.len(),
        "first_target": run.targets.targets.first().map(|target| &target.url),
        "clients": run.clients,
        "max_connections": run.max_connections,
        "pipeline": run.depth,
        "requests_per_connection": (run.requests_per_connection < u64::MAX).then_some(run.requests_per_connection),
        "expect": run.expect.to_string(),
        "verify": run.verify,
        "cores": run.cores,
        "timeout_s": seconds(run.timeout),
        "warmup_s": seconds(run.warmup),
        "duration_s": run.duration.as_ref().map(Duration::as_secs_f64),
        "requests": run.requests,
        "started_unix_s": started.as_secs_f64(),
        "elapsed_s": seconds(report.outcome.elapsed),
        "interrupted": report.outcome.interrupted,
    })
}

fn model(run: &Run) -> Value {
    let think = match run.think {
        Think::Constant(time) => json!({"constant_s": time.as_secs_f64()}),
        Think::Exponential(mean) => json!({"exponential_mean_s": mean.as_secs_f64()}),
    };
    let (name, arrivals, session) = match &run.model {
        Model::Closed => ("closed", None, None),
        Model::Open(arrivals) => ("open", Some(arrivals), None),
        Model::PartlyOpen(arrivals, each) => ("partly_open", Some(arrivals), Some(*each)),
    };
    let asked = arrivals.and_then(|arrivals| arrivals.asked.as_ref());
    json!({
        "name": name,
        "arrivals": arrivals.map(|_| match asked {
            None => "trace",
            Some((_, true)) => "poisson",
            Some((_, false)) => "constant",
        }),
        "stages": asked.map(|(stages, _)| {
            stages.iter().map(|stage| json!({
                "length_s": (stage.length != Duration::MAX).then_some(stage.length.as_secs_f64()),
                "from_per_s": stage.from,
                "to_per_s": stage.to,
            })).collect::<Vec<_>>()
        }),
        "session_requests": session,
        "think": think,
    })
}
