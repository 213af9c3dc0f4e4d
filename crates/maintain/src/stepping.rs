//! Instructions in user mode, counted by single-stepping every thread (ptrace(2)): exact on any machine, with no counter of the
//! processor's and no emulator, which has to know every system call.
//!
//! It counts what the threads execute and not what the kernel does for them. An instruction with a repeat prefix counts once for each
//! repetition.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
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
    is_counting: Arc<AtomicBool>,
    tracer: JoinHandle<Result<u64, Errno>>,
}

impl Stepping {
    /// Begins with all threads of process `id` and of its descendants, from a thread on `core`; the server's own is best, for only one
    /// of the two runs at a time. When it returns, nothing more happens uncounted.
    ///
    /// Until [`Self::finish`] nobody may wait for the process: whoever did would be told of its single steps.
    pub(crate) fn begin(id: u32, core: usize) -> Self {
        let is_counting = Arc::new(AtomicBool::new(true));
        let go_on = is_counting.clone();
        let (begun, has_begun) = channel::<()>();
        let trace = move || -> Result<u64, Errno> {
            let seized = seize(id);
            // It ends the wait for it, whatever came of it.
            drop(begun);
            seized.and_then(|()| count(&go_on))
        };
        let pinned = move || pinned(&[core], || Ok(trace())).unwrap_or(Err(Errno::EINVAL));
        let tracer = std::thread::spawn(pinned);
        let _ = has_begun.recv();
        Self {
            id,
            is_counting,
            tracer,
        }
    }

    /// Ends the counting: from here on they run as they always do.
    pub(crate) fn end(&self) {
        self.is_counting.store(false, Relaxed);
        // It does nothing but wake a thread, of which the tracer is told.
        let id = i32::try_from(self.id).map(Pid::from_raw);
        let _ = id.map(|id| kill(id, Signal::SIGCONT));
    }

    /// Waits until all of them have ended, as they must have been asked to; gives the number of instructions that they executed while they
    /// were counted.
    ///
    /// # Errors
    /// When the process may not be traced.
    pub(crate) fn finish(self) -> Result<u64, Failure> {
        let counted = self
            .tracer
            .join()
            .map_err(|_| "the thread that counts instructions has panicked")?;
        counted.map_err(|error| {
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
fn count(is_counting: &AtomicBool) -> Result<u64, Errno> {
    // Of this thread's own tracees, and of no child that another thread waits for.
    let ours = Some(WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD);
    let mut instructions = 0;
    loop {
        let (thread, signal) = match waitpid(None, ours) {
            Ok(WaitStatus::Stopped(thread, Signal::SIGTRAP)) => {
                instructions += u64::from(is_counting.load(Relaxed));
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
            Err(Errno::ECHILD) => return Ok(instructions),
            Err(error) => return Err(error),
        };
        gone(match is_counting.load(Relaxed) {
            true => ptrace::step(thread, signal),
            false => ptrace::cont(thread, signal),
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

    /// Of so many lines, and of nothing that comes after them.
    fn instructions(lines: usize) -> u64 {
        let mut echo = Echo::start();
        let stepping = Stepping::begin(echo.child.id(), lab::cores::available()[0]);
        echo.lines(lines);
        stepping.end();
        echo.lines(1000);
        drop(echo.input);
        let counted = stepping.finish();
        assert!(echo.child.wait().unwrap().success());
        counted.unwrap()
    }

    #[test]
    fn the_same_work_takes_the_same_instructions_in_a_child_too() {
        let (few, more, most) = (instructions(10), instructions(20), instructions(30));
        let (second, third) = (more - few, most - more);
        assert!(second > 100, "{second}");
        // What follows the last line may be counted or not.
        assert!(second.abs_diff(third) < second / 4, "{second} and {third}");
    }
}
