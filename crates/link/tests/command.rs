//! `archbench link` as a process: what it prints, how it ends, and that nothing of it remains.
//!
//! With `link` as its first argument, this program is the command.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::time::Duration;

use clap::{Args, FromArgMatches};
use link::cli::Arguments;
use network::{CLIENT, Hosts, Namespace, SERVER};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("link") {
        let command = Arguments::augment_args(clap::Command::new("link"));
        let matches = command.get_matches_from(std::env::args().skip(1));
        return link::run(&Arguments::from_arg_matches(&matches).unwrap());
    }
    nonsense_is_wrong_usage();
    if let Err(reason) = network::available() {
        println!("skipped: {reason}");
        return ExitCode::SUCCESS;
    }
    a_namespace_that_is_none_is_named();
    it_joins_new_hosts_and_counts_what_it_carried();
    it_joins_hosts_of_somebody_else();
    people_are_told_how_to_use_it();
    println!("the command: all is well");
    ExitCode::SUCCESS
}

struct Process {
    child: Child,
    out: BufReader<ChildStdout>,
    ready: String,
}

impl Process {
    /// None, with a notice, where there are no TUN devices.
    fn start(arguments: &[&str]) -> Option<Self> {
        let mut child = command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        out.read_line(&mut ready).unwrap();
        if ready.is_empty() {
            let mut complaint = String::new();
            child
                .stderr
                .take()
                .unwrap()
                .read_to_string(&mut complaint)
                .unwrap();
            child.wait().unwrap();
            assert!(complaint.contains("TUN device"), "{complaint}");
            println!("skipped: {complaint}");
            return None;
        }
        Some(Self { child, out, ready })
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.ready).unwrap()
    }

    fn end(mut self, signal: Signal) -> String {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{rest}");
        rest
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("link").args(arguments);
    command
}

fn complaint(arguments: &[&str], status: i32) -> String {
    let output = command(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(status));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    complaint
}

fn nonsense_is_wrong_usage() {
    let told = complaint(&["--rtt", "10ms", "--jitter", "6ms"], 2);
    assert!(told.contains("more than half of --rtt"), "{told}");
}

fn a_namespace_that_is_none_is_named() {
    let arguments = ["--server-namespace", "/none", "--client-namespace", "/none"];
    let told = complaint(&arguments, 1);
    assert!(told.contains("/none"), "{told}");
}

/// One datagram from the client to the server.
fn carry(server: &Namespace, client: &Namespace) {
    let bind =
        |host: &Namespace, at: Ipv4Addr| host.run(|| UdpSocket::bind((at, 9))).unwrap().unwrap();
    let (server, client) = (bind(server, SERVER), bind(client, CLIENT));
    server
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    client.send_to(&[7; 72], (SERVER, 9)).unwrap();
    assert_eq!(
        server.recv_from(&mut [0; 100]).unwrap(),
        (72, (CLIENT, 9).into())
    );
}

fn it_joins_new_hosts_and_counts_what_it_carried() {
    for signal in [Signal::TERM, Signal::INT] {
        let arguments = [
            "--rtt",
            "2ms",
            "--way",
            "user-space",
            "--output-format",
            "json",
        ];
        let Some(process) = Process::start(&arguments) else {
            return;
        };
        let ready = process.json();
        assert_eq!(
            (&ready["event"], &ready["way"]),
            (&"ready".into(), &"user-space".into())
        );
        let open =
            |role: &str| Namespace::open(Path::new(ready[role]["namespace"].as_str().unwrap()));
        let (server, client) = (open("server").unwrap(), open("client").unwrap());
        carry(&server, &client);
        let summary: Value = serde_json::from_str(&process.end(signal)).unwrap();
        assert_eq!(summary["event"], "summary");
        let carried = &summary["carried"]["to_server"];
        assert_eq!(
            (&carried["packets"], &carried["bytes"]),
            (&1.into(), &100.into())
        );
        // Its devices are gone, and nobody is reached any more.
        let send = || UdpSocket::bind((CLIENT, 0));
        assert!(client.run(send).unwrap().is_err());
    }
}

fn it_joins_hosts_of_somebody_else() {
    let hosts = Hosts::apart().unwrap();
    let [server, client] =
        [&hosts.server, &hosts.client].map(|host| host.path().display().to_string());
    let arguments = [
        "--rtt",
        "2ms",
        "--server-namespace",
        &server,
        "--client-namespace",
        &client,
    ];
    let Some(process) = Process::start(&arguments) else {
        return;
    };
    carry(&hosts.server, &hosts.client);
    process.end(Signal::TERM);
}

fn people_are_told_how_to_use_it() {
    let arguments = [
        "--rtt",
        "80ms",
        "--rate",
        "20mbit",
        "--loss",
        "0.5%",
        "--way",
        "user-space",
    ];
    let Some(process) = Process::start(&arguments) else {
        return;
    };
    for part in [
        "80ms apart",
        "20 Mbit/s",
        "200000 bytes",
        "0.5 % lost",
        "in user space",
    ] {
        assert!(process.ready.contains(part), "{}", process.ready);
    }
    let rest = process.end(Signal::TERM);
    assert!(rest.contains("nsenter --net=/proc/"), "{rest}");
    assert!(rest.contains("to client"), "{rest}");
}
