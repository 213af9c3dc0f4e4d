//! A run in words.

use command::quantity::counted;

use crate::run::Run;

/// A run in words: what is asked for, when, and by how many.
pub(super) fn title(run: &Run, what: &str, when: &str) -> String {
    format!(
        "{what}\n{when}{}, {}{}{}, seed {}",
        until(run),
        counted(
            run.clients as u64,
            if run.is_closed_loop() {
                "client"
            } else {
                "connection"
            }
        ),
        beside(run),
        match run.http2 {
            true => format!(
                ", HTTP/2 with {} at a time",
                counted(run.depth as u64, "stream")
            ),
            false => String::new(),
        },
        run.seed
    )
}

/// Who is there and never asks.
fn beside(run: &Run) -> String {
    let idle = counted(run.idle as u64, "idle connection");
    let storm = format!("storms of {}", counted(run.storm as u64, "newcomer"));
    match (run.idle, run.storm) {
        (0, 0) => String::new(),
        (_, 0) => format!(" beside {idle}"),
        (0, _) => format!(" beside {storm}"),
        _ => format!(" beside {idle} and {storm}"),
    }
}

/// When it ends.
fn until(run: &Run) -> String {
    let time = run.duration.map(|time| format!("{time:?}"));
    let number = run.requests.map(|number| counted(number, "request"));
    match (time, number) {
        (Some(time), Some(number)) => format!(", {time} or {number}"),
        (Some(one), None) | (None, Some(one)) => format!(", {one}"),
        (None, None) => ", to the end of the recording".to_owned(),
    }
}
