//! `archbench wire` as a process, on real packets between two hosts and over loopback.
//!
//! With `wire` as its first argument, this program is the command.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};

use clap::{Args, FromArgMatches};
use contracts::wire::{Summary, Traffic};
use contracts::{Distribution, Line, Validity};
use network::{Hosts, INTERFACE, Namespace, SERVER};
use pcap_file::DataLink;
use pcap_file::pcapng::{Block, PcapNgReader};
use rustix::process::{Pid, Signal, kill_process};
use wire::cli::Arguments;

const PORT: u16 = 8080;
const BODY: usize = 100_000;
const REQUESTS: u64 = 20;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("wire") {
        let command = Arguments::augment_args(clap::Command::new("wire"));
        let matches = command.get_matches_from(std::env::args().skip(1));
        return wire::run(&Arguments::from_arg_matches(&matches).unwrap());
    }
    what_is_missing_is_named();
    let hosts = match Hosts::joined() {
        Ok(hosts) => hosts,
        Err(error) => {
            println!("skipped: {error}");
            return ExitCode::SUCCESS;
        }
    };
    on_loopback_each_packet_counts_once(&hosts);
    between_hosts_both_ends_see_the_same_requests(&hosts);
    the_datagram_view_has_no_link_layer(&hosts);
    what_is_not_http_is_marked(&hosts);
    a_duration_ends_it(&hosts);
    println!("the command: all is well");
    ExitCode::SUCCESS
}

struct Process {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Process {
    /// Returns when it captures.
    fn start(host: &Namespace, arguments: &[&str]) -> Self {
        let mut command = command(arguments);
        command
            .args(["--output-format", "json"])
            .stdout(Stdio::piped());
        host.start_in(&mut command).unwrap();
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        out.read_line(&mut ready).unwrap();
        assert!(ready.contains(r#""event":"ready""#), "{ready}");
        Self { child, out }
    }

    fn end(self) -> Summary {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.summary()
    }

    fn summary(mut self) -> Summary {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{rest}");
        Summary::parse(&rest).unwrap()
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
    command.arg("wire").args(arguments);
    command
}

fn what_is_missing_is_named() {
    for (arguments, told) in [
        (
            ["--interface", "none-such", "--duration", "1ms"],
            "no such interface",
        ),
        (
            ["--output", "/no/such/place", "--duration", "1ms"],
            "/no/such/place",
        ),
    ] {
        let output = command(&arguments).output().unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
        let forbidden = complaint.contains("CAP_NET_RAW") || complaint.contains("cap-add NET_RAW");
        assert!(complaint.contains(told) || forbidden, "{complaint}");
        assert_eq!(output.status.code(), Some(1));
    }
}

/// Asks a server on one connection, each request when the answer before it is there.
fn talk(server: &Namespace, client: &Namespace, at: Ipv4Addr, ask: &'static [u8], answer: &[u8]) {
    let listener = server
        .run(|| TcpListener::bind((at, PORT)))
        .unwrap()
        .unwrap();
    let mut stream = client
        .run(|| TcpStream::connect((at, PORT)))
        .unwrap()
        .unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = vec![0; ask.len()];
            while stream.read_exact(&mut request).is_ok() {
                assert_eq!(request, ask);
                stream.write_all(answer).unwrap();
            }
        });
        let mut received = vec![0; answer.len()];
        for _ in 0..REQUESTS {
            stream.write_all(ask).unwrap();
            stream.read_exact(&mut received).unwrap();
        }
        drop(stream);
    });
}

fn talk_http(server: &Namespace, client: &Namespace, at: Ipv4Addr) {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {BODY}\r\n\r\n");
    let answer = [head.as_bytes(), &[b'x'; BODY]].concat();
    talk(
        server,
        client,
        at,
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        &answer,
    );
}

fn traffic(traffic: &Option<Traffic>) -> &Traffic {
    traffic.as_ref().unwrap()
}

fn median(times: &Option<Distribution>) -> f64 {
    times.as_ref().unwrap().p50.unwrap()
}

