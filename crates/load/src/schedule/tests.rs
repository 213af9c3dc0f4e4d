//! The core on a virtual clock.

use super::*;
use crate::clock::SECOND;
use std::time::Duration;

const MS: Nanos = 1_000_000;

fn constant(rate: f64) -> Option<workload::Schedule> {
    let stages = workload::RateStages::steady(rate, None).expect("a rate");
    Some(workload::Schedule::constant(stages))
}

fn plan(model: Model) -> Plan {
    Plan {
        model,
        arrivals: None,
        think: Think::Constant(Duration::ZERO),
        seed: 1,
        end: Nanos::MAX,
        limit: u64::MAX,
        requests: u64::MAX,
    }
}

#[test]
fn an_arrival_that_cannot_be_sent_keeps_its_time() {
    let mut schedule = Schedule::new(Plan {
        arrivals: constant(1000.0),
        ..plan(Model::Open)
    });
    assert_eq!(schedule.take(0).map(|due| due.intended), Some(0));
    assert_eq!(schedule.take(MS / 2), None);
    // Nobody could take any for 100 ms.
    assert_eq!(schedule.waiting(100 * MS), 100);
    assert_eq!(schedule.waiting(100 * MS), 100);
    for number in 1..=100 {
        let due = schedule.take(100 * MS).expect("due");
        assert_eq!((due.intended, due.number), (number * MS, number));
        assert_eq!(schedule.waiting(100 * MS), 100 - number);
    }
    assert_eq!(schedule.take(100 * MS), None);
    assert_eq!(schedule.next_at(), Some(101 * MS));
}

#[test]
fn threads_share_one_stream() {
    let part = |thread| {
        Schedule::new(Plan {
            arrivals: constant(1000.0).map(|all| all.split(thread, 2)),
            ..plan(Model::Open)
        })
    };
    let mut parts = [part(0), part(1)];
    for number in 0..100 {
        let due = parts[number % 2].take(SECOND).expect("due");
        assert_eq!(
            (due.intended, due.number),
            (number as u64 * MS, number as u64)
        );
    }
}

#[test]
fn the_stream_ends_by_time_or_by_number() {
    let by_time = Plan {
        arrivals: constant(1000.0),
        end: 10 * MS,
        ..plan(Model::Open)
    };
    let by_number = Plan {
        arrivals: constant(1000.0),
        limit: 10,
        ..plan(Model::Open)
    };
    for plan in [by_time, by_number] {
        let mut schedule = Schedule::new(plan);
        assert_eq!(schedule.waiting(SECOND), 10);
        for _ in 0..10 {
            assert!(schedule.take(SECOND).is_some());
        }
        assert!(schedule.take(SECOND).is_none());
        assert!(schedule.is_idle());
    }
}

#[test]
fn ending_early_leaves_what_was_due_before() {
    let mut schedule = Schedule::new(Plan {
        arrivals: constant(1000.0),
        ..plan(Model::Open)
    });
    schedule.end(5 * MS);
    assert_eq!(schedule.waiting(SECOND), 5);
    assert_eq!(
        (0..10).filter(|_| schedule.take(SECOND).is_some()).count(),
        5
    );
}

#[test]
fn a_client_asks_again_after_thinking() {
    let mut schedule = Schedule::new(Plan {
        think: Think::Constant(Duration::from_millis(10)),
        limit: 5,
        ..plan(Model::Closed {
            clients: 2,
            first: 0,
            of: 2,
            depth: 1,
        })
    });
    let first = schedule.take(0).expect("client 0");
    assert_eq!((first.number, first.origin), (0, Origin::Client(0)));
    assert_eq!(schedule.take(0), None, "starts are spread");
    assert_eq!(schedule.answered(first.origin, first.number, 2 * MS), None);
    assert_eq!(schedule.next_at(), Some(5 * MS));
    let second = schedule.take(5 * MS).expect("client 1");
    assert_eq!((second.number, second.origin), (1, Origin::Client(1)));
    assert_eq!(schedule.next_at(), Some(12 * MS));
    let third = schedule.take(12 * MS).expect("client 0 again");
    assert_eq!((third.intended, third.number), (12 * MS, 2));
    // The limit is five requests in all.
    schedule.answered(third.origin, third.number, 12 * MS);
    schedule.answered(second.origin, second.number, 12 * MS);
    assert!(schedule.take(SECOND).is_some());
    assert!(schedule.take(SECOND).is_some());
    assert!(schedule.is_idle());
}

