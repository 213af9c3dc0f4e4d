//! Iterative: one process, one thread, one connection at a time.
#![doc = concat!("\n```text", include_str!("diagram.txt"), "```\n")]
//! What is shared: nothing, there is nobody to share with. The first of the structures in Stevens' *UNIX Network
//! Programming* (volume 1, chapter 30), and the yardstick for all others: it has no cost for concurrency, and no
//! concurrency. What blocks: everything, and everybody waits.

use arch::nature::{
    Behaviour, Concurrency, DiskWait, Family, IdleConnection, Killed, Loss, Nature, Requests, Stack,
};
use arch::{Architecture, ServerSetup, blocking};

/// The options: there is nothing to turn.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Iterative {}

impl Architecture for Iterative {
    const NAME: &'static str = "iterative";
    const SUMMARY: &'static str =
        "one thread serves one connection at a time; the others wait in the backlog";
    const DIAGRAM: &'static str = include_str!("diagram.txt");
    const NATURE: Nature = Nature {
        family: Family::Sequential,
        predecessors: &[],
        paper: "Stevens, Fenner, Rudoff: UNIX Network Programming, volume 1, third edition, chapter 30",
        year: 2003,
        stack: Stack::Kernel,
        behaviour: Behaviour {
            concurrency: Concurrency::One,
            disk_wait: DiskWait::Server,
            defect: Loss::Server,
            killed: Killed::Server,
            requests: Requests::InTurn,
            idle_connection: IdleConnection::Worker,
        },
        variants: &[],
        settings: &[],
    };

    fn serve(self, setup: ServerSetup, ready: impl FnOnce()) -> std::io::Result<()> {
        let process = setup.open()?;
        let mut worker = process.worker();
        ready();
        while let Some(client) = process.listener.accept(&worker.counters) {
            blocking::serve(client, &mut worker);
        }
        Ok(())
    }
}
