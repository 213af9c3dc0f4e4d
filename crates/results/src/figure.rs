//! Figures by name, as expectations, objectives, tables and columns use them.

mod found;
mod name;
mod time;

use contracts::results::Trial;
use contracts::wire::Traffic;
use contracts::{PERCENTILES, Statistic};
use found::{
    each, error_percent, float, hand_overs_per_request, loop_balance, memory_per_connection, wire,
};

pub use name::UnknownFigure;
pub use time::TimeFigure;

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

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// More is.
    Higher,
    /// Less is.
    Lower,
}

impl Figure {
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
}

#[cfg(test)]
mod tests;
