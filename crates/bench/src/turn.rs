//! Steps of an event loop's session, over a socket.

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arch::listener::Socket;
use arch::{Accept, Endpoint, ProcessContext, Progress, Readiness, ServeOptions, ServerSetup};
use clap::Parser;
use sys::signals::{self, Signal};
use tempfile::TempDir;

use crate::Step;

const REQUEST: &[u8] = b"GET /file.txt HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: ServeOptions,
}

/// A place with one file.
fn process(length: usize) -> (TempDir, ProcessContext) {
    let root = tempfile::tempdir().expect("a directory");
    std::fs::write(root.path().join("file.txt"), vec![b'x'; length]).expect("a file");
    // What has changed just now is not held in memory yet.
    std::thread::sleep(Duration::from_millis(100));
    let process = open(root.path());
    (root, process)
}

fn open(root: &Path) -> ProcessContext {
    // A name that is looked up afresh once a second would be counted as if it were a part of every request.
    let arguments = ["bench", "--addr", "127.0.0.1:0", "--revalidate", "1h"];
    let options = CommandLine::parse_from(arguments).options;
    let setup = ServerSetup::new(options, root).expect("a setup");
    // Ctrl-C ends this program like any other.
    signals::unblock(&[Signal::Interrupt, Signal::Terminate]).expect("unblocked");
    setup.open_unwatched().expect("a process")
}

/// A request over a kept connection and its answer, served as an event loop that may block does it.
pub(crate) fn prepare(length: usize) -> Step {
    let (root, process) = process(length);
    process.listener.never_block().expect("it does not block");
    let mut worker = process.worker();
    let mut client = TcpStream::connect(process.listener.address().ip().expect("an address"))
        .expect("connected");
    let limit = Duration::from_secs(10);
    client.set_read_timeout(Some(limit)).expect("a limit");
    let mut endpoint = loop {
        if let Accept::Client(accepted) = process
            .listener
            .try_accept(Socket::NonBlocking, &worker.counters)
        {
            break Endpoint::new(Arc::new(accepted), &worker);
        }
    };
    let mut buffer = vec![0; 2 * length + 4096];
    let both = Readiness {
        readable: true,
        writable: true,
        ..Readiness::default()
    };
    Box::new(move || {
        let _keep = (&root, &process);
        client.write_all(REQUEST).expect("written");
        worker.tick();
        endpoint.ready(both);
        let mut received = 0;
        loop {
            match endpoint.advance(&mut worker) {
                Progress::Work(work) => {
                    let done = work.run(&worker.files, worker.now);
                    endpoint.done(done, &mut worker);
                }
                Progress::Yields => {}
                // The answer does not fit between the two at once.
                Progress::Waits if received < length => {
                    received += client.read(&mut buffer[received..]).expect("bytes");
                    endpoint.ready(both);
                }
                Progress::Waits | Progress::Lingers | Progress::Closed => break,
            }
        }
        while received < length || !ends(&buffer[..received], length) {
            let more = client.read(&mut buffer[received..]).expect("bytes");
            assert!(more > 0, "the server closed");
            received += more;
        }
        black_box(&buffer);
    })
}

/// Whether a head and a body of `length` bytes are there.
fn ends(bytes: &[u8], length: usize) -> bool {
    let head = bytes.len() - length;
    bytes[..head].ends_with(b"\r\n\r\n") && bytes.starts_with(b"HTTP/1.1 200 ")
}

pub(crate) fn name_cache() -> Step {
    let (root, process) = process(1);
    let worker = process.worker();
    let path = files::Path {
        bytes: b"file.txt",
        directory: false,
    };
    worker.files.find(path, worker.now).expect("it is there");
    Box::new(move || {
        let _keep = &root;
        let entry = worker.files.try_find(black_box(path), worker.now);
        assert!(entry.is_some());
    })
}
