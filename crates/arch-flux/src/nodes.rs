//! The nodes of the program, and the functions of its predicate types.

use arch::{Endpoint, Next, Step};

pub(crate) use crate::visit::Visit;
pub(crate) use arch::Worker;

/// Receives a request, and as many behind it as can be answered from memory before anything is sent.
///
/// # Errors
/// The visit, where the client has not sent one yet, or no more.
pub(crate) fn read_request(
    worker: &mut Worker,
    mut visit: Box<Visit>,
) -> Result<Box<Visit>, Box<Visit>> {
    worker.tick();
    visit.at(worker, |next, endpoint, worker| match next {
        Next::Receive if worker.has_rest() => {
            endpoint.parse(worker);
            Ok(endpoint.next(worker))
        }
        Next::Receive if endpoint.receive(worker) => {
            endpoint.parse(worker);
            Ok(endpoint.next(worker))
        }
        next => at_hand(next, endpoint, worker),
    });
    match visit.next() {
        Next::Work(_) | Next::Send(_) | Next::ShutdownWrite => Ok(visit),
        _ => Err(visit),
    }
}

pub(crate) fn is_insecure(visit: &Visit) -> bool {
    visit.next().step() == Some(Step::Handshake)
}

/// Computes what a handshake takes.
pub(crate) fn shake_hands(worker: &mut Worker, visit: Box<Visit>) -> Box<Visit> {
    wait_for(worker, visit)
}

pub(crate) fn is_unknown(visit: &Visit) -> bool {
    visit.next().step() == Some(Step::Find)
}

/// Looks the file up, and waits for that.
pub(crate) fn find_on_disk(worker: &mut Worker, visit: Box<Visit>) -> Box<Visit> {
    wait_for(worker, visit)
}

pub(crate) fn is_absent(visit: &Visit) -> bool {
    visit.next().step() == Some(Step::Load)
}

/// Has the file's bytes in memory, and waits for that.
pub(crate) fn read_from_disk(worker: &mut Worker, visit: Box<Visit>) -> Box<Visit> {
    wait_for(worker, visit)
}

/// Sends what is at hand, for as long as the client takes it.
pub(crate) fn send_response(worker: &mut Worker, mut visit: Box<Visit>) -> Box<Visit> {
    visit.at(worker, |next, endpoint, worker| match next {
        Next::Send(output) => {
            if endpoint.send(output, worker) {
                Ok(endpoint.next(worker))
            } else {
                Err(Next::Wait)
            }
        }
        Next::ShutdownWrite => {
            endpoint.shutdown_write();
            Ok(endpoint.next(worker))
        }
        // The next piece of it.
        next => at_hand(next, endpoint, worker),
    });
    visit
}

/// Lets the connection go back to the source.
pub(crate) fn go_back(_: &mut Worker, visit: Box<Visit>) {
    Visit::go_back(visit);
}

/// Does the work that is next, whatever it has to wait for; a defect costs the answer.
fn wait_for(worker: &mut Worker, mut visit: Box<Visit>) -> Box<Visit> {
    worker.tick();
    let mut is_prepared = false;
    visit.at(worker, |next, endpoint, worker| match next {
        Next::Work(work) if !is_prepared => {
            is_prepared = true;
            let prepared = work.prepare(&worker.files);
            worker.tick();
            Ok(Next::Work(prepared))
        }
        next => at_hand(next, endpoint, worker),
    });
    visit
}

/// Does a work that needs no waiting. What is next otherwise is for somebody else.
fn at_hand(next: Next, endpoint: &mut Endpoint, worker: &mut Worker) -> Result<Next, Next> {
    let Next::Work(work) = next else {
        return Err(next);
    };
    let Some(work) = endpoint.try_kept(work, worker) else {
        return Ok(endpoint.next(worker));
    };
    match work.try_run(&worker.files, worker.now) {
        Ok(done) => {
            endpoint.done(done, worker);
            Ok(endpoint.next(worker))
        }
        Err(work) => Err(Next::Work(work)),
    }
}
