//! `archbench agent`: a thin helper where a server or a generator runs, which a launcher starts with it. It is no daemon.
//!
//! A launcher passes standard input and output on, and little else: whether a signal, or the launcher's own end, reaches what it has
//! started is different with each. So the agent ends its command when its standard input ends, and says on standard output, among the
//! command's own lines, what the command's processes use.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use results::{Machine, Sample};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde::{Deserialize, Serialize};

use crate::cores::{self, Cores};
use crate::trial::machine;
use crate::trial::memory::Support;
use crate::trial::watch;
use crate::{Failure, Status};

/// How often it is looked whether somebody wants the command to end.
const LOOKS_UP: Duration = Duration::from_millis(20);
/// How long a command that is told to end may take.
const GRACE: Duration = Duration::from_secs(15);

/// Start a command and end it when standard input ends, for launchers that do not pass on signals
///
/// A lab across hosts starts its servers and generators by it: hosts in an experiment.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
The command's lines go to standard output as they come. It gets SIGTERM when standard input ends, and is killed if it does not end then. The exit
status is the command's, or 128 and the number of the signal that ended it.

Example:
  ssh a archbench agent --sample -- archbench serve --addr 10.0.0.5:8080")]
pub struct Args {
    /// Say every quarter of a second what the command's processes use, in lines of JSON
    #[arg(long)]
    pub sample: bool,
    /// Say what machine this is, in lines of JSON, and start nothing
    #[arg(long, conflicts_with_all = ["sample", "command"])]
    pub machine: bool,
    /// The command
    #[arg(
        value_name = "COMMAND",
        trailing_var_arg = true,
        required_unless_present = "machine"
    )]
    pub command: Vec<String>,
}

/// A line of the agent's own. It stands on standard output among those of the command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum AgentLine {
    /// What the command's processes use.
    AgentSample(Sample),
    /// A piece of what machine it is, which is a text of JSON.
    AgentMachine {
        /// Whose text it is: an agent's own mark.
        of: String,
        /// Which piece, from 0 on.
        number: usize,
        /// Of how many.
        pieces: usize,
        /// What is in it.
        text: String,
    },
}

/// The most letters of a text in a piece. With its quotes escaped and what is around it, a line stays below what launchers pass on whole
/// (srun: 1 KiB); a longer one would have another agent's in its midst.
const PIECE: usize = 300;

/// What machine it is, in pieces of the agent with this mark.
fn in_pieces(machine: &Machine, of: &str) -> Result<Vec<AgentLine>, Failure> {
    let letters: Vec<char> = serde_json::to_string(machine)?.chars().collect();
    let pieces = letters.chunks(PIECE);
    let count = pieces.len();
    let lines = pieces
        .enumerate()
        .map(|(number, piece)| AgentLine::AgentMachine {
            of: of.to_owned(),
            number,
            pieces: count,
            text: piece.iter().collect(),
        });
    Ok(lines.collect())
}

/// What no two agents have in common, though their hosts may have one name and their processes one number.
fn clock_ns() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_nanos()
}

/// The machines that agents have said in these lines, each of which is all there.
pub(crate) fn machines(lines: &[String]) -> Vec<Machine> {
    let mut said: BTreeMap<String, (usize, BTreeMap<usize, String>)> = BTreeMap::new();
    for line in lines {
        let Some(AgentLine::AgentMachine {
            of,
            number,
            pieces,
            text,
        }) = AgentLine::read(line)
        else {
            continue;
        };
        let (count, texts) = said.entry(of).or_default();
        *count = pieces;
        texts.insert(number, text);
    }
    let whole = said
        .into_values()
        .filter(|(count, texts)| texts.len() == *count);
    whole
        .filter_map(|(_, texts)| {
            let text: String = texts.into_values().collect();
            serde_json::from_str(&text).ok()
        })
        .collect()
}

impl AgentLine {
    /// The one in a line, if it is one.
    pub fn read(line: &str) -> Option<Self> {
        let start = "{\"event\":\"agent_";
        let at = line.find(start)?;
        serde_json::from_str(line[at..].trim_end()).ok()
    }

    fn print(&self) {
        if let Ok(text) = serde_json::to_string(self) {
            command::output::print_json(text);
        }
    }
}

