//! When nothing is to be believed, and when nothing is different.

use super::{against, disturbed, seconds};
use crate::support::golden::{Attempt, Ledger, Outcome, golden};
use crate::support::queue::{Queue, Service};
use crate::support::{go, one_at_a_time, open_loop};
use load::metric::Metric;
use load::verdict::Validity;

#[test]
fn a_starved_generator_says_so() {
    let _turn = one_at_a_time();
    // A neighbour with precedence on the generator's only core.
    let allowed = rustix::thread::sched_getaffinity(None).expect("cores");
    let core = (0..1024)
        .find(|core| allowed.is_set(*core))
        .expect("a core");
    let queue = Queue::new(Service::Constant(0.0), 1);
    let over = std::sync::atomic::AtomicBool::new(false);
    let done = std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut set = rustix::thread::CpuSet::new();
                set.set(core);
                rustix::thread::sched_setaffinity(None, &set).expect("pinned");
                while !over.load(std::sync::atomic::Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let generator = scope.spawn(|| {
            // Threads inherit it.
            rustix::process::nice(19).expect("anybody may be nicer");
            let mut run = open_loop(queue.address, seconds(1.5), 4000.0, true, 16);
            run.cores = vec![core];
            go(run).expect("a run")
        });
        let done = generator.join().expect("the run ends");
        over.store(true, std::sync::atomic::Ordering::Relaxed);
        done
    });
    let report = done.report();
    assert_eq!(report.level(), Validity::Invalid, "{:?}", report.findings);
    assert_eq!(report.exit_status(), 4);
    queue.end();
}

#[test]
fn the_same_server_twice_makes_no_difference() {
    let _turn = one_at_a_time();
    golden("A/A", 3, || {
        let mut noise = Vec::new();
        let mut means = [Vec::new(), Vec::new()];
        for repeat in 0..8 {
            let queue = Queue::new(Service::Constant(0.5e-3), 1);
            let (done, served) = against(queue, |queue| {
                open_loop(queue.address, seconds(0.6), 600.0, true, 16)
            });
            means[repeat % 2].push(done.mean(Metric::Response));
            noise.extend(disturbed(&done, &served));
        }
        let compared = stats::compare::paired(&means[0], &means[1], 0.99).expect("enough");
        let checked = match compared.verdict(0.05) {
            stats::compare::Difference::None => Ok(()),
            other => Err(format!("{other:?}: {compared:?}")),
        };
        (checked, noise)
    });
}

#[test]
fn checks_that_cannot_be_shown_are_counted() {
    let attempt = |wrong: bool, disturbed: bool, others: f64| Attempt {
        checked: if wrong { Err("wrong".into()) } else { Ok(()) },
        disturbed: vec!["late".to_owned(); usize::from(disturbed)],
        others,
    };
    let mut ledger = Ledger::default();
    let mut check = |of: &[(bool, bool, f64)]| {
        let mut attempts = of.iter();
        let next = || {
            let (wrong, disturbed, others) = *attempts.next().expect("no more than these");
            attempt(wrong, disturbed, others)
        };
        match ledger.check(of.len(), next, |_| true) {
            Outcome::Shown => "shown",
            Outcome::NotShown(_) => "not shown",
            Outcome::Wrong(_) => "wrong",
        }
    };
    assert_eq!(check(&[(false, true, 0.0)]), "shown");
    assert_eq!(check(&[(true, true, 0.5), (false, false, 0.0)]), "shown");
    assert_eq!(check(&[(true, false, 0.5)]), "wrong");
    // With others at work nothing is shown, however often.
    for _ in 0..5 {
        assert_eq!(check(&[(true, true, 0.5), (true, true, 0.0)]), "not shown");
    }
    // With nobody at work it is believed twice.
    for expected in ["not shown", "not shown", "wrong"] {
        assert_eq!(check(&[(true, true, 0.0), (true, true, 0.0)]), expected);
    }
}
