//! The report for programs: [`contracts::load`] says what is in it.

use super::Report;
use super::figures::Fairness;
use super::parts::start_skew_s;
use crate::address::Address;
use crate::clock::seconds;
use crate::collect::CollectedSecond;
use crate::failure::Failure;
use crate::measure::Newcomers;
use crate::metric::Metric;
use crate::precision::LEVEL;
use crate::slo::JudgedObjective;
use contracts::{Distribution, Document, Statistic, Unknown, load};
use stats::hist::Censored;
use std::collections::BTreeMap;
use std::time::SystemTime;

/// The whole report as indented JSON.
pub fn render(report: &Report<'_>) -> Vec<u8> {
    document(report).pretty().unwrap_or_default().into_bytes()
}

/// The whole report.
pub fn document(report: &Report<'_>) -> load::Report {
    let times = |metric| report.figures.times(metric).and_then(distribution);
    let text = |text: &str| Some(text.to_owned());
    load::Report {
        schema: load::Report::SCHEMA.into(),
        verdict: Some(report.level()),
        reasons: report
            .findings
            .iter()
            .map(|found| found.text.clone())
            .collect(),
        findings: report.findings.clone(),
        notes: report.notes.clone(),
        exit_status: Some(report.exit_status().into()),
        requests: requests(report),
        throughput: load::Throughput {
            requests_per_s: Some(report.figures.requests_per_s()),
            bytes: Some(report.outcome.record.counts.bytes),
            bytes_per_s: Some(report.figures.bytes_per_s()),
            window_s: Some(report.figures.window_s()),
            unknown: Unknown::new(),
        },
        response_time_is: match report.run.is_closed_loop() {
            true => text("service time: a closed loop has no intended times"),
            false => text("last byte - intended"),
        },
        response_time_us: times(Metric::Response),
        service_time_us: times(Metric::Service),
        connection_wait_us: times(Metric::Wait),
        generator_lag_us: times(Metric::Lag),
        first_byte_us: times(Metric::FirstByte),
        connect_time_us: times(Metric::Connect),
        handshake_time_us: times(Metric::Handshake),
        session_time_us: times(Metric::Session),
        fairness: report.figures.fairness().map(fairness),
        precision: precision(report),
        stationarity: stationarity(report),
        slo: report.slos.iter().map(objective).collect(),
        series: report.outcome.seconds.iter().map(second).collect(),
        generator: generator(report),
        run: run(report),
        host: Some(report.host.clone()),
        parts: report.parts.clone(),
        start_skew_s: start_skew_s(&report.parts),
        unknown: Unknown::new(),
    }
}

fn us(nanos: f64) -> f64 {
    nanos / 1e3
}

pub(super) fn distribution(times: &Censored) -> Option<Distribution> {
    (!times.is_empty()).then(|| {
        Distribution::of(times.len(), times.given_up(), |statistic| {
            let (nanos, at_least) = times.statistic(statistic.quantile());
            (us(nanos), at_least)
        })
    })
}

fn requests(report: &Report<'_>) -> load::Requests {
    let (outcome, counts) = (report.outcome, &report.outcome.record.counts);
    let classes = |which: fn(usize) -> bool| -> BTreeMap<String, u64> {
        let named = counts.by_class(which);
        named
            .map(|(name, count)| (name.to_owned(), count))
            .collect()
    };
    let examples = outcome.record.examples.iter();
    let statuses = (0_u32..).zip(&outcome.record.statuses);
    load::Requests {
        scheduled: Some(outcome.scheduled),
        warming_up: Some(counts.warming_up),
        sent: Some(counts.sent),
        completed: Some(counts.completed),
        censored: Some(report.figures.censored()),
        unfinished: Some(outcome.unfinished),
        never_sent: Some(outcome.unsent),
        waited_for_connection: Some(counts.waited),
        retried: Some(counts.retried),
        behind_announced_close: Some(counts.behind_close),
        verified: Some(counts.verified),
        errors: classes(|class| !Failure::is_of_connecting(class)),
        errors_total: Some(report.figures.errors()),
        error_percent: Some(report.figures.error_percent()),
        connects_failed: classes(Failure::is_of_connecting),
        error_examples: examples.map(|example| example.words.clone()).collect(),
        statuses: statuses
            .filter(|(_, count)| **count > 0)
            .map(|(status, count)| (status.to_string(), *count))
            .collect(),
        unknown: Unknown::new(),
    }
}

