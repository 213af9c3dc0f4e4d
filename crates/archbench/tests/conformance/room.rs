//! Who is tested: every architecture of the catalogue, in each of its behaviours.

#[allow(dead_code, reason = "the command line does more with it")]
#[path = "../../src/catalogue.rs"]
mod catalogue;

use std::fmt;

use arch::nature::{Behaviour, Concurrency, DiskWait, Nature, Stack};
use catalogue::{CATALOGUE, Entry};

/// An architecture with options that lead to one of its behaviours.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    entry: &'static Entry,
    /// None for the behaviour that it has by default.
    variant: &'static str,
    pub(crate) behaviour: Behaviour,
}

impl Room {
    /// Every architecture, as it behaves by default.
    pub(crate) fn all() -> Vec<Self> {
        Self::in_each_behaviour()
            .into_iter()
            .filter(|room| !room.is_variant())
            .collect()
    }

    /// Every architecture, in each of its behaviours.
    pub(crate) fn in_each_behaviour() -> Vec<Self> {
        let rooms = CATALOGUE.iter().flat_map(|entry| {
            let behaviours = entry.nature.behaviours();
            behaviours.map(move |(variant, behaviour)| Self {
                entry,
                variant,
                behaviour,
            })
        });
        rooms.collect()
    }

    /// The same, as if it had declared another behaviour.
    pub(crate) fn declaring(self, behaviour: Behaviour) -> Self {
        Self { behaviour, ..self }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.entry.name
    }

    pub(crate) fn nature(&self) -> &'static Nature {
        &self.entry.nature
    }

    pub(crate) fn is_variant(&self) -> bool {
        !self.variant.is_empty()
    }

    /// The options that lead to its behaviour.
    pub(crate) fn variant(&self) -> impl Iterator<Item = &'static str> {
        self.variant.split_whitespace()
    }

    /// The architecture's own options, with their dashes.
    pub(crate) fn options(&self) -> Vec<String> {
        self.options_that(|_| true)
    }

    /// Those of them to which not every text is a value, as it is to one that takes the name of a file.
    pub(crate) fn options_with_wrong_values(&self) -> Vec<String> {
        let takes_file = |option: &clap::Arg| {
            let names = option.get_value_names();
            names.is_some_and(|names| names.iter().any(|name| name == "FILE"))
        };
        self.options_that(|option| !takes_file(option))
    }

    fn options_that(&self, is_meant: impl Fn(&clap::Arg) -> bool) -> Vec<String> {
        let options = self.entry.options();
        let meant = options.iter().filter(|option| is_meant(option));
        let long = meant.filter_map(|option| option.get_long());
        long.map(|long| format!("--{long}")).collect()
    }

    pub(crate) fn has(&self, option: &str) -> bool {
        self.options().iter().any(|own| own == option)
    }

    /// Whether a second connection is served while a first one is kept.
    pub(crate) fn is_concurrent(&self) -> bool {
        self.behaviour.is_concurrent()
    }

    /// How many connections are served at a time by default, where that is bounded.
    pub(crate) fn served_at_most(&self) -> Option<usize> {
        match self.behaviour.concurrency {
            Concurrency::One => Some(1),
            Concurrency::Workers { count, .. } => Some(self.default_of(count)),
            Concurrency::OneEach(_) | Concurrency::Any => None,
        }
    }

    /// Options for so many workers, or else helpers, where there are any whose number can be chosen.
    pub(crate) fn workers<'a>(&self, count: &'a str) -> Vec<&'a str> {
        let option = self.behaviour.worker_count();
        option.map_or(vec![], |option| vec![option, count])
    }

    /// Whether it makes a thread or process for each connection when that comes.
    pub(crate) fn makes_one_each(&self) -> bool {
        matches!(self.behaviour.concurrency, Concurrency::OneEach(_))
    }

    /// Whether its connections go by none of the kernel's sockets.
    pub(crate) fn has_own_stack(&self) -> bool {
        self.nature().stack != Stack::Kernel
    }

    /// Whether a helper waits for the disk.
    pub(crate) fn has_helpers(&self) -> bool {
        matches!(self.behaviour.disk_wait, DiskWait::Helper { .. })
    }

    /// What a number of its own is if it is not given.
    fn default_of(&self, option: &str) -> usize {
        let options = self.entry.options();
        let option = options
            .iter()
            .find(|own| own.get_long() == option.strip_prefix("--"))
            .unwrap_or_else(|| panic!("{self} declares {option} and does not have it"));
        let default = option.get_default_values().first();
        let default = default.and_then(|default| default.to_str()?.parse().ok());
        default.expect("a number by default")
    }
}

impl fmt::Display for Room {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.entry.name)?;
        if self.is_variant() {
            write!(formatter, " {}", self.variant)?;
        }
        Ok(())
    }
}