#[track_caller]
fn whole(summary: &Summary) {
    assert_eq!(summary.verdict, Some(Validity::Valid), "{summary:?}");
    assert_eq!(summary.requests, Some(REQUESTS));
    assert_eq!(summary.by_bytes_and_time, Some(0));
    assert_eq!((summary.unanswered, summary.unasked), (Some(0), Some(0)));
    assert_eq!(summary.connections, Some(1));
    let (to_server, to_client) = (traffic(&summary.to_server), traffic(&summary.to_client));
    assert_eq!(to_server.payload_bytes, Some(REQUESTS * 27));
    assert!(to_client.payload_bytes > Some(REQUESTS * BODY as u64));
    let counted = |times: &Option<Distribution>| times.as_ref().unwrap().count;
    assert_eq!(counted(&summary.handshake_us), Some(1));
    assert_eq!(counted(&summary.first_byte_us), Some(REQUESTS));
    assert!(median(&summary.first_byte_us) > 0.0);
    assert!(median(&summary.last_byte_us) >= median(&summary.first_byte_us));
    // What passes once on its way and is not lost is not sent again.
    assert_eq!(
        (to_server.retransmissions, to_client.retransmissions),
        (Some(0), Some(0))
    );
}

fn on_loopback_each_packet_counts_once(hosts: &Hosts) {
    let process = Process::start(&hosts.server, &[]);
    talk_http(&hosts.server, &hosts.server, Ipv4Addr::LOCALHOST);
    let summary = process.end();
    whole(&summary);
    assert!(
        traffic(&summary.to_client).giant > Some(0) && summary.largest_frame_bytes > Some(1514),
        "{summary:?}"
    );
    assert!(
        summary
            .notes
            .iter()
            .any(|note| note.contains("segmentation offload"))
    );
}

fn between_hosts_both_ends_see_the_same_requests(hosts: &Hosts) {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("trace.pcapng");
    let output = file.to_str().unwrap();
    let at_server = Process::start(
        &hosts.server,
        &["--interface", INTERFACE, "--output", output],
    );
    let at_client = Process::start(&hosts.client, &["--interface", INTERFACE]);
    talk_http(&hosts.server, &hosts.client, SERVER);
    let (server, client) = (at_server.end(), at_client.end());
    whole(&server);
    whole(&client);
    assert_eq!(server.to_server, client.to_server);
    let mean = |summary: &Summary| summary.last_byte_us.as_ref().unwrap().mean;
    // The client's end sees the request before, and the answer after, the server's does.
    assert!(mean(&client) >= mean(&server), "{client:?} {server:?}");
    let (link, packets) = read(&file);
    assert_eq!(link, DataLink::ETHERNET);
    let captured = server.captured.unwrap().packets;
    assert_eq!(Some(packets.len() as u64), captured);
    let largest = packets.iter().map(Vec::len).max();
    assert_eq!(largest, Some(1024));
}

fn read(file: &Path) -> (DataLink, Vec<Vec<u8>>) {
    let mut reader = PcapNgReader::new(std::fs::File::open(file).unwrap()).unwrap();
    let (mut link, mut packets) = (DataLink::NULL, Vec::new());
    while let Some(block) = reader.next_block() {
        match block.unwrap() {
            Block::InterfaceDescription(interface) => link = interface.linktype,
            Block::EnhancedPacket(packet) => packets.push(packet.data.to_vec()),
            _ => {}
        }
    }
    (link, packets)
}

fn the_datagram_view_has_no_link_layer(hosts: &Hosts) {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("trace.pcapng");
    let output = file.to_str().unwrap();
    let arguments = [
        "--interface",
        INTERFACE,
        "--view",
        "datagram",
        "--output",
        output,
    ];
    let process = Process::start(&hosts.server, &arguments);
    talk_http(&hosts.server, &hosts.client, SERVER);
    whole(&process.end());
    let (link, packets) = read(&file);
    assert_eq!(link, DataLink::RAW);
    assert!(packets.iter().all(|packet| packet[0] == 0x45));
}

fn what_is_not_http_is_marked(hosts: &Hosts) {
    let process = Process::start(&hosts.server, &["--interface", INTERFACE]);
    talk(
        &hosts.server,
        &hosts.client,
        SERVER,
        b"\x17\x03\x03secret",
        b"\x17\x03\x03answer",
    );
    let summary = process.end();
    assert_eq!(
        (summary.requests, summary.by_bytes_and_time),
        (Some(0), Some(REQUESTS))
    );
    assert!(
        summary
            .notes
            .iter()
            .any(|note| note.contains("bytes and time alone"))
    );
}

fn a_duration_ends_it(hosts: &Hosts) {
    let summary = Process::start(&hosts.server, &["--duration", "20ms"]).summary();
    assert_eq!(summary.requests, Some(0));
    assert_eq!(summary.captured.unwrap().packets, Some(0));
}
