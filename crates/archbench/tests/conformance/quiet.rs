//! Panics that are what a case waits for, and that nobody has to read.

use std::cell::Cell;

thread_local! {
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

/// From now on panics are told, but for those of [`without_a_word`].
pub(crate) fn listen() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !IS_QUIET.get() {
            tell(panic);
        }
    }));
}

/// Runs what is to panic in this thread.
pub(crate) fn without_a_word<T>(run: impl FnOnce() -> T) -> T {
    IS_QUIET.set(true);
    let done = run();
    IS_QUIET.set(false);
    done
}
