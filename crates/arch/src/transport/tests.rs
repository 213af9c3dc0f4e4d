use std::io::Read;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use clap::Parser;

use super::*;
use crate::session::Scratch;
use crate::{Files, Next, ServeOptions, Session};

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: ServeOptions,
}

const FILE: usize = 60_000;
const FRAME: usize = 16_384;
/// What leaves for the first time of a file that is as long as it was: a head of the connection, one of the answer, those of frames.
const FRAMES: usize = FILE.div_ceil(FRAME);

fn content() -> Vec<u8> {
    (0..FILE).map(|at| (at % 251) as u8).collect()
}

/// A session of HTTP/2 that is asked for a file of several frames, and the socket that it is sent to.
struct Served {
    session: Session,
    scratch: Scratch,
    files: Files,
    via: SendVia,
    socket: UnixStream,
    client: UnixStream,
    root: tempfile::TempDir,
}

impl Served {
    fn new(options: &[&str]) -> Self {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::write(root.path().join("large.bin"), content()).expect("a file");
        // What has changed just now is not held in memory yet.
        std::thread::sleep(std::time::Duration::from_millis(100));
        let options = ["test", "--revalidate", "1h"].iter().chain(options);
        let options = CommandLine::parse_from(options).options;
        let config = http::Config {
            gather_frames: true,
            ..options.protocol()
        };
        let (socket, client) = UnixStream::pair().expect("sockets");
        socket.set_nonblocking(true).expect("a socket");
        client.set_nonblocking(true).expect("a socket");
        let mut served = Self {
            session: Session::of_either(options.gather_from),
            scratch: Scratch::new(Arc::new(config)),
            files: crate::setup::files(&options, root.path()).expect("files"),
            via: SendVia::new(SendPath::Sendfile),
            socket,
            client,
            root,
        };
        served.receive();
        served
    }

    /// Brings a preface, settings, room for all of the file, and a request for it.
    fn receive(&mut self) {
        let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
            let length = (payload.len() as u32).to_be_bytes();
            [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
        };
        let path = b"/large.bin";
        let block = [
            &[0x82, 0x86, 0x41, 1, b'h', 0x04, path.len() as u8][..],
            path,
        ]
        .concat();
        let input = [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            frame(4, 0, 0, &[]),
            frame(1, 5, 1, &block),
        ]
        .concat();
        let mut left = &input[..];
        while !left.is_empty() {
            let taken = self.session.receive(left, &mut self.scratch);
            left = &left[taken..];
        }
    }

    /// The next output, and none once only the client can go on.
    fn next(&mut self) -> Option<Output> {
        loop {
            match self.session.next(&mut self.scratch) {
                Next::Work(work) => {
                    let done = work.run(&self.files, Instant::now());
                    self.session.done(done, &mut self.scratch);
                }
                Next::Send(output) => return Some(output),
                Next::Yield => {}
                Next::Receive | Next::Closed => return None,
                other => panic!("{other:?}"),
            }
        }
    }

    /// The output that has the first payload, all before it having left.
    fn payloads(&mut self) -> Output {
        loop {
            let output = self.next().expect("an answer");
            if output.frames().is_some() {
                return output;
            }
            self.send(output).expect("a socket");
        }
    }

    fn send(&mut self, output: Output) -> Result<Sent, SendError> {
        let sent = send(&self.socket, &output, &mut self.via);
        let bytes = sent.map(|sent| sent.bytes);
        self.session.sent(output, bytes, &mut self.scratch);
        sent
    }

    /// Sends until nothing is left.
    fn rest(&mut self) {
        while let Some(output) = self.next() {
            let _ = self.send(output);
        }
    }

    fn truncate(&self, length: u64) {
        let path = self.root.path().join("large.bin");
        let file = std::fs::File::options().write(true).open(path);
        file.and_then(|file| file.set_len(length)).expect("a file");
    }

