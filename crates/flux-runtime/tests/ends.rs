//! How programs end, and what they leave behind: a source that stops them, fails, or has a defect, while flows are under way.

#![deny(warnings)]
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::time::{Duration, Instant};

use flux_runtime::{
    Arrival, Flow, Gathered, Host, Locks, Loop, Mode, Pool, Program, Scope, Source, Sourced, Step,
    Steps, Table, thread,
};

/// Far more than any of it takes; what hangs takes for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something is so that others bring about.
fn until(is_so: impl Fn() -> bool, what: &str) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::yield_now();
    }
}

/// What flows and sources of a test share.
#[derive(Default)]
struct Site {
    /// What the first source does, one after the other.
    script: Mutex<VecDeque<Act>>,
    /// Flows that are over; those that were dropped, over or not.
    over: AtomicUsize,
    dropped: AtomicUsize,
    defects: AtomicUsize,
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Gives,
    Panics,
}

/// Takes the constraint, and runs a node, which may wait: until a test has met it there twice, if there is one to be met.
struct Node {
    site: Arc<Site>,
    meets: Option<Arc<Barrier>>,
    at: At,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Source(usize),
    Enters,
    Runs,
}

impl Drop for Node {
    fn drop(&mut self) {
        if !matches!(self.at, At::Source(_)) {
            self.site.dropped.fetch_add(1, SeqCst);
        }
    }
}

impl Node {
    fn begun(site: &Arc<Site>, meets: Option<&Arc<Barrier>>) -> Self {
        Self {
            site: Arc::clone(site),
            meets: meets.cloned(),
            at: At::Enters,
        }
    }
}

impl Flow for Node {
    type Context = Arc<Site>;
    const PROGRAM: Program = Program {
        sources: &["One", "Other"],
        places: &["One", "Enter", "Run"],
        constraints: &[Scope::Program],
        paths: 1,
    };

    fn step(mut self, site: &mut Arc<Site>, locks: &mut impl Locks) -> Step<Self> {
        match self.at {
            At::Source(0) => {
                let act = site.script.lock().unwrap().pop_front();
                match act {
                    Some(Act::Gives) => Step::Begun(Self::begun(site, None)),
                    Some(Act::Panics) => panic!("a source's node has a defect, as the test has it"),
                    None => Step::Exhausted,
                }
            }
            At::Source(_) => Step::Exhausted,
            At::Enters => {
                if !locks.acquire(&[(0, Mode::Writer)], 0) {
                    return Step::Blocked(self);
                }
                self.at = At::Runs;
                Step::Next(self)
            }
            At::Runs => {
                if let Some(test) = &self.meets {
                    test.wait();
                    test.wait();
                }
                locks.release(1);
                site.over.fetch_add(1, SeqCst);
                Step::Done(0)
            }
        }
    }

    fn may_wait(&self) -> bool {
        self.at == At::Runs
    }

    fn place(&self) -> usize {
        match self.at {
            At::Source(_) => 0,
            At::Enters => 1,
            At::Runs => 2,
        }
    }
}

impl Sourced for Node {
    fn source(number: usize) -> Self {
        Self {
            site: Arc::default(),
            meets: None,
            at: At::Source(number),
        }
    }
}

struct Lender(Arc<Site>);

impl Host<Node> for Lender {
    fn context(&self) -> Arc<Site> {
        Arc::clone(&self.0)
    }

    fn defect(&self) {
        self.0.defects.fetch_add(1, SeqCst);
    }
}

/// A source that does what a test says.
struct Told(mpsc::Receiver<io::Result<Arrival<Node>>>);

impl Source<Node> for Told {
    fn next(&mut self, _: bool, _: &mut Arc<Site>) -> io::Result<Arrival<Node>> {
        // Whoever tells nothing any more has it wait for ever.
        self.0.recv().unwrap_or_else(|_| {
            loop {
                std::thread::park();
            }
        })
    }
}

type Tells = mpsc::Sender<io::Result<Arrival<Node>>>;

fn told() -> (Tells, Told) {
    let (tells, told) = mpsc::channel();
    (tells, Told(told))
}

/// Runs something that must not hang, in a thread of its own.
fn bounded<T: Send + 'static>(what: &str, run: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, is_done) = mpsc::channel();
    std::thread::spawn(move || _ = done.send(run()));
    is_done
        .recv_timeout(PATIENCE)
        .unwrap_or_else(|_| panic!("{what} hangs"))
}

fn host() -> (Arc<Site>, Arc<Lender>, Arc<Table>) {
    let site = Arc::new(Site::default());
    let host = Arc::new(Lender(Arc::clone(&site)));
    (site, host, Arc::new(Table::new(Node::PROGRAM.constraints)))
}

