//! Programs that are made while a test runs, on the runtimes: each flow reads what to do next from the program's graph.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use flux::graph::Action;
use flux::{Compiled, Graph, syntax};
use flux_runtime as runtime;
use flux_runtime::locks::{Held, Locks, Waiter, Waiting};
use flux_runtime::{
    Arrival, Flow, Gathered, Host, Loop, Mode, Pool, Scope, Sourced, Step, Steps, thread,
};

pub(crate) const RUNTIMES: [&str; 3] = ["thread", "pool", "event"];

/// Flows of each source: enough to meet each other.
const FLOWS: usize = 12;
/// Far more than any of these programs takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program, as its flows read it.
pub(crate) struct Table {
    vertices: Vec<(Action, bool)>,
    sources: Vec<usize>,
    scopes: &'static [Scope],
    left: Vec<AtomicUsize>,
}

impl Table {
    pub(crate) fn new(compiled: &Compiled, is_of_session: Vec<bool>) -> Arc<Self> {
        Self::of(&compiled.program, &compiled.graph, is_of_session)
    }

    pub(crate) fn of(
        program: &flux::Program,
        graph: &Graph,
        is_of_session: Vec<bool>,
    ) -> Arc<Self> {
        let may_wait = |action: &Action| matches!(action, Action::Call { node, .. } if program.node(*node).may_wait);
        let scopes: Vec<_> = is_of_session
            .into_iter()
            .map(|is_of_session| {
                if is_of_session {
                    Scope::Session
                } else {
                    Scope::Program
                }
            })
            .collect();
        Arc::new(Self {
            vertices: graph
                .vertices
                .iter()
                .map(|vertex| (vertex.action.clone(), may_wait(&vertex.action)))
                .collect(),
            sources: graph.entries.iter().map(|entry| entry.source.0).collect(),
            // The runtime has it for as long as a program runs, which is for good.
            scopes: Vec::leak(scopes),
            left: graph.entries.iter().map(|_| AtomicUsize::new(0)).collect(),
        })
    }
}

/// A flow of such a program.
pub(crate) struct Reader {
    table: Arc<Table>,
    at: usize,
    source: usize,
    session: u64,
}

thread_local! {
    /// What a source of the calling thread reads.
    static TABLE: RefCell<Option<Arc<Table>>> = const { RefCell::new(None) };
}

impl Flow for Reader {
    type Context = Arc<Table>;
    const PROGRAM: runtime::Program = runtime::Program {
        sources: &["S0", "S1", "S2"],
        places: &[],
        constraints: &[],
        paths: 0,
    };

    fn step(self, table: &mut Arc<Table>, locks: &mut impl Locks) -> Step<Self> {
        let next = match &table.vertices[self.at].0 {
            Action::Call { next, .. } => {
                let is_source = self.at == table.sources[self.source];
                let left = &table.left[self.source];
                if is_source
                    && left
                        .fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1))
                        .is_err()
                {
                    return Step::Exhausted;
                }
                // Others come to what this one has not yet, or has given up.
                std::thread::yield_now();
                *next
            }
            Action::Acquire {
                locks: wanted,
                next,
                ..
            } => {
                let wanted: Vec<_> = wanted
                    .iter()
                    .map(|&(constraint, mode)| (constraint.0, as_it_runs(mode)))
                    .collect();
                if !locks.acquire(&wanted, self.session) {
                    return Step::Blocked(self);
                }
                *next
            }
            Action::Release { locks: held, next } => {
                locks.release(held.len());
                *next
            }
            Action::Begin { next, .. } => {
                let session = table.left[self.source].load(SeqCst) as u64 % 2;
                let begun = Self {
                    at: next.0,
                    session,
                    ..self
                };
                return Step::Begun(begun);
            }
            Action::Choose { otherwise, .. } => *otherwise,
            Action::End => return Step::Done(0),
        };
        Step::Next(Self { at: next.0, ..self })
    }

    fn may_wait(&self) -> bool {
        self.table.vertices[self.at].1
    }

    fn place(&self) -> usize {
        self.at
    }
}

