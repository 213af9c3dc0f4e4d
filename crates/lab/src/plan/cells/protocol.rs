//! Whether servers speak what loads ask in: one that does not would fail every trial.

use super::{Cell, Server};

/// Checks every cell with a server of ours. What a foreign server speaks, its definition knows.
///
/// # Errors
/// The load, the server, and what to change; in words.
pub(super) fn check(cells: &[Cell]) -> Result<(), String> {
    for cell in cells {
        let Server::Model { flags, .. } = &cell.server else {
            continue;
        };
        let has = |flag: &str| cell.load.flags.iter().any(|given| given == flag);
        let lacks = if has("--http2") && value(flags, "--http2") != Some("on") {
            Some(("http2", "--http2 on"))
        } else if has("--tls-resume") && !flags.iter().any(|flag| flag == "--tls") {
            Some(("full_handshakes", "--tls"))
        } else {
            None
        };
        if let Some((key, option)) = lacks {
            return Err(format!(
                "the load '{}' has {key}, and the server '{}' has no {option} among its options: give it that, or exclude the two",
                cell.factors["load"], cell.factors["model"]
            ));
        }
    }
    Ok(())
}

/// The value that an option has in the end, behind it or joined to it.
fn value<'a>(flags: &'a [String], option: &str) -> Option<&'a str> {
    let behind = flags.windows(2).filter(|pair| pair[0] == option);
    let behind = behind.map(|pair| pair[1].as_str());
    let joined = flags
        .iter()
        .filter_map(|flag| flag.strip_prefix(option)?.strip_prefix('='));
    behind.chain(joined).last()
}
