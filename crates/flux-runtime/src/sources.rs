//! Several sources beside each other, and the flows that have come of them.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};

/// Has each source give its flows, in a thread of its own if there are several. Whether flows that are under way are to be waited for: as
/// soon as one says that they are not, or fails, others are not waited for either.
///
/// # Errors
/// The first that one of them reports.
pub(crate) fn run<S: Send + 'static>(
    names: &[&str],
    mut sources: Vec<S>,
    give: impl Fn(S) -> io::Result<bool> + Clone + Send + 'static,
) -> io::Result<bool> {
    let give = move |source| {
        let given = catch_unwind(AssertUnwindSafe(|| give(source)));
        given.unwrap_or_else(|_| Err(io::Error::other("a source has a defect, and gives no more")))
    };
    if sources.len() <= 1 {
        return sources.pop().map_or(Ok(true), give);
    }
    let (ended, ends) = mpsc::channel();
    for (source, name) in sources.into_iter().zip(names) {
        let (give, ended) = (give.clone(), ended.clone());
        let thread = std::thread::Builder::new().name((*name).into());
        // Nobody listens any more where another one has ended it all.
        thread.spawn(move || _ = ended.send(give(source)))?;
    }
    drop(ended);
    for given in ends {
        if !given? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// How many flows are under way.
#[derive(Debug, Default)]
pub(crate) struct Alive {
    inside: Mutex<Inside>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Inside {
    count: usize,
    is_closed: bool,
}

/// One of them.
pub(crate) struct One(Arc<Alive>);

impl Alive {
    /// One more, until it is dropped; none, where none may begin any more.
    pub(crate) fn one(self: &Arc<Self>) -> Option<One> {
        let mut inside = self.inside();
        if inside.is_closed {
            return None;
        }
        inside.count += 1;
        Some(One(Arc::clone(self)))
    }

    pub(crate) fn count(&self) -> usize {
        self.inside().count
    }

    pub(crate) fn wait_for_none(&self) {
        drop(
            self.changed
                .wait_while(self.inside(), |inside| inside.count > 0),
        );
    }

    /// None may begin any more.
    pub(crate) fn close(&self) {
        self.inside().is_closed = true;
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for One {
    fn drop(&mut self) {
        self.0.inside().count -= 1;
        self.0.changed.notify_all();
    }
}