fn fairness(fairness: Fairness) -> load::Fairness {
    load::Fairness {
        jain: Some(fairness.jain),
        clients: Some(fairness.clients as u64),
        fewest: Some(fairness.fewest),
        most: Some(fairness.most),
        answers: Vec::new(),
        unknown: Unknown::new(),
    }
}

fn precision(report: &Report<'_>) -> Option<load::Precision> {
    let precision = report.precision.as_ref()?;
    let known = Statistic::reported().filter_map(|of| {
        let within = precision.within(of)?;
        let known = load::Within {
            low_us: Some(us(within.low)),
            high_us: within.high.map(us),
            relative: within.relative,
            unknown: Unknown::new(),
        };
        Some((of.to_string(), known))
    });
    let first = match report.run.is_closed_loop() {
        true => "service_time_us",
        false => "response_time_us",
    };
    Some(load::Precision {
        of: Some(first.to_owned()),
        level: Some(LEVEL),
        independent: Some(precision.independent()),
        statistics: known.collect(),
        unknown: Unknown::new(),
    })
}

fn stationarity(report: &Report<'_>) -> Option<load::Stationarity> {
    let trend = report.trend?;
    let response = report.figures.times(Metric::Response);
    let p99 = response.map(|times| us(times.quantile(0.99).value as f64));
    Some(load::Stationarity {
        steady: Some(trend.steady),
        slope_s_per_s: Some(trend.slope_s_per_s),
        drift: Some(trend.drift),
        autocorrelation: Some(trend.autocorrelation),
        steady_p99_us: p99.filter(|_| trend.steady),
        unknown: Unknown::new(),
    })
}

fn objective(judged: &JudgedObjective) -> load::Objective {
    load::Objective {
        slo: judged.slo.clone(),
        met: judged.met,
        value: judged.value,
        limit: judged.limit,
        unit: judged.unit.to_owned(),
        at_least: judged.at_least,
        margin: judged.margin,
        unknown: Unknown::new(),
    }
}

fn second(second: &CollectedSecond) -> load::Second {
    load::Second {
        at_s: second.at_s,
        sent: Some(second.sent),
        completed: Some(second.completed),
        failed: Some(second.failed),
        connects_failed: Some(second.connects_failed),
        bytes: Some(second.bytes),
        mean_us: second.mean_us,
        p50_us: second.p50_us,
        p99_us: second.p99_us,
        p99_9_us: second.p99_9_us,
        max_us: second.max_us,
        at_least: second.at_least.iter().map(ToString::to_string).collect(),
        in_flight: Some(second.in_flight as u64),
        waiting: Some(second.waiting),
        unknown: Unknown::new(),
    }
}

fn generator(report: &Report<'_>) -> load::Generator {
    let (outcome, cpu) = (report.outcome, report.outcome.cpu);
    load::Generator {
        threads: Some(report.run.threads as u64),
        connections: Some(outcome.connections as u64),
        connections_made: Some(outcome.record.counts.connected),
        connections_made_to: made_to(report),
        sessions_resumed: (!outcome.record.handshake.is_empty())
            .then_some(outcome.record.counts.resumed),
        connections_without_answer: Some(outcome.unheard as u64),
        newcomers: outcome.newcomers.as_ref().map(newcomers),
        busy: Some(outcome.busy),
        starved: Some(outcome.starved),
        machine_time_stolen: Some(outcome.stolen),
        cpu_user_s: Some(cpu.user.as_secs_f64()),
        cpu_system_s: Some(cpu.system.as_secs_f64()),
        cpu_spun_s: Some(cpu.spun.as_secs_f64()),
        cpu_us_per_request: Some(report.figures.cpu_s_per_request() * 1e6),
        unknown: Unknown::new(),
    }
}

fn newcomers(came: &Newcomers) -> load::Newcomers {
    load::Newcomers {
        made: Some(came.made),
        failed: Some(came.failed),
        missed: Some(came.missed),
        first_failure: came.why.clone(),
        unknown: Unknown::new(),
    }
}

/// How many connections were made to each address.
fn made_to(report: &Report<'_>) -> BTreeMap<String, u64> {
    let addresses = report.run.addresses.iter().map(Address::to_string);
    addresses.zip(report.outcome.made.iter().copied()).collect()
}

fn run(report: &Report<'_>) -> load::Run {
    let started = report
        .started
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    load::Run {
        arguments: report.arguments.clone(),
        title: Some(report.title.clone()),
        started_unix_s: Some(started.as_secs_f64()),
        elapsed_s: Some(seconds(report.outcome.elapsed)),
        interrupted: Some(report.outcome.interrupted),
        ..report.run.document.clone()
    }
}
