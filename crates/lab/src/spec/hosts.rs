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

use std::net::IpAddr;
use std::path::PathBuf;

use serde::Deserialize;

use super::flags::Flags;
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
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// What comes before the command there, like `ssh a`. What it starts has its standard input.
    pub launch: Flags,
    /// Where a server listens, and is asked.
    pub address: Option<Text<IpAddr>>,
    /// How many generators it starts, each a part of one run.
    pub shares: Option<u32>,
    /// The archbench there, if it is in another place than here.
    pub program: Option<PathBuf>,
}

impl Host {
    /// The prefix.
    pub fn launcher(&self) -> &[String] {
        &self.launch.0
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
                return Err(format!("[hosts.{name}] has no launch"));
            }
        }
        match &self.server {
            Some(Host { address: None, .. }) => {
                return Err("[hosts.server] has no address: where the server listens, and the generators find it".into());
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
