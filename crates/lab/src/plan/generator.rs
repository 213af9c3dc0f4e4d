//! Whether a generator that is not ours can be told what the loads ask for.

use super::cells::{Cell, LoadCell};
use crate::spec::external::External;

/// Checks that everything that a load says has a place in the generator's command: what it is not told it does not do.
///
/// # Errors
/// What it cannot be told; in words.
pub(super) fn check(generator: &External, cells: &[Cell]) -> Result<(), String> {
    for cell in cells {
        for name in told(&cell.load)? {
            if !generator.takes(name) {
                return Err(format!(
                    "the command of the generator {} has no @{name}@, and a load says what it is",
                    generator.label
                ));
            }
        }
    }
    Ok(())
}

/// The placeholders that a load needs.
fn told(load: &LoadCell) -> Result<Vec<&'static str>, String> {
    let ours = [
        ("stages", load.stages.is_some()),
        ("think_exponential", load.think_exponential),
        (
            load.flags
                .first()
                .map_or("", |flag| flag.trim_start_matches('-')),
            !load.flags.is_empty(),
        ),
    ];
    if let Some((name, _)) = ours.iter().find(|(_, given)| *given) {
        let name = name.replace('-', "_");
        return Err(format!(
            "{name} is of our generator alone; leave it out of the load, or the generator"
        ));
    }
    let needed = [
        ("url", true),
        ("connections", true),
        ("duration_s", true),
        ("rate", load.rate.is_some()),
        ("arrival", load.arrival.is_some()),
        ("session_requests", load.session_requests.is_some()),
        ("think_s", load.think.is_some()),
    ];
    let needed = needed.into_iter().filter(|(_, needed)| *needed);
    Ok(needed.map(|(name, _)| name).collect())
}
