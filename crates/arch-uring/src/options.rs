//! The options of the completion loop, and what it is.

use arch::nature::{
    Behaviour, Concurrency, DiskWait, Family, IdleConnection, Killed, Loss, Nature, Requests, Stack,
};
use arch::{Architecture, Rule, ServerSetup};

use crate::CompletionLoop;

/// How bodies in memory leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SendBy {
    /// From where they are, which the kernel may need until the client has acknowledged them.
    ZeroCopy,
    /// The kernel copies them.
    Copy,
}

/// How the bytes of files leave that are not in the content cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum FilesBy {
    /// The kernel's threads pass pages on, through a pipe.
    Splice,
    /// They are read into a buffer and sent from there.
    Read,
}

/// The options of the completion loop.
#[derive(Debug, Clone, clap::Args)]
pub struct Uring {
    /// Have a thread of the kernel's look for operations, so that handing them in takes no system call. It spins: give it a processor
    #[arg(long)]
    pub sqpoll: bool,
    /// How bodies of 8 KiB and more leave that are in memory: 'zero-copy' from where they are, which is for TCP only, 'copy' from a
    /// copy of the kernel's
    #[arg(long, value_name = "HOW", default_value = "copy")]
    pub send: SendBy,
    /// How files leave that are not in the content cache: 'read' into a buffer and sent, 'splice' through a pipe, but not
    /// with --send-path copy
    #[arg(long, value_name = "HOW", default_value = "read")]
    pub files: FilesBy,
    /// Threads of the kernel's that wait for the disk, at most, where its file system cannot say when a page has come
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub kernel_workers: u32,
}

impl Architecture for Uring {
    const NAME: &'static str = "uring";
    const SUMMARY: &'static str =
        "one loop hands operations to the kernel in a ring and is told when they are complete";
    const DIAGRAM: &'static str = include_str!("diagram.txt");
    const NATURE: Nature = Nature {
        family: Family::Events,
        predecessors: &["sped", "amped"],
        paper: "Axboe: Efficient IO with io_uring, kernel.dk",
        year: 2019,
        stack: Stack::Kernel,
        behaviour: Behaviour {
            concurrency: Concurrency::Any,
            disk_wait: DiskWait::Kernel,
            defect: Loss::Server,
            killed: Killed::Server,
            requests: Requests::AtOnce,
            idle_connection: IdleConnection::Place,
        },
        variants: &[],
        settings: &[
            "--sqpoll",
            "--send zero-copy",
            "--files splice",
            "--kernel-workers 1",
        ],
    };
    const RULES: &'static [Rule] = &[Rule::Excludes("--files splice", "--send-path copy")];

    fn serve(self, setup: ServerSetup, ready: impl FnOnce()) -> std::io::Result<()> {
        if self.send == SendBy::ZeroCopy && setup.listener.address().ip().is_none() {
            return Err(std::io::Error::new(
                std::io::ErrorKind::Unsupported,
                "the kernel copies whatever is sent to a Unix socket: leave --send zero-copy out",
            ));
        }
        let mut process = setup.open()?;
        // A chain of entries sends one frame; what several would save is calls, and there are none.
        process.send_frames_singly();
        let completion_loop = CompletionLoop::new(self, &process)?;
        ready();
        completion_loop.run()
    }
}
