//! One loop for all flows, and helpers for nodes that may wait.
//!
//! The loop runs a flow until what is next may wait, and gives it to a helper; or until a constraint is another's, and turns to others
//! until it is granted. The loop itself waits only where it asks its source, and only if nobody can go on.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use crate::locks::{Held, Table, Waiter, Waiting};
use crate::queue::Queue;
use crate::running::{Progress, Running};
use crate::source::{Arrival, Source};
use crate::{Flow, Host, Profile};

/// What the loop is told by others.
enum Notice<F> {
    /// A helper has run the node.
    Ran(Progress<F, InLine>),
    /// A flow has the constraint that it waited for.
    Granted(u64),
}

/// Notices to the loop.
struct Notices<F> {
    queue: Queue<Notice<F>>,
    /// Whether the loop waits in its source, and has to be woken.
    is_asleep: AtomicBool,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl<F> Notices<F> {
    /// Gives notice; to nobody, where the loop is no more.
    fn send(&self, notice: Notice<F>) {
        if self.queue.push(notice).is_ok() && self.is_asleep.swap(false, SeqCst) {
            (self.wake)();
        }
    }
}

impl<F> std::fmt::Debug for Notices<F> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Notices").finish_non_exhaustive()
    }
}

/// A flow of the loop's waits for a constraint: it is told of by its number.
#[derive(Clone)]
pub struct InLine {
    number: u64,
    tell: Arc<dyn Fn(u64) + Send + Sync>,
}

impl std::fmt::Debug for InLine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("InLine").field(&self.number).finish()
    }
}

impl Waiter for InLine {
    fn granted(&self) {
        (self.tell)(self.number);
    }
}

impl Waiting for InLine {
    fn waiter(&mut self) -> Arc<dyn Waiter> {
        Arc::new(self.clone())
    }

    fn wait(&mut self) -> bool {
        false
    }
}

/// A loop whose helpers are there.
pub struct Loop<F, H> {
    host: Arc<H>,
    table: Arc<Table>,
    profile: Option<Arc<Profile>>,
    notices: Arc<Notices<F>>,
    tell: Arc<dyn Fn(u64) + Send + Sync>,
    /// Flows whose next node may wait.
    jobs: Arc<Queue<Running<F, InLine>>>,
    ready: VecDeque<Running<F, InLine>>,
    blocked: HashMap<u64, Running<F, InLine>>,
    /// Flows that were granted a constraint before whoever ran them has said that they wait for it.
    granted: HashSet<u64>,
    /// How many flows have begun; how many of them are not over.
    begun: u64,
    under_way: usize,
}

impl<F: Flow, H: Host<F>> Loop<F, H> {
    /// With so many helpers, one at least; `wake` ends the source's waiting.
    ///
    /// # Errors
    /// Which of them cannot be had.
    pub fn start(
        helpers: usize,
        host: &Arc<H>,
        table: &Arc<Table>,
        profile: Option<&Arc<Profile>>,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let notices = Arc::new(Notices {
            queue: Queue::unbounded(),
            is_asleep: AtomicBool::new(false),
            wake: Box::new(wake),
        });
        let tell = {
            let notices = Arc::clone(&notices);
            Arc::new(move |number| notices.send(Notice::Granted(number)))
        };
        let event_loop = Self {
            host: Arc::clone(host),
            table: Arc::clone(table),
            profile: profile.cloned(),
            notices,
            tell,
            jobs: Arc::new(Queue::unbounded()),
            ready: VecDeque::new(),
            blocked: HashMap::new(),
            granted: HashSet::new(),
            begun: 0,
            under_way: 0,
        };
        let helpers = helpers.max(1);
        for number in 1..=helpers {
            event_loop.start_helper().map_err(|error| {
                let what = format!("cannot start helper {number} of {helpers}: {error}");
                io::Error::new(error.kind(), what)
            })?;
        }
        Ok(event_loop)
    }

