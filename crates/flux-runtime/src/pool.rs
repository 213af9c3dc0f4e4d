//! A pool: a fixed number of threads, each of which runs a flow to its end.

use std::io;
use std::sync::Arc;

use crate::locks::{Held, Parked, Table};
use crate::queue::Queue;
use crate::running::{Progress, Running};
use crate::source::{Arrival, Source};
use crate::{Flow, Host, Profile, sources};

/// A flow may wait for a thread behind so many others; beyond, the sources wait.
const WAITING: usize = 1024;

/// A pool, whose threads are there.
#[derive(Debug)]
pub struct Pool<F, H> {
    flows: Arc<Queue<Running<F, Parked>>>,
    threads: Vec<std::thread::JoinHandle<()>>,
    host: Arc<H>,
    table: Arc<Table>,
    profile: Option<Arc<Profile>>,
}

impl<F: Flow, H: Host<F>> Pool<F, H> {
    /// So many threads, one at least.
    ///
    /// # Errors
    /// Which of them cannot be had.
    pub fn start(
        count: usize,
        host: &Arc<H>,
        table: &Arc<Table>,
        profile: Option<&Arc<Profile>>,
    ) -> io::Result<Self> {
        let mut pool = Self {
            flows: Arc::new(Queue::bounded(WAITING)),
            threads: Vec::with_capacity(count),
            host: Arc::clone(host),
            table: Arc::clone(table),
            profile: profile.cloned(),
        };
        let count = count.max(1);
        for number in 1..=count {
            let (flows, host) = (Arc::clone(&pool.flows), Arc::clone(host));
            let profile = pool.profile.clone();
            let mut context = host.context();
            let work = move || {
                while let Some(running) = flows.pop_after(|is_there| host.look(is_there)) {
                    if let Progress::Lost = running.finish(&mut context, profile.as_deref()) {
                        host.defect();
                        context = host.context();
                    }
                }
            };
            let thread = std::thread::Builder::new()
                .name("worker".into())
                .spawn(work);
            pool.threads.push(thread.map_err(|error| {
                let what = format!("cannot start thread {number} of {count}: {error}");
                io::Error::new(error.kind(), what)
            })?);
        }
        Ok(pool)
    }

    /// Runs flows until their sources are at an end, and the last flow is.
    ///
    /// # Errors
    /// What a source reports.
    pub fn run<S: Source<F> + Send + 'static>(mut self, from: Vec<S>) -> io::Result<()> {
        let give = {
            let (flows, host) = (Arc::clone(&self.flows), Arc::clone(&self.host));
            let (table, profile) = (Arc::clone(&self.table), self.profile.clone());
            move |mut source: S| {
                let mut context = host.context();
                loop {
                    match source.next(true, &mut context)? {
                        Arrival::Flow(flow) => {
                            let held = Held::new(Arc::clone(&table), Parked::default());
                            let running = Running::new(flow, held, profile.as_deref());
                            if flows.push(running).is_err() {
                                // Another source has ended it all.
                                return Ok(false);
                            }
                        }
                        Arrival::Nothing => {}
                        Arrival::Lost => {
                            host.defect();
                            context = host.context();
                        }
                        Arrival::End => return Ok(true),
                        Arrival::Stop => return Ok(false),
                    }
                }
            }
        };
        if !sources::run(F::PROGRAM.sources, from, give)? {
            return Ok(());
        }
        self.flows.close();
        for thread in self.threads.drain(..) {
            // It catches what its flows do.
            let _ = thread.join();
        }
        Ok(())
    }
}

/// Its threads end when what they run is over, and flows that have none yet are dropped.
impl<F, H> Drop for Pool<F, H> {
    fn drop(&mut self) {
        self.flows.abandon();
    }
}
