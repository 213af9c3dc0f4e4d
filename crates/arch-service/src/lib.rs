//! Service, your server as a function: what answers a request is a function from it to a response that comes later (Eriksen, 2013).
#![doc = concat!("\n```text", include_str!("diagram.txt"), "```\n")]
//! Three abstractions make a server in the paper. A *future* is a value that is there later, and futures compose: *what* depends on
//! what is said, *how* it is run is not. A *service* is a function from a request to the future of a response. A *filter* is a
//! function from a request and a service to the future of a response; it stands before a service and is one itself, so that what
//! concerns every request (time-outs, limits, users) is written once, apart from what answers. Here a service is a tower `Service`, a
//! filter a tower `Layer`, and the future is Rust's, which makes nothing happen before somebody awaits it.
//!
//! | file | what it is in the paper |
//! | --- | --- |
//! | `service` | `type Service = Req => Future[Rep]` |
//! | `file_server` | the service at the end: find the file, read the file |
//! | `upstream` | the client, which is a service as well: another server answers |
//! | `filters` | `andThen`: what the list of `--filters` puts together; beside it a file for each filter |
//! | this file | the server: a task for each connection reads requests, calls the service, and sends what it responds |
//!
//! What blocks: a thread of the pool, for the disk, and nothing else. Who waits: the request, and with it the task whose one request it
//! is; a task that has many (HTTP/2) goes on with whichever can. It waits before the
//! service where a filter lets nobody in (`limit`), and at it for the response. What is shared: the caches of files, behind their locks;
//! what filters know of all requests (permits, budgets, answers that are kept), each behind its own. Chains are cloned for each
//! connection, and over HTTP/2 for each request, since whoever is let in is so by itself.
//!
//! What of the idea is not for free in Rust, each with a test in `limits`:
//!
//! - *Ownership across an await.* A response that comes later cannot borrow the request, for whoever asked may be gone by then. So a
//!   request is shared by count, and nobody may change it; in the paper's language everything is, by a collector.
//! - *Permits.* `poll_ready` gives room before there is a call: whoever is ready and does not call keeps others out, for as long as it
//!   likes. So a connection asks only when it has a request in hand, and a filter that calls twice asks twice.
//! - *Cancellation.* A future that is dropped goes no further; that is how `timeout` and `hedge` leave what they do not wait for. But a
//!   thread of the pool that waits for the disk is no future: it waits on, and with all of them waiting for what nobody wants any more,
//!   a time-out has not made room for anybody.
//!
//! What is allocated for each request: its value and its fields, the path that is looked for, the future of each service and filter,
//! which are boxed since the list is not known when this is compiled, and the answer; over HTTP/2, also the chain's clone, and the place
//! of its future among those that are awaited. `tests/allocations.rs` counts them.
//!
//! There is no `--spin`, as there is none in async: how long a thread looks before it sleeps is the runtime's.
//!
//! Departures: the response is a value up to the first piece of the body; what follows of a large file is read by the connection's
//! task as elsewhere here, behind the filters. What is concurrent is connections, the requests of one over HTTP/2, and what filters
//! make so. The paper's future can be looked at by many; here a future has one owner, and `cache` keeps answers rather than futures.

mod file_server;
mod filters;
mod service;
mod upstream;

#[cfg(test)]
mod limits;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use arch::architecture::Rule;
use arch::nature::{
    Behaviour, Concurrency, DiskWait, Family, IdleConnection, Killed, Loss, Nature, Requests, Stack,
};
use arch::session::Answer;
use arch::{Architecture, Done, Next, ProcessContext, ServerSetup, Work};
use driver_async::acceptor::Admitted;
use driver_async::{Acceptor, Connection, RuntimeOptions};
use tokio::sync::Notify;
use tower::util::BoxCloneService;
use tower::{Service as _, ServiceExt};

use file_server::FileServer;
pub use filters::Filters;
use service::{Chain, Error, Request, Response};
pub use upstream::Address;
use upstream::Upstream;

/// The options of service.
#[derive(Debug, Clone, clap::Args)]
pub struct Service {
    #[command(flatten)]
    runtime: RuntimeOptions,
    /// Filters before the service, in the order in which a request comes to them, like timeout=2s,limit=256,shed; 'archbench models'
    /// says what each does
    #[arg(long, value_name = "LIST")]
    pub filters: Option<Filters>,
    /// Pass requests on to this server in place of answering with files, as http://HOST:PORT; it need not be there yet
    #[arg(long, value_name = "URL")]
    pub upstream: Option<Address>,
    /// How long is waited for the other server, with --upstream: for the head of an answer (504 then), and for each piece of a body
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = arch::options::time_out)]
    pub upstream_timeout: Duration,
    /// Threads of the blocking pool, which wait for the disk
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub blocking_threads: u32,
}