    /// A helper's life: takes a flow, runs the node that may wait, gives notice.
    fn start_helper(&self) -> io::Result<()> {
        let (jobs, notices) = (Arc::clone(&self.jobs), Arc::clone(&self.notices));
        let (host, profile) = (Arc::clone(&self.host), self.profile.clone());
        let mut context = host.context();
        let help = move || {
            while let Some(running) = jobs.pop_after(|is_there| host.look(is_there)) {
                let ran = running.step(&mut context, profile.as_deref());
                if let Progress::Lost = ran {
                    host.defect();
                    context = host.context();
                }
                notices.send(Notice::Ran(ran));
            }
        };
        std::thread::Builder::new()
            .name("helper".into())
            .spawn(help)
            .map(drop)
    }

    /// Runs flows until their source is at an end, and the last flow is.
    ///
    /// # Errors
    /// What the source reports.
    pub fn run(mut self, mut source: impl Source<F>) -> io::Result<()> {
        let mut context = self.host.context();
        let mut is_over = false;
        loop {
            while let Some(notice) = self.notices.queue.try_pop() {
                self.take(notice);
            }
            if is_over && self.under_way == 0 {
                break;
            }
            let nobody_can_go_on = self.ready.is_empty();
            if !is_over {
                let may_wait = nobody_can_go_on && self.falls_asleep();
                let arrival = source.next(may_wait, &mut context)?;
                self.notices.is_asleep.store(false, SeqCst);
                match arrival {
                    Arrival::Flow(flow) => self.begin(flow),
                    Arrival::Nothing => {}
                    Arrival::Lost => self.replace(&mut context),
                    Arrival::End => is_over = true,
                    Arrival::Stop => break,
                }
            } else if nobody_can_go_on && let Some(notice) = self.notices.queue.pop() {
                self.take(notice);
            }
            // Each has one turn before others are asked for.
            for _ in 0..self.ready.len() {
                if let Some(running) = self.ready.pop_front() {
                    self.advance(running, &mut context);
                }
            }
        }
        Ok(())
    }

    /// Whether nobody has anything to tell. Whoever has from now on wakes the loop.
    fn falls_asleep(&self) -> bool {
        self.notices.is_asleep.store(true, SeqCst);
        self.notices.queue.is_empty()
    }

    fn begin(&mut self, flow: F) {
        self.begun += 1;
        self.under_way += 1;
        let waiting = InLine {
            number: self.begun,
            tell: Arc::clone(&self.tell),
        };
        let held = Held::new(Arc::clone(&self.table), waiting);
        let running = Running::new(flow, held, self.profile.as_deref());
        self.ready.push_back(running);
    }

    fn take(&mut self, notice: Notice<F>) {
        match notice {
            Notice::Ran(Progress::MayWait(running)) => self.ready.push_back(running),
            Notice::Ran(Progress::Blocked(running)) => self.block(running),
            Notice::Ran(Progress::Done | Progress::Lost) => self.under_way -= 1,
            Notice::Granted(number) => match self.blocked.remove(&number) {
                Some(running) => self.ready.push_back(running),
                None => _ = self.granted.insert(number),
            },
        }
    }

    /// Has a flow wait until it is granted what it waits for, unless it was already.
    fn block(&mut self, running: Running<F, InLine>) {
        let number = running.waiting().number;
        if self.granted.remove(&number) {
            self.ready.push_back(running);
        } else {
            self.blocked.insert(number, running);
        }
    }

    fn advance(&mut self, running: Running<F, InLine>, context: &mut F::Context) {
        match running.go_on(context, self.profile.as_deref()) {
            Progress::MayWait(running) => {
                // Nobody closes it before the loop ends.
                let _ = self.jobs.push(running);
            }
            Progress::Blocked(running) => self.block(running),
            Progress::Done => self.under_way -= 1,
            Progress::Lost => {
                self.under_way -= 1;
                self.replace(context);
            }
        }
    }

