//! Parts that Slurm's srun starts: a controller and four node daemons, each on a host of its own.

use super::elsewhere;
use super::hosts::Hosts;
use super::{ARCHBENCH, Server, assert_whole, is_there, load, report};
use rustix::process::{Pid, Signal, kill_process};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A cluster of four nodes, all of it in a directory of its own. It ends with this value.
struct Slurm {
    home: tempfile::TempDir,
    /// In the order in which they are started: each needs those before it.
    daemons: Vec<Child>,
    hosts: Hosts,
}

impl Slurm {
    /// None, with a notice, where it cannot be had.
    fn start() -> Option<Self> {
        let needed = ["ip", "munged", "slurmctld", "slurmd", "srun"];
        if let Some(missing) = needed.iter().find(|program| !is_there(program)) {
            println!(
                "skipped: no {missing}; iproute2, munge, slurmctld, slurmd and slurm-client have all"
            );
            return None;
        }
        let hosts = Hosts::new()?;
        let home = tempfile::tempdir().expect("a directory");
        let mut cluster = Self {
            home,
            daemons: Vec::new(),
            hosts,
        };
        cluster.configure();
        let place = cluster.home.path().display().to_string();
        let own = |name: &str| format!("--{name}={place}/munge.{name}");
        let munge = ["key-file", "pid-file", "log-file", "seed-file"].map(own);
        let socket = format!("--socket={place}/munge.socket");
        let munge = munge.iter().chain([&socket]).map(String::as_str);
        let flags = ["munged", "--foreground", "--force"];
        let server = cluster.hosts.server();
        cluster.daemon(&server, &flags.into_iter().chain(munge).collect::<Vec<_>>());
        cluster.wait_until("munged listens", |home| home.join("munge.socket").exists());
        let settings = format!("{place}/slurm.conf");
        cluster.daemon(&server, &["slurmctld", "-D", "-c", "-f", &settings]);
        for number in 1..=4 {
            let (host, node) = (cluster.hosts.host(number), format!("node{number}"));
            cluster.daemon(&host, &["slurmd", "-D", "-N", &node, "-f", &settings]);
        }
        let idle = |_: &Path| {
            let listed = cluster.command(&["sinfo", "-h", "-o", "%T %D"]).output();
            listed.is_ok_and(|listed| listed.stdout == b"idle 4\n")
        };
        cluster.wait_until("all nodes are idle", idle);
        Some(cluster)
    }