/// Waits until no thread has the host any more.
fn until_alone(host: &Arc<Lender>) {
    until(|| Arc::strong_count(host) == 1, "a thread is left");
}

/// Both ways in which a source ends it all, whatever is under way.
fn ends() -> [io::Result<Arrival<Node>>; 2] {
    [Ok(Arrival::Stop), Err(io::Error::other("the test's"))]
}

#[test]
fn a_loop_that_ends_leaves_no_helper_and_no_flow_and_locks_to_those_who_have_them() {
    for end in ends() {
        let (site, host, table) = host();
        let (tells, told) = told();
        let event_loop = Loop::start(2, &host, &table, None, || ()).unwrap();
        let runs = std::thread::spawn(move || event_loop.run(told).is_ok());
        let test = Arc::new(Barrier::new(2));
        let is_ok = end.is_ok();
        let first = Node::begun(&site, Some(&test));
        tells.send(Ok(Arrival::Flow(first))).unwrap();
        test.wait();
        // A helper has the first one. The second one waits for its lock.
        let second = Node::begun(&site, None);
        tells.send(Ok(Arrival::Flow(second))).unwrap();
        tells.send(end).unwrap();
        let ended = bounded("the loop", move || runs.join().unwrap());
        assert_eq!(ended, is_ok);
        assert_eq!(site.dropped.load(SeqCst), 1);
        assert_eq!(table.held(), 1, "the first one has it still");
        test.wait();
        until_alone(&host);
        assert_eq!(site.over.load(SeqCst), 1);
        assert_eq!(site.dropped.load(SeqCst), 2);
        assert_eq!(table.held(), 0);
    }
}

#[test]
fn a_source_that_ends_it_all_is_heard_while_another_waits() {
    for runtime in ["thread", "pool"] {
        for end in ends() {
            let (site, host, table) = host();
            let ((waits, one), (ends, other)) = (told(), told());
            let is_ok = end.is_ok();
            ends.send(end).unwrap();
            let run = {
                let (host, table) = (Arc::clone(&host), Arc::clone(&table));
                move || match runtime {
                    "thread" => thread::run(8, &host, vec![one, other], &table, None),
                    _ => Pool::start(2, &host, &table, None)?.run(vec![one, other]),
                }
            };
            assert_eq!(bounded(runtime, run).is_ok(), is_ok, "{runtime}");
            // What the other one has for it now is refused, and so it ends too.
            let late = Node::begun(&site, None);
            waits.send(Ok(Arrival::Flow(late))).unwrap();
            until_alone(&host);
            assert_eq!(site.over.load(SeqCst), 0, "{runtime}");
            assert_eq!(site.dropped.load(SeqCst), 1, "{runtime}");
        }
    }
}

#[test]
fn a_source_whose_node_has_a_defect_begins_anew_on_each_runtime() {
    for runtime in ["thread", "pool", "event"] {
        let (site, host, table) = host();
        *site.script.lock().unwrap() = [Act::Gives, Act::Panics, Act::Gives].into();
        let run = {
            let (host, table) = (Arc::clone(&host), Arc::clone(&table));
            move || {
                let sources = [0, 1].map(|number| Steps::new(number, Arc::clone(&table)));
                match runtime {
                    "thread" => thread::run::<Node, _>(8, &host, sources.into(), &table, None),
                    "pool" => Pool::start(2, &host, &table, None)
                        .and_then(|pool: Pool<Node, _>| pool.run(sources.into())),
                    _ => Gathered::start(&host, &table).and_then(|sources| {
                        Loop::start(2, &host, &table, None, sources.waker())?.run(sources)
                    }),
                }
            }
        };
        bounded(runtime, run).unwrap();
        assert_eq!(site.over.load(SeqCst), 2, "{runtime}");
        assert_eq!(site.defects.load(SeqCst), 1, "{runtime}");
    }
}

#[test]
fn sources_that_nobody_asks_any_more_end() {
    let (site, host, table) = host();
    // More than wait for the loop.
    *site.script.lock().unwrap() = vec![Act::Gives; 5000].into();
    let gathered = Gathered::<Node>::start(&host, &table).unwrap();
    until(|| site.script.lock().unwrap().len() < 4500, "none comes");
    drop(gathered);
    until_alone(&host);
    assert!(!site.script.lock().unwrap().is_empty());
}

#[test]
fn a_pool_that_is_not_run_leaves_no_thread() {
    let (_, host, table) = host();
    drop(Pool::<Node, _>::start(3, &host, &table, None).unwrap());
    until_alone(&host);
}
