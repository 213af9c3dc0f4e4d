//! Where flows come from.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::locks::{Held, Parked, Table};
use crate::queue::Queue;
use crate::{Flow, Host, Sourced, Step};

/// What a source has for whoever asks.
#[derive(Debug)]
pub enum Arrival<F> {
    /// A flow that begins.
    Flow(F),
    /// Nothing now: it was not to wait, or was woken.
    Nothing,
    /// Nothing now: a node of the source had a defect, and the source begins anew.
    Lost,
    /// No more, ever.
    End,
    /// No more, and flows that are under way are not waited for.
    Stop,
}

/// Whoever knows of the next flow.
pub trait Source<F: Flow> {
    /// The next flow, for which it waits if it may.
    ///
    /// # Errors
    /// What keeps it from going on.
    fn next(&mut self, may_wait: bool, context: &mut F::Context) -> io::Result<Arrival<F>>;
}

/// A source of the program: its nodes are run, in the thread that asks, and it waits where they do, whether or not it may.
#[derive(Debug)]
pub struct Steps {
    number: usize,
    table: Arc<Table>,
}

impl Steps {
    /// The source with this number.
    pub fn new(number: usize, table: Arc<Table>) -> Self {
        Self { number, table }
    }
}

impl<F: Sourced> Source<F> for Steps {
    fn next(&mut self, _: bool, context: &mut F::Context) -> io::Result<Arrival<F>> {
        let mut held = Held::new(Arc::clone(&self.table), Parked::default());
        let (number, held) = (self.number, &mut held);
        // What the context is afterwards is not known: whoever has lent it makes another.
        let arrival = catch_unwind(AssertUnwindSafe(|| {
            let mut source = F::source(number);
            loop {
                source = match source.step(context, held) {
                    Step::Next(next) | Step::Blocked(next) => next,
                    Step::Begun(flow) => return Arrival::Flow(flow),
                    // The source has failed, and begins anew.
                    Step::Done(_) => return Arrival::Nothing,
                    Step::Exhausted => return Arrival::End,
                };
            }
        }));
        Ok(arrival.unwrap_or(Arrival::Lost))
    }
}

/// Sources that wait, each in a thread of its own, for a loop that must not.
#[derive(Debug)]
pub struct Gathered<F> {
    arrivals: Arc<Queue<Arrival<F>>>,
    /// Sources that have not come to their end.
    open: usize,
}

/// So many flows may have begun that the loop has not taken: the sources wait then.
const WAITING: usize = 1024;

impl<F: Sourced> Gathered<F> {
    /// All sources of the program, each of which begins at once.
    ///
    /// # Errors
    /// Where a thread cannot be had.
    pub fn start(host: &Arc<impl Host<F>>, table: &Arc<Table>) -> io::Result<Self> {
        let gathered = Self {
            arrivals: Arc::new(Queue::bounded(WAITING)),
            open: F::PROGRAM.sources.len(),
        };
        for (number, name) in F::PROGRAM.sources.iter().enumerate() {
            let (host, table) = (Arc::clone(host), Arc::clone(table));
            let arrivals = Arc::clone(&gathered.arrivals);
            let give = move || {
                let mut source = Steps::new(number, table);
                let mut context = host.context();
                while let Ok(arrival) = source.next(true, &mut context) {
                    if let Arrival::Lost = arrival {
                        host.defect();
                        context = host.context();
                        continue;
                    }
                    let is_end = matches!(arrival, Arrival::End);
                    if arrivals.push(arrival).is_err() || is_end {
                        return;
                    }
                }
            };
            std::thread::Builder::new()
                .name((*name).into())
                .spawn(give)?;
        }
        Ok(gathered)
    }

    /// What wakes the loop where it waits for the next flow.
    pub fn waker(&self) -> impl Fn() + Clone + Send + Sync + use<F> {
        let arrivals = Arc::clone(&self.arrivals);
        move || arrivals.push_over(Arrival::Nothing)
    }
}

/// Nobody asks any more: a source ends with the next flow that it has.
impl<F> Drop for Gathered<F> {
    fn drop(&mut self) {
        self.arrivals.abandon();
    }
}

impl<F: Sourced> Source<F> for Gathered<F> {
    fn next(&mut self, may_wait: bool, _: &mut F::Context) -> io::Result<Arrival<F>> {
        let arrival = if self.open == 0 {
            return Ok(Arrival::End);
        } else if may_wait {
            self.arrivals.pop()
        } else {
            self.arrivals.try_pop()
        };
        if matches!(arrival, Some(Arrival::End)) {
            self.open -= 1;
            if self.open > 0 {
                return Ok(Arrival::Nothing);
            }
        }
        Ok(arrival.unwrap_or(Arrival::Nothing))
    }
}
