//! Processes that are started, watched and ended.

use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use command::interrupt::Interrupt;
use network::Namespace;
use results::Sample;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use sys::signals::start_unblocked;

use crate::commands::agent::AgentLine;
use crate::cores::pinned;
use crate::trial::memory::Group;

/// What is kept of what a process says on standard error.
const KEPT: usize = 4096;

/// How long a launcher is waited for that is to end at once: what it has started ends first.
const LAUNCHER_GRACE: Duration = Duration::from_secs(3);

/// A process of ours, in a process group of its own, which ends with it at the latest when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    lines: Receiver<String>,
    errors: Option<JoinHandle<String>>,
    ended: Option<ExitStatus>,
    /// Of one that a launcher started: what ends it when it is closed.
    input: Option<ChildStdin>,
    is_launched: bool,
    samples: Arc<Mutex<Vec<Sample>>>,
}

/// Where a process runs.
#[derive(Debug, Clone, Copy)]
pub struct Placement<'a> {
    /// On these cores.
    pub cores: &'a [usize],
    /// In this memory group, if in any: it is there before its first page is.
    pub group: Option<&'a Group>,
    /// On this host, if not on the one where this program is.
    pub host: Option<&'a Namespace>,
    /// Wherever a launcher puts it, which the command begins with: it is ended by its standard input, and an agent there says what it uses.
    pub is_launched: bool,
}

impl<'a> Placement<'a> {
    /// On these cores of the host where this program is, with all the memory that there is.
    pub fn on(cores: &'a [usize]) -> Self {
        Self {
            cores,
            group: None,
            host: None,
            is_launched: false,
        }
    }

    /// Where a launcher puts it, which itself runs on these cores; on any, if none are named.
    pub fn launched(cores: &'a [usize]) -> Self {
        Self {
            is_launched: true,
            ..Self::on(cores)
        }
    }
}

/// Why a line did not come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoLine {
    /// Not in time.
    Late,
    /// Standard output was closed.
    Ended,
    /// Ctrl-C.
    Interrupted,
}

