//! Each part on a host of its own, and the server on another: network namespaces with cables between them.

use super::launched::MPIRUN;
use super::{Server, is_there, load, merge, of_parts};
use contracts::Validity;
use contracts::load::{PartState, Rule};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A server's host with a cable to each of four others. They end with this value.
pub(super) struct Hosts {
    name: String,
}

impl Hosts {
    /// None, with a notice, where none can be made.
    pub(super) fn new() -> Option<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let hosts = Self {
            name: format!(
                "archbench-{}-{}",
                std::process::id(),
                MADE.fetch_add(1, Relaxed)
            ),
        };
        let server = hosts.server();
        let made = (|| {
            ip(&["netns", "add", &server])?;
            for number in 1..=4 {
                let host = hosts.host(number);
                let (here, there) = (format!("to{number}"), format!("up{number}"));
                ip(&["netns", "add", &host])?;
                ip(&[
                    "-n", &server, "link", "add", &here, "type", "veth", "peer", &there, "netns",
                    &host,
                ])?;
                for (host, cable, end) in [(&server, &here, 1), (&host, &there, 2)] {
                    let address = format!("198.19.{number}.{end}/24");
                    ip(&["-n", host, "address", "add", &address, "dev", cable])?;
                    ip(&["-n", host, "link", "set", cable, "up"])?;
                }
                ip(&[
                    "-n",
                    &host,
                    "route",
                    "add",
                    "default",
                    "via",
                    &format!("198.19.{number}.1"),
                ])?;
            }
            Ok::<(), String>(())
        })();
        match made {
            Ok(()) => Some(hosts),
            Err(why) => {
                println!("skipped: {why}");
                None
            }
        }
    }

    pub(super) fn server(&self) -> String {
        format!("{}-server", self.name)
    }

    pub(super) fn host(&self, number: u32) -> String {
        format!("{}-{number}", self.name)
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        let hosts = (1..=4).map(|number| self.host(number));
        for host in hosts.chain([self.server()]) {
            let _ = ip(&["netns", "del", &host]);
        }
    }
}

fn ip(words: &[&str]) -> Result<(), String> {
    let output = Command::new("ip")
        .args(words)
        .output()
        .map_err(|error| format!("no ip(8): {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!(
            "ip {}: {}",
            words.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        )),
    }
}

/// Four parts by one mpirun, each in its namespace, against a server in a fifth. After its first second the fourth is cut off.
#[test]
fn a_host_that_is_cut_off_is_named_and_the_others_are_not() {
    if !is_there("mpirun") || !is_there("ip") {
        println!("skipped: it takes mpirun (openmpi-bin) and ip (iproute2)");
        return;
    }
    let Some(hosts) = Hosts::new() else { return };
    let home = tempfile::tempdir().expect("a directory");
    let place = home.path().display().to_string();
    let server = Server::start(&["ip", "netns", "exec", &hosts.server()], "0.0.0.0:0");
    let port = server.url.rsplit_once(':').expect("a port").1;
    // The same name on every host, and the address of its own cable.
    let url = format!("http://198.19.1.1:{port}");
    let own = [
        "--share",
        "auto",
        "--out-dir",
        &place,
        "--start-at",
        "next:2s",
    ];
    let words = load(
        &url,
        &[&own[..], &["-R", "400", "-d", "6s", "--timeout", "1s"]].concat(),
    );
    let mut launch = Command::new(MPIRUN[0]);
    launch.args(&MPIRUN[1..]);
    for number in 1..=4 {
        if number > 1 {
            launch.arg(":");
        }
        launch
            .args(["-n", "1", "ip", "netns", "exec", &hosts.host(number)])
            .args(&words);
    }
    let mut launched = launch.stdout(Stdio::null()).spawn().expect("mpirun");
    let fourth = || {
        let files = std::fs::read_dir(home.path())
            .into_iter()
            .flatten()
            .flatten();
        let mut files = files.map(|file| file.path());
        let file = files.find(|path| path.to_string_lossy().contains(".4-of-4."))?;
        std::fs::read_to_string(file)
            .ok()
            .filter(|text| text.contains("\"second\""))
    };
    let end = Instant::now() + Duration::from_secs(60);
    while fourth().is_none() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(20));
    }
    ip(&["-n", &hosts.server(), "link", "set", "to4", "down"]).expect("it is cut");
    launched.wait().expect("its end");
    let (merged, status) = merge(home.path());
    assert_eq!((merged.verdict, status), (Some(Validity::Invalid), Some(4)));
    assert!(
        merged
            .parts
            .iter()
            .all(|part| part.state == PartState::Whole),
        "{:?}",
        of_parts(&merged)
    );
    let silent: Vec<_> = merged
        .findings
        .iter()
        .filter(|finding| matches!(finding.rule, Rule::FellSilent | Rule::ServerGone))
        .map(|finding| finding.text.as_str())
        .collect();
    assert!(
        !silent.is_empty() && silent.iter().all(|text| text.starts_with("part 4 of 4 ")),
        "{silent:?}"
    );
    // Over a network, not over loopback.
    assert!(
        !merged.notes.iter().any(|note| note.contains("loopback")),
        "{:?}",
        merged.notes
    );
    assert!(
        merged
            .requests
            .censored
            .is_some_and(|given_up| given_up > 0)
    );
}
