use std::sync::mpsc::{self, Receiver, Sender};

use super::*;

/// A handler that waits for leave to handle an event, and says that it has.
struct Slow {
    leave: Arc<Mutex<Receiver<()>>>,
    taken: Sender<(usize, u32)>,
    batch: usize,
}

impl Handler<u32> for Slow {
    fn begin(&mut self) {
        self.batch += 1;
    }

    fn handle(&mut self, event: u32) {
        self.leave.lock().unwrap().recv().unwrap();
        self.taken.send((self.batch, event)).unwrap();
    }

    fn hand_over(&mut self) {}
}

struct Bench {
    stage: Arc<Stage<u32>>,
    leave: Sender<()>,
    taken: Receiver<(usize, u32)>,
}

impl Bench {
    fn new(places: usize, threads: Limits, batch: usize) -> Self {
        Self::looking(places, threads, batch, Spin::default())
    }

    fn looking(places: usize, threads: Limits, batch: usize, spin: Spin) -> Self {
        let meter = meter::Meter::new().unwrap();
        let [counters] = meter.stages(["test"]).unwrap();
        let plan = Plan {
            name: "test",
            places,
            threads,
            retire_after: Duration::from_millis(20),
            spin,
            batch: Limits {
                least: batch,
                most: batch,
            },
            counters,
        };
        let (leave, wait) = mpsc::channel();
        let wait = Arc::new(Mutex::new(wait));
        let (say, taken) = mpsc::channel();
        let say = Mutex::new(say);
        let stage = Stage::start(plan, move || Slow {
            leave: Arc::clone(&wait),
            taken: say.lock().unwrap().clone(),
            batch: 0,
        });
        Self {
            stage: stage.unwrap(),
            leave,
            taken,
        }
    }

    fn wait_until(&self, what: impl Fn(&Queue<u32>) -> bool) {
        let started = Instant::now();
        while !what(&self.stage.queue()) {
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "it never comes"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn let_through(&self) -> (usize, u32) {
        self.leave.send(()).unwrap();
        let poll_timeout = Duration::from_secs(20);
        self.taken.recv_timeout(poll_timeout).unwrap()
    }
}

const ONE: Limits = Limits { least: 1, most: 1 };

#[test]
fn a_full_queue_rejects_and_loses_nothing() {
    let bench = Bench::new(3, ONE, 1);
    let mut sink = Sink::to(&bench.stage);
    sink.push(0);
    sink.hand_over();
    bench.wait_until(|queue| queue.events.is_empty());
    // The thread is busy with the first, and three more have places.
    (1..=5).for_each(|event| sink.push(event));
    sink.hand_over();
    assert!(!sink.has_room());
    assert_eq!((sink.rejected(), sink.rejected()), (Some(5), Some(4)));
    assert_eq!(sink.rejected(), None);
    let taken: Vec<_> = (0..4).map(|_| bench.let_through().1).collect();
    assert_eq!(taken, [0, 1, 2, 3]);
    assert!(sink.has_room());
    bench.stage.close();
    bench.wait_until(|queue| queue.threads == 0);
}

#[test]
fn whoever_must_not_reject_waits_for_places() {
    let bench = Bench::new(2, ONE, 1);
    let mut sink = Sink::to(&bench.stage);
    (0..10).for_each(|event| sink.push(event));
    let waiting = std::thread::spawn(move || {
        sink.hand_over_all();
        sink.rejected()
    });
    let taken: Vec<_> = (0..10).map(|_| bench.let_through().1).collect();
    assert_eq!(taken, (0..10).collect::<Vec<_>>());
    assert_eq!(waiting.join().unwrap(), None);
    bench.stage.close();
}

#[test]
fn a_thread_takes_a_batch_at_a_time() {
    let bench = Bench::new(10, ONE, 4);
    let mut sink = Sink::to(&bench.stage);
    sink.push(0);
    sink.hand_over();
    bench.wait_until(|queue| queue.events.is_empty());
    (1..=9).for_each(|event| sink.push(event));
    sink.hand_over();
    let batches: Vec<_> = (0..10).map(|_| bench.let_through().0).collect();
    assert_eq!(batches, [1, 2, 2, 2, 2, 3, 3, 3, 3, 4]);
    bench.stage.close();
}

#[test]
fn a_pool_grows_under_a_long_queue_and_shrinks_when_idle() {
    let bench = Bench::new(100, Limits { least: 1, most: 3 }, 1);
    let mut sink = Sink::to(&bench.stage);
    (0..50).for_each(|event| sink.push(event));
    sink.hand_over();
    for most in [2, 3, 3] {
        Arc::clone(&bench.stage).control(Duration::from_millis(100));
        assert_eq!(bench.stage.queue().threads, most);
    }
    let mut taken: Vec<_> = (0..50).map(|_| bench.let_through().1).collect();
    taken.sort();
    assert_eq!(taken, (0..50).collect::<Vec<_>>());
    bench.wait_until(|queue| queue.threads == 1);
    // And the one that is left still works.
    sink.push(50);
    sink.hand_over();
    assert_eq!(bench.let_through().1, 50);
    bench.stage.close();
    bench.wait_until(|queue| queue.threads == 0);
}

/// Looking for so long that nobody is ever idle, nobody has to be woken, and the end is seen as well.
#[test]
fn who_looks_at_the_queue_is_never_woken() {
    let spin = Spin {
        time: Duration::from_secs(3600),
    };
    let bench = Bench::looking(10, ONE, 1, spin);
    let mut sink = Sink::to(&bench.stage);
    for event in 0..20 {
        sink.push(event);
        sink.hand_over();
        assert_eq!(bench.let_through().1, event);
        let queue = bench.stage.queue();
        assert_eq!((queue.idle, queue.waking), (0, 0));
    }
    bench.stage.close();
    bench.wait_until(|queue| queue.threads == 0);
}

/// Who has looked in vain sleeps, and is woken.
#[test]
fn who_has_looked_for_long_enough_sleeps() {
    let spin = Spin {
        time: Duration::from_micros(10),
    };
    let bench = Bench::looking(10, ONE, 1, spin);
    let mut sink = Sink::to(&bench.stage);
    for event in 0..20 {
        bench.wait_until(|queue| queue.idle == 1);
        sink.push(event);
        sink.hand_over();
        assert_eq!(bench.let_through().1, event);
    }
    bench.stage.close();
    bench.wait_until(|queue| queue.threads == 0);
}
