//! The leaf: the service that answers with files.

use std::future::{pending, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use arch::{Done, ProcessContext, Work};
use driver_async::worker::with_worker;
use tokio::task::spawn_blocking;
use tower::Service;

use crate::service::{Answering, Error, Request, Response};

/// Finds and reads files. What is in memory is answered with at once; a thread of the blocking pool waits for the disk.
#[derive(Debug, Clone)]
pub(crate) struct FileServer {
    process: Arc<ProcessContext>,
}

impl FileServer {
    pub(crate) fn new(process: &Arc<ProcessContext>) -> Self {
        Self {
            process: Arc::clone(process),
        }
    }
}

impl Service<Request> for FileServer {
    type Response = Response;
    type Error = Error;
    type Future = Answering;

    /// Always: it is the blocking pool that has a queue.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Answering {
        let process = &self.process;
        let answer = with_worker(process, |worker| worker.answer_with_file(request));
        let mut answer = Box::new(answer);
        while let Some(work) = answer.next() {
            match try_now(work, process) {
                Ok(done) => answer.done(done),
                Err(work) => {
                    let process = Arc::clone(process);
                    return Box::pin(async move {
                        answer.done(wait_for(work, &process).await);
                        while let Some(work) = answer.next() {
                            answer.done(wait_for(work, &process).await);
                        }
                        Ok(Response::File(answer))
                    });
                }
            }
        }
        Box::pin(ready(Ok(Response::File(answer))))
    }
}

/// Does a work if that needs no waiting.
fn try_now(work: Work, process: &ProcessContext) -> Result<Done, Work> {
    with_worker(process, |worker| work.try_run(&worker.files, worker.now))
}

/// Has the blocking pool wait for the disk until the work can be done. Whoever drops this does not wait any longer; the thread does.
pub(crate) async fn wait_for(mut work: Work, process: &ProcessContext) -> Done {
    loop {
        match try_now(work, process) {
            Ok(done) => return done,
            Err(unready) => {
                let files = Arc::clone(&process.files);
                let Ok(ready) = spawn_blocking(move || unready.prepare(&files)).await else {
                    // The runtime shuts down, and drops this task.
                    return pending().await;
                };
                work = ready;
                with_worker(process, arch::Worker::tick);
            }
        }
    }
}
