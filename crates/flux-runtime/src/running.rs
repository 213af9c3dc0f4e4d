//! A flow that runs: where it is, and the locks that it has. What goes from thread to thread is one of these.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::locks::{Held, Waiting};
use crate::profile::{Profile, Stopwatch};
use crate::{Flow, Step};

/// A flow, and the locks that it has.
#[derive(Debug)]
pub struct Running<F, W> {
    // Dropped after the flow: nobody has a lock before what it protects is over.
    flow: F,
    held: Held<W>,
    stopwatch: Option<Stopwatch>,
}

/// How far a flow got.
#[derive(Debug)]
pub enum Progress<F, W> {
    /// What is next may wait.
    MayWait(Running<F, W>),
    /// It goes on when it is granted a constraint.
    Blocked(Running<F, W>),
    /// It is over.
    Done,
    /// A node had a defect, and the flow is lost.
    Lost,
}

impl<F: Flow, W: Waiting> Running<F, W> {
    /// A flow that begins, and has no locks.
    pub fn new(flow: F, held: Held<W>, profile: Option<&Profile>) -> Self {
        Self {
            flow,
            held,
            stopwatch: profile.and_then(Profile::stopwatch),
        }
    }

    /// How it waits for constraints.
    pub(crate) fn waiting(&self) -> &W {
        self.held.waiting()
    }

    /// Runs it to its end, in a thread that may wait.
    pub fn finish(self, context: &mut F::Context, profile: Option<&Profile>) -> Progress<F, W> {
        self.advance(context, profile, |_| false)
    }

    /// Runs it until what is next may wait.
    pub fn go_on(self, context: &mut F::Context, profile: Option<&Profile>) -> Progress<F, W> {
        self.advance(context, profile, Flow::may_wait)
    }

    /// Runs it by one step, which may wait.
    pub fn step(self, context: &mut F::Context, profile: Option<&Profile>) -> Progress<F, W> {
        let mut is_first = true;
        self.advance(context, profile, |_| !std::mem::take(&mut is_first))
    }

    fn advance(
        self,
        context: &mut F::Context,
        profile: Option<&Profile>,
        mut stops: impl FnMut(&F) -> bool,
    ) -> Progress<F, W> {
        let Self {
            mut flow,
            mut held,
            mut stopwatch,
        } = self;
        if let Some(stopwatch) = &mut stopwatch {
            stopwatch.start();
        }
        // What the context is afterwards is not known: the host makes another.
        let advanced = catch_unwind(AssertUnwindSafe(|| {
            loop {
                if stops(&flow) {
                    let running = Self {
                        flow,
                        held,
                        stopwatch,
                    };
                    return Progress::MayWait(running);
                }
                let place = stopwatch.is_some().then(|| flow.place());
                let step = flow.step(context, &mut held);
                if let (Some(stopwatch), Some(profile), Some(place)) =
                    (&mut stopwatch, profile, place)
                {
                    stopwatch.lap(profile, place);
                }
                match step {
                    Step::Next(next) | Step::Begun(next) => flow = next,
                    Step::Blocked(flow) => {
                        let running = Self {
                            flow,
                            held,
                            stopwatch,
                        };
                        return Progress::Blocked(running);
                    }
                    Step::Done(path) => {
                        if let Some(profile) = profile {
                            profile.count(path);
                        }
                        return Progress::Done;
                    }
                    Step::Exhausted => return Progress::Done,
                }
            }
        }));
        advanced.unwrap_or(Progress::Lost)
    }
}
