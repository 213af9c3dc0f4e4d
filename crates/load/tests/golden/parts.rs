//! The same checks of what several parts of a run have recorded, within the bounds of one process.

use super::{STALL, TIMES, a_stall_is_seen, disturbed, found_out_by_its_times, mm1_holds, seconds};
use crate::support::golden::golden;
use crate::support::peer::Spoken;
use crate::support::queue::{Queue, Served, Service};
use crate::support::{Checked, Done, go, one_at_a_time, open_loop};
use load::run::{Fault, Run};
use load::share::{Part, Share, StartAt};
use std::time::{Duration, SystemTime};

/// One run by so many parts at once, each as a process of its own would make it; what they have recorded is added up.
fn against_parts(of: u32, queue: Queue, whole: impl Fn(&Queue) -> Run + Sync) -> (Done, Served) {
    let begin = SystemTime::now() + Duration::from_millis(300);
    let part = |number| {
        let mut run = whole(&queue);
        let share = Share { number, of };
        let (clients, before) = share.divide(run.clients as u64);
        run.part = Some(Part {
            share,
            clients_before: before as usize,
            clients_of_all: run.clients,
        });
        run.start_at = Some(StartAt::Time(begin));
        run.clients = clients as usize;
        run.max_connections = run.clients;
        go(run).expect("a part")
    };
    let mut done: Vec<Done> = std::thread::scope(|scope| {
        let part = &part;
        let parts: Vec<_> = (0..of)
            .map(|number| scope.spawn(move || part(number)))
            .collect();
        let ended = parts.into_iter().map(|part| part.join().expect("it ends"));
        ended.collect()
    });
    let mut all = done.remove(0);
    for part in &done {
        all.outcome.record.merge(&part.outcome.record);
        all.outcome.scheduled += part.outcome.scheduled;
        all.outcome.starved = all.outcome.starved.max(part.outcome.starved);
        all.outcome.busy = all.outcome.busy.max(part.outcome.busy);
    }
    (all, queue.end())
}

fn stalls(of: u32, fault: Fault) -> (Checked, Vec<String>) {
    const PERIODS: u32 = 4;
    let (stop, period) = STALL;
    let queue = Queue::stalling(&Spoken::default(), stop, period);
    let (done, served) = against_parts(of, queue, |queue| {
        let time = seconds(f64::from(PERIODS) * period);
        let mut run = open_loop(queue.address, time, 1000.0, false, of as usize);
        run.fault = fault;
        run
    });
    (a_stall_is_seen(&done, PERIODS), disturbed(&done, &served))
}

#[test]
fn parts_see_a_stall_as_one_process_does() {
    let _turn = one_at_a_time();
    for of in [2, 4] {
        golden(&format!("stall, {of} parts"), TIMES, || {
            stalls(of, Fault::None)
        });
    }
}

#[test]
fn parts_that_omit_fail_the_stall() {
    let _turn = one_at_a_time();
    found_out_by_its_times(stalls(2, Fault::CoordinatedOmission).0);
}

#[test]
fn mm1_is_the_same_for_parts_of_one_run() {
    let _turn = one_at_a_time();
    let (rho, time, mean) = (0.5, 2.5, 1e-3);
    for of in [2, 4] {
        golden(&format!("M/M/1, {of} parts"), TIMES, || {
            let queue = Queue::new(Service::Exponential(mean), 1);
            let (done, served) = against_parts(of, queue, |queue| {
                open_loop(queue.address, seconds(time), rho / mean, true, 64)
            });
            let holds = mm1_holds(&done, &served, (rho, time));
            (holds, disturbed(&done, &served))
        });
    }
}
