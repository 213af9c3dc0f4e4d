//! Works that may wait for the disk, as futures.

use std::future::pending;
use std::sync::Arc;

use arch::{Done, ProcessContext, Work, Worker};
use tokio::task::spawn_blocking;

use crate::worker::with_worker;

/// Does a work if that needs no waiting, for which the kernel may have to be asked.
///
/// # Errors
/// The work itself, for somebody who may wait.
pub fn try_run(work: Work, process: &ProcessContext) -> Result<Done, Work> {
    with_worker(process, |worker| work.try_run(&worker.files, worker.now))
}

/// Has threads of the blocking pool wait for the disk until the work can be done. Whoever drops this does not wait any longer; the
/// thread does.
pub async fn wait_for(mut work: Work, process: Arc<ProcessContext>) -> Done {
    loop {
        let files = Arc::clone(&process.files);
        let Ok(prepared) = spawn_blocking(move || work.prepare(&files)).await else {
            // The runtime shuts down, and drops this task.
            return pending().await;
        };
        with_worker(&process, Worker::tick);
        match try_run(prepared, &process) {
            Ok(done) => return done,
            // It was in memory, and is no longer.
            Err(unready) => work = unready,
        }
    }
}
