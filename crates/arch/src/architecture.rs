//! What a room is: one way of turning connections into running code.

use std::net::SocketAddr;

use clap::ArgMatches;
use clap::parser::ValueSource;

use crate::nature::{Behaviour, Nature};
use crate::options::ServeOptions;
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
    /// Which of its options have no effect beside which others.
    const RULES: &'static [Rule] = &[];

    /// How many sockets are to listen: more than one where each of several loops has its own.
    fn sockets(&self) -> Sockets {
        Sockets::ONE
    }

    /// Begins to listen by itself, for one with a [network stack of its own](crate::nature::Stack::Own), while the process has all the
    /// rights that it was started with; returns where. No socket of the kernel's is bound then.
    ///
    /// # Errors
    /// Why it cannot listen where the options say, in words for the person who gave them.
    fn listen(&mut self, options: &ServeOptions) -> std::io::Result<Option<SocketAddr>> {
        let _ = options;
        Ok(None)
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

/// How many sockets listen at a server's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sockets {
    /// So many.
    pub count: usize,
    /// The option with which one is enough, for whoever cannot have more.
    pub otherwise: &'static str,
}

impl Sockets {
    /// One, which everybody can have.
    pub const ONE: Self = Self {
        count: 1,
        otherwise: "",
    };
}

/// An option that would have no effect, and is refused. Each side is an option as it is typed, with or without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The first has none without the second.
    Needs(&'static str, &'static str),
    /// The first has none with the second.
    Excludes(&'static str, &'static str),
}

impl Rule {
    /// Both sides of it.
    pub fn options(&self) -> [&'static str; 2] {
        let (Self::Needs(option, other) | Self::Excludes(option, other)) = *self;
        [option, other]
    }

    /// What is wrong with what was typed, for the person who did.
    pub fn broken(&self, typed: &ArgMatches) -> Option<String> {
        let [option, other] = self.options();
        let is_typed = |option| {
            let (id, _) = named(option);
            typed.value_source(&id) == Some(ValueSource::CommandLine) && holds(typed, option)
        };
        match self {
            Self::Needs(..) if is_typed(option) && !holds(typed, other) => Some(format!(
                "{option} has no effect without {other}: say both, or neither"
            )),
            Self::Excludes(..) if is_typed(option) && holds(typed, other) => Some(format!(
                "{option} has no effect with {other}: leave one of them out"
            )),
            _ => None,
        }
    }
}

impl Nature {
    /// How it behaves with the options that were typed.
    pub fn behaviour_with(&self, typed: &ArgMatches) -> Behaviour {
        let is_typed = |options: &str| {
            let words: Vec<_> = options.split_whitespace().collect();
            words
                .chunks(2)
                .all(|option| holds(typed, &option.join(" ")))
        };
        let mut variants = self.variants.iter();
        let variant = variants.find(|variant| is_typed(variant.options));
        variant.map_or(self.behaviour, |variant| variant.behaviour)
    }
}

/// By which name clap knows an option, and the value behind it.
fn named(option: &str) -> (String, Option<&str>) {
    let (name, value) = match option.split_once(' ') {
        Some((name, value)) => (name, Some(value)),
        None => (option, None),
    };
    (name.trim_start_matches('-').replace('-', "_"), value)
}

/// Whether an option has this value, typed or by default; without one, whether it has any.
fn holds(typed: &ArgMatches, option: &str) -> bool {
    let (id, wanted) = named(option);
    let mut values = typed.get_raw(&id).into_iter().flatten();
    values.any(|value| wanted.is_none_or(|wanted| value == wanted))
}

#[cfg(test)]
mod tests {
    use clap::{Arg, Command};

    use super::*;

    fn broken(rule: Rule, typed: &str) -> Option<String> {
        let command = Command::new("serve")
            .arg(Arg::new("scan_pause").long("scan-pause").default_value("0"))
            .arg(Arg::new("poller").long("poller").default_value("epoll"));
        rule.broken(&command.get_matches_from(format!("serve {typed}").trim().split(' ')))
    }

    #[test]
    fn an_option_without_effect_is_told_of_if_it_was_typed() {
        let needs = Rule::Needs("--scan-pause", "--poller scan");
        let why = broken(needs, "--scan-pause 1ms --poller poll").unwrap();
        assert!(why.starts_with("--scan-pause has no effect without --poller scan"));
        assert!(broken(needs, "--scan-pause 0").is_some());
        for fine in [
            "",
            "--poller poll",
            "--scan-pause 1ms --poller scan",
            "--poller=scan",
        ] {
            assert_eq!(broken(needs, fine), None, "{fine}");
        }
        let excludes = Rule::Excludes("--poller scan", "--scan-pause 1s");
        let why = broken(excludes, "--poller scan --scan-pause 1s").unwrap();
        assert!(why.starts_with("--poller scan has no effect with --scan-pause 1s"));
        for fine in [
            "",
            "--scan-pause 1s",
            "--poller scan",
            "--poller poll --scan-pause 1s",
        ] {
            assert_eq!(broken(excludes, fine), None, "{fine}");
        }
    }
}
