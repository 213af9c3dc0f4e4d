//! A server that ssh starts on another host, with an sshd of the test's own.

use super::elsewhere;
use super::hosts::Hosts;
use super::is_there;
use rustix::process::Signal;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// An sshd on the server's host, with a key of its own, to which the key of one user gives way. It ends with this value.
struct Sshd {
    home: tempfile::TempDir,
    daemon: Child,
}

impl Sshd {
    fn start(host: &str) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let place = home.path().display();
        let key = |name: &str| {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(home.path().join(name))
                .status();
            assert!(made.expect("ssh-keygen").success());
            let public = home.path().join(format!("{name}.pub"));
            std::fs::read_to_string(public).expect("a key")
        };
        let (hosts_key, users_key) = (key("host"), key("user"));
        let user = Command::new("id").arg("-un").output().expect("id").stdout;
        let user = String::from_utf8(user).expect("text");
        for (name, text) in [
            ("authorized", users_key),
            ("known", format!("[198.19.1.1]:2222 {hosts_key}")),
            (
                "sshd_config",
                format!(
                    "ListenAddress 198.19.1.1:2222\nHostKey {place}/host\nAuthorizedKeysFile {place}/authorized\nStrictModes no\n\
                     UsePAM no\nUseDNS no\nPermitRootLogin prohibit-password\nPasswordAuthentication no\nPidFile none\n"
                ),
            ),
            (
                "config",
                format!(
                    "Host server\nHostName 198.19.1.1\nPort 2222\nUser {user}IdentityFile {place}/user\nIdentitiesOnly yes\n\
                     UserKnownHostsFile {place}/known\nStrictHostKeyChecking yes\nBatchMode yes\n"
                ),
            ),
        ] {
            std::fs::write(home.path().join(name), text).expect("written");
        }
        // It insists on a directory that a package's service makes. What is mounted is seen by nobody else: ip gives it a view of its own.
        let script = "mount -t tmpfs none /run && mkdir -m 755 /run/sshd && exec \"$(PATH=$PATH:/usr/sbin command -v sshd)\" -D -e -f \"$0\"";
        let mut command = Command::new("ip");
        command
            .args(&Hosts::on(host)[1..])
            .args(["sh", "-c", script])
            .arg(home.path().join("sshd_config"))
            .stderr(Stdio::null());
        sys::process::end_with_parent(&mut command, Signal::KILL);
        let daemon = command.spawn().expect("sshd");
        Self { home, daemon }
    }

    /// The words before a command that is to run there, for a client on another host.
    fn launcher(&self, client: &str) -> Vec<String> {
        let config = self.home.path().join("config").display().to_string();
        let words = [&Hosts::on(client)[..], &["ssh", "-F", &config, "server"]].concat();
        words.into_iter().map(str::to_owned).collect()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// What the processes of a host are called.
fn processes(host: &str) -> Vec<String> {
    let listed = Command::new("ip").args(["netns", "pids", host]).output();
    let ids = String::from_utf8(listed.expect("ip").stdout).expect("text");
    let name = |id: &str| std::fs::read_to_string(Path::new("/proc").join(id).join("comm")).ok();
    ids.lines().filter_map(name).collect()
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < end, "{what}: not within half a minute");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_server_that_ssh_starts_is_measured_and_ends() {
    let needed = ["ip", "ssh", "ssh-keygen", "sshd"];
    if let Some(missing) = needed.iter().find(|program| !is_there(program)) {
        println!("skipped: no {missing}; iproute2, openssh-client and openssh-server have all");
        return;
    }
    let Some(hosts) = Hosts::new() else { return };
    let sshd = Sshd::start(&hosts.server());
    let launcher = sshd.launcher(&hosts.host(1));
    wait_until("somebody is let in", || {
        let mut command = Command::new(&launcher[0]);
        command.args(&launcher[1..]).arg("true");
        command.stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    });
    let home = tempfile::tempdir().expect("a directory");
    let client = hosts.host(1);
    let (by_ssh, there) = (launcher.join(" "), Hosts::on(&client).join(" "));
    let typed = [
        "--server-launch",
        &by_ssh,
        "--server-address",
        "198.19.1.1",
        "--generators-launch",
        &there,
    ];
    let output = elsewhere::experiment_with(home.path(), "1s", "", &typed);
    let run = elsewhere::run(home.path(), &output);
    let trial = &run.trials[0];
    assert_eq!(trial.failure, None);
    let completed = trial.load.as_ref().and_then(|load| load.requests.completed);
    let served = trial.server.as_ref().and_then(|server| server.requests);
    assert!(completed.is_some_and(|completed| completed > 100));
    assert_eq!(served, completed);
    assert!(trial.samples.len() > 2, "{:?}", trial.samples);
    assert_eq!(run.manifest.hosts[0].launch, launcher);
    wait_until("nobody but sshd is left there", || {
        let left = processes(&hosts.server());
        left.iter().all(|name| name.trim() == "sshd")
    });
}
