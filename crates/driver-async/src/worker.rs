//! What a thread needs while a task runs on it.

use std::cell::RefCell;
use std::sync::Arc;

use arch::{ProcessContext, Worker};

thread_local! {
    static WORKER: RefCell<Option<Worker>> = const { RefCell::new(None) };
}

/// Calls `work` with the worker of the calling thread, which has one from its first call on. Nobody awaits in between: whatever a task
/// leaves in the buffers, the next one on this thread would find.
///
/// # Panics
/// Where `work` calls this again.
pub fn with_worker<R>(process: &ProcessContext, work: impl FnOnce(&mut Worker) -> R) -> R {
    WORKER.with_borrow_mut(|worker| match worker {
        Some(worker) if Arc::ptr_eq(&worker.files, &process.files) => work(worker),
        // Its first task, or its first of another server. The runtime counts its threads, which are there before.
        other => work(other.insert(process.uncounted_worker())),
    })
}