#[test]
fn the_requests_of_a_session_follow_each_other() {
    let mut schedule = Schedule::new(Plan {
        arrivals: constant(10.0),
        think: Think::Constant(Duration::from_millis(20)),
        limit: 2,
        ..plan(Model::PartlyOpen {
            requests: 3,
            at_once: false,
        })
    });
    let first = schedule.take(0).expect("the first session");
    assert_eq!(first.number, 0);
    assert_eq!(schedule.next_at(), Some(100 * MS));
    assert_eq!(schedule.answered(first.origin, 0, 5 * MS), None);
    assert_eq!(schedule.next_at(), Some(25 * MS));
    let second = schedule.take(30 * MS).expect("its second request");
    assert_eq!((second.intended, second.number), (25 * MS, 1));
    schedule.answered(second.origin, 1, 35 * MS);
    let third = schedule.take(55 * MS).expect("its third request");
    assert_eq!(
        schedule.answered(third.origin, 2, 60 * MS),
        Some(0),
        "the session is complete"
    );
    let other = schedule.take(100 * MS).expect("the second session");
    assert_eq!((other.intended, other.number), (100 * MS, 3));
    schedule.failed(other.origin, 3, 110 * MS);
    assert!(schedule.is_idle(), "a session ends where it fails");
}

#[test]
fn the_requests_of_a_session_may_come_all_at_once() {
    let mut schedule = Schedule::new(Plan {
        arrivals: constant(10.0),
        limit: 3,
        requests: 8,
        ..plan(Model::PartlyOpen {
            requests: 3,
            at_once: true,
        })
    });
    let first: Vec<_> = std::iter::from_fn(|| schedule.take(0)).collect();
    let numbers = |due: &[Due]| {
        due.iter()
            .map(|due| (due.intended, due.number))
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers(&first), [(0, 0), (0, 1), (0, 2)]);
    // Whatever the order of the answers, the last one completes it.
    for number in [2, 0] {
        assert_eq!(schedule.answered(first[0].origin, number, MS), None);
    }
    assert_eq!(
        schedule.next_at(),
        Some(100 * MS),
        "nothing follows an answer"
    );
    assert_eq!(schedule.answered(first[0].origin, 1, 2 * MS), Some(0));
    // Of one that fails in part the rest is asked for; it is no session to be timed.
    assert_eq!(schedule.waiting(100 * MS), 3);
    let second = schedule.take(100 * MS).expect("the second session");
    assert_eq!(schedule.waiting(100 * MS), 2);
    schedule.failed(second.origin, 3, 110 * MS);
    let rest = [schedule.take(110 * MS), schedule.take(110 * MS)].map(|due| due.expect("due"));
    assert_eq!(numbers(&rest), [(100 * MS, 4), (100 * MS, 5)]);
    for due in rest {
        assert_eq!(schedule.answered(due.origin, due.number, 120 * MS), None);
    }
    // The last has what is left.
    let last = schedule.take(200 * MS).expect("the third session");
    assert!(schedule.take(200 * MS).is_some() && schedule.take(SECOND).is_none());
    assert_eq!(schedule.answered(last.origin, 6, SECOND), None);
    assert_eq!(schedule.answered(last.origin, 7, SECOND), None);
    assert!(schedule.is_idle() && schedule.unused_sessions.len() == schedule.sessions.len());
}

#[test]
fn think_times_follow_from_the_seed() {
    let think = Think::Exponential(Duration::from_millis(10));
    assert_eq!(think.at(1, 7), think.at(1, 7));
    assert_ne!(think.at(1, 7), think.at(2, 7));
    let n = 100_000;
    let mean = (0..n).map(|number| think.at(1, number) as f64).sum::<f64>() / n as f64;
    assert!((mean / 10e6 - 1.0).abs() < 0.02, "{mean}");
}

#[test]
fn the_last_session_has_what_is_left_of_the_requests() {
    for (requests, shares, threads) in [
        (10, 1, 1),
        (12, 1, 1),
        (1, 1, 1),
        (10, 1, 3),
        (3, 1, 2),
        (10, 4, 1),
        (50, 3, 2),
    ] {
        let mut made = vec![];
        let mut sessions = vec![];
        for (share, thread) in (0..shares).flat_map(|share| (0..threads).map(move |t| (share, t))) {
            let mut schedule = Schedule::new(Plan {
                arrivals: constant(1000.0)
                    .map(|all| all.thin(share, shares, 1).split(thread, threads)),
                limit: (requests as u64).div_ceil(4),
                requests: requests as u64,
                ..plan(Model::PartlyOpen {
                    requests: 4,
                    at_once: false,
                })
            });
            while let Some(due) = schedule.take(SECOND) {
                made.push(due.number);
                sessions.extend(schedule.answered(due.origin, due.number, SECOND));
            }
            assert!(schedule.is_idle() && schedule.waiting(SECOND) == 0);
        }
        made.sort_unstable();
        assert_eq!(made, (0..requests as u64).collect::<Vec<_>>());
        // One that was cut short is no session to be timed.
        assert_eq!(sessions.len(), requests / 4);
    }
}
