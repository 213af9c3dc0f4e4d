//! `readme-figures` and `record-outcome`: what was measured, put where it is shown.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use lab::Failure;
use lab::cores;
use lab::trial::machine::cpu_field;

use crate::programs;

/// The pages that show what was measured.
const PAGES: [&str; 2] = ["README.md", "results/figures.md"];
const BEGIN: &str = "<!-- begin: ";
const END: &str = "<!-- end -->";
/// What an output begins with that is no text to be shown as it was printed.
const PICTURE: &str = "![";
/// What stands over the outcome in an experiment's file.
const OUTCOME: &str = "# Outcome";

/// Measure what the README and the page of figures show, and put it there
///
/// Each block between "begin" and "end" marks is replaced by the output of the command that the mark names. Takes some minutes on a quiet
/// machine with two cores.
#[derive(Debug, clap::Args)]
pub(crate) struct ReadmeFigures {
    /// Only the commands that contain one of these; the other blocks stay
    #[arg(value_name = "PART")]
    parts: Vec<String>,
}

impl ReadmeFigures {
    /// Measures one after the other; a command that fails leaves its page as it is.
    ///
    /// # Errors
    /// When a command fails, or a page cannot be read or written.
    pub(crate) fn run(&self) -> Result<u8, Failure> {
        PAGES.iter().try_for_each(|page| self.page(page))?;
        Ok(0)
    }

    fn page(&self, name: &str) -> Result<(), Failure> {
        let page = Path::new(name);
        let text = read(page)?;
        let is_asked_for = |command: &&str| {
            let mut parts = self.parts.iter();
            self.parts.is_empty() || parts.any(|part| command.contains(part.as_str()))
        };
        let mut outputs = Vec::new();
        for command in commands(&text).filter(is_asked_for) {
            eprintln!("measuring: {command}");
            let measured = Command::new("bash")
                .args(["-c", command])
                .stdin(Stdio::null())
                .stderr(Stdio::inherit())
                .output()
                .map_err(|error| format!("cannot start bash: {error}"))?;
            let output = String::from_utf8_lossy(&measured.stdout).into_owned();
            eprint!("{output}");
            if !measured.status.success() {
                return Err(format!(
                    "'{command}' failed ({}); {name} is as it was",
                    measured.status
                )
                .into());
            }
            outputs.push((command.to_owned(), output));
        }
        let today = format!("{}, {}", machine(), today());
        write(page, &spliced(&text, &outputs, &today))
    }
}

/// The commands that the marks of a text name.
fn commands(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(command)
}

fn command(line: &str) -> Option<&str> {
    line.strip_prefix(BEGIN)?.strip_suffix(" -->")
}

/// The text with the blocks of these commands replaced by their outputs; one without any output stays as it is.
fn spliced(text: &str, outputs: &[(String, String)], origin: &str) -> String {
    let mut new = String::new();
    let mut is_old = false;
    for line in text.lines() {
        is_old &= line != END;
        if !is_old {
            new.push_str(line);
            new.push('\n');
        }
        let output = command(line).and_then(|command| outputs.iter().find(|(of, _)| of == command));
        if let Some((command, output)) = output.filter(|(_, output)| !output.is_empty()) {
            let output = output.trim_end();
            new.push_str(&match output.starts_with(PICTURE) {
                true => format!("{output}\n\n*`{command}`, {origin}*\n"),
                false => format!("```console\n$ {command}      # {origin}\n{output}\n```\n"),
            });
            is_old = true;
        }
    }
    new
}

/// Run experiments and write what came out at the end of their files, below the line "# Outcome"
#[derive(Debug, clap::Args)]
pub(crate) struct RecordOutcome {
    /// Experiments, on threads too (`archbench run CONFIG --dry-run`, `scripts/bench-threads CONFIG --dry-run` say how long one takes)
    #[arg(value_name = "CONFIG", required = true)]
    configs: Vec<PathBuf>,
    /// Where the results are kept
    #[arg(long, value_name = "DIR", env = "RESULTS", default_value = "results")]
    results: PathBuf,
}

impl RecordOutcome {
    /// Runs one after the other, and writes each as soon as it has come out.
    ///
    /// # Errors
    /// When a run fails, or a file cannot be read or written.
    pub(crate) fn run(&self) -> Result<u8, Failure> {
        for config in &self.configs {
            let is_of_threads = is_of_threads(&read(config)?);
            let program = match is_of_threads {
                true => programs::binary("threads", "threads")?,
                false => programs::archbench()?,
            };
            let mut command = Command::new(&program);
            command.arg("run").arg(config);
            command.arg("--results").arg(&self.results);
            if !is_of_threads {
                // What was broken off goes on otherwise.
                command.arg("--fresh");
            }
            let run = command
                .stdin(Stdio::null())
                .stderr(Stdio::inherit())
                .output()
                .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
            if !run.status.success() {
                return Err(
                    format!("the run of {} failed ({})", config.display(), run.status).into(),
                );
            }
            record(config, &String::from_utf8_lossy(&run.stdout))?;
        }
        Ok(0)
    }
}

