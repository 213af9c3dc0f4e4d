//! A server in a process of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use arch::{Architecture, ServeOptions, ServerSetup};
use arch_sped::Sped;
use clap::Parser;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// What makes this program serve.
pub(crate) const SERVE: &str = "serve";
/// Longer than anything takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: ServeOptions,
    #[command(flatten)]
    sped: Sped,
}

/// Serves until told to stop, as the arguments behind [`SERVE`] say; prints the address first, and what was counted last.
pub(crate) fn serve() {
    let CommandLine { options, sped } = CommandLine::parse_from(std::env::args().skip(1));
    let root = options.root.clone().unwrap();
    let setup = ServerSetup::new(options, &root).unwrap();
    let (meter, address) = (setup.meter, setup.listener.address().clone());
    sped.serve(setup, || println!("{address}")).unwrap();
    println!("{}", meter.snapshot().requests());
}

/// A server that runs. Dropped, it is killed.
pub(crate) struct Server {
    root: TempDir,
    child: Child,
    out: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Server {
    /// Serves `small.txt` and `large.bin`, of [`LARGE`] bytes.
    pub(crate) fn start(poller: &str, options: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("small.txt"), "small").unwrap();
        let large = std::fs::File::create(root.path().join("large.bin")).unwrap();
        large.set_len(LARGE as u64).unwrap();
        Self::start_in(root, poller, options)
    }

    pub(crate) fn start_in(root: TempDir, poller: &str, options: &[&str]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([SERVE, "--addr", "127.0.0.1:0", "--root"])
            .arg(root.path())
            .arg("--poller")
            .args(poller.split(' '))
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let address = line.trim().parse().unwrap();
        Self {
            root,
            child,
            out,
            address,
        }
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn connect(&self) -> Client {
        let socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Client(socket)
    }

    pub(crate) fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    /// Tells it to stop; how many requests it has answered.
    pub(crate) fn stop(self) -> u64 {
        self.terminate();
        self.wait()
    }

    /// Waits until it has stopped; how many requests it has answered.
    pub(crate) fn wait(mut self) -> u64 {
        let since = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(since.elapsed() < PATIENCE, "it does not stop");
            std::thread::sleep(Duration::from_millis(2));
        };
        assert!(status.success(), "{status}");
        let mut out = String::new();
        self.out.read_to_string(&mut out).unwrap();
        out.trim().parse().unwrap()
    }

    /// Processor time so far.
    pub(crate) fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(self.proc("stat")).unwrap();
        let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        let ticks: u64 = fields
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<u64>().ok())
            .sum();
        Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second())
    }

    /// Its descriptors, each with what it is.
    pub(crate) fn descriptors(&self) -> Vec<(u64, String)> {
        let open = std::fs::read_dir(self.proc("fd")).unwrap();
        let described = open.filter_map(|entry| {
            let entry = entry.ok()?;
            let number = entry.file_name().to_str()?.parse().ok()?;
            let what = std::fs::read_link(entry.path()).ok()?;
            Some((number, what.to_string_lossy().into_owned()))
        });
        described.collect()
    }

    fn proc(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Bytes of the large file: more than sockets hold.
pub(crate) const LARGE: usize = 8 << 20;
pub(crate) const SMALL: &[u8] = b"GET /small.txt HTTP/1.1\r\nHost: h\r\n\r\n";
pub(crate) const LARGE_ONE: &[u8] = b"GET /large.bin HTTP/1.1\r\nHost: h\r\n\r\n";

/// A connection to it.
pub(crate) struct Client(pub(crate) TcpStream);

impl Client {
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    /// Reads an answer; the length of its body.
    pub(crate) fn answer(&mut self) -> usize {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let length = head.split("Content-Length: ").nth(1).unwrap();
        let length = length.split("\r\n").next().unwrap().parse().unwrap();
        let body = std::io::copy(&mut (&self.0).take(length), &mut std::io::sink());
        assert_eq!(body.unwrap(), length);
        length as usize
    }

    /// Asks for the small file and has it.
    pub(crate) fn ask(&mut self) {
        self.send(SMALL);
        assert_eq!(self.answer(), 5);
    }

    /// Whether nothing comes for a while.
    pub(crate) fn is_silent_for(&self, span: Duration) -> bool {
        self.0.set_read_timeout(Some(span)).unwrap();
        let is_silent = self.0.peek(&mut [0]).is_err();
        self.0.set_read_timeout(Some(PATIENCE)).unwrap();
        is_silent
    }

    /// Whether the server has closed it.
    pub(crate) fn is_closed(&mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0) | Err(_))
    }
}