    /// Writes what the daemons are told.
    fn configure(&self) {
        use std::os::unix::fs::PermissionsExt;
        let home = self.home.path();
        let place = home.display();
        for name in [
            "state",
            "spool-node1",
            "spool-node2",
            "spool-node3",
            "spool-node4",
        ] {
            std::fs::create_dir(home.join(name)).expect("a directory");
        }
        let key = home.join("munge.key-file");
        let bytes: Vec<u8> = (0..64).map(|_| std::process::id() as u8).collect();
        std::fs::write(&key, bytes).expect("written");
        let owners = std::fs::Permissions::from_mode(0o400);
        std::fs::set_permissions(key, owners).expect("a key of our own");
        // What holds processes together is /proc here, so that no control group is needed; the file is read all the same.
        std::fs::write(home.join("cgroup.conf"), "CgroupPlugin=cgroup/v1\n").expect("written");
        let mut settings = format!(
            "ClusterName=archbench
SlurmctldHost=localhost(198.19.1.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={place}/munge.socket
CredType=cred/munge
StateSaveLocation={place}/state
SlurmdSpoolDir={place}/spool-%n
SlurmctldPidFile={place}/slurmctld.pid
SlurmdPidFile={place}/slurmd-%n.pid
SlurmctldLogFile={place}/slurmctld.log
SlurmdLogFile={place}/slurmd-%n.log
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/linear
SlurmdParameters=config_overrides
TreeWidth=64
ReturnToService=2
PartitionName=all Nodes=ALL Default=YES State=UP
"
        );
        for number in 1..=4 {
            settings.push_str(&format!(
                "NodeName=node{number} NodeAddr=198.19.{number}.2 NodeHostname=localhost CPUs=1\n"
            ));
        }
        std::fs::write(home.join("slurm.conf"), settings).expect("written");
    }

    fn daemon(&mut self, host: &str, words: &[&str]) {
        // They lie beside what only root uses.
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("ip");
        command
            .args(&Hosts::on(host)[1..])
            .args(words)
            .env("PATH", format!("{path}:/usr/sbin:/sbin"))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        sys::process::end_with_parent(&mut command, Signal::KILL);
        self.daemons.push(command.spawn().expect("a daemon"));
    }

    fn wait_until(&self, what: &str, is_so: impl Fn(&Path) -> bool) {
        let end = Instant::now() + Duration::from_secs(60);
        while !is_so(self.home.path()) {
            assert!(
                Instant::now() < end,
                "{what}: not within a minute. {}",
                self.logs()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn logs(&self) -> String {
        let read = |name: &str| std::fs::read_to_string(self.home.path().join(name));
        ["munge.log-file", "slurmctld.log", "slurmd-node1.log"]
            .map(|name| read(name).unwrap_or_default())
            .concat()
    }

    /// Words that run a command of Slurm on the server's host.
    fn words(&self, command: &[&str]) -> Vec<String> {
        let server = self.hosts.server();
        let settings = format!("SLURM_CONF={}/slurm.conf", self.home.path().display());
        let words = [&Hosts::on(&server)[..], &["env", &settings], command].concat();
        words.into_iter().map(str::to_owned).collect()
    }

    fn command(&self, words: &[&str]) -> Command {
        let words = self.words(words);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command
    }

    /// Four parts, each on a node.
    fn srun(&self, load: &[String]) -> Command {
        let mut command = self.command(&SRUN);
        command.args(load);
        command
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        for daemon in self.daemons.iter_mut().rev() {
            let id = i32::try_from(daemon.id()).ok().and_then(Pid::from_raw);
            let _ = id.map(|id| kill_process(id, Signal::TERM));
            let end = Instant::now() + Duration::from_secs(5);
            while matches!(daemon.try_wait(), Ok(None)) && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(10));
            }
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

const SRUN: [&str; 4] = ["srun", "-N4", "-n4", "--immediate=60"];

/// What every run by srun is asked for.
const ASKED: [&str; 7] = ["--share", "auto", "-R", "400", "--poisson", "-d", "2s"];

fn merged_from(cluster: &Slurm, output: &Output) -> contracts::load::Report {
    if output.stdout.is_empty() {
        let said = String::from_utf8_lossy(&output.stderr);
        panic!("{said}{}", cluster.logs());
    }
    report(output)
}

/// One cluster for all that is to be shown, since it takes seconds to start.
#[test]
fn parts_that_srun_starts_on_four_nodes_are_one_run() {
    let Some(cluster) = Slurm::start() else {
        return;
    };
    let server = Server::start(&Hosts::on(&cluster.hosts.server()), "0.0.0.0:0");
    let port = server.url.rsplit_once(':').expect("a port").1;
    // The same name on every node, and the address of its own cable.
    let url = format!("http://198.19.1.1:{port}");
    a_folder_that_all_see(&cluster, &url);
    lines_that_srun_gathers(&cluster, &url);
    generators_of_a_lab(&cluster);
}

fn a_folder_that_all_see(cluster: &Slurm, url: &str) {
    let out = cluster.home.path().join("out").display().to_string();
    let own = [
        "--out-dir",
        &out,
        "--start-at",
        "next:2s",
        "--output-format",
        "json",
    ];
    let launched = cluster.srun(&load(url, &[&ASKED[..], &own].concat()));
    let merged = merged_from(cluster, &{ launched }.output().expect("srun"));
    assert_whole(&merged);
    let shares: Vec<_> = merged
        .parts
        .iter()
        .map(|part| part.share.as_str())
        .collect();
    assert_eq!(shares, ["1/4", "2/4", "3/4", "4/4"]);
    // The run is called by its job and step.
    let kept = std::fs::read_dir(&out).expect("there").flatten();
    let names: Vec<_> = kept.map(|file| file.file_name()).collect();
    let is_called = |name: &std::ffi::OsString| name.to_string_lossy().starts_with("slurm-");
    assert!(names.len() == 5 && names.iter().all(is_called), "{names:?}");
}

fn lines_that_srun_gathers(cluster: &Slurm, url: &str) {
    let own = ["--start-at", "next:2s", "--output-format", "lines"];
    let mut launched = cluster
        .srun(&load(url, &[&ASKED[..], &own].concat()))
        .stdout(Stdio::piped())
        .spawn()
        .expect("srun");
    let merged = Command::new(ARCHBENCH)
        .args(["merge", "-", "--output-format", "json"])
        .stdin(launched.stdout.take().expect("its output"))
        .output()
        .expect("merged");
    assert!(launched.wait().expect("its end").success());
    assert_whole(&merged_from(cluster, &merged));
}

/// A lab here, whose server is on one host and whose generators Slurm places on four others.
fn generators_of_a_lab(cluster: &Slurm) {
    let home = tempfile::tempdir().expect("a directory");
    let server = cluster.hosts.server();
    let hosts = format!(
        "[hosts.server]\nlaunch = {:?}\naddress = '198.19.1.1'\n[hosts.generators]\nlaunch = {:?}\nshares = 4\n",
        Hosts::on(&server),
        cluster.words(&SRUN)
    );
    let output = elsewhere::experiment_with(home.path(), "1s", &hosts, &[]);
    let run = elsewhere::run(home.path(), &output);
    let trial = &run.trials[0];
    assert_eq!(trial.failure, None);
    let load = trial.load.as_ref().expect("a report");
    assert_eq!(load.parts.len(), 4);
    let served = trial.server.as_ref().and_then(|server| server.requests);
    assert_eq!(load.requests.completed, served);
    // The server's host, and four of generators.
    assert_eq!(run.manifest.hosts.len(), 5);
}
