//! The driver for whoever may wait: one connection, served to its end by the calling thread.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use meter::Event;
use rustix::net::sockopt::{Timeout, set_socket_timeout};

use crate::listener::Client;
use crate::session::{Blocked, Session, Socket};
use crate::setup::Worker;

/// A difference in waiting that is not worth a system call.
const TIMEOUT_TOLERANCE: Duration = Duration::from_millis(10);

/// Serves one connection until it is over. The thread waits wherever there is something to wait for.
///
/// # Panics
/// Where a step does: what else goes with the thread is the architecture's nature. The connection is counted as broken.
pub fn serve(client: impl Into<Arc<Client>>, worker: &mut Worker) {
    let client = client.into();
    // Held until the defect is counted: whoever sees the connection end may ask for the count.
    let held = Arc::clone(&client);
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| serve_to_its_end(held, worker))) {
        worker.counters.count(Event::Broken, 1);
        resume_unwind(panic);
    }
}

fn serve_to_its_end(client: Arc<Client>, worker: &mut Worker) {
    let stop = Arc::clone(&worker.stop);
    let _known = stop.know(&client);
    worker.tick();
    let mut session = Session::new(client, Socket::Blocking, worker.now);
    // What the listener was given, and every accepted socket inherits.
    let mut receive_timeout = worker.options.idle_timeout;
    loop {
        match session.advance(worker) {
            Blocked::Find => {
                let found = worker.files.find(session.path(), worker.now);
                session.found(found, worker);
            }
            Blocked::Load(entry, _) => {
                let loaded = worker.files.load(&entry);
                session.loaded(loaded, worker);
            }
            Blocked::Readable => {
                let left = session
                    .deadline(worker)
                    .map_or(receive_timeout, |deadline| deadline - worker.now);
                if left.is_zero() {
                    session.expire();
                    continue;
                }
                if left.abs_diff(receive_timeout) > TIMEOUT_TOLERANCE {
                    receive_timeout = left;
                    // If it fails, the read only waits longer.
                    let _ = set_socket_timeout(session.socket(), Timeout::Recv, Some(left));
                }
                session.ready(true, true, false);
            }
            // The socket's own time-out, a part of the whole one, has passed without a byte taken.
            Blocked::Writable if session.has_stalled() => session.expire(),
            Blocked::Writable => {
                session.ready(false, true, false);
            }
            Blocked::Turn | Blocked::Elsewhere => {}
            Blocked::Closed => return,
        }
    }
}
