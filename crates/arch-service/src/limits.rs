//! What of the paper's idea is not for free in Rust, each shown as it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use http::Status;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tower::{Service, ServiceExt, service_fn};

use crate::filters::support::{Reply, Tried, request};
use crate::service::{Error, Request, Response};

/// The future of a response outlives whoever called: it has to own the request, or a share of it, and nobody may change what is shared.
#[tokio::test]
async fn a_response_that_comes_later_has_a_share_of_its_request() {
    let mut service = service_fn(|request: Request| async move {
        tokio::task::yield_now().await;
        // Read after the caller's own share is gone.
        assert_eq!(request.target().path(), b"later");
        assert_eq!(Arc::strong_count(&request), 1);
        Ok::<_, Error>(Response::Page(Status::NoContent))
    });
    let request = request("/later", &[]);
    let mut answer = Box::pin(service.call(Arc::clone(&request)));
    let first =
        std::future::poll_fn(|context| std::task::Poll::Ready(answer.as_mut().poll(context)));
    assert!(first.await.is_pending());
    let mut own = request;
    assert!(
        Arc::get_mut(&mut own).is_none(),
        "what is shared is not changed"
    );
    drop(own);
    assert_eq!(answer.await.unwrap().status(), 204);
}

/// Room is given before there is a call, and kept until there has been one.
#[tokio::test(start_paused = true)]
async fn whoever_is_ready_and_does_not_call_keeps_others_out() {
    let tried = Tried::new("limit=1", &[Reply::with(Status::NoContent)]);
    let mut ready = tried.chain.clone();
    ready.ready().await.unwrap();
    let other = timeout(Duration::from_secs(3600), tried.get());
    assert!(other.await.is_err(), "an hour is not enough");
    drop(ready);
    assert_eq!(tried.get().await, 204);
}

/// A future that is dropped goes no further; the thread that it waited for does.
#[tokio::test]
async fn work_that_blocks_goes_on_when_nobody_waits_for_it() {
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let done = Arc::new(AtomicBool::new(false));
    let (thread_done, task_done) = (Arc::clone(&done), Arc::new(AtomicBool::new(false)));
    let at_task = Arc::clone(&task_done);
    let (ended, end) = tokio::sync::oneshot::channel();
    let disk = async move {
        let thread = spawn_blocking(move || {
            wait.recv().unwrap();
            thread_done.store(true, SeqCst);
            ended.send(()).unwrap();
        });
        let _ = thread.await;
        at_task.store(true, SeqCst);
    };
    assert!(timeout(Duration::from_millis(1), disk).await.is_err());
    assert!(!done.load(SeqCst), "the thread still waits");
    go.send(()).unwrap();
    end.await.unwrap();
    assert!(done.load(SeqCst) && !task_done.load(SeqCst));
}
