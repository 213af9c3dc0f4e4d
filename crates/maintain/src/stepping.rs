//! Instructions in user mode, counted by single-stepping every thread (ptrace(2)): exact on any machine, with no counter of the
//! processor's and no emulator, which has to know every system call.
//!
//! It counts what the threads execute and not what the kernel does for them. An instruction with a repeat prefix counts once for each
//! repetition.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;

use lab::Failure;
use lab::cores::pinned;
use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::account;

/// A process that is single-stepped by a thread of ours.
#[derive(Debug)]
pub(crate) struct Stepping {
    id: u32,
    shared: Arc<Shared>,
    tracer: JoinHandle<Result<(), Errno>>,
}

/// What the tracer and whoever began it both look at.
#[derive(Debug, Default)]
struct Shared {
    instructions: AtomicU64,
    has_ended: AtomicBool,
}

impl Stepping {
    /// Begins with all threads of process `id` and of its descendants, from a thread on `core`; the server's own is best, for only one
    /// of the two runs at a time. When it returns, nothing more happens uncounted.
    ///
    /// Until [`Self::finish`] nobody may wait for the process: whoever did would be told of its single steps.
    pub(crate) fn begin(id: u32, core: usize) -> Self {
        let shared = Arc::new(Shared::default());
        let tracers = shared.clone();
        let (begun, has_begun) = channel::<()>();
        let trace = move || -> Result<(), Errno> {
            let seized = seize(id);
            // It ends the wait for it, whatever came of it.
            drop(begun);
            seized.and_then(|()| count(&tracers))
        };
        let pinned = move || pinned(&[core], || Ok(trace())).unwrap_or(Err(Errno::EINVAL));
        let tracer = std::thread::spawn(pinned);
        let _ = has_begun.recv();
        Self { id, shared, tracer }
    }

    /// The instructions so far, of all of them.
    pub(crate) fn counted(&self) -> u64 {
        self.shared.instructions.load(Relaxed)
    }

    /// Ends the counting: from here on they run as they always do.
    pub(crate) fn end(&self) {
        self.shared.has_ended.store(true, Relaxed);
        // It does nothing but wake a thread, of which the tracer is told.
        let id = i32::try_from(self.id).map(Pid::from_raw);
        let _ = id.map(|id| kill(id, Signal::SIGCONT));
    }

    /// Waits until all of them have ended, as they must have been asked to.
    ///
    /// # Errors
    /// When the process may not be traced.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let ended = self
            .tracer
            .join()
            .map_err(|_| "the thread that counts instructions has panicked")?;
        ended.map_err(|error| {
            format!(
                "cannot single-step the server: {error}; ptrace(2) must be allowed, as for strace"
            )
            .into()
        })
    }
}

/// Makes this thread the tracer of them all, and stops them.
fn seize(id: u32) -> Result<(), Errno> {
    let options = Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACEEXIT;
    for thread in account::threads(id) {
        let thread = Pid::from_raw(i32::try_from(thread).map_err(|_| Errno::ESRCH)?);
        gone(ptrace::seize(thread, options).and_then(|()| ptrace::interrupt(thread)))?;
    }
    Ok(())
}

/// Steps whatever this thread traces, as long as it is to be counted, and then lets it run to its end.
fn count(shared: &Shared) -> Result<(), Errno> {
    // Of this thread's own tracees, and of no child that another thread waits for.
    let ours = Some(WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD);
    loop {
        let (thread, signal) = match waitpid(None, ours) {
            Ok(WaitStatus::Stopped(thread, Signal::SIGTRAP)) => {
                shared.instructions.fetch_add(1, Relaxed);
                (thread, None)
            }
            Ok(WaitStatus::PtraceEvent(thread, _, libc::PTRACE_EVENT_EXIT)) => {
                // Its end is for its parent to see.
                gone(ptrace::detach(thread, None))?;
                continue;
            }
            // It was seized, has cloned, or is a clone.
            Ok(WaitStatus::PtraceEvent(thread, ..)) => (thread, None),
            Ok(WaitStatus::Stopped(thread, signal)) => (thread, Some(signal)),
            Ok(_) | Err(Errno::EINTR) => continue,
            Err(Errno::ECHILD) => return Ok(()),
            Err(error) => return Err(error),
        };
        gone(match shared.has_ended.load(Relaxed) {
            true => ptrace::cont(thread, signal),
            false => ptrace::step(thread, signal),
        })?;
    }
}

/// A thread that was killed meanwhile is no error.
fn gone(resumed: Result<(), Errno>) -> Result<(), Errno> {
    match resumed {
        Err(Errno::ESRCH) => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

    use super::*;

    /// A process whose child sends back whatever line it gets.
    struct Echo {
        child: Child,
        input: ChildStdin,
        output: BufReader<ChildStdout>,
    }

    impl Echo {
        fn start() -> Self {
            let mut child = Command::new("sh")
                .args(["-c", "cat; exit 0"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut echo = Self {
                input: child.stdin.take().unwrap(),
                output: BufReader::new(child.stdout.take().unwrap()),
                child,
            };
            echo.lines(1);
            echo
        }

        fn lines(&mut self, count: usize) {
            for _ in 0..count {
                self.input.write_all(b"line\n").unwrap();
                let mut line = String::new();
                self.output.read_line(&mut line).unwrap();
                assert_eq!(line, "line\n");
            }
        }
    }

    #[test]
    fn the_same_work_takes_the_same_instructions_in_a_child_too() {
        let mut echo = Echo::start();
        let stepping = Stepping::begin(echo.child.id(), lab::cores::available()[0]);
        let mut instructions = |lines| {
            let before = stepping.counted();
            echo.lines(lines);
            stepping.counted() - before
        };
        let (few, more, most) = (instructions(10), instructions(20), instructions(30));
        let (second, third) = (more - few, most - more);
        assert!(second > 100, "{second}");
        // What follows the last line may be counted or not.
        assert!(second.abs_diff(third) < second / 4, "{second} and {third}");

        stepping.end();
        let counted = stepping.counted();
        echo.lines(1000);
        drop(echo.input);
        // What was under way may still be counted.
        assert!(stepping.counted() - counted < second, "counted to the end");
        stepping.finish().unwrap();
        assert!(echo.child.wait().unwrap().success());
    }
}