/// Writes what was printed at the end of an experiment's file, but for its first line, which repeats the question.
///
/// # Errors
/// When the file cannot be read or written.
pub(crate) fn record(config: &Path, printed: &str) -> Result<(), Failure> {
    let heading = format!("{OUTCOME} on {}; {}.", today(), machine());
    write(config, &with_outcome(&read(config)?, &heading, printed))
}

/// Whether an experiment is on threads without a server, which `scripts/bench-threads` runs: it says what they do.
fn is_of_threads(config: &str) -> bool {
    config.lines().any(|line| line.starts_with("workload = "))
}

/// An experiment's file with what `archbench run` printed as a comment at its end, in place of an outcome before.
fn with_outcome(config: &str, heading: &str, printed: &str) -> String {
    let kept: Vec<&str> = config
        .lines()
        .take_while(|line| !line.starts_with(OUTCOME))
        .collect();
    let mut new = format!("{}\n\n{heading}\n#\n", kept.join("\n").trim_end());
    // The first line repeats the question; where the results lie is nobody else's business.
    for line in printed.lines().skip(1) {
        let places = ["results  ", "report   ", "notebook "];
        if !places.iter().any(|place| line.starts_with(place)) {
            new.push_str(format!("# {line}").trim_end());
            new.push('\n');
        }
    }
    new
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()).into())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    Ok(results::write_atomically(path, text.as_bytes())?)
}

/// Like `AMD EPYC, 2 cores, Linux 6.18.44`.
fn machine() -> String {
    let processor = cpu_field("model name").unwrap_or_else(|| "unknown processor".to_owned());
    let kernel = rustix::system::uname();
    let release = kernel.release().to_string_lossy();
    format!(
        "{processor}, {} cores, Linux {release}",
        cores::available().len()
    )
}

/// Like `2026-11-21`.
fn today() -> String {
    let now = results::rfc3339_utc(SystemTime::now());
    now.split('T').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Before.\n<!-- begin: scripts/a 1 -->\n```console\nold a\n```\n<!-- end -->\nBetween.\n\n<!-- begin: scripts/b -->\nold b\n<!-- end -->\nAfter.\n";

    #[test]
    fn a_block_is_replaced_by_the_output_of_its_command_and_the_others_stay() {
        assert_eq!(
            commands(TEXT).collect::<Vec<_>>(),
            ["scripts/a 1", "scripts/b"]
        );
        let outputs = [("scripts/a 1".to_owned(), "new\nlines\n".to_owned())];
        let new = spliced(TEXT, &outputs, "a machine, 2026-01-02");
        let block = "<!-- begin: scripts/a 1 -->\n```console\n$ scripts/a 1      # a machine, 2026-01-02\nnew\nlines\n```\n<!-- end -->\n";
        assert_eq!(
            new,
            TEXT.replace(
                "<!-- begin: scripts/a 1 -->\n```console\nold a\n```\n<!-- end -->\n",
                block
            )
        );
        // Again, it changes nothing.
        assert_eq!(spliced(&new, &outputs, "a machine, 2026-01-02"), new);
    }

    #[test]
    fn a_picture_is_shown_as_one() {
        let outputs = [(
            "scripts/b".to_owned(),
            "![what it shows](b.svg)\n".to_owned(),
        )];
        let new = spliced(TEXT, &outputs, "a machine, 2026-01-02");
        let block = "<!-- begin: scripts/b -->\n![what it shows](b.svg)\n\n*`scripts/b`, a machine, 2026-01-02*\n<!-- end -->\n";
        assert_eq!(
            new,
            TEXT.replace("<!-- begin: scripts/b -->\nold b\n<!-- end -->\n", block)
        );
        assert_eq!(spliced(&new, &outputs, "a machine, 2026-01-02"), new);
    }

    #[test]
    fn without_output_everything_stays() {
        assert_eq!(spliced(TEXT, &[], "x"), TEXT);
        assert_eq!(
            spliced(TEXT, &[("scripts/b".to_owned(), String::new())], "x"),
            TEXT
        );
    }

    #[test]
    fn an_outcome_takes_the_place_of_the_one_before() {
        let printed = "Does it matter?\n\ncell  p99 \nsped  1 ms\nresults  results/x\nreport   results/x/report.html\nnotebook results/x/explore.ipynb\n";
        let expected = "name = \"x\"\n\n# Outcome on a day.\n#\n#\n# cell  p99\n# sped  1 ms\n";
        let first = with_outcome("name = \"x\"\n", "# Outcome on a day.", printed);
        assert_eq!(first, expected);
        assert_eq!(
            with_outcome(&first, "# Outcome on a day.", printed),
            expected
        );
    }

    #[test]
    fn experiments_on_threads_are_told_from_those_on_servers() {
        let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench-configs");
        let of = |name: &str| is_of_threads(&fs::read_to_string(configs.join(name)).unwrap());
        for name in ["disk", "idle", "overload", "threads"] {
            assert!(of(&format!("threads/capriccio-{name}.toml")), "{name}");
        }
        assert!(!of("capriccio-web.toml") && !of("goroutines.toml"));
    }

    #[test]
    fn a_day_is_a_date() {
        let today = today();
        assert!(today.len() == 10 && today.starts_with("20"), "{today}");
    }
}
