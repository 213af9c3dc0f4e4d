//! What is typed of a run that several processes make together.

use crate::share::{AskedShare, StartAt};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;
use workload::units;

/// One run of several processes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "One run of several processes")]
pub struct Several {
    /// Be one of several processes that make a run together, like 2/4: clients, connections and requests are divided among them, and each
    /// arrival of an open loop is made by one. auto takes it from the launcher: srun, mpirun, an indexed Job of Kubernetes
    #[arg(long, value_name = "I/N")]
    pub share: Option<AskedShare>,

    /// Begin at this time, in seconds since 1970 as date +%s prints them, or next:10s, when the clock next shows a multiple of ten
    /// seconds; connections are made before. Of a share, next:10s is the default
    #[arg(long, value_name = "TIME")]
    pub start_at: Option<StartAt>,

    /// Write what is measured to a file in this directory as it goes, second by second, for archbench merge. The last of several processes to
    /// end merges what all have written, reports it, and keeps it there as JSON; the others report nothing, and end with status 0
    #[arg(long, value_name = "DIR")]
    pub out_dir: Option<PathBuf>,

    /// What the processes of this run, and of no other, call it; the launcher's own name for it, or the time of --start-at, if nothing is said
    #[arg(long, value_name = "ID", value_parser = run_id)]
    pub run_id: Option<String>,

    /// Behave as if this host's clock were ahead by this, and its time service knew: a fault, to see that a merged run names it
    #[arg(long, value_name = "TIME", hide = true, value_parser = units::duration)]
    pub inject_clock_ahead: Option<Duration>,
}

fn run_id(text: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    match text.bytes().all(is_plain) && (1..=100).contains(&text.len()) && !text.starts_with('.') {
        true => Ok(text.to_owned()),
        false => Err(
            "it becomes part of a file's name: expected letters, digits, '.', '_' and '-'"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::tests::parse;

    #[test]
    fn a_name_of_a_run_is_one_of_a_file_too() {
        for (id, is_taken) in [
            ("a-1.2_B", true),
            ("", false),
            ("a/b", false),
            (".a", false),
            ("a%b", false),
        ] {
            let line = ["--run-id=", id].concat();
            assert_eq!(parse(&line).is_ok(), is_taken, "{id}");
        }
    }
}
