//! AMPED, asymmetric multi-process event-driven: SPED's loop, and helpers for whatever would block (Flash, section 3.4).
#![doc = concat!("\n```text", include_str!("diagram.txt"), "```\n")]
//! What is shared: the caches, between the loop and its helpers. A helper waits for the disk and then says so; contents
//! pass through the channel only where the kernel keeps none. Before the loop sends from a file, it asks the kernel whether those
//! bytes are in memory; what the content cache holds, as a copy or locked in the page cache, it need not ask about.
//!
//! What blocks: nothing in the loop; a helper, for the disk. Helpers find as well as read, as in the paper: that it takes
//! both was measured later (Ruan and Pai, USENIX 2004).
//!
//! Departures from the paper: helpers are threads, all made at the start, and channels take the place of pipes. Residency is
//! asked with `cachestat`, which `mincore` has to confirm until a file has settled, and not by `mincore` each time; hot files are
//! locked in memory, as section 5.7 proposes for systems that cannot tell. Bytes leave by `sendfile`, not by `writev` from a mapping.

use arch::nature::{
    Behaviour, Concurrency, DiskWait, Family, IdleConnection, Killed, Loss, Nature, Requests, Stack,
};
use arch::{Architecture, ProcessContext, ServerSetup, Spin, Work, Worker, context};
use crossbeam_channel::{Receiver, RecvError, Sender, unbounded};
use reactor::{Due, Epoll, Reactor, Token, Waker};

/// The options of AMPED.
#[derive(Debug, Clone, clap::Args)]
pub struct Amped {
    /// Threads that wait for the disk on behalf of the loop
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub helpers: u32,
    /// Before a helper sleeps
    #[command(flatten)]
    pub spin: Spin,
}

impl Architecture for Amped {
    const NAME: &'static str = "amped";
    const SUMMARY: &'static str =
        "one event loop; helper threads find and read whatever is not in memory";
    const DIAGRAM: &'static str = include_str!("diagram.txt");
    const NATURE: Nature = Nature {
        family: Family::Events,
        predecessors: &["sped"],
        paper: "Pai, Druschel, Zwaenepoel: Flash, USENIX Annual Technical Conference, section 3.4",
        year: 1999,
        stack: Stack::Kernel,
        behaviour: Behaviour {
            concurrency: Concurrency::Any,
            disk_wait: DiskWait::Helper { count: "--helpers" },
            defect: Loss::Answer,
            killed: Killed::Server,
            requests: Requests::AtOnce,
            idle_connection: IdleConnection::Place,
        },
        variants: &[],
        settings: &["--helpers 1", "--spin 50us"],
    };

    fn serve(self, setup: ServerSetup, ready: impl FnOnce()) -> std::io::Result<()> {
        let process = setup.open()?;
        let epoll = Epoll::new()?;
        let event_loop = EventLoop {
            helpers: Helpers::start(&self, &process, &epoll.waker()?)?,
            worker: process.worker(),
            reactor: Reactor::new(&process, Box::new(epoll))?,
        };
        ready();
        event_loop.run()
    }
}

struct EventLoop {
    reactor: Reactor,
    helpers: Helpers,
    worker: Worker,
}

impl EventLoop {
    fn run(mut self) -> std::io::Result<()> {
        while let Some(due) = self.reactor.next(&mut self.worker)? {
            match due {
                Due::Session(token) => self.serve(token),
                Due::Notice => self.read_notices(),
            }
        }
        Ok(())
    }

    /// Runs one session until it has to wait, for its client or for a helper.
    fn serve(&mut self, token: Token) {
        while let Some(work) = self.reactor.advance(token, &mut self.worker) {
            self.work(token, work);
        }
    }

    /// Does what is known to need no waiting, and has a helper prepare the rest.
    fn work(&mut self, token: Token, work: Work) {
        match work.try_run(&self.worker.files, self.worker.now) {
            Ok(done) => self.reactor.done(token, done, &mut self.worker),
            // Only a helper waits.
            Err(work) => self.helpers.send(token, work),
        }
    }

    /// Goes on with the sessions whose helpers are done.
    fn read_notices(&mut self) {
        while let Ok((token, work)) = self.helpers.notices.try_recv() {
            self.work(token, work);
            self.serve(token);
        }
    }
}

/// The helper threads, and the two channels between them and the loop. Each session has at most one work out for each request
/// under way, which bounds both.
struct Helpers {
    jobs: Sender<(Token, Work)>,
    notices: Receiver<(Token, Work)>,
}

impl Helpers {
    fn start(amped: &Amped, process: &ProcessContext, waker: &Waker) -> std::io::Result<Self> {
        let Amped {
            helpers: count,
            spin,
        } = *amped;
        let (jobs, taken) = unbounded::<(Token, Work)>();
        let (done, notices) = unbounded();
        for helper in 1..=count {
            let (process, taken, done, waker) =
                (process.clone(), taken.clone(), done.clone(), waker.clone());
            let serving = process.serving_thread();
            let help = move || {
                let _serving = serving;
                // A helper's life: takes a job, waits for the disk, gives notice.
                while let Ok((token, work)) = next(&taken, spin) {
                    if done.send((token, work.prepare(&process.files))).is_err()
                        || waker.wake().is_err()
                    {
                        return;
                    }
                }
            };
            std::thread::Builder::new()
                .name("helper".into())
                .spawn(help)
                .map_err(context(format!(
                    "cannot start helper {helper} of {count}; try fewer --helpers"
                )))?;
        }
        Ok(Self { jobs, notices })
    }

    fn send(&self, token: Token, work: Work) {
        // The helpers hold the other end for as long as this one is held.
        let _ = self.jobs.send((token, work));
    }
}

/// The next job; waits for one, and fails when none will come.
fn next<T>(jobs: &Receiver<T>, spin: Spin) -> Result<T, RecvError> {
    spin.until(|| !jobs.is_empty());
    jobs.recv()
}
