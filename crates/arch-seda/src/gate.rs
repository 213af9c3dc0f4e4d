//! The gate in front of `find`.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::controllers::{Admission, Admit};

/// Admission, for all threads that ask and tell.
pub(crate) struct Gate {
    /// Everybody is let in.
    pub(crate) off: bool,
    started: Instant,
    admission: Mutex<Admission>,
}

impl Gate {
    pub(crate) fn new(admit: Admit) -> Self {
        Self {
            off: admit == Admit::All,
            started: Instant::now(),
            admission: Mutex::new(Admission::new(admit)),
        }
    }

    pub(crate) fn admits(&self, now: Instant) -> bool {
        self.off || self.admission().admits(now - self.started)
    }

    pub(crate) fn observe(&self, responses: &mut Vec<Duration>) {
        if responses.is_empty() {
            return;
        }
        let (mut admission, now) = (self.admission(), self.started.elapsed());
        for response in responses.drain(..) {
            admission.observe(now, response);
        }
    }

    fn admission(&self) -> MutexGuard<'_, Admission> {
        self.admission
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