    /// A node had a defect, and what the loop lends is made anew.
    fn replace(&self, context: &mut F::Context) {
        self.host.defect();
        *context = self.host.context();
    }
}

/// Its helpers end when what they run is over; flows that nobody runs are dropped, and so are those that come of what helpers run.
impl<F, H> Drop for Loop<F, H> {
    fn drop(&mut self) {
        self.jobs.abandon();
        self.notices.queue.abandon();
    }
}

impl<F, H> std::fmt::Debug for Loop<F, H> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Loop")
            .field("under_way", &self.under_way)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::{Program, Step};

    /// A flow of one node, which may wait: until it is told to go on, or will not be.
    struct Waits(mpsc::Receiver<()>);

    impl Flow for Waits {
        type Context = ();
        const PROGRAM: Program = Program {
            sources: &[],
            places: &["Waits"],
            constraints: &[],
            paths: 1,
        };

        fn step(self, (): &mut (), _: &mut impl crate::Locks) -> Step<Self> {
            let _ = self.0.recv();
            Step::Done(0)
        }

        fn may_wait(&self) -> bool {
            true
        }

        fn place(&self) -> usize {
            0
        }
    }

    struct Nothing;

    impl Host<Waits> for Nothing {
        fn context(&self) {}
    }

    /// Gives one flow, which is not over before it is asked for another; and is at its end when a helper has said that it is.
    struct EndsAfterItsFlow {
        notices: Arc<Notices<Waits>>,
        goes_on: Option<mpsc::Sender<()>>,
    }

    impl Source<Waits> for EndsAfterItsFlow {
        fn next(&mut self, _: bool, (): &mut ()) -> io::Result<Arrival<Waits>> {
            let Some(goes_on) = self.goes_on.take() else {
                let (goes_on, waits) = mpsc::channel();
                self.goes_on = Some(goes_on);
                return Ok(Arrival::Flow(Waits(waits)));
            };
            drop(goes_on);
            while self.notices.queue.is_empty() {
                std::thread::yield_now();
            }
            Ok(Arrival::End)
        }
    }

    #[test]
    fn the_last_flow_may_be_over_before_its_source_is() {
        let table = Arc::new(Table::new(&[]));
        let event_loop = Loop::start(1, &Arc::new(Nothing), &table, None, || ()).expect("a helper");
        let source = EndsAfterItsFlow {
            notices: Arc::clone(&event_loop.notices),
            goes_on: None,
        };
        let (done, is_done) = mpsc::channel();
        std::thread::spawn(move || done.send(event_loop.run(source)));
        let ran = is_done.recv_timeout(Duration::from_secs(60));
        ran.expect("the loop waits for a flow that is over")
            .expect("no source fails");
    }

    /// Numbers of flows that can go on.
    fn ready(event_loop: &Loop<Waits, Nothing>) -> Vec<u64> {
        let numbers = event_loop.ready.iter();
        numbers.map(|running| running.waiting().number).collect()
    }

    #[test]
    fn a_flow_that_a_helper_says_is_blocked_goes_on_when_it_is_granted_and_not_before() {
        let table = Arc::new(Table::new(&[]));
        let event_loop = Loop::start(1, &Arc::new(Nothing), &table, None, || ());
        let mut event_loop = event_loop.expect("a helper");
        for is_granted_first in [false, true] {
            event_loop.begin(Waits(mpsc::channel().1));
            let running = event_loop.ready.pop_front().expect("it has begun");
            let number = running.waiting().number;
            let mut notices = [
                Notice::Ran(Progress::Blocked(running)),
                Notice::Granted(number),
            ];
            if is_granted_first {
                notices.reverse();
            }
            let [first, second] = notices;
            event_loop.take(first);
            assert!(ready(&event_loop).is_empty());
            event_loop.take(second);
            assert_eq!(ready(&event_loop), [number]);
            event_loop.ready.clear();
            assert!(event_loop.blocked.is_empty() && event_loop.granted.is_empty());
        }
    }
}