impl Architecture for Service {
    const NAME: &'static str = "service";
    const SUMMARY: &'static str =
        "a function from request to response on tokio and tower, and filters before it";
    const DIAGRAM: &'static str = include_str!("diagram.txt");
    const NATURE: Nature = Nature {
        family: Family::Events,
        predecessors: &["async"],
        paper: "Eriksen: Your Server as a Function, Workshop on Programming Languages and Operating Systems (PLOS)",
        year: 2013,
        stack: Stack::Kernel,
        behaviour: Behaviour {
            concurrency: Concurrency::Any,
            disk_wait: DiskWait::Helper {
                count: "--blocking-threads",
            },
            defect: Loss::Answer,
            killed: Killed::Server,
            requests: Requests::AtOnce,
            idle_connection: IdleConnection::Place,
        },
        variants: &[],
        settings: &[
            "--blocking-threads 1",
            "--runtime multi --workers 2 --filters noop=3,stats",
            "--filters timeout=10s,shed,limit=64,retry=2,cache=1s,hedge=5s,fan-out=2,fail-fast=1s",
        ],
    };

    const RULES: &'static [Rule] = &[
        Rule::Needs("--workers", "--runtime multi"),
        Rule::Needs("--upstream-timeout", "--upstream"),
    ];

    fn notice(&self) -> Option<String> {
        let upstream = self.upstream.as_ref()?;
        Some(format!(
            "requests are passed on to {upstream}; no file is served"
        ))
    }

    fn serve(self, setup: ServerSetup, ready: impl FnOnce()) -> std::io::Result<()> {
        let mut process = setup.open()?;
        process.hand_over_requests();
        let process = Arc::new(process);
        let leaf = match self.upstream {
            None => BoxCloneService::new(FileServer::new(&process)),
            Some(address) => BoxCloneService::new(Upstream::new(address, self.upstream_timeout)),
        };
        let chain = self.filters.unwrap_or_default().before(leaf, &process)?;
        let runtime = self.runtime.start(self.blocking_threads, &process)?;
        ready();
        runtime.run(accept(process, chain))
    }
}

/// The task that lets connections in, and makes one for each.
async fn accept(process: Arc<ProcessContext>, chain: Chain) -> std::io::Result<()> {
    let mut acceptor = Acceptor::new(&process)?;
    while let Some(admitted) = acceptor.accept().await {
        tokio::spawn(serve(admitted, Arc::clone(&process), chain.clone()));
    }
    acceptor.wait_until_empty().await;
    Ok(())
}

/// A connection's task, from its first byte to its last.
async fn serve(admitted: Admitted, process: Arc<ProcessContext>, mut chain: Chain) {
    let mut connection = Connection::new(&admitted.client, &process);
    let more = Arc::new(Notify::new());
    loop {
        match connection.advance() {
            Next::Receive => connection.receive().await,
            Next::Send(output) => connection.send(output).await,
            // The function is called for each stream; the task awaits whichever response is there first, or its client.
            Next::Work(work) if connection.is_multiplexed() => {
                let (mut chain, process, more) =
                    (chain.clone(), Arc::clone(&process), Arc::clone(&more));
                connection.begin(async move { answer(work, &mut chain, &process, &more).await });
            }
            Next::Work(work) => {
                let answering = pin!(answer(work, &mut chain, &process, &more));
                let done = connection.awaiting(answering).await;
                connection.done(done);
            }
            Next::ShutdownWrite => connection.shutdown_write().await,
            Next::Yield => connection.give_way().await,
            // For responses, or for more of another server's.
            Next::Wait => connection.wait(pin!(more.notified())).await,
            Next::Closed => return,
        }
    }
}

/// What comes of a work: the response to a request, or what is left of a large file.
async fn answer(
    work: Work,
    chain: &mut Chain,
    process: &Arc<ProcessContext>,
    more: &Arc<Notify>,
) -> Done {
    match work.request().map(Arc::clone) {
        Some(request) => work.answered(as_answer(call(chain, request).await, more)),
        None => file_server::run(work, process).await,
    }
}

/// The server in one line: waits to be let in, and for the response.
async fn call(chain: &mut Chain, request: Request) -> Result<Response, Error> {
    chain.ready().await?.call(request).await
}

fn as_answer(outcome: Result<Response, Error>, more: &Arc<Notify>) -> Answer {
    match outcome {
        Ok(response) => response.into_answer(more),
        Err(error) => Answer::Page(error.status()),
    }
}
