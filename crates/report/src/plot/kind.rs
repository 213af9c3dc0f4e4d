//! The kinds of figures.

/// A kind of figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
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
}

impl Kind {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Throughput => "throughput",
            Self::Latency => "latency",
            Self::LatencyMean => "latency-mean",
            Self::Theory => "theory",
            Self::Cdf => "cdf",
            Self::Ccdf => "ccdf",
            Self::Percentiles => "percentiles",
            Self::Histogram => "histogram",
            Self::Series => "series",
            Self::SeriesP99 => "series-p99",
            Self::Cpu => "cpu",
            Self::Switches => "switches",
            Self::Memory => "memory",
            Self::Fairness => "fairness",
            Self::StageQueue => "stage-queue",
            Self::StageThreads => "stage-threads",
            Self::StageBatch => "stage-batch",
            Self::StageService => "stage-service",
            Self::StageRejects => "stage-rejects",
        }
    }

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
