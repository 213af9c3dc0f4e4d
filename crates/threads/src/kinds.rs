//! The same workloads, in the words of each kind of thread.

pub(crate) mod fibers;
pub(crate) mod kernel;
pub(crate) mod overload;
pub(crate) mod tasks;

use std::fmt;
use std::os::unix::fs::FileExt;

use clap::ValueEnum;
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use serde::Deserialize;

use crate::file::{READ_BYTES, ReadFile};
use crate::trial::Workload;

/// A kind of thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// Of the crate `fiber`, on one worker; calls that block are made by helpers.
    Fibers,
    /// The same, with calls that block its worker.
    FibersInline,
    /// The same with helpers, scheduled by what each is about to use.
    FibersResource,
    /// The kernel's.
    Kernel,
    /// Tasks of tokio's, on its loop of one thread; calls that block are made by its pool.
    Tasks,
}

/// Helpers, where there are some: as many as the largest disk here has arms, and as many again.
pub(crate) const HELPERS: usize = 32;

impl Kind {
    /// Whether these have anything to do there.
    pub(crate) fn does(self, workload: Workload) -> bool {
        match (self, workload) {
            (Self::Fibers, _) => true,
            (Self::FibersInline, workload) => workload == Workload::Reads,
            (Self::FibersResource, workload) => workload == Workload::Overload,
            (Self::Kernel | Self::Tasks, workload) => workload != Workload::Overload,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        formatter.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}

/// A file that is read in random places, 4 KB at a time.
pub(crate) struct RandomReads {
    file: &'static ReadFile,
    random: Xoshiro256PlusPlus,
    buffer: Box<[u8]>,
}

impl RandomReads {
    /// The places of one thread, by its number.
    pub(crate) fn new(file: &'static ReadFile, number: usize) -> Self {
        Self {
            file,
            random: Xoshiro256PlusPlus::seed_from_u64(number as u64),
            buffer: vec![0; READ_BYTES].into(),
        }
    }

    /// Reads in the next place; how often, which is once, or not at all where the trial is over and its disk gone.
    pub(crate) fn read(&mut self) -> u64 {
        let page = self.random.random_range(0..self.file.pages);
        let read = self
            .file
            .file
            .read_exact_at(&mut self.buffer, page * READ_BYTES as u64);
        u64::from(read.is_ok())
    }
}
