//! Where server and generators run, if not where the lab does, as an experiment says it.
//!
//! ```toml
//! [hosts.server]
//! launch = "ssh a"                       # a prefix of the command: words, no shell
//! address = "10.0.0.5"                   # where it listens, and is asked
//!
//! [hosts.generators]
//! launch = ["srun", "-N4", "-n4"]
//! shares = 4                             # how many it starts, each a part of one run
//! ```
//!
//! The command line can say the same, and instead of the file: `--server-launch 'ssh a' --server-address 10.0.0.5`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;

use super::flags::scalar;
use super::quantity::Text;

/// Where both ends run, if not where the lab does.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hosts {
    /// The server.
    pub server: Option<Host>,
    /// The generator, or several that make each load together.
    pub generators: Option<Host>,
}

/// Where something runs.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// What comes before the command there, like `ssh a`. What it starts has its standard input.
    #[serde(default)]
    pub launch: Launcher,
    /// Where a server listens, and is asked.
    pub address: Option<Text<IpAddr>>,
    /// How many generators it starts, each a part of one run.
    pub shares: Option<u32>,
    /// The archbench there, if it is in another place than here.
    pub program: Option<PathBuf>,
}

/// The words that come before a command to have it started elsewhere. As a text, they are told apart as by a shell (spaces, quotes, backslashes),
/// though none is in between: nothing is expanded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Launcher(Vec<String>);

impl FromStr for Launcher {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match shlex::split(text) {
            Some(words) if !words.is_empty() => Ok(Self(words)),
            Some(_) => Err("a launcher has at least one word, like ssh in 'ssh a'".into()),
            None => Err(format!("'{text}' ends within quotes or behind a backslash")),
        }
    }
}

impl<'de> Deserialize<'de> for Launcher {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        const FORM: &str = "a launcher is a string, or a list of words";
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => text.parse().map_err(D::Error::custom),
            toml::Value::Array(words) => {
                let words: Option<_> = words.iter().map(scalar).collect();
                words.map(Self).ok_or_else(|| D::Error::custom(FORM))
            }
            _ => Err(D::Error::custom(FORM)),
        }
    }
}

impl Host {
    /// The prefix.
    pub fn launcher(&self) -> &[String] {
        &self.launch.0
    }

    /// Another one, with what is said here in the place of what is said there; the other as it is, where nothing is said here.
    fn over(self, other: Option<Self>) -> Option<Self> {
        if self == Self::default() {
            return other;
        }
        let other = other.unwrap_or_default();
        Some(Self {
            launch: match self.launch.0.is_empty() {
                true => other.launch,
                false => self.launch,
            },
            address: self.address.or(other.address),
            shares: self.shares.or(other.shares),
            program: self.program.or(other.program),
        })
    }
}

/// The same as the command line says it: an option for each key of a host, which stands in the place of the file's.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "On other hosts, in the place of [hosts] in the experiment")]
pub struct HostOptions {
    /// Start servers by this, like 'ssh a': words before their command, with quotes as in a shell, and no shell in between
    #[arg(long, value_name = "LAUNCHER")]
    pub server_launch: Option<Launcher>,
    /// Where servers listen there, and are asked
    #[arg(long, value_name = "IP")]
    pub server_address: Option<IpAddr>,
    /// The archbench there, if it is in another place than here
    #[arg(long, value_name = "FILE")]
    pub server_program: Option<PathBuf>,
    /// Start generators by this, like 'srun -N4 -n4'
    #[arg(long, value_name = "LAUNCHER")]
    pub generators_launch: Option<Launcher>,
    /// How many generators that starts, each a part of one run
    #[arg(long, value_name = "N")]
    pub generators_shares: Option<u32>,
    /// The archbench there, if it is in another place than here
    #[arg(long, value_name = "FILE")]
    pub generators_program: Option<PathBuf>,
}

impl HostOptions {
    /// The hosts of a file, changed by what was typed.
    pub(super) fn over(&self, hosts: Hosts) -> Hosts {
        let server = Host {
            launch: self.server_launch.clone().unwrap_or_default(),
            address: self.server_address.map(Text),
            shares: None,
            program: self.server_program.clone(),
        };
        let generators = Host {
            launch: self.generators_launch.clone().unwrap_or_default(),
            address: None,
            shares: self.generators_shares,
            program: self.generators_program.clone(),
        };
        Hosts {
            server: server.over(hosts.server),
            generators: generators.over(hosts.generators),
        }
    }

