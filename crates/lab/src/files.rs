//! File sets, made where they are missing.

use std::io::{IsTerminal, Write};
use std::path::Path;

use workload::FileSet;
use workload::fileset::WriteError;

/// Makes a set, showing progress to a person when it takes long.
///
/// # Errors
/// When the directory holds something else, or cannot be written.
pub fn make(set: &FileSet, directory: &Path) -> Result<(), WriteError> {
    let terminal = std::io::stderr().is_terminal();
    let mut shown = None;
    let made = set.write_to(directory, |done, total| {
        let percent = done * 100 / total.max(1);
        if terminal && shown != Some(percent) {
            shown = Some(percent);
            let _ = write!(
                std::io::stderr(),
                "\rmaking {} in {}: {percent} %",
                set.preset(),
                directory.display()
            );
        }
    });
    if shown.is_some() {
        let _ = writeln!(std::io::stderr());
    }
    made.map(|_| ())
}
