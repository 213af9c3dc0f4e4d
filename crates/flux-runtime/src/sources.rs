//! Several sources beside each other, and the flows that have come of them.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Has each source give its flows: the last in the calling thread, any other in one of its own. Whether flows that are under way are to
/// be waited for.
///
/// # Errors
/// The first that one of them reports.
pub(crate) fn run<S: Send + 'static>(
    names: &[&str],
    mut sources: Vec<S>,
    give: impl Fn(S) -> io::Result<bool> + Clone + Send + 'static,
) -> io::Result<bool> {
    let Some(last) = sources.pop() else {
        return Ok(true);
    };
    let mut threads = Vec::new();
    for (source, name) in sources.into_iter().zip(names) {
        let give = give.clone();
        let thread = std::thread::Builder::new().name((*name).into());
        threads.push(thread.spawn(move || give(source))?);
    }
    let mut given = given_by(|| give(last));
    // Who is not to wait for flows does not wait for sources either.
    for thread in threads {
        if let Ok(true) = given {
            given = given_by(|| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
    }
    given
}

/// What came of a source, one with a defect among them.
fn given_by(give: impl FnOnce() -> io::Result<bool>) -> io::Result<bool> {
    catch_unwind(AssertUnwindSafe(give))
        .unwrap_or_else(|_| Err(io::Error::other("a source has a defect, and gives no more")))
}

/// How many flows are under way.
#[derive(Debug, Default)]
pub(crate) struct Alive {
    count: Mutex<usize>,
    changed: Condvar,
}

/// One of them.
pub(crate) struct One(Arc<Alive>);

impl Alive {
    /// One more, until it is dropped.
    pub(crate) fn one(self: &Arc<Self>) -> One {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        One(Arc::clone(self))
    }

    pub(crate) fn count(&self) -> usize {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wait_for_none(&self) {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_while(count, |count| *count > 0));
    }
}

impl Drop for One {
    fn drop(&mut self) {
        *self.0.count.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.changed.notify_all();
    }
}
