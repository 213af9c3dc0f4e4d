//! Figures by name, as expectations, objectives, tables and columns use them.

mod found;

use std::fmt;
use std::str::FromStr;

use contracts::load::Report;
use contracts::results::Trial;
use contracts::wire::Traffic;
use contracts::{Distribution, PERCENTILES, Statistic};
use found::{
    each, error_percent, float, hand_overs_per_request, loop_balance, memory_per_connection, wire,
};

/// A figure of one trial.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Figure {
    /// Requests answered per second.
    Throughput,
    /// Bytes received per second.
    Bandwidth,
    /// A statistic of a time, in microseconds.
    Time(TimeFigure, Statistic),
    /// Requests answered.
    Completed,
    /// Requests that were given up.
    Censored,
    /// Requests that failed.
    Errors,
    /// The same in percent of those that were due.
    ErrorPercent,
    /// Requests with a good answer, in percent of those that were due and not still under way at the end.
    Availability,
    /// Seconds in which there was a good answer, in percent of those that were measured.
    AvailableSeconds,
    /// Jain's fairness index over clients, from their share of all answers: 1 if all got the same.
    Fairness,
    /// Jain's fairness index over the server's loops, from the connections that each accepted: 1 if all got the same.
    LoopBalance,
    /// The server's processor time for each request, in microseconds.
    CpuPerRequest,
    /// Requests answered for each second of processor time that the server took.
    RequestsPerCpuSecond,
    /// The server's context switches for each request.
    SwitchesPerRequest,
    /// Those that a thread of the server's came to by itself, for each request: it waited, and was woken.
    WakeUpsPerRequest,
    /// Events that the server's stages, or messages that its actors took, for each request.
    HandOversPerRequest,
    /// The most resident memory of all the server's processes together, in bytes.
    PeakResident,
    /// The same divided by the connections that were made, in bytes: what is used anyway weighs less the more there are.
    MemoryPerConnection,
    /// The most threads of the server.
    PeakThreads,
    /// The most processes of the server.
    PeakProcesses,
    /// Page faults of the server served without the disk.
    MinorFaults,
    /// Page faults of the server that had to wait for the disk.
    MajorFaults,
    /// The mean time from a request's last byte to the last of its answer at the server's interface, in microseconds.
    WireServer,
    /// The same at the client's interface; on loopback both ends have one.
    WireClient,
    /// Packets that passed the server's interface with what had passed it before.
    Retransmissions,
    /// Packets that passed the server's interface, both ways, for each request.
    PacketsPerRequest,
}

/// Which time of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeFigure {
    /// The response time in an open loop, the service time in a closed one, which has no due times.
    Latency,
    /// From when it was due to the last byte.
    Response,
    /// From writing to the last byte.
    Service,
    /// From when it was due until a connection was free.
    Wait,
    /// The generator's own delay.
    Lag,
    /// From writing to the first byte.
    FirstByte,
    /// From asking for a connection to having it.
    Connect,
    /// Of that, the handshake of TLS.
    Handshake,
    /// From the intended start of a session to the last byte of its last request.
    Session,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// More is.
    Higher,
    /// Less is.
    Lower,
}

/// No figure is called so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no figure; expected throughput, bandwidth, p(N), mean, median, max, service:p(N), connect:max, fairness, loop_balance, cpu_per_request, requests_per_cpu_second, switches_per_request, wake_ups_per_request, hand_overs_per_request, errors, error_percent, availability, available_seconds, censored, completed, peak_resident, memory_per_connection, peak_threads, peak_processes, minor_faults, major_faults, and of captured packets wire_server, wire_client, retransmissions or packets_per_request"
)]
pub struct UnknownFigure(String);

/// Figures that are called by one word.
const WORDS: [(&str, Figure, &str); 24] = [
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
const MAJOR: (&str, Figure, &str) = ("major_faults", Figure::MajorFaults, "server_major_faults");

/// The times of a request, by the names in expectations.
const METRICS: [(&str, TimeFigure); 9] = [
    ("latency", TimeFigure::Latency),
    ("response", TimeFigure::Response),
    ("service", TimeFigure::Service),
    ("wait", TimeFigure::Wait),
    ("lag", TimeFigure::Lag),
    ("first_byte", TimeFigure::FirstByte),
    ("connect", TimeFigure::Connect),
    ("handshake", TimeFigure::Handshake),
    ("session", TimeFigure::Session),
];

impl TimeFigure {
    /// As expectations call it.
    pub fn name(self) -> &'static str {
        METRICS
            .iter()
            .find(|(_, metric)| *metric == self)
            .map_or("latency", |(name, _)| name)
    }

    /// Where a generator's report has it.
    fn of(self, load: &Report) -> Option<&Distribution> {
        let times = match self {
            Self::Latency if load.is_open_loop() => &load.response_time_us,
            // What a closed loop reports as one is the service time again.
            Self::Response if !load.is_open_loop() => &None,
            Self::Response => &load.response_time_us,
            Self::Latency | Self::Service => &load.service_time_us,
            Self::Wait => &load.connection_wait_us,
            Self::Lag => &load.generator_lag_us,
            Self::FirstByte => &load.first_byte_us,
            Self::Connect => &load.connect_time_us,
            Self::Handshake => &load.handshake_time_us,
            Self::Session => &load.session_time_us,
        };
        times.as_ref()
    }
}

