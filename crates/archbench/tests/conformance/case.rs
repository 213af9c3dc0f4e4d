//! What a case is, and what it gets.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::room::Room;
use crate::server::{Recipe, Server};
use crate::site::Site;

/// One thing that every architecture must do.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Bench),
    pub(crate) scope: Scope,
}

/// How often a case is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Once for each architecture, with the options that it has by default.
    EachRoom,
    /// In each behaviour that an architecture declares.
    EachBehaviour,
}

/// A case of each architecture.
pub(crate) const fn case(name: &'static str, run: fn(&Bench)) -> Case {
    Case {
        name,
        run,
        scope: Scope::EachRoom,
    }
}

/// A case of each behaviour of each architecture.
pub(crate) const fn case_of_each_behaviour(name: &'static str, run: fn(&Bench)) -> Case {
    Case {
        name,
        run,
        scope: Scope::EachBehaviour,
    }
}

/// What a case gets: an architecture, and files to serve.
pub(crate) struct Bench {
    pub(crate) room: Room,
    pub(crate) site: Arc<Site>,
}

impl Bench {
    pub(crate) fn new(room: Room, site: Arc<Site>) -> Self {
        Self { room, site }
    }

    /// A server of the site that all share, with the options of the case.
    pub(crate) fn serve(&self, options: &[&str]) -> Server {
        self.recipe().args(options).start()
    }

    pub(crate) fn recipe(&self) -> Recipe {
        Recipe::new(&self.room, self.site.root())
    }

    /// A server of a tree of the case's own.
    pub(crate) fn serve_from(&self, root: &Path, options: &[&str]) -> Server {
        Recipe::new(&self.room, root).args(options).start()
    }
}

/// Says that it is over when it is dropped: a scope whose threads wait for that comes to an end even if a case fails.
pub(crate) struct OnDrop<'a>(pub(crate) &'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}
