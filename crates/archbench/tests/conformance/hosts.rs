//! Where a server and its clients are: on this machine, over loopback; or, for one with a network stack of its own, on two hosts that
//! are made for each trial and joined by a veth pair.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use network::{Hosts, SERVER};

/// The hosts of those trials that have some, by what names the namespace of their clients.
static HOSTS: Mutex<BTreeMap<PathBuf, Arc<Hosts>>> = Mutex::new(BTreeMap::new());

fn all() -> MutexGuard<'static, BTreeMap<PathBuf, Arc<Hosts>>> {
    HOSTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What names the namespace of the calling thread.
fn here() -> PathBuf {
    std::fs::read_link("/proc/thread-self/ns/net").expect("a namespace")
}

/// The hosts of the trial that the calling thread belongs to.
fn own() -> Option<Arc<Hosts>> {
    all().get(&here()).cloned()
}

/// Runs a trial as the client of two hosts: whatever connects does so from there, and whatever is [started](place) is on the other.
pub(crate) fn run_on_two(trial: impl FnOnce() + Send) {
    let hosts = Arc::new(Hosts::joined().expect("it was looked at before that there may be hosts"));
    /// Ends with the trial, however that ends.
    struct Known(PathBuf);
    impl Drop for Known {
        fn drop(&mut self) {
            all().remove(&self.0);
        }
    }
    let run = || {
        let known = Known(here());
        all().insert(known.0.clone(), Arc::clone(&hosts));
        trial();
    };
    hosts.client.run(run).expect("the namespace was just made");
}

/// The host where servers are.
pub(crate) fn server() -> Ipv4Addr {
    own().map_or(Ipv4Addr::LOCALHOST, |_| SERVER)
}

/// Where a server is to listen, at any port.
pub(crate) fn address() -> String {
    format!("{}:0", server())
}

/// Has what `command` starts be where servers are.
pub(crate) fn place(command: &mut Command) {
    if let Some(hosts) = own() {
        hosts.server.start_in(command).expect("a descriptor");
    }
}

/// How many connections to `address` the clients' kernel takes to be served: those that the server has not closed.
pub(crate) fn connections(address: SocketAddr) -> usize {
    const SERVED: [&str; 3] = ["01", "04", "05"];
    let SocketAddr::V4(address) = address else {
        return 0;
    };
    let host = u32::from_ne_bytes(address.ip().octets());
    let server = format!("{host:08X}:{:04X}", address.port());
    let table = std::fs::read_to_string("/proc/thread-self/net/tcp").expect("a table");
    let rows = table.lines().map(|row| row.split_whitespace());
    let rows = rows.map(|mut cells| (cells.nth(2), cells.next()));
    let is_served = |(to, state): &(Option<&str>, Option<&str>)| {
        *to == Some(&server) && state.is_some_and(|state| SERVED.contains(&state))
    };
    rows.filter(is_served).count()
}