    /// What has come.
    fn heard(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut piece = [0; 65_536];
        while let Ok(count @ 1..) = self.client.read(&mut piece) {
            bytes.extend_from_slice(&piece[..count]);
        }
        bytes
    }

    fn frames(&mut self) -> Vec<Frame> {
        frames(&self.heard())
    }
}

/// A frame's kind, flags and payload.
type Frame = (u8, u8, Vec<u8>);

/// Frames, the last of which is whole.
fn frames(mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Some((header, behind)) = bytes.split_at_checked(9) {
        let length = u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize;
        let (payload, behind) = behind.split_at(length);
        frames.push((header[3], header[4], payload.to_vec()));
        bytes = behind;
    }
    assert!(bytes.is_empty(), "{bytes:?}");
    frames
}

const DATA: u8 = 0;
const RST_STREAM: u8 = 3;
const END_STREAM: u8 = 1;

fn data(frames: &[Frame]) -> Vec<&Frame> {
    frames.iter().filter(|(kind, ..)| *kind == DATA).collect()
}

/// From the page cache, and from memory.
const WAYS: [&[&str]; 2] = [
    &["--content-cache", "0"],
    &["--content-cache", "1m", "--content-cache-file", "100k"],
];

#[test]
fn frames_of_a_body_leave_by_one_call() {
    for (options, is_in_memory) in WAYS.into_iter().zip([false, true]) {
        let mut served = Served::new(options);
        let output = served.payloads();
        assert_eq!(matches!(output.tail(), Tail::Memory(..)), is_in_memory);
        let length = output.len() as usize;
        let sent = served.send(output).expect("a socket");
        assert_eq!((sent.bytes, sent.is_full), (length, false));
        let frames = served.frames();
        let frames = data(&frames);
        let body: Vec<u8> = frames.iter().flat_map(|(.., body)| body.clone()).collect();
        assert!(body == content(), "{options:?}");
        let ends = frames.iter().map(|(_, flags, _)| flags & END_STREAM);
        assert_eq!(ends.collect::<Vec<_>>(), [0, 0, 0, END_STREAM]);
        assert_eq!(frames.len(), FRAMES);
        assert!(served.next().is_none());
    }
}

#[test]
fn a_file_that_ends_in_the_first_frame_has_said_nothing() {
    let mut served = Served::new(WAYS[0]);
    let output = served.payloads();
    served.truncate(10_000);
    assert_eq!(served.send(output), Err(SendError::Truncated));
    served.rest();
    let frames = served.frames();
    assert!(data(&frames).is_empty());
    assert!(frames.iter().any(|(kind, ..)| *kind == RST_STREAM));
}

#[test]
fn of_a_file_that_ends_in_the_second_frame_the_first_leaves() {
    let mut served = Served::new(WAYS[0]);
    let output = served.payloads();
    served.truncate(20_000);
    let head = output.head().len();
    let sent = served.send(output).expect("the first frame");
    assert_eq!(sent.bytes, head + FRAME);
    served.rest();
    let frames = served.frames();
    let bodies = data(&frames);
    assert_eq!(bodies.len(), 1);
    assert!(bodies[0].2 == content()[..FRAME] && bodies[0].1 & END_STREAM == 0);
    // Whoever has a part knows that it is no more than one.
    assert!(frames.iter().any(|(kind, ..)| *kind == RST_STREAM));
}

#[test]
fn a_file_that_cannot_be_sent_whole_to_a_full_socket_goes_on_where_it_was() {
    for options in WAYS {
        let mut served = Served::new(options);
        rustix::net::sockopt::set_socket_send_buffer_size(&served.socket, 4096).expect("a socket");
        let mut heard = Vec::new();
        while let Some(output) = served.next() {
            served.send(output).expect("a socket");
            heard.extend(served.heard());
        }
        let frames = frames(&heard);
        let body: Vec<u8> = data(&frames)
            .iter()
            .flat_map(|(.., body)| body.clone())
            .collect();
        assert!(body == content(), "{options:?}");
    }
}
