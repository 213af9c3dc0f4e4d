//! Processes of the command line, and files to share.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Far more than any of these takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A process of `flux-servers torrent`, killed when it is dropped.
pub(crate) struct Process {
    pub(crate) child: Child,
    output: BufReader<ChildStdout>,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Process {
    /// Starts one, and waits for its first line.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flux-servers"));
        command.arg("torrent").args(arguments);
        Self::start_as(command)
    }

    /// The same, by a command of its own.
    pub(crate) fn start_as(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let (_, address) = line.split_once(" at ").unwrap_or_else(|| panic!("{line}"));
        let end = address.find(';').unwrap();
        Self {
            child,
            output,
            address: address[..end].parse().unwrap(),
        }
    }

    /// Has it end, and reads what it says.
    pub(crate) fn stop(self) -> String {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).unwrap();
        self.end()
    }

    /// Waits for its end, and reads what it says.
    pub(crate) fn end(mut self) -> String {
        let begun = Instant::now();
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None if begun.elapsed() > PATIENCE => panic!("it does not end"),
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let mut said = String::new();
        self.output.read_to_string(&mut said).unwrap();
        assert!(status.success(), "{status}: {said}");
        said
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Files to share, a torrent of them, and a tracker.
pub(crate) struct Shared {
    folder: tempfile::TempDir,
    pub(crate) tracker: Process,
    pub(crate) runtime: &'static str,
}

impl Shared {
    /// Some, whose last pieces are short.
    pub(crate) fn new(runtime: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let box_ = folder.path().join("source/box");
        fs::create_dir_all(box_.join("inner")).unwrap();
        let bytes = |count: usize, step: usize| -> Vec<u8> {
            (0..count)
                .map(|place| (place / step + place % 251) as u8)
                .collect()
        };
        fs::write(box_.join("one"), bytes(700_001, 7)).unwrap();
        fs::write(box_.join("inner/two"), bytes(300_000, 11)).unwrap();
        fs::write(box_.join("inner/empty"), b"").unwrap();
        let tracker = ["track", "--addr", "127.0.0.1:0", "--runtime", runtime];
        let shared = Self {
            tracker: Process::start(&tracker),
            folder,
            runtime,
        };
        let url = format!("http://{}/announce", shared.tracker.address);
        let make = Command::new(env!("CARGO_BIN_EXE_flux-servers"))
            .args([
                "torrent",
                "make",
                "--announce",
                &url,
                "--piece-kib",
                "48",
                "--output",
            ])
            .arg(shared.torrent())
            .arg(&box_)
            .output()
            .unwrap();
        assert!(make.status.success(), "{make:?}");
        assert!(String::from_utf8_lossy(&make.stdout).contains("21 pieces of 3 files"));
        shared
    }

    pub(crate) fn torrent(&self) -> PathBuf {
        self.folder.path().join("box.torrent")
    }

    /// A folder by its name, made where it is not there.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// Starts `seed` or `get` in a folder.
    pub(crate) fn start(&self, what: &str, folder: &str, options: &[&str]) -> Process {
        let (torrent, folder) = (self.torrent(), self.folder(folder));
        let (torrent, folder) = (torrent.to_str().unwrap(), folder.to_str().unwrap());
        let always = [what, torrent, "--folder", folder, "--runtime", self.runtime];
        Process::start(&[&always[..], options].concat())
    }

    /// Compares what was got with what was given.
    pub(crate) fn assert_same(&self, folder: &str) {
        for file in ["one", "inner/two", "inner/empty"] {
            let read = |folder: &str| fs::read(self.folder(folder).join("box").join(file)).unwrap();
            assert!(
                read("source") == read(folder),
                "{folder}: {file} is another"
            );
        }
    }

    /// Waits until the tracker knows of one that has all.
    pub(crate) fn wait_for_seed(&self) {
        let torrent = fs::read(self.torrent()).unwrap();
        let hash = info_hash(&torrent);
        let escaped: String = hash.iter().map(|byte| format!("%{byte:02x}")).collect();
        let request = format!(
            "GET /announce?info_hash={escaped}&peer_id=a-test-that-asks-now&port=9&left=1&event=stopped HTTP/1.1\r\n\r\n"
        );
        let begun = Instant::now();
        loop {
            let mut stream = TcpStream::connect(self.tracker.address).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            if String::from_utf8_lossy(&answer).contains("8:completei1e") {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{}",
                String::from_utf8_lossy(&answer)
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// What a torrent is known by: the hash of what stands behind `info`, which is the last thing in those that are made here.
pub(crate) fn info_hash(torrent: &[u8]) -> [u8; 20] {
    use sha1::{Digest, Sha1};
    let key = b"4:info";
    let place = torrent
        .windows(key.len())
        .position(|part| part == key)
        .unwrap();
    Sha1::digest(&torrent[place + key.len()..torrent.len() - 1]).into()
}

/// Whether a program is installed.
pub(crate) fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there =
        std::env::split_paths(&path).any(|folder| Path::new(&folder).join(program).exists());
    if !there {
        eprintln!("skipped: {program} is not installed");
    }
    there
}
