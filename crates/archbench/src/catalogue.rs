//! Every architecture, a line each. Whatever knows an architecture by its name knows it from here.

use std::io;
use std::net::SocketAddr;

use arch::nature::Nature;
use arch::security::HandshakePlace;
use arch::{Architecture, Rule, ServeOptions, ServerSetup, Sockets};
use clap::error::ErrorKind;
use clap::{ArgMatches, Command};

/// An architecture, as the command line sees it.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) diagram: &'static str,
    pub(crate) nature: Nature,
    pub(crate) rules: &'static [Rule],
    augment: fn(Command) -> Command,
    prepare: fn(&ArgMatches) -> Result<Prepared, clap::Error>,
}

/// An architecture with its options.
pub(crate) struct Prepared {
    /// What whoever starts it so has to be told.
    pub(crate) notice: Option<String>,
    /// How many sockets are to listen.
    pub(crate) sockets: Sockets,
    pub(crate) listen: Listen,
}

/// Has it listen by itself, if its network stack is its own: says where, and gives what serves.
pub(crate) type Listen = Box<dyn FnOnce(&ServeOptions) -> io::Result<(Option<SocketAddr>, Serve)>>;

/// Serves a setup until told to stop, and calls the other when it is ready to.
pub(crate) type Serve = Box<dyn FnOnce(ServerSetup, Box<dyn FnOnce()>) -> io::Result<()>>;

/// The architectures, from the simplest on. The first of a family represents it.
pub(crate) const CATALOGUE: &[Entry] = &[
    entry::<arch_iterative::Iterative>(),
    entry::<arch_mp::Mp>(),
    entry::<arch_mt::Mt>(),
    entry::<arch_pool::Pool>(),
    entry::<arch_sped::Sped>(),
    entry::<arch_symped::Symped>(),
    entry::<arch_amped::Amped>(),
    entry::<arch_async::Async>(),
    entry::<arch_service::Service>(),
    entry::<arch_seda::Seda>(),
    entry::<arch_green::Green>(),
    entry::<arch_uring::Uring>(),
    entry::<arch_actor::Actor>(),
    entry::<arch_flux::Flux>(),
    entry::<arch_netmap::Netmap>(),
];

/// The one that serves where none is named.
pub(crate) const DEFAULT: &str = arch_amped::Amped::NAME;

const fn entry<A: Architecture + 'static>() -> Entry {
    Entry {
        name: A::NAME,
        summary: A::SUMMARY,
        diagram: A::DIAGRAM,
        nature: A::NATURE,
        rules: A::RULES,
        augment: A::augment_args,
        prepare: |matches| {
            let mut architecture = A::from_arg_matches(matches)?;
            Ok(Prepared {
                notice: architecture.notice(),
                sockets: architecture.sockets(),
                listen: Box::new(move |options| {
                    let address = architecture.listen(options)?;
                    let serve: Serve =
                        Box::new(move |setup, ready| architecture.serve(setup, ready));
                    Ok((address, serve))
                }),
            })
        },
    }
}

impl Entry {
    /// The entry called `name`.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        CATALOGUE.iter().find(|entry| entry.name == name)
    }

    /// Whether it stands for its family where one of each is taken.
    pub(crate) fn represents_its_family(&self) -> bool {
        let first = CATALOGUE
            .iter()
            .find(|entry| entry.nature.family == self.nature.family);
        first.is_some_and(|first| first.name == self.name)
    }

    /// Grafts the architecture's own options onto a command.
    pub(crate) fn augment(&self, command: Command) -> Command {
        let own = self.options();
        let command = (self.augment)(command);
        own.iter().fold(command, |command, option| {
            command.mut_arg(option.get_id().as_str(), |option| {
                option.help_heading("Options of this model")
            })
        })
    }

    /// Adds those of the architecture's own options that the command does not have yet, from another one.
    pub(crate) fn add(&self, command: Command) -> Command {
        self.options().into_iter().fold(command, |command, option| {
            let is_there = command
                .get_arguments()
                .any(|other| other.get_id() == option.get_id());
            if is_there {
                return command;
            }
            command.arg(option.help_heading("Options of one model"))
        })
    }

    /// The architecture's own options.
    pub(crate) fn options(&self) -> Vec<clap::Arg> {
        (self.augment)(Command::new(self.name))
            .get_arguments()
            .cloned()
            .collect()
    }

    /// The architecture with the options that were given.
    ///
    /// # Errors
    /// That one of them would have no effect.
    pub(crate) fn prepare(&self, matches: &ArgMatches) -> Result<Prepared, clap::Error> {
        if let Some(why) = self.rules.iter().find_map(|rule| rule.broken(matches)) {
            return Err(clap::Error::raw(ErrorKind::ArgumentConflict, why));
        }
        let place = matches.get_one::<HandshakePlace>("handshake");
        let behaviour = self.nature.behaviour_with(matches);
        if place == Some(&HandshakePlace::Helper) && !behaviour.has_helpers() {
            let have = CATALOGUE
                .iter()
                .filter(|entry| entry.nature.behaviour.has_helpers());
            let have: Vec<_> = have.map(|entry| entry.name).collect();
            let why = format!(
                "--handshake helper has no effect with --model {} and these options, which has no helpers: {} have by default",
                self.name,
                have.join(", ")
            );
            return Err(clap::Error::raw(ErrorKind::ArgumentConflict, why));
        }
        (self.prepare)(matches)
    }
}
