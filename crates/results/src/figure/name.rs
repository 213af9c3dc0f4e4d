//! What figures are called, in expectations and as columns.

use std::fmt;
use std::str::FromStr;

use contracts::Statistic;

use super::time::METRICS;
use super::{Figure, TimeFigure};

/// No figure is called so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no figure; expected throughput, bandwidth, p(N), mean, median, max, service:p(N), connect:max, fairness, loop_balance, cpu_per_request, requests_per_cpu_second, switches_per_request, wake_ups_per_request, hand_overs_per_request, errors, error_percent, availability, available_seconds, censored, completed, peak_resident, memory_per_connection, peak_threads, peak_processes, minor_faults, major_faults, and of captured packets wire_server, wire_client, retransmissions or packets_per_request"
)]
pub struct UnknownFigure(String);

/// Figures that are called by one word, each with its column.
const WORDS: [(&str, Figure, &str); 25] = [
    (
        "throughput",
        Figure::Throughput,
        "throughput_requests_per_s",
    ),
    ("bandwidth", Figure::Bandwidth, "throughput_bytes_per_s"),
    ("completed", Figure::Completed, "completed_requests"),
    ("censored", Figure::Censored, "censored_requests"),
    ("errors", Figure::Errors, "errors"),
    ("error_percent", Figure::ErrorPercent, "errors_percent"),
    ("availability", Figure::Availability, "availability_percent"),
    (
        "available_seconds",
        Figure::AvailableSeconds,
        "available_seconds_percent",
    ),
    ("fairness", Figure::Fairness, "fairness_jain"),
    (
        "loop_balance",
        Figure::LoopBalance,
        "server_loop_balance_jain",
    ),
    (
        "cpu_per_request",
        Figure::CpuPerRequest,
        "server_cpu_per_request_us",
    ),
    (
        "requests_per_cpu_second",
        Figure::RequestsPerCpuSecond,
        "server_requests_per_cpu_s",
    ),
    (
        "memory_per_connection",
        Figure::MemoryPerConnection,
        "server_memory_per_connection_bytes",
    ),
    (
        "switches_per_request",
        Figure::SwitchesPerRequest,
        "server_context_switches_per_request",
    ),
    (
        "wake_ups_per_request",
        Figure::WakeUpsPerRequest,
        "server_wake_ups_per_request",
    ),
    (
        "hand_overs_per_request",
        Figure::HandOversPerRequest,
        "server_hand_overs_per_request",
    ),
    (
        "peak_resident",
        Figure::PeakResident,
        "server_peak_resident_bytes",
    ),
    ("peak_threads", Figure::PeakThreads, "server_peak_threads"),
    (
        "peak_processes",
        Figure::PeakProcesses,
        "server_peak_processes",
    ),
    ("minor_faults", Figure::MinorFaults, "server_minor_faults"),
    ("major_faults", Figure::MajorFaults, "server_major_faults"),
    (
        "wire_server",
        Figure::WireServer,
        "wire_server_last_byte_mean_us",
    ),
    (
        "wire_client",
        Figure::WireClient,
        "wire_client_last_byte_mean_us",
    ),
    (
        "retransmissions",
        Figure::Retransmissions,
        "wire_retransmissions",
    ),
    (
        "packets_per_request",
        Figure::PacketsPerRequest,
        "wire_packets_per_request",
    ),
];

impl Figure {
    /// Every figure that `trials.csv` has a column for.
    pub fn all() -> Vec<Self> {
        let statistics = Statistic::reported();
        let words = WORDS.iter().map(|(_, figure, _)| *figure);
        let times = METRICS
            .iter()
            .flat_map(|(_, metric)| statistics.clone().map(|s| Self::Time(*metric, s)));
        words.chain(times).collect()
    }

    /// Its column, with the unit in the name.
    pub fn column(self) -> String {
        match self {
            Self::Time(metric, statistic) => {
                format!(
                    "{}_{}_us",
                    metric.name(),
                    statistic.to_string().replace('.', "_")
                )
            }
            word => word.row().2.to_owned(),
        }
    }

    fn row(self) -> &'static (&'static str, Self, &'static str) {
        let mut rows = WORDS.iter();
        rows.find(|(_, figure, _)| *figure == self)
            .expect("every figure but the times is called by one word")
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Time(metric, statistic) = self else {
            return out.write_str(self.row().0);
        };
        if *metric != TimeFigure::Latency {
            write!(out, "{}:", metric.name())?;
        }
        match statistic {
            Statistic::Percentile(percent) => write!(out, "p({percent})"),
            other => write!(out, "{other}"),
        }
    }
}

impl FromStr for Figure {
    type Err = UnknownFigure;

    fn from_str(text: &str) -> Result<Self, UnknownFigure> {
        let unknown = || UnknownFigure(text.trim().to_owned());
        let word = text.trim();
        if let Some((_, figure, _)) = WORDS.iter().find(|row| row.0 == word) {
            return Ok(*figure);
        }
        let (metric, statistic) = match word.split_once(':') {
            Some((name, statistic)) => {
                let row = METRICS.iter().find(|row| row.0 == name.trim());
                (row.ok_or_else(unknown)?.1, statistic)
            }
            None => (TimeFigure::Latency, word),
        };
        let statistic = statistic.parse().map_err(|_| unknown())?;
        Ok(Self::Time(metric, statistic))
    }
}
