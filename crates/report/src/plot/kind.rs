//! The kinds of figures.

use clap::ValueEnum;
use std::fmt;

/// A kind of figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FigureKind {
    /// Requests answered each second.
    Throughput,
    /// The 99th percentile over what differs.
    Latency,
    /// The mean over what differs.
    LatencyMean,
    /// The mean of one architecture beside queueing theory; choose it with --at.
    Theory,
    /// The share of requests that took no longer.
    Cdf,
    /// The share of requests that took longer, on a log axis.
    Ccdf,
    /// Latency by percentile, as the HdrHistogram tools draw it.
    Percentiles,
    /// How often which latency occurred.
    Histogram,
    /// Throughput by the second.
    Series,
    /// The 99th percentile by the second.
    SeriesP99,
    /// Processor time for each request.
    Cpu,
    /// Context switches for each request.
    Switches,
    /// Memory for each connection.
    Memory,
    /// Jain's fairness index.
    Fairness,
    /// The queues of a server made of stages, over time.
    StageQueue,
    /// The threads of its stages, over time.
    StageThreads,
    /// How many events its threads take at a time, over time.
    StageBatch,
    /// How long its stages take for an event, over time.
    StageService,
    /// Events that its stages rejected, over time.
    StageRejects,
    /// How often its stages, or its actors, were started again after a defect, over time.
    StageRestarts,
    /// Where user-level threads wait, and the ways between those places.
    BlockingGraph,
}

impl FigureKind {
    /// Whether it shows whole distributions, which histograms and percentiles of any origin can be overlaid in.
    pub(crate) fn is_of_distributions(self) -> bool {
        matches!(
            self,
            Self::Cdf | Self::Ccdf | Self::Percentiles | Self::Histogram
        )
    }

    /// Whether it shows the course of time.
    pub(crate) fn is_of_time(self) -> bool {
        matches!(self, Self::Series | Self::SeriesP99)
    }
}

/// As on the command line.
impl fmt::Display for FigureKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        out.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}
