//! Downloading peers by the dozen, and more of them than there are descriptors for.

use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use super::support::{Process, Shared};

#[test]
fn downloaders_get_what_is_there_and_say_how_long_it_took() {
    let shared = Shared::new("event");
    let files = shared.folder("source").join("box");
    let files = files.to_str().unwrap();
    for runtime in ["thread", "pool", "event"] {
        let seed = [
            "seed",
            "--files",
            files,
            "--slots",
            "8",
            "--runtime",
            runtime,
        ];
        let seed = Process::start(&seed);
        let downloaders = Command::new(env!("CARGO_BIN_EXE_flux-servers"))
            .args([
                "torrent",
                "downloaders",
                &format!("http://{}/", seed.address),
            ])
            .args([
                "--files",
                files,
                "--count",
                "8",
                "--warm-up",
                "0",
                "--duration",
                "0.2",
            ])
            .args(["--output-format", "json"])
            .output()
            .unwrap();
        assert!(downloaders.status.success(), "{runtime}: {downloaders:?}");
        let report: contracts::load::Report = serde_json::from_slice(&downloaders.stdout).unwrap();
        let completed = report.requests.completed.unwrap();
        assert!(
            completed > 0 && report.requests.errors_total == Some(0),
            "{runtime}: {report:?}"
        );
        assert_eq!(report.response_time_us.unwrap().count, Some(completed));
        seed.stop();
    }
}

/// The processor time that a process has used, in hundredths of a second (proc(5), `stat`).
fn ticks(process: &Process) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.child.id())).unwrap();
    let behind_name = stat.rsplit_once(") ").unwrap().1;
    let fields = behind_name.split(' ').skip(11).take(2);
    fields.map(|field| field.parse::<u64>().unwrap()).sum()
}

#[test]
fn whoever_comes_when_descriptors_are_used_up_waits_at_no_cost_and_is_served_then() {
    let shared = Shared::new("event");
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            "ulimit -n 30; exec \"$0\" \"$@\"",
            env!("CARGO_BIN_EXE_flux-servers"),
        ])
        .args(["torrent", "seed", "--folder"])
        .args([shared.folder("source"), shared.torrent()]);
    let seed = Process::start_as(command);
    let many: Vec<_> = (0..40)
        .map(|_| TcpStream::connect(seed.address).unwrap())
        .collect();
    std::thread::sleep(Duration::from_millis(100));
    let before = ticks(&seed);
    std::thread::sleep(Duration::from_millis(500));
    let used = ticks(&seed) - before;
    assert!(used < 15, "{used} hundredths of a second, of fifty");
    drop(many);
    let get = shared.start("get", "got", &["--peer", &seed.address.to_string()]);
    get.end();
    shared.assert_same("got");
    seed.stop();
}
