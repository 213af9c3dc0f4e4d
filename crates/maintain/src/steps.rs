//! `steps`: instructions of each step of the ground floor, in user mode, counted by callgrind.
//!
//! They are the same on a noisy machine as on a quiet one, so that a change of one per cent can be seen. What the kernel does is not
//! counted, nor what a cache miss costs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lab::Failure;

use crate::programs;

/// How often each step is done; the difference is what the difference takes, without starting up.
const TIMES: [u64; 2] = [1000, 3000];

/// Count the instructions of each step of the ground floor, by callgrind
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Which steps; all if none is named
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// The `count` of another commit (cargo build --release -p bench --bin count), instead of this one's
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
}

/// Counts, and prints a line for each step as soon as it is known.
///
/// # Errors
/// When there is no such step, or valgrind fails.
pub(crate) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let program = match &arguments.program {
        Some(program) => program.clone(),
        None => programs::binary("bench", "count")?,
    };
    let listed = said(Command::new(&program), &program)?;
    let steps: Vec<(&str, &str)> = listed
        .stdout
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .collect();
    if let Some(unknown) = arguments
        .names
        .iter()
        .find(|name| !steps.iter().any(|(step, _)| step == name))
    {
        let names: Vec<&str> = steps.iter().map(|(name, _)| *name).collect();
        return Err(format!("there is no step '{unknown}', but {}", names.join(", ")).into());
    }
    println!("{:<16} {:>12}   what", "step", "instructions");
    for (name, what) in steps {
        if !arguments.names.is_empty() && !arguments.names.iter().any(|asked| asked == name) {
            continue;
        }
        let counted = TIMES.map(|times| instructions(&program, name, times));
        let [few, many] = counted;
        match (few?, many?) {
            (Some(few), Some(many)) => {
                let each = many.saturating_sub(few) / (TIMES[1] - TIMES[0]);
                println!("{name:<16} {each:>12}   {what}");
            }
            _ => println!(
                "{name:<16} {:>12}   {what} (this valgrind does not know openat2)",
                "-"
            ),
        }
    }
    Ok(0)
}

struct Said {
    stdout: String,
    stderr: String,
    succeeded: bool,
}

fn said(mut command: Command, program: &Path) -> Result<Said, Failure> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Said {
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
        succeeded: output.status.success(),
    })
}

/// Instructions that doing a step so often takes; `None` if valgrind cannot do it.
fn instructions(program: &Path, name: &str, times: u64) -> Result<Option<u64>, Failure> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    command.arg(program).args([name, &times.to_string()]);
    let said = said(command, Path::new("valgrind"))?;
    match collected(&said.stderr) {
        _ if knows_too_little(&said.stderr) => Ok(None),
        Some(count) if said.succeeded => Ok(Some(count)),
        _ => Err(format!("valgrind cannot count {name}: {}", said.stderr.trim()).into()),
    }
}

/// Whether valgrind met openat2(2), which is system call 437, and did not know it.
fn knows_too_little(stderr: &str) -> bool {
    stderr
        .lines()
        .any(|line| line.contains("unhandled") && line.ends_with("syscall: 437"))
}

/// The count that callgrind ends with.
fn collected(stderr: &str) -> Option<u64> {
    let mut counts = stderr
        .lines()
        .filter_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    counts.next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_callgrind_says_is_read() {
        let text = "==7== Events    : Ir\n==7== Collected : 4462773\n==7== \n==7== I   refs:      4,462,773\n";
        assert_eq!(collected(text), Some(4_462_773));
        assert_eq!(collected("==7== no count"), None);
        assert!(!knows_too_little(text));
        assert!(knows_too_little(
            "--7-- WARNING: unhandled amd64-linux syscall: 437\n"
        ));
    }
}