    /// The options as they would be typed again, for the command that repeats a run.
    pub fn words(&self) -> Vec<String> {
        let launcher = |launcher: &Option<Launcher>| {
            let words = launcher.as_ref().map(|launcher| &launcher.0);
            words.and_then(|words| shlex::try_join(words.iter().map(String::as_str)).ok())
        };
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let typed = [
            ("--server-launch", launcher(&self.server_launch)),
            (
                "--server-address",
                self.server_address.map(|address| address.to_string()),
            ),
            ("--server-program", path(&self.server_program)),
            ("--generators-launch", launcher(&self.generators_launch)),
            (
                "--generators-shares",
                self.generators_shares.map(|shares| shares.to_string()),
            ),
            ("--generators-program", path(&self.generators_program)),
        ];
        let given = typed
            .into_iter()
            .filter_map(|(option, value)| Some([option.to_owned(), value?]));
        given.flatten().collect()
    }
}

impl Hosts {
    /// Both, by what they are called, if they are somewhere else.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &Host)> {
        let both = [("server", &self.server), ("generators", &self.generators)];
        both.into_iter()
            .filter_map(|(name, host)| Some((name, host.as_ref()?)))
    }

    /// Whether there is sense in it.
    ///
    /// # Errors
    /// What there is not.
    pub(super) fn check(&self) -> Result<(), String> {
        for (name, host) in self.named() {
            if host.launcher().is_empty() {
                return Err(format!(
                    "[hosts.{name}] has no launch: what starts commands there (--{name}-launch)"
                ));
            }
        }
        match &self.server {
            Some(Host { address: None, .. }) => {
                return Err(
                    "[hosts.server] has no address: where the server listens, and the generators find it (--server-address)"
                        .into(),
                );
            }
            Some(Host {
                shares: Some(_), ..
            }) => {
                return Err("[hosts.server] has shares: there is one server".into());
            }
            _ => {}
        }
        match &self.generators {
            Some(Host {
                shares: Some(0), ..
            }) => Err("[hosts.generators] has no shares".into()),
            Some(Host {
                address: Some(_), ..
            }) => Err("[hosts.generators] has an address, and nobody asks generators".into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launcher(words: &[&str]) -> Launcher {
        Launcher(words.iter().map(|word| (*word).to_owned()).collect())
    }

    fn hosts(text: &str) -> Hosts {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_launcher_is_words_as_a_shell_tells_them_apart() {
        for (text, words) in [
            ("ssh a", &["ssh", "a"][..]),
            (
                "  ssh   -F 'my config' a ",
                &["ssh", "-F", "my config", "a"],
            ),
            (r#"env "A=$B *" x\ y"#, &["env", "A=$B *", "x y"]),
        ] {
            assert_eq!(text.parse(), Ok(launcher(words)), "{text}");
            let host = hosts(&format!("[generators]\nlaunch = {text:?}\n"));
            assert_eq!(host.generators.unwrap().launch, launcher(words));
        }
        let list = hosts("[generators]\nlaunch = ['srun', '-n', 4]\n");
        let words = launcher(&["srun", "-n", "4"]);
        assert_eq!(list.generators.unwrap().launch, words);
        for text in ["", "  ", "ssh 'a", "ssh \\"] {
            assert!(text.parse::<Launcher>().is_err(), "{text}");
        }
        assert!(toml::from_str::<Hosts>("server = { launch = { ssh = 1 } }").is_err());
    }

    #[test]
    fn what_is_typed_stands_in_the_place_of_what_is_written() {
        let typed = HostOptions {
            server_launch: Some(launcher(&["ssh", "b c"])),
            generators_shares: Some(2),
            ..HostOptions::default()
        };
        let written = "[server]\nlaunch = 'ssh a'\naddress = '10.0.0.5'\nprogram = '/opt/archbench'\n\
                       [generators]\nlaunch = 'srun -n4'\nshares = 4\n";
        let both = typed.over(hosts(written));
        let (server, generators) = (both.server.unwrap(), both.generators.unwrap());
        assert_eq!(server.launch, launcher(&["ssh", "b c"]));
        assert_eq!(
            server.address.map(|address| address.0.to_string()),
            Some("10.0.0.5".to_owned())
        );
        assert_eq!(server.program, Some("/opt/archbench".into()));
        assert_eq!(generators.launch, launcher(&["srun", "-n4"]));
        assert_eq!(generators.shares, Some(2));
        assert_eq!(
            typed.words(),
            ["--server-launch", "ssh 'b c'", "--generators-shares", "2"]
        );
    }

    #[test]
    fn what_is_missing_is_asked_for_by_its_option() {
        let none = HostOptions::default().over(Hosts::default());
        assert_eq!((none.named().count(), none.check()), (0, Ok(())));
        let typed = HostOptions {
            server_address: Some("10.0.0.5".parse().unwrap()),
            ..HostOptions::default()
        };
        let why = typed.over(Hosts::default()).check().unwrap_err();
        assert!(why.contains("--server-launch"), "{why}");
        let typed = HostOptions {
            server_launch: Some(launcher(&["ssh", "a"])),
            ..HostOptions::default()
        };
        let why = typed.over(Hosts::default()).check().unwrap_err();
        assert!(why.contains("--server-address"), "{why}");
    }
}
