//! Looking for something to run before sleeping.

use std::fmt::{Debug, Formatter, Result};
use std::sync::Arc;

type By = dyn Fn(&mut dyn FnMut() -> bool) + Send + Sync;

/// How a thread that has nothing to run looks for something before it sleeps, so that nobody has to wake it: by default not at all.
#[derive(Clone, Default)]
pub struct Look(Option<Arc<By>>);

impl Look {
    /// Not at all.
    pub const NONE: Self = Self(None);

    /// By `look`, which calls what it is given until that says that there is something, or until it has looked for long enough.
    pub fn by(look: impl Fn(&mut dyn FnMut() -> bool) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(look)))
    }

    #[inline]
    pub(crate) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn until(&self, mut is_there: impl FnMut() -> bool) {
        if let Some(look) = &self.0 {
            look(&mut is_there);
        }
    }
}

impl Debug for Look {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        let looks = if self.is_none() {
            "not at all"
        } else {
            "for a while"
        };
        formatter.debug_tuple("Look").field(&looks).finish()
    }
}
