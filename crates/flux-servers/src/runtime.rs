//! Who calls the next step of a flow, chosen when a server is started.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use command::output::Format;
use flux_runtime::{Gathered, Host, Loop, Pool, Profile, Sourced, Steps, Table, thread};

/// With a thread for each flow: beyond so many, a flow runs in the thread of its source.
const MOST_THREADS: usize = 4096;

/// Who calls the next step of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Runtime {
    /// A thread for each flow
    Thread,
    /// One of a fixed number of threads, to the flow's end
    Pool,
    /// One loop, for all flows in turn; helpers run nodes that may wait
    Event,
}

impl fmt::Display for Runtime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        formatter.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}

/// How a program is run, whichever it is.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Who calls the next step of a flow: a thread of its own, one of a pool, or a loop with helpers
    #[arg(long, value_name = "WHO", default_value = "event")]
    pub runtime: Runtime,
    /// Threads of the pool, or helpers of the loop; --runtime thread has as many as there are flows
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub threads: u32,
    /// Count which paths flows take and how long nodes run, and write that to FILE at the end, for 'archbench flux profile'
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// How readiness and the summary at the end are printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output_format: Format,
}

impl Options {
    /// Runs a program until its sources are at an end, and the last flow is; writes what was counted of it, if that was asked for.
    ///
    /// # Errors
    /// Threads that cannot be had; a profile that cannot be written.
    pub fn run<F: Sourced>(&self, host: &Arc<impl Host<F>>) -> io::Result<()> {
        let cannot_write = |error: io::Error| {
            let path = self.profile.as_deref().unwrap_or_else(|| "".as_ref());
            let what = format!("cannot write the profile {}: {error}", path.display());
            io::Error::new(error.kind(), what)
        };
        // It would be a pity to hear only at the end that it cannot be written.
        let file = self.profile.as_ref().map(File::create).transpose();
        let file = file.map_err(cannot_write)?;
        // Flows are few here, and take long beside two looks at the clock.
        let profile = file
            .as_ref()
            .map(|_| Arc::new(Profile::timing(F::PROGRAM, 1)));
        self.run_counted(host, profile.as_ref())?;
        match file.zip(profile) {
            Some((mut file, profile)) => file
                .write_all(profile.lines().as_bytes())
                .map_err(cannot_write),
            None => Ok(()),
        }
    }

    fn run_counted<F: Sourced>(
        &self,
        host: &Arc<impl Host<F>>,
        profile: Option<&Arc<Profile>>,
    ) -> io::Result<()> {
        let table = Arc::new(Table::new(F::PROGRAM.constraints));
        let threads = self.threads as usize;
        let sources = || {
            let numbers = 0..F::PROGRAM.sources.len();
            numbers.map(|number| Steps::new(number, Arc::clone(&table)))
        };
        match self.runtime {
            Runtime::Thread => {
                thread::run::<F, Steps>(MOST_THREADS, host, sources().collect(), &table, profile)
            }
            Runtime::Pool => {
                let pool: Pool<F, _> = Pool::start(threads, host, &table, profile)?;
                pool.run::<Steps>(sources().collect())
            }
            Runtime::Event => {
                let sources = Gathered::start(host, &table)?;
                Loop::start(threads, host, &table, profile, sources.waker())?.run(sources)
            }
        }
    }
}
