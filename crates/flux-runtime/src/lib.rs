//! What programs of Flux run on: constraints as locks, and three answers to the question who calls the next step.
//!
//! The compiler makes one type of a program, a [`Flow`]: where a flow is, and what it has in hand. Its `step` runs one node. So
//! the runtimes differ in nothing else:
//!
//! | runtime | who calls `step` | who waits |
//! | --- | --- | --- |
//! | [`thread`] | a thread for each flow | that thread |
//! | [`pool`] | one of so many threads, to the flow's end | that thread, and the flows in the queue if all do |
//! | [`event`] | one loop, for all flows in turn | a helper, for a node that may wait; nobody, for a constraint |
//!
//! It takes nothing but the standard library, for its text goes along with every program that is built.

pub mod event;
pub mod locks;
pub mod pool;
pub mod profile;
pub mod queue;
pub mod running;
pub mod source;
mod sources;
pub mod thread;

pub use event::Loop;
pub use locks::{Held, Locks, Table};
pub use pool::Pool;
pub use profile::Profile;
pub use running::Running;
pub use source::{Arrival, Gathered, Source, Steps};

/// What the compiler makes of a program: a flow somewhere on its way.
pub trait Flow: Sized + Send + 'static {
    /// What each thread has that runs nodes, and lends to them.
    type Context: Send + 'static;
    /// What there is to know of the program.
    const PROGRAM: Program;

    /// Does what is next: runs a node, takes a way, takes constraints.
    fn step(self, context: &mut Self::Context, locks: &mut impl Locks) -> Step<Self>;

    /// Whether what is next may wait for something else than a constraint.
    fn may_wait(&self) -> bool;

    /// Where it is: a place of [`Program::places`].
    fn place(&self) -> usize;
}

/// A program whose sources are nodes too.
pub trait Sourced: Flow {
    /// A source at its beginning.
    fn source(number: usize) -> Self;
}

/// What there is to know of a program while it runs.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// The names of its sources.
    pub sources: &'static [&'static str],
    /// What flows do: the name of the node for each place.
    pub places: &'static [&'static str],
    /// Among whom each constraint holds, in their order.
    pub constraints: &'static [Scope],
    /// How many paths there are, which are numbered from 0 on.
    pub paths: u64,
}

/// Among whom a constraint holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All flows.
    Program,
    /// Those of one session.
    Session,
}

/// Whether those that have a constraint run beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Beside other readers.
    Reader,
    /// Alone.
    Writer,
}

/// What came of a step.
#[derive(Debug)]
pub enum Step<F> {
    /// The flow goes on.
    Next(F),
    /// A constraint is another's; the flow goes on there when it has it.
    Blocked(F),
    /// The source has a result, with which this flow begins; the source itself begins anew.
    Begun(F),
    /// The flow is over, and took the path with this number.
    Done(u64),
    /// The source gives no more.
    Exhausted,
}

/// What the runtimes ask of whoever has a program run. Neither may panic: the thread that asks would be lost.
pub trait Host<F: Flow>: Send + Sync + 'static {
    /// What one more thread lends to the nodes that it runs: of a pool or of helpers, whoever starts it asks, so that all of them have it
    /// before any runs.
    fn context(&self) -> F::Context;

    /// A node had a defect: its flow is lost, and the thread asks for another context.
    fn defect(&self) {}

    /// A thread has nothing to run, and sleeps until somebody wakes it when this returns. By default that is at once; who looks for a while
    /// whether there is something by now need not be woken.
    fn look(&self, is_there: &dyn Fn() -> bool) {
        let _ = is_there;
    }
}
