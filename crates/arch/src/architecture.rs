//! What a room is: one way of turning connections into running code.

use crate::nature::Nature;
use crate::setup::ServerSetup;

/// One way of turning connections into running code.
///
/// The type is the architecture's own options: what its author would call its knobs, with units in their names.
pub trait Architecture: clap::Args {
    /// What `--model` calls it.
    const NAME: &'static str;
    /// One line: who runs which step.
    const SUMMARY: &'static str;
    /// The paper's diagram, and what blocks where, for a terminal.
    const DIAGRAM: &'static str;
    /// What it is, and how it behaves with which options.
    const NATURE: Nature;

    /// How many sockets are to listen: more than one where each of several loops has its own.
    fn sockets(&self) -> usize {
        1
    }

    /// What whoever starts it with these options has to be told, in a line.
    fn notice(&self) -> Option<String> {
        None
    }

    /// Serves `setup` until it is told to stop and its last answer is sent. Calls `ready` as soon as everybody is there who is
    /// to serve from the start.
    ///
    /// # Errors
    /// What kept it from starting or from going on, in words for the person who started it.
    fn serve(self, setup: ServerSetup, ready: impl FnOnce()) -> std::io::Result<()>;
}