impl Process {
    /// Starts a command.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &[String], place: Placement<'_>) -> io::Result<Self> {
        Self::start_until(Signal::KILL, command, place)
    }

    /// The same for one that is sent `last` if this program, or rather the thread that starts it, ends before it and cannot end it any
    /// more.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_until(last: Signal, command: &[String], place: Placement<'_>) -> io::Result<Self> {
        let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut command = match place.group {
            None => Command::new(program),
            Some(group) => group.command(program),
        };
        if let Some(host) = place.host {
            host.start_in(&mut command)?;
        }
        command
            .args(arguments)
            .stdin(match place.is_launched {
                true => Stdio::piped(),
                false => Stdio::null(),
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        sys::process::end_with_parent(&mut command, last);
        start_unblocked(&mut command);
        let mut child = match place.cores {
            [] => command.spawn()?,
            cores => pinned(cores, || command.spawn())?,
        };
        let samples = Arc::new(Mutex::new(Vec::new()));
        let seen = samples.clone();
        let (sender, lines) = channel();
        if let Some(out) = child.stdout.take() {
            std::thread::spawn(move || {
                let mut out = BufReader::new(out);
                let mut line = Vec::new();
                // A line without an end is given at the end.
                while matches!(out.read_until(b'\n', &mut line), Ok(1..)) {
                    let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                    line.clear();
                    if let Some(AgentLine::AgentSample(sample)) = AgentLine::read(&text) {
                        seen.lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(sample);
                        continue;
                    }
                    if sender.send(text).is_err() {
                        return;
                    }
                }
            });
        }
        let errors = child
            .stderr
            .take()
            .map(|err| std::thread::spawn(move || tail(err)));
        Ok(Self {
            input: child.stdin.take(),
            child,
            lines,
            errors,
            ended: None,
            is_launched: place.is_launched,
            samples,
        })
    }

    /// What an agent has said that its processes use since the last time.
    pub(crate) fn take_samples(&self) -> Vec<Sample> {
        std::mem::take(&mut *self.samples.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its next line on standard output.
    ///
    /// # Errors
    /// Why there is none.
    pub fn line(&self, timeout: Duration, interrupt: &Interrupt) -> Result<String, NoLine> {
        let end = Instant::now() + timeout;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left.min(Duration::from_millis(50))) {
                Ok(line) => return Ok(line),
                Err(RecvTimeoutError::Disconnected) => return Err(NoLine::Ended),
                Err(RecvTimeoutError::Timeout) if interrupt.came() => {
                    return Err(NoLine::Interrupted);
                }
                Err(RecvTimeoutError::Timeout) if left.is_zero() => return Err(NoLine::Late),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// All lines that are still to come, until it closes its output or the time is up.
    ///
    /// # Errors
    /// [`NoLine::Late`] or [`NoLine::Interrupted`].
    pub fn rest(&self, timeout: Duration, interrupt: &Interrupt) -> Result<Vec<String>, NoLine> {
        let end = Instant::now() + timeout;
        let mut lines = Vec::new();
        loop {
            match self.line(end.saturating_duration_since(Instant::now()), interrupt) {
                Ok(line) => lines.push(line),
                Err(NoLine::Ended) => return Ok(lines),
                Err(other) => return Err(other),
            }
        }
    }

    /// Whether it has ended, and how.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
        }
        self.ended
    }

    /// Waits for its end; `None` when the time is up.
    pub fn wait(&mut self, timeout: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + timeout;
        loop {
            if let Some(status) = self.ended() {
                return Some(status);
            }
            if Instant::now() >= end {
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Asks it to end.
    pub fn terminate(&mut self) {
        if self.is_launched {
            // Whether a launcher passes a signal on is its own affair.
            self.input = None;
            return;
        }
        if self.ended().is_none()
            && let Some(pid) = self.pid()
        {
            // It may have ended in between.
            let _ = kill_process(pid, Signal::TERM);
        }
    }

    /// Ends it and whatever it started, and gives the end of what it said on standard error.
    pub fn kill(&mut self) -> String {
        if self.is_launched {
            self.input = None;
            self.wait(LAUNCHER_GRACE);
        }
        // Before it is waited for, while its id cannot belong to somebody else. Its workers may outlive it.
        if let Some(pid) = self.pid() {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        if self.ended.is_none() {
            self.ended = self.child.wait().ok();
        }
        let errors = self.errors.take().and_then(|errors| errors.join().ok());
        errors.unwrap_or_default()
    }

    fn pid(&self) -> Option<Pid> {
        Pid::from_raw(i32::try_from(self.child.id()).ok()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.errors.is_some() {
            self.kill();
        }
    }
}

/// The end of a text, as it is read.
fn tail(mut from: impl Read) -> String {
    let mut kept = Vec::new();
    let mut chunk = [0; 1024];
    while let Ok(read @ 1..) = from.read(&mut chunk) {
        kept.extend_from_slice(&chunk[..read]);
        let over = kept.len().saturating_sub(KEPT);
        kept.drain(..over);
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}

/// How a process ended, for people.
pub fn describe(status: ExitStatus, errors: &str) -> String {
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with status {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
    };
    match errors
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect::<Vec<_>>()
        .as_slice()
    {
        [] => format!("it {how} and said nothing"),
        lines => format!(
            "it {how} and said: {}",
            lines[lines.len().saturating_sub(4)..].join(" / ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Process {
        let command = ["sh", "-c", script].map(str::to_owned);
        Process::start(&command, Placement::on(&crate::cores::available())).unwrap()
    }

    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn lines_come_and_the_end_is_told() {
        let none = Interrupt::default();
        let mut process = sh("echo one; echo two; printf three; echo oops >&2; exit 3");
        assert_eq!(process.line(SOON, &none).unwrap(), "one");
        assert_eq!(process.rest(SOON, &none).unwrap(), ["two", "three"]);
        let status = process.wait(SOON).unwrap();
        assert_eq!(
            describe(status, &process.kill()),
            "it ended with status 3 and said: oops"
        );
    }

    #[test]
    fn one_that_hangs_is_ended_with_all_that_it_started() {
        let none = Interrupt::default();
        let mut process = sh("sleep 1000 & echo $!; wait");
        let grandchild = process.line(SOON, &none).unwrap();
        assert_eq!(
            process.line(Duration::from_millis(20), &none),
            Err(NoLine::Late)
        );
        none.raise();
        assert_eq!(process.line(SOON, &none), Err(NoLine::Interrupted));
        assert!(process.wait(Duration::ZERO).is_none());
        drop(process);
        let gone = || {
            let stat = std::fs::read_to_string(format!("/proc/{grandchild}/stat"));
            stat.map_or(true, |stat| stat.contains(") Z"))
        };
        let end = Instant::now() + SOON;
        while !gone() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(gone());
    }
}
