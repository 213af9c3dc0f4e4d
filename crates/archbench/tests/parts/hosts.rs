//! Each part on a host of its own, and the server on another: network namespaces with cables between them.

use super::launched::MPIRUN;
use super::{Server, is_there, load, merge, of_parts, start_part, unix_s, wait_for_first_second};
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
            // By it a host reaches its own addresses.
            ip(&["-n", &server, "link", "set", "lo", "up"])?;
            for number in 1..=4 {
                let host = hosts.host(number);
                let (here, there) = (format!("to{number}"), format!("up{number}"));
                ip(&["netns", "add", &host])?;
                ip(&["-n", &host, "link", "set", "lo", "up"])?;
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

    /// The command by which something is started on a host.
    pub(super) fn on(host: &str) -> [&str; 4] {
        ["ip", "netns", "exec", host]
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

/// Of four parts on four hosts the second is killed in the middle, the third's clock is five seconds ahead, and the fourth is started when
/// the others have begun.
#[test]
fn parts_that_are_killed_or_late_or_whose_clock_is_wrong_are_each_named_for_that() {
    if !is_there("ip") {
        println!("skipped: it takes ip (iproute2)");
        return;
    }
    let Some(hosts) = Hosts::new() else { return };
    let home = tempfile::tempdir().expect("a directory");
    let server = Server::start(&Hosts::on(&hosts.server()), "0.0.0.0:0");
    let port = server.url.rsplit_once(':').expect("a port").1;
    let url = format!("http://198.19.1.1:{port}");
    // Early enough for the third to begin five seconds before.
    let agreed = unix_s() + 6.0;
    let start_at = agreed.to_string();
    let start = |number: u32, own: &[&str]| {
        let asked = ["-R", "200", "-d", "4s", "--start-at", &start_at];
        let host = hosts.host(number);
        let more = [&asked, own].concat();
        start_part(&Hosts::on(&host), &url, home.path(), number, &more)
    };
    let mut parts = vec![
        start(1, &[]),
        start(2, &[]),
        start(3, &["--inject-clock-ahead", "5s"]),
    ];
    let late_s = agreed + 0.5 - unix_s();
    std::thread::sleep(Duration::from_secs_f64(late_s.max(0.0)));
    parts.push(start(4, &[]));
    wait_for_first_second(home.path(), 2);
    parts[1].kill().expect("it runs");
    for part in &mut parts {
        part.wait().expect("its end");
    }
    let (merged, status) = merge(home.path());
    assert_eq!((merged.verdict, status), (Some(Validity::Invalid), Some(4)));
    let told = of_parts(&merged);
    let said_of = |number: u32| {
        let start = format!("part {number} of 4 (on ");
        let mut of_it = told
            .iter()
            .filter(move |finding| finding.text.starts_with(&start));
        move |rule: &Rule| of_it.find(|finding| finding.rule == *rule)
    };
    let cut = said_of(2)(&Rule::PartCutShort).unwrap_or_else(|| panic!("{told:?}"));
    assert!(cut.text.contains("was cut short: it wrote"), "{cut:?}");
    let wrong = said_of(3)(&Rule::PartLate).unwrap_or_else(|| panic!("{told:?}"));
    assert!(
        wrong.text.contains("its clock was ") && wrong.text.ends_with(" s ahead"),
        "{wrong:?}"
    );
    let late = said_of(4)(&Rule::PartLate).unwrap_or_else(|| panic!("{told:?}"));
    assert!(late.text.ends_with(" too late"), "{late:?}");
    // On a machine that has time for nobody another may be late as well.
    assert!(said_of(1)(&Rule::PartCutShort).is_none(), "{told:?}");
    let clock = &merged.parts[2].start.as_ref().expect("its start").clock;
    let ahead_s = clock.ahead_s.expect("it is known");
    assert!((ahead_s - 5.0).abs() < 0.5, "{ahead_s}");
    assert!(merged.start_skew_s.is_some_and(|skew_s| skew_s >= 0.5));
    let states: Vec<_> = merged.parts.iter().map(|part| part.state).collect();
    use PartState::{CutShort, Whole};
    assert_eq!(states, [Whole, CutShort, Whole, Whole]);
}
