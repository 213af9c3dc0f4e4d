//! What server and generator speak over, for as long as a trial.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use contracts::Line;
use contracts::link::{Ready, Summary};
use network::{Hosts, INTERFACE, Namespace, Role, SERVER};
use results::Failure;

use super::job::failure;
use super::process::{Placement, Process};
use super::process_runner::ProcessRunner;
use crate::spec::{LinkCell, NetworkCell, NetworkKind};

const STEP: &str = "making the network";

/// The hosts of a trial and what is between them; dropping this removes them.
#[derive(Debug)]
pub(super) struct Network {
    // Ended before the hosts that it joins.
    link: Option<Process>,
    hosts: Option<Hosts>,
}

impl ProcessRunner {
    /// Makes what a cell asks for, afresh: no connection, no port and no measured path of an earlier trial is in it.
    pub(super) fn network(
        &self,
        cell: &NetworkCell,
        told: &mut results::Network,
    ) -> Result<Network, Failure> {
        let failed = |error: network::Error| failure(STEP, error.to_string());
        let hosts = match (cell.kind, cell.link) {
            (NetworkKind::Loopback, _) => None,
            (NetworkKind::Veth, None) => Some(Hosts::joined().map_err(failed)?),
            (NetworkKind::Veth, Some(_)) => Some(Hosts::apart().map_err(failed)?),
        };
        let link = match (&hosts, cell.link) {
            (Some(hosts), Some(link)) => {
                let (process, ready) = self.link(hosts, &link)?;
                told.way = ready.way;
                Some(process)
            }
            _ => None,
        };
        Ok(Network { link, hosts })
    }

    /// Joins two hosts by a link that is slow in a known way.
    fn link(&self, hosts: &Hosts, link: &LinkCell) -> Result<(Process, Ready), Failure> {
        let path = |host: &Namespace| host.path().display().to_string();
        let mut command = vec![self.archbench.display().to_string(), "link".into()];
        command.extend(link.flags());
        command.extend([
            "--server-namespace".into(),
            path(&hosts.server),
            "--client-namespace".into(),
            path(&hosts.client),
            "--output-format".into(),
            "json".into(),
        ]);
        // Its work is that of the way between, and none of the server's.
        let mut process = Process::start(&command, Placement::on(&self.cores.generator))
            .map_err(|error| failure(STEP, error.to_string()))?;
        let ready = self.ready(&mut process, STEP)?;
        Ok((process, ready))
    }
}

/// Why what came over a link is to be doubted: it was later than the link's own truth allows, by more than a hundredth of the way or 200 µs,
/// whichever is longer, because its process had to wait for a processor.
pub(super) fn doubt(told: &results::Network, link: &LinkCell) -> Option<String> {
    const GRACE: Duration = Duration::from_micros(200);
    let carried = told.carried.as_ref()?;
    let directions = [&carried.to_server, &carried.to_client];
    let late_us = directions
        .iter()
        .filter_map(|direction| direction.mean_lateness_us)
        .fold(0.0, f64::max);
    let allowed = (link.rtt / 2 / 100).max(GRACE);
    (late_us > allowed.as_secs_f64() * 1e6).then(|| {
        format!("the link was {late_us:.0} µs late in the mean: something else ran on its core")
    })
}

impl Network {
    /// The server's address.
    pub(super) fn address(&self) -> Ipv4Addr {
        match self.hosts {
            None => Ipv4Addr::LOCALHOST,
            Some(_) => SERVER,
        }
    }

    /// One of the hosts, if they are not the one where this program is.
    pub(super) fn host(&self, role: Role) -> Option<&Namespace> {
        self.hosts.as_ref().map(|hosts| hosts.at(role))
    }

    /// The interface that the packets of a trial pass.
    pub(super) fn interface(&self) -> &'static str {
        match self.hosts {
            None => "lo",
            Some(_) => INTERFACE,
        }
    }

    /// A port of the server's host that nobody has used yet.
    pub(super) fn free_port(&self) -> io::Result<u16> {
        let address = self.address();
        let find = || std::net::TcpListener::bind((address, 0))?.local_addr();
        let found = match self.host(Role::Server) {
            None => find(),
            Some(host) => host.run(find)?,
        };
        Ok(found?.port())
    }

    /// Connects to the server from where the generator will.
    pub(super) fn connect(&self, port: u16, within: Duration) -> io::Result<TcpStream> {
        let to = SocketAddr::new(IpAddr::V4(self.address()), port);
        let connect = || TcpStream::connect_timeout(&to, within);
        match self.host(Role::Client) {
            None => connect(),
            Some(host) => host.run(connect)?,
        }
    }

    /// Ends the link, which tells what it carried.
    pub(super) fn end(mut self, runner: &ProcessRunner, told: &mut results::Network) {
        let Some(mut link) = self.link.take() else {
            return;
        };
        link.terminate();
        let lines = link.rest(runner.patience.stops, &runner.interrupt);
        let summary = |line: &String| Summary::parse(line).ok();
        told.carried = lines
            .ok()
            .and_then(|lines| lines.iter().find_map(summary)?.carried);
        link.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::link::{Carried, Direction};

    #[test]
    fn a_link_that_was_late_is_doubted_by_its_own_measure() {
        let link = |rtt| LinkCell {
            rtt: Duration::from_millis(rtt),
            rate: None,
            loss: None,
            jitter: None,
            queue: None,
        };
        let late = |mean| Direction {
            mean_lateness_us: Some(mean),
            ..Direction::default()
        };
        let told = |there, back| results::Network {
            carried: Some(Carried {
                to_server: late(there),
                to_client: late(back),
                ..Carried::default()
            }),
            ..results::Network::default()
        };
        assert_eq!(doubt(&told(150.0, 199.0), &link(10)), None);
        let text = doubt(&told(20.0, 201.0), &link(10));
        assert!(text.is_some_and(|text| text.contains("201 µs late")));
        // 1 % of 40 ms.
        assert_eq!(doubt(&told(399.0, 10.0), &link(80)), None);
        assert!(doubt(&told(401.0, 10.0), &link(80)).is_some());
        // netem does not tell.
        assert_eq!(doubt(&results::Network::default(), &link(10)), None);
    }
}
