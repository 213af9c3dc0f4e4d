//! Steps of an event loop's session, over a socket.

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use arch::session::Socket;
use arch::{Accept, Blocked, ServeOptions, Sessions, Site, Workplace};
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
fn workplace(length: usize) -> (TempDir, Workplace) {
    let root = tempfile::tempdir().expect("a directory");
    std::fs::write(root.path().join("file.txt"), vec![b'x'; length]).expect("a file");
    // What has changed just now is not held in memory yet.
    std::thread::sleep(Duration::from_millis(100));
    let workplace = open(root.path());
    (root, workplace)
}

fn open(root: &Path) -> Workplace {
    // A name that is looked up afresh once a second would be counted as if it were a part of every request.
    let arguments = ["bench", "--addr", "127.0.0.1:0", "--revalidate", "1h"];
    let options = CommandLine::parse_from(arguments).options;
    let site = Site::new(options, root).expect("a site");
    // Ctrl-C ends this program like any other.
    signals::unblock(&[Signal::Interrupt, Signal::Terminate]).expect("unblocked");
    site.open_unwatched().expect("a workplace")
}

/// A request over a kept connection and its answer, served as an event loop that may block does it.
pub(crate) fn prepare(length: usize) -> Step {
    let (root, workplace) = workplace(length);
    workplace.listener.never_block().expect("it does not block");
    let mut desk = workplace.desk();
    let mut sessions = Sessions::default();
    let mut client = TcpStream::connect(workplace.listener.address()).expect("connected");
    let patience = Duration::from_secs(10);
    client.set_read_timeout(Some(patience)).expect("a limit");
    let token = loop {
        if let Accept::Client(accepted) = workplace
            .listener
            .try_accept(Socket::NonBlocking, &desk.tally)
        {
            break sessions.insert(accepted, &desk);
        }
    };
    let mut buffer = vec![0; 2 * length + 4096];
    Box::new(move || {
        let _keep = (&root, &workplace);
        client.write_all(REQUEST).expect("written");
        desk.tick();
        if let Some(session) = sessions.get_mut(token) {
            session.ready(true, true, false);
        }
        let mut received = 0;
        while let Some((session, blocked)) = sessions.advance(token, &mut desk) {
            match blocked {
                Blocked::Find => {
                    let found = desk.files.find(session.path(), desk.now);
                    session.found(found, &mut desk);
                }
                Blocked::Load(entry, _) => {
                    let loaded = desk.files.load(&entry);
                    session.loaded(loaded, &mut desk);
                }
                Blocked::Turn => {}
                // The answer does not fit between the two at once.
                Blocked::Writable => {
                    received += client.read(&mut buffer[received..]).expect("bytes");
                    session.ready(false, true, false);
                }
                _ => break,
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
    let (root, workplace) = workplace(1);
    let desk = workplace.desk();
    let path = files::Path {
        bytes: b"file.txt",
        directory: false,
    };
    desk.files.find(path, desk.now).expect("it is there");
    Box::new(move || {
        let _keep = &root;
        let entry = desk.files.try_find(black_box(path), desk.now);
        assert!(entry.is_some());
    })
}