impl Figure {
    /// Every figure that `trials.csv` has a column for.
    pub fn all() -> Vec<Self> {
        let statistics = Statistic::reported();
        let words = WORDS.iter().chain([&MAJOR]).map(|(_, figure, _)| *figure);
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

    /// Its unit for axes and tables, empty for counts.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Throughput => "requests/s",
            Self::Bandwidth => "B/s",
            Self::Time(..) | Self::CpuPerRequest | Self::WireServer | Self::WireClient => "µs",
            Self::ErrorPercent | Self::Availability | Self::AvailableSeconds => "%",
            Self::PeakResident | Self::MemoryPerConnection => "B",
            Self::RequestsPerCpuSecond => "requests/CPU s",
            _ => "",
        }
    }

    /// Which way is better.
    pub fn better(self) -> Better {
        match self {
            Self::Throughput
            | Self::Bandwidth
            | Self::Completed
            | Self::Availability
            | Self::AvailableSeconds
            | Self::RequestsPerCpuSecond
            | Self::Fairness
            | Self::LoopBalance => Better::Higher,
            _ => Better::Lower,
        }
    }

    /// The figure of a trial, if it has it. A percentile that the generator did not report is not made up.
    pub fn of(self, trial: &Trial) -> Option<f64> {
        let load = trial.load.as_ref();
        let server = trial.server.as_ref();
        match self {
            Self::Throughput => load?.throughput.requests_per_s,
            Self::Bandwidth => load?.throughput.bytes_per_s,
            Self::Time(metric, statistic) => metric.of(load?)?.get(statistic),
            Self::Completed => float(load?.requests.completed),
            Self::Censored => float(load?.requests.censored),
            Self::Errors => float(load?.requests.errors_total),
            Self::ErrorPercent => error_percent(load?),
            Self::Availability => load?.availability_percent(),
            Self::AvailableSeconds => load?.available_seconds_percent(),
            Self::Fairness => load?.fairness.as_ref()?.jain,
            Self::LoopBalance => loop_balance(server?),
            Self::CpuPerRequest => server?.cpu.as_ref()?.per_request_us,
            Self::RequestsPerCpuSecond => {
                let each = Self::CpuPerRequest.of(trial)?;
                (each > 0.0).then(|| 1e6 / each)
            }
            Self::MemoryPerConnection => memory_per_connection(trial),
            Self::SwitchesPerRequest => {
                let server = server?;
                let switches = server.context_switches.as_ref()?;
                each(server, switches.voluntary? + switches.involuntary?)
            }
            Self::WakeUpsPerRequest => {
                let server = server?;
                each(server, server.context_switches.as_ref()?.voluntary?)
            }
            Self::HandOversPerRequest => hand_overs_per_request(server?),
            Self::PeakResident => trial
                .samples
                .iter()
                .map(|sample| sample.resident_bytes as f64)
                .reduce(f64::max)
                .or_else(|| float(server?.peak_resident_bytes_of_largest_process)),
            Self::PeakThreads => float(server?.peak_threads),
            Self::PeakProcesses => float(server?.peak_processes),
            Self::MinorFaults => float(server?.faults.as_ref()?.minor),
            Self::MajorFaults => float(server?.faults.as_ref()?.major),
            Self::WireServer => wire(trial, "server")?.last_byte_us.as_ref()?.mean,
            Self::WireClient => {
                let client = wire(trial, "client").or_else(|| wire(trial, "server"));
                client?.last_byte_us.as_ref()?.mean
            }
            Self::Retransmissions => {
                let seen = wire(trial, "server")?;
                let again = |traffic: &Option<Traffic>| traffic.as_ref()?.retransmissions;
                float(Some(again(&seen.to_server)? + again(&seen.to_client)?))
            }
            Self::PacketsPerRequest => {
                let seen = wire(trial, "server")?;
                let each = |traffic: &Option<Traffic>| traffic.as_ref()?.packets_per_request;
                Some(each(&seen.to_server)? + each(&seen.to_client)?)
            }
        }
    }

    /// Whether generators report it. Of other percentiles only the histograms know.
    pub fn is_reported(self) -> bool {
        !matches!(self, Self::Time(_, Statistic::Percentile(percent)) if !PERCENTILES.contains(&percent))
    }

    /// Whether the figure of a trial is only a lower bound, because requests were given up.
    pub fn is_at_least(self, trial: &Trial) -> bool {
        let Self::Time(metric, statistic) = self else {
            return false;
        };
        let load = trial.load.as_ref();
        load.and_then(|load| metric.of(load))
            .is_some_and(|times| times.is_at_least(statistic))
    }

    /// How well one trial by itself knows the figure: half its 95 % interval, as a share. The generator says it of the times that come first.
    pub fn precision(self, trial: &Trial) -> Option<f64> {
        let Self::Time(TimeFigure::Latency, statistic) = self else {
            return None;
        };
        let known = trial.load.as_ref()?.precision.as_ref()?;
        known.statistics.get(&statistic.to_string())?.relative
    }

    fn row(self) -> &'static (&'static str, Self, &'static str) {
        WORDS
            .iter()
            .find(|(_, figure, _)| *figure == self)
            .unwrap_or(&MAJOR)
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
        if let Some((_, figure, _)) = WORDS.iter().chain([&MAJOR]).find(|row| row.0 == word) {
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

#[cfg(test)]
mod tests;
