//! The leaf: the service that answers with files.

use std::future::ready;
use std::sync::Arc;
use std::task::{Context, Poll};

use arch::{Done, ProcessContext, Work};
use driver_async::disk::{try_run, wait_for};
use driver_async::worker::with_worker;
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
            match try_run(work, process) {
                Ok(done) => answer.done(done),
                Err(work) => {
                    let process = Arc::clone(process);
                    return Box::pin(async move {
                        answer.done(wait_for(work, Arc::clone(&process)).await);
                        while let Some(work) = answer.next() {
                            answer.done(run(work, &process).await);
                        }
                        Ok(Response::File(answer))
                    });
                }
            }
        }
        Box::pin(ready(Ok(Response::File(answer))))
    }
}

/// Does a work, and has the blocking pool wait for the disk where it has to.
pub(crate) async fn run(work: Work, process: &Arc<ProcessContext>) -> Done {
    match try_run(work, process) {
        Ok(done) => done,
        // In a box: an idle connection's task is as large as all that it may ever await.
        Err(work) => Box::pin(wait_for(work, Arc::clone(process))).await,
    }
}