/// Does it; gives the exit status.
///
/// # Errors
/// When the command cannot be started.
pub fn run(args: &Args) -> Result<Status, Failure> {
    if args.machine {
        let all = Cores {
            server: cores::available(),
            generator: cores::available(),
        };
        let home = std::env::current_dir().unwrap_or_default();
        let machine = machine::machine(&all, &Support::None("not asked for".into()), &home);
        let host = rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned();
        let of = format!("{host}-{}-{}", std::process::id(), clock_ns());
        in_pieces(&machine, &of)?.iter().for_each(AgentLine::print);
        return Ok(0);
    }
    let mut child = start(&args.command)?;
    let is_to_end = Arc::new(AtomicBool::new(false));
    watch_input(is_to_end.clone());
    let asked = is_to_end.clone();
    command::interrupt::each(move || asked.store(true, Relaxed))
        .map_err(|error| format!("cannot watch for signals: {error}"))?;
    let turn = Arc::new(Mutex::new(()));
    let passing = child.stdout.take().map(|out| pass_on(out, turn.clone()));
    let status = wait(&mut child, &is_to_end, args.sample.then_some(&*turn))?;
    if let Some(passing) = passing {
        // It ends with the command's output.
        let _ = passing.join();
    }
    let signal = status.signal().map(|signal| 128 + signal);
    let code = status.code().or(signal).unwrap_or(1);
    Ok(Status::try_from(code).unwrap_or(1))
}

fn start(words: &[String]) -> Result<Child, Failure> {
    let [program, arguments @ ..] = words else {
        return Err("there is no command".into());
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0);
    sys::process::end_with_parent(&mut command, Signal::KILL);
    sys::signals::start_unblocked(&mut command);
    command
        .spawn()
        .map_err(|error| format!("cannot start {program}: {error}").into())
}

/// Standard input ends when whoever has started the launcher closes it, or has ended.
fn watch_input(is_to_end: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let mut bytes = [0; 256];
        while matches!(io::stdin().lock().read(&mut bytes), Ok(1..)) {}
        is_to_end.store(true, Relaxed);
    });
}

/// Passes the command's lines on, each in one piece.
fn pass_on(out: impl Read + Send + 'static, turn: Arc<Mutex<()>>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut out = BufReader::new(out);
        let mut line = Vec::new();
        while matches!(out.read_until(b'\n', &mut line), Ok(1..)) {
            let _turn = turn.lock();
            let mut to = io::stdout().lock();
            // A reader who has gone away stops nobody; the input ends too.
            let _ = to.write_all(&line).and_then(|()| to.flush());
            line.clear();
        }
    })
}

/// Waits for the command's end, which it is told to come to when it is to.
fn wait(
    child: &mut Child,
    is_to_end: &AtomicBool,
    samples: Option<&Mutex<()>>,
) -> Result<ExitStatus, Failure> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let began = Instant::now();
    let (mut told, mut sampled) = (None, None);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if let Some(turn) = samples
            && sampled.is_none_or(|at: Instant| at.elapsed() >= watch::EVERY)
        {
            sampled = Some(Instant::now());
            if let Some(sample) = watch::sample(child.id(), began.elapsed()) {
                let _turn = turn.lock();
                AgentLine::AgentSample(sample).print();
            }
        }
        let ends = is_to_end.load(Relaxed);
        match (told, pid) {
            (None, Some(pid)) if ends => {
                told = Some(Instant::now());
                // It may have ended in between.
                let _ = kill_process(pid, Signal::TERM);
            }
            (Some(at), Some(pid)) if Instant::elapsed(&at) > GRACE => {
                let _ = kill_process_group(pid, Signal::KILL);
                told = Some(Instant::now());
            }
            _ => {}
        }
        std::thread::sleep(LOOKS_UP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_whose_lines_are_mixed_are_each_put_together() {
        let machine = |cpu: &str| Machine {
            cpu_model: Some(cpu.to_owned()),
            cgroup: "\"quoted\" ".repeat(100),
            ..Machine::default()
        };
        let lines = |cpu: &str| {
            let lines = in_pieces(&machine(cpu), cpu).expect("JSON");
            let lines = lines
                .iter()
                .map(|line| serde_json::to_string(line).expect("JSON"));
            lines.collect::<Vec<_>>()
        };
        let (one, two, cut) = (lines("one"), lines("two"), lines("cut"));
        assert!(one.len() > 2 && one.iter().all(|line| line.len() < 1000));
        let mut mixed: Vec<String> = Vec::new();
        for (one, two) in one.iter().zip(&two) {
            mixed.extend([two.clone(), "what a launcher says".to_owned(), one.clone()]);
        }
        mixed.extend_from_slice(&cut[1..]);
        assert_eq!(machines(&mixed), [machine("one"), machine("two")]);
    }
}
