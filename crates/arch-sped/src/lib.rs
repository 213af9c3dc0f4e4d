//! SPED, single-process event-driven: one loop, every step inline (Flash, section 3.3).
#![doc = concat!("\n```text", include_str!("diagram.txt"), "```\n")]
//! What is shared: nothing needs to be. What blocks: finding and reading a file that is not in memory, and with it the
//! whole server; non-blocking calls do not help, for a file is always ready as far as the kernel is concerned.
//!
//! Departures from the paper: `epoll`, edge-triggered, instead of `select`, so that the cost of waiting does not grow with
//! the number of idle connections. Bytes leave by `sendfile`, not by `writev` from a mapping.

use arch::nature::{
    Behaviour, Concurrency, DiskWait, Family, IdleConnection, Killed, Loss, Nature,
};
use arch::{Architecture, ProcessContext, ServerSetup, Worker};
use reactor::{Due, Epoll, Reactor, Token};

/// The options of SPED: there is nothing to turn.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Sped {}

impl Architecture for Sped {
    const NAME: &'static str = "sped";
    const SUMMARY: &'static str = "one event loop runs every step inline; a slow disk stops it";
    const DIAGRAM: &'static str = include_str!("diagram.txt");
    const NATURE: Nature = Nature {
        family: Family::Events,
        predecessors: &["mp", "mt"],
        paper: "Pai, Druschel, Zwaenepoel: Flash, USENIX Annual Technical Conference, section 3.3",
        year: 1999,
        behaviour: Behaviour {
            concurrency: Concurrency::Any,
            disk_wait: DiskWait::Server,
            defect: Loss::Server,
            killed: Killed::Server,
            idle_connection: IdleConnection::Place,
        },
        variants: &[],
        settings: &[],
    };

    fn serve(self, setup: ServerSetup, ready: impl FnOnce()) -> std::io::Result<()> {
        let process = setup.open()?;
        let event_loop = EventLoop::new(&process)?;
        ready();
        event_loop.run()
    }
}

struct EventLoop {
    reactor: Reactor,
    worker: Worker,
}

impl EventLoop {
    fn new(process: &ProcessContext) -> std::io::Result<Self> {
        Ok(Self {
            reactor: Reactor::new(process, Epoll::new()?)?,
            worker: process.worker(),
        })
    }

    fn run(mut self) -> std::io::Result<()> {
        while let Some(due) = self.reactor.next(&mut self.worker)? {
            match due {
                Due::Session(token) => self.serve(token),
                // There is nobody else.
                Due::Notice => {}
            }
        }
        Ok(())
    }

    /// Runs one session until it has to wait for its client.
    fn serve(&mut self, token: Token) {
        while let Some(work) = self.reactor.advance(token, &mut self.worker) {
            // The whole server waits here: for the name, or for the bytes.
            let done = work.run(&self.worker.files, self.worker.now);
            self.reactor.done(token, done, &mut self.worker);
        }
    }
}
