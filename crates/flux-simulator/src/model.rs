//! The program's graph as steps, each of which is done by a thread of some crew, at a station.

use std::time::Duration;

use flux::syntax::Scope;
use flux_runtime::Mode;

use crate::run::Load;
use crate::times::{ServiceTimes, Times};

/// Who calls the next step of a flow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Runtime {
    /// A thread for each flow.
    Thread,
    /// One of a fixed number of threads, to the flow's end.
    Pool,
    /// One loop, for all flows in turn; helpers run nodes that may wait.
    #[default]
    Event,
}

/// What the program runs on.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who calls the next step.
    pub runtime: Runtime,
    /// Threads of the pool, or helpers of the loop.
    pub threads: u32,
    /// How many threads run at a time.
    pub processors: u32,
    /// How long one of them runs while others want to; none: as if all ran at a time, each as slowly as there are others.
    pub slice: Duration,
    /// Nodes that wait for the disk and do not run meanwhile, by name.
    pub disk_nodes: Vec<String>,
    /// How many of them the disk serves at a time.
    pub disk_width: u32,
    /// What is made of observed times.
    pub service_times: ServiceTimes,
    /// How long a node takes of which no time was observed.
    pub node_time: Option<Duration>,
    /// How long its source takes for a flow; none: what the profile says that passes outside of nodes.
    pub source_time: Option<Duration>,
    /// To how many sessions flows belong.
    pub sessions: Option<u32>,
    /// The node that makes a flow a request: loads and what comes of them are of those, and other flows come besides, as they did when
    /// the program was profiled. None: each flow is one.
    pub request: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            runtime: Runtime::default(),
            threads: 16,
            processors: 1,
            slice: Duration::from_millis(3),
            disk_nodes: Vec::new(),
            disk_width: 1,
            service_times: ServiceTimes::default(),
            node_time: None,
            source_time: None,
            sessions: None,
            request: None,
        }
    }
}

/// A program that can be simulated.
#[derive(Debug, Clone)]
pub struct Model {
    pub(crate) steps: Vec<Step>,
    /// The times of nodes, by number.
    pub(crate) times: Vec<Times>,
    /// Where flows begin, and how many of all do so, by source.
    pub(crate) begins: Vec<(u32, f64)>,
    /// Crews of threads.
    pub(crate) crews: Vec<(String, Option<u32>)>,
    /// The crew of the first source; those of the others stand behind it.
    pub(crate) first_source: u32,
    /// The crew that forks and takes constraints.
    pub(crate) main: u32,
    /// The crew for nodes that may wait, if that is another one.
    pub(crate) helpers: Option<u32>,
    pub(crate) constraints: Vec<(String, Scope)>,
    pub(crate) processors: u32,
    /// In nanoseconds.
    pub(crate) slice: f64,
    pub(crate) disk_width: u32,
    pub(crate) has_disk: bool,
    pub(crate) sessions: Option<u32>,
    /// The share of flows that are requests.
    pub(crate) requests: f64,
}

/// What a flow does at a step.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// A node runs.
    Run {
        /// How long.
        times: u32,
        /// In a thread of which crew.
        crew: u32,
        /// Whether it waits for the disk, or for a processor.
        is_at_disk: bool,
        /// Whether it makes the flow a request.
        is_request: bool,
        /// What is next.
        next: u32,
        /// How likely it fails, and what is next then.
        error: Option<(f64, u32)>,
    },
    /// One of several ways: how likely it is that it is this one or one before it.
    Fork(Box<[(f64, u32)]>),
    /// Takes constraints, one after the other.
    Acquire(Box<[(usize, Mode)]>, u32),
    /// Releases them.
    Release(Box<[(usize, Mode)]>, u32),
    /// The flow is over.
    End,
}

impl Step {
    /// What may be next, and how likely it is.
    pub(crate) fn ways(&self) -> Vec<(f64, u32)> {
        match self {
            Self::Run { next, error, .. } => match error {
                Some((fails, handler)) => vec![(1.0 - fails, *next), (*fails, *handler)],
                None => vec![(1.0, *next)],
            },
            Self::Fork(ways) => {
                let mut before = 0.0;
                let ways = ways.iter().map(|&(until, next)| {
                    let likely = until - before;
                    before = until;
                    (likely, next)
                });
                ways.collect()
            }
            Self::Acquire(_, next) | Self::Release(_, next) => vec![(1.0, *next)],
            Self::End => Vec::new(),
        }
    }
}

impl Model {
    /// Whether any step is for a crew.
    pub(crate) fn is_used(&self, number: u32) -> bool {
        let is_for_it = |step: &Step| matches!(step, Step::Run { crew, .. } if *crew == number);
        number == self.main || self.steps.iter().any(is_for_it)
    }

    /// To how many sessions the flows of a load belong.
    pub fn sessions_of(&self, load: Load) -> u32 {
        match load {
            _ if !self.has_sessions() => 1,
            Load::Closed(clients, _) => self.sessions.unwrap_or(clients),
            Load::Poisson(_) | Load::Constant(_) => self.sessions.unwrap_or(1),
        }
    }

    /// Whether some constraint holds among the flows of a session only, so that their number decides who waits.
    pub fn has_sessions(&self) -> bool {
        self.constraints
            .iter()
            .any(|(_, scope)| *scope == Scope::Session)
    }
}
