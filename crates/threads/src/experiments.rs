//! What is varied, and what is expected to come out.

use crate::trial::{Kind, Workload};

/// An experiment.
pub(crate) struct Experiment {
    pub(crate) name: &'static str,
    pub(crate) question: &'static str,
    pub(crate) reasoning: &'static str,
    pub(crate) workload: Workload,
    /// How many threads; where a kind cannot have as many, its axis ends, and the trial says at what.
    pub(crate) threads: &'static [usize],
    /// For people, and as a ratio between cells with its bound.
    pub(crate) expect: &'static [(&'static str, &'static str)],
}

pub(crate) const KINDS: [(Kind, &str); 3] = [
    (Kind::Fibers, "fibers"),
    (Kind::Kernel, "kernel"),
    (Kind::Tasks, "tasks"),
];

pub(crate) const EXPERIMENTS: [Experiment; 2] = [
    Experiment {
        name: "capriccio-threads",
        question: "How much does it cost to switch between threads of each kind, and how does that change with their number?",
        reasoning: "Pairs of a producer and a consumer, with room for one item between the two, so that each item takes a switch there and \
            a switch back. Figure 1 of Capriccio has its threads above the kernel's by several times, and a dip where their stacks leave \
            the cache. Tasks have no stack: what each keeps is in a cache line or two. All is on one core, and no item takes any work.",
        workload: Workload::ProducerConsumer,
        threads: &[2, 20, 200, 2000, 20_000, 100_000],
        expect: &[
            (
                "Green threads are above the kernel's by several times",
                "fibers@connections=200 / kernel@connections=200 >= 3",
            ),
            (
                "They dip where their stacks leave the cache",
                "fibers@connections=100000 / fibers@connections=200 <= 0.7",
            ),
        ],
    },
    Experiment {
        name: "capriccio-idle",
        question: "Do threads that wait cost those that do not anything?",
        reasoning: "Ten threads pass a token around beside others that wait for what never comes. Figure 2 of Capriccio has them flat. \
            The memory of each that waits is the resident memory of the server here, over their number.",
        workload: Workload::Token,
        threads: &[1, 100, 10_000, 100_000],
        expect: &[
            (
                "Green threads are flat",
                "fibers@connections=100000 / fibers@connections=1 >= 0.9",
            ),
            (
                "So are tasks",
                "tasks@connections=100000 / tasks@connections=1 >= 0.9",
            ),
            (
                "A green thread that waits takes 6 KB at the most",
                "peak_resident(fibers@connections=100000) / 100000 <= 6144",
            ),
        ],
    },
];
