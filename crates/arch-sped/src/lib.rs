//! SPED, single-process event-driven: one loop, every step inline (Flash, section 3.3).
#![doc = concat!("\n```text", include_str!("diagram.txt"), "```\n")]
//! What is shared: nothing needs to be. What blocks: finding and reading a file that is not in memory, and with it the
//! whole server; non-blocking calls do not help, for a file is always ready as far as the kernel is concerned.
//!
//! Departures from the paper: `epoll`, edge-triggered, instead of `select`, so that the cost of waiting does not grow with
//! the number of idle connections; `--poller` has it ask as the paper's did, and in three other ways. Bytes leave by `sendfile`,
//! not by `writev` from a mapping.
//!
//! | `--poller` | how the loop hears who is ready | what waiting costs |
//! | --- | --- | --- |
//! | `epoll` | the kernel keeps the set, and tells of a change once | by those that are ready |
//! | `epoll-level` | the kernel keeps the set, and tells of a state again and again; what is waited for is changed by a call | the same, and that call |
//! | `poll` | an array of all sockets goes to the kernel and back | by all that are connected |
//! | `select` | two bit sets go to the kernel and back; they end at descriptor 1024 | by the highest descriptor |
//! | `scan` | nobody is asked: each socket is tried in turn | a system call for each that is connected, all the time |

use std::time::Duration;

use arch::nature::{
    Behaviour, Concurrency, DiskWait, Family, IdleConnection, Killed, Loss, Nature, Requests, Stack,
};
use arch::options::time;
use arch::{Architecture, ProcessContext, Rule, ServerSetup, Worker};
use reactor::{Due, Epoll, EpollLevel, Poll, Poller, Reactor, Scan, Select, Token};

/// How the loop asks who is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Ask {
    /// The kernel keeps the set and tells of changes: epoll, edge-triggered.
    Epoll,
    /// The kernel keeps the set and tells of states: epoll, level-triggered.
    EpollLevel,
    /// An array goes to the kernel and back.
    Poll,
    /// Two bit sets go to the kernel and back; they end at descriptor 1024.
    Select,
    /// Nobody is asked; each socket is tried in turn.
    Scan,
}

/// The options of SPED.
#[derive(Debug, Clone, clap::Args)]
pub struct Sped {
    /// How the loop asks who is ready
    #[arg(long, value_name = "HOW", default_value = "epoll")]
    pub poller: Ask,
    /// How long to sleep between two rounds, with --poller scan; a second at most
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = pause)]
    pub scan_pause: Duration,
}

/// A server that is told to stop in the midst of a pause is heard after it.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Reads how long a scan may pause.
fn pause(text: &str) -> Result<Duration, String> {
    let pause = time(text)?;
    if pause > LONGEST_PAUSE {
        return Err(format!("'{text}' is too long: expected 1s at most"));
    }
    Ok(pause)
}

impl Architecture for Sped {
    const NAME: &'static str = "sped";
    const SUMMARY: &'static str = "one event loop runs every step inline; a slow disk stops it";
    const DIAGRAM: &'static str = include_str!("diagram.txt");
    const NATURE: Nature = Nature {
        family: Family::Events,
        predecessors: &["mp", "mt"],
        paper: "Pai, Druschel, Zwaenepoel: Flash, USENIX Annual Technical Conference, section 3.3",
        year: 1999,
        stack: Stack::Kernel,
        behaviour: Behaviour {
            concurrency: Concurrency::Any,
            disk_wait: DiskWait::Server,
            defect: Loss::Server,
            killed: Killed::Server,
            requests: Requests::InTurn,
            idle_connection: IdleConnection::Place,
        },
        variants: &[],
        settings: &[
            "--poller epoll-level",
            "--poller poll",
            "--poller select",
            "--poller scan",
            "--poller scan --scan-pause 1ms",
        ],
    };
    const RULES: &'static [Rule] = &[Rule::Needs("--scan-pause", "--poller scan")];

    fn notice(&self) -> Option<String> {
        (self.poller == Ask::Select).then(|| {
            let end = Select::end();
            format!("select ends at descriptor {end}: connections beyond wait in the backlog")
        })
    }

    fn serve(self, mut setup: ServerSetup, ready: impl FnOnce()) -> std::io::Result<()> {
        if self.poller == Ask::Select {
            setup.keep_sockets_below(Select::END)?;
        }
        let process = setup.open()?;
        let event_loop = EventLoop::new(&process, self.poller()?)?;
        ready();
        event_loop.run()
    }
}

impl Sped {
    fn poller(&self) -> std::io::Result<Box<dyn Poller>> {
        Ok(match self.poller {
            Ask::Epoll => Box::new(Epoll::new()?),
            Ask::EpollLevel => Box::new(EpollLevel::new()?),
            Ask::Poll => Box::new(Poll::default()),
            Ask::Select => Box::new(Select::default()),
            Ask::Scan => Box::new(Scan::new(self.scan_pause)),
        })
    }
}

struct EventLoop {
    reactor: Reactor,
    worker: Worker,
}

impl EventLoop {
    fn new(process: &ProcessContext, poller: Box<dyn Poller>) -> std::io::Result<Self> {
        Ok(Self {
            reactor: Reactor::new(process, poller)?,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_so_short_that_signals_are_heard() {
        assert_eq!(pause("1s"), Ok(LONGEST_PAUSE));
        assert!(pause("0").is_ok());
        assert!(pause("20s").is_err_and(|why| why.contains("1s at most")));
        assert!(pause("x").is_err());
    }
}
