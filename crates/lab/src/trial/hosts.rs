//! What a run needs of the network here, looked at before it begins: hosts of its own, and the right to capture.

use std::path::Path;
use std::process::{Command, Stdio};

use network::Leftover;

use crate::Failure;
use crate::plan::cells::Cell;
use crate::spec::NetworkKind;

/// Sees to it that the cells' networks can be made and, if packets are to be captured, that they can be; ends what runs that were killed
/// have left in theirs. Gives what people should know of it.
///
/// # Errors
/// What is missing, and what to do about it, in one line.
pub fn prepare(cells: &[Cell], wire: bool, archbench: &Path) -> Result<Vec<String>, Failure> {
    let mut notices = Vec::new();
    if cells
        .iter()
        .any(|cell| cell.network.kind == NetworkKind::Veth)
    {
        network::available()?;
        notices.extend(clean_up().into_iter().map(|left| left.told));
    }
    // On hosts of its own this program may do everything.
    if wire
        && cells
            .iter()
            .any(|cell| cell.network.kind == NetworkKind::Loopback)
    {
        try_capturing(archbench)?;
    }
    Ok(notices)
}

/// A leftover, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleanedUp {
    /// Whether it is gone.
    pub gone: bool,
    /// For people.
    pub told: String,
}

/// Ends the processes that keep network namespaces of runs that were killed.
pub(crate) fn clean_up() -> Vec<CleanedUp> {
    network::leftovers().iter().map(remove).collect()
}

fn remove(leftover: &Leftover) -> CleanedUp {
    let Leftover {
        maker, processes, ..
    } = leftover;
    let processes: Vec<_> = processes.iter().map(u32::to_string).collect();
    let what = format!(
        "a run that was killed (process {maker}) had left a network namespace with process {}",
        processes.join(", ")
    );
    match leftover.remove() {
        Ok(()) => CleanedUp {
            gone: true,
            told: format!("{what}; it is removed"),
        },
        Err(error) => CleanedUp {
            gone: false,
            told: format!("{what}, which cannot be removed: {error}"),
        },
    }
}

/// A capture of nothing, for no time.
fn try_capturing(archbench: &Path) -> Result<(), Failure> {
    let output = Command::new(archbench)
        .args([
            "wire",
            "--port",
            "1",
            "--duration",
            "0",
            "--output-format",
            "json",
        ])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot start {}: {error}", archbench.display()))?;
    if output.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let line = errors
        .lines()
        .next()
        .unwrap_or("packets cannot be captured here");
    Err(line.trim_start_matches("error: ").into())
}
