//! The command: a disk from mounting to unmounting.

use std::process::ExitCode;
use std::time::Duration;

use command::interrupt::Interrupt;
use command::output::{Format, complain, print, print_json};
use contracts::Line;

use crate::cli::Arguments;
use crate::{Disk, Error, Left, Mounted, output};

/// How often it is looked whether somebody else has unmounted the disk.
const GLANCE: Duration = Duration::from_millis(200);

/// Mounts a disk, says so, and unmounts it when a signal comes: `archbench disk`.
///
/// Call it while this process has but one thread, since signals are to be taken by waiting for them.
pub fn run(arguments: &Arguments) -> ExitCode {
    match serve(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(format_args!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: &Arguments) -> Result<(), Error> {
    let own = |what| move |source| Error::Own { what, source };
    let no_json = |source: serde_json::Error| own("print JSON")(source.into());
    let interrupt = Interrupt::watch().map_err(own("watch for Ctrl-C"))?;
    let disk = Disk::from(arguments);
    let mounted = Mounted::new(&disk)?;
    match arguments.output_format {
        Format::Text => print(output::ready_text(&disk, &mounted)),
        Format::Json => print_json(output::ready(&disk, &mounted).line().map_err(no_json)?),
    }
    while !mounted.is_gone() && !interrupt.sleep(GLANCE) {}
    let counts = mounted.counts();
    let left = mounted.unmount().map_err(own("unmount the disk"))?;
    if left == Left::InUse {
        complain("note: files on the disk are still open; whoever reads them gets errors now");
    }
    match arguments.output_format {
        Format::Text => print(output::summary_text(&counts)),
        Format::Json => print_json(output::summary(&counts).line().map_err(no_json)?),
    }
    Ok(())
}