impl Sourced for Reader {
    fn source(number: usize) -> Self {
        let table = TABLE
            .with_borrow(Clone::clone)
            .expect("the thread has made its context");
        let source = number.min(table.sources.len() - 1);
        Self {
            at: table.sources[source],
            source,
            session: 0,
            table,
        }
    }
}

fn as_it_runs(mode: syntax::Mode) -> Mode {
    match mode {
        syntax::Mode::Reader => Mode::Reader,
        syntax::Mode::Writer => Mode::Writer,
    }
}

struct Lender(Arc<Table>);

impl Host<Reader> for Lender {
    fn context(&self) -> Arc<Table> {
        TABLE.set(Some(Arc::clone(&self.0)));
        Arc::clone(&self.0)
    }
}

/// Runs a program to its end; what went wrong, if anything did.
pub(crate) fn run(program: &Arc<Table>, runtime: &'static str) -> Result<(), String> {
    for left in &program.left {
        left.store(FLOWS, SeqCst);
    }
    let locks = Arc::new(runtime::Table::new(program.scopes));
    let host = Arc::new(Lender(Arc::clone(program)));
    let (done, is_done) = mpsc::channel();
    let count = program.sources.len();
    let work = {
        let locks = Arc::clone(&locks);
        move || {
            let sources = || (0..count).map(|number| Steps::new(number, Arc::clone(&locks)));
            let ran = match runtime {
                "thread" => thread::run::<Reader, _>(64, &host, sources().collect(), &locks, None),
                "pool" => Pool::start(3, &host, &locks, None)
                    .and_then(|pool: Pool<Reader, _>| pool.run::<Steps>(sources().collect())),
                _ => Gathered::<Reader>::start(&host, &locks).and_then(|sources| {
                    Loop::start(2, &host, &locks, None, sources.waker())?.run(sources)
                }),
            };
            let _ = done.send(ran.map_err(|error| error.to_string()));
        }
    };
    std::thread::spawn(work);
    is_done.recv_timeout(PATIENCE).map_err(|_| "it hangs")??;
    match locks.held() {
        0 => Ok(()),
        held => Err(format!("{held} locks are held by nobody")),
    }
}

/// Never waits, and never comes to have what it has not at once.
#[derive(Clone)]
struct Refused;

impl Waiter for Refused {
    fn granted(&self) {}
}

impl Waiting for Refused {
    fn waiter(&mut self) -> Arc<dyn Waiter> {
        Arc::new(Self)
    }

    fn wait(&mut self) -> bool {
        false
    }
}

/// A flow of each source, a step of each in turn: whether all that are left wait for a lock.
pub(crate) fn deadlocks_in_lockstep(program: &Arc<Table>) -> bool {
    for left in &program.left {
        left.store(1, SeqCst);
    }
    let locks = Arc::new(runtime::Table::new(program.scopes));
    let mut context = Lender(Arc::clone(program)).context();
    let mut flows: Vec<_> = (0..program.sources.len())
        .map(|number| {
            let mut source = Steps::new(number, Arc::clone(&locks));
            let begun = runtime::Source::<Reader>::next(&mut source, true, &mut context);
            let Ok(Arrival::Flow(flow)) = begun else {
                panic!("a source gives a flow")
            };
            (Some(flow), Held::new(Arc::clone(&locks), Refused))
        })
        .collect();
    loop {
        let mut has_moved = false;
        for (place, held) in &mut flows {
            let Some(flow) = place.take() else { continue };
            match flow.step(&mut context, held) {
                Step::Next(next) => {
                    has_moved = true;
                    *place = Some(next);
                }
                // Whether it has been granted since is not asked: with two flows, nobody is left to release it.
                Step::Blocked(flow) => *place = Some(flow),
                _ => has_moved = true,
            }
        }
        if flows.iter().all(|(flow, _)| flow.is_none()) {
            return false;
        }
        if !has_moved {
            return true;
        }
    }
}
