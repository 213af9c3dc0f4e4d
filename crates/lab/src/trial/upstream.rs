//! A server behind the one that is measured, for as long as a trial.

use std::path::Path;

use network::Role;
use results::Failure;

use super::job::failure;
use super::network::Network;
use super::process_runner::ProcessRunner;
use crate::spec::Model;
use crate::trial::process::{Placement, Process};

/// What stands for its host and port.
const PLACE: &str = "@upstream@";

/// A server that others pass requests on to; dropping it ends it.
#[derive(Debug)]
pub(super) struct Upstream {
    _process: Process,
    /// Its host and port.
    pub(super) address: String,
}

impl ProcessRunner {
    /// Starts one, on the generator's cores: what it takes is not what the measured server takes.
    pub(super) fn upstream(
        &self,
        model: &Model,
        root: &Path,
        network: &Network,
    ) -> Result<Upstream, Failure> {
        let step = "starting the server behind it";
        let command = self.server_command(
            &model.model,
            &model.options.0,
            root,
            network.address().into(),
        );
        let place = Placement {
            host: network.host(Role::Server),
            ..Placement::on(&self.cores.generator)
        };
        let mut process =
            Process::start(&command, place).map_err(|error| failure(step, error.to_string()))?;
        let ready = self.ready::<contracts::serve::Ready>(&mut process, step)?;
        Ok(Upstream {
            _process: process,
            address: ready.address,
        })
    }
}

/// Flags with its host and port in them.
pub fn filled(flags: &[String], address: Option<&str>) -> Vec<String> {
    let fill = |flag: &String| match address {
        Some(address) => flag.replace(PLACE, address),
        None => flag.clone(),
    };
    flags.iter().map(fill).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_it_is_stands_in_the_flags_of_those_before_it() {
        let flags = ["--upstream", "http://@upstream@/", "--x=@upstream@"].map(str::to_owned);
        let filled = filled(&flags, Some("127.0.0.1:81"));
        assert_eq!(
            filled,
            ["--upstream", "http://127.0.0.1:81/", "--x=127.0.0.1:81"]
        );
        assert_eq!(super::filled(&flags, None), flags);
    }
}
