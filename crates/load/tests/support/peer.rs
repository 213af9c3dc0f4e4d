//! The server's end of a connection in every protocol that is spoken: requests are only counted, and all answers are alike.

use super::certified;
use clap::Parser;
use load::cli::Arguments;
use load::prepare::prepare;
use load::run::Run;
use load::target::Target;
use load::url::Url;
use load::verify::Expected;
use mio::net::TcpStream;
use rustls::{ServerConfig, ServerConnection};
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::sync::Arc;

const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Frames of HTTP/2 (RFC 9113, sections 4.1 and 6).
const PREFACE_BYTES: usize = 24;
const HEADER_BYTES: usize = 9;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const ACKNOWLEDGED: u8 = 1;
const SETTINGS_ACKNOWLEDGED: [u8; HEADER_BYTES] = [0, 0, 0, SETTINGS, ACKNOWLEDGED, 0, 0, 0, 0];

/// What is spoken.
#[derive(Clone, Default)]
pub struct Spoken {
    tls: Option<Arc<ServerConfig>>,
    http2: bool,
    most_streams: Option<u8>,
}

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

impl Spoken {
    /// HTTP/2, in the clear.
    pub fn http2() -> Self {
        Self {
            http2: true,
            ..Self::default()
        }
    }

    /// The same over TLS, if the client offers it. What the server says without being asked goes out with its last word of the handshake.
    pub fn over_tls(self) -> Self {
        let protocol = if self.http2 { "h2" } else { "http/1.1" };
        let (mut config, _) = certified::server(&[protocol]);
        config.send_half_rtt_data = true;
        Self {
            tls: Some(Arc::new(config)),
            ..self
        }
    }

    /// The same by a server that takes no more streams of a connection at a time.
    pub fn with_streams(self, most_streams: u8) -> Self {
        Self {
            most_streams: Some(most_streams),
            ..self
        }
    }

    /// The run, speaking it.
    pub fn by(&self, mut run: Run) -> Run {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}/", run.addresses[0]);
        run.http2 = self.http2;
        if self.tls.is_some() {
            let mut line = vec!["load", &url, "--insecure"];
            line.extend(self.http2.then_some("--http2"));
            let prepared = prepare(&Line::parse_from(line).arguments).expect("a run");
            run.security = prepared.run.security;
        }
        let url = Url::parse(&url).expect("a URL");
        run.targets.targets = vec![Target::new(&url, false, &[], Expected::Anything)];
        run
    }

    /// The server's end of a connection that has just been accepted.
    pub fn peer(&self, stream: TcpStream) -> Peer {
        stream.set_nodelay(true).expect("no delay");
        let connection = |config: &Arc<ServerConfig>| {
            Box::new(ServerConnection::new(Arc::clone(config)).expect("a connection"))
        };
        let mut peer = Peer {
            stream,
            tls: self.tls.as_ref().map(connection),
            input: Vec::new(),
            streams: self.http2.then(VecDeque::new),
            has_preface: false,
            has_acknowledged: false,
            most_at_once: 0,
        };
        if self.http2 {
            let settings = self.most_streams.map(|most| [0, 3, 0, 0, 0, most]);
            let settings = settings.as_ref().map_or(&[][..], |settings| settings);
            let mut frame = vec![0, 0, settings.len() as u8, SETTINGS, 0, 0, 0, 0, 0];
            frame.extend_from_slice(settings);
            peer.say(&frame);
        }
        peer
    }
}

/// The server's end of a connection.
pub struct Peer {
    pub stream: TcpStream,
    tls: Option<Box<ServerConnection>>,
    input: Vec<u8>,
    /// Those that wait for their answers, in HTTP/2.
    streams: Option<VecDeque<u32>>,
    has_preface: bool,
    /// The client has acknowledged our settings.
    has_acknowledged: bool,
    /// The most of them that ever waited at a time.
    pub most_at_once: usize,
}

impl Peer {
    /// Reads all there is and counts the requests in it; over HTTP/1.1 the tests' generator never cuts one.
    pub fn requests(&mut self) -> usize {
        self.pull();
        let Some(streams) = &mut self.streams else {
            let fours = self.input.windows(4);
            let found = fours.filter(|four| *four == b"\r\n\r\n").count();
            self.input.clear();
            return found;
        };
        let (before, mut at) = (streams.len(), 0);
        let mut has_settings = false;
        if !self.has_preface && self.input.len() >= PREFACE_BYTES {
            self.has_preface = true;
            at = PREFACE_BYTES;
        }
        while self.has_preface
            && let Some(&[a, b, c, kind, flags, stream @ ..]) =
                self.input[at..].first_chunk::<HEADER_BYTES>()
        {
            let end = at + HEADER_BYTES + u32::from_be_bytes([0, a, b, c]) as usize;
            if end > self.input.len() {
                break;
            }
            match kind {
                HEADERS => streams.push_back(u32::from_be_bytes(stream)),
                SETTINGS if flags & ACKNOWLEDGED == 0 => has_settings = true,
                SETTINGS => self.has_acknowledged = true,
                _ => {}
            }
            at = end;
        }
        let found = streams.len() - before;
        self.most_at_once = self.most_at_once.max(streams.len());
        self.input.drain(..at);
        if has_settings {
            self.say(&SETTINGS_ACKNOWLEDGED);
        }
        found
    }

    /// Whether the client has said all that comes before a request.
    pub fn is_greeted(&self) -> bool {
        let has_shaken = self.tls.as_ref().is_none_or(|tls| !tls.is_handshaking());
        has_shaken && (self.streams.is_none() || self.has_acknowledged)
    }

    /// Answers the request that came first.
    pub fn respond(&mut self) {
        let Some(streams) = &mut self.streams else {
            return self.say(RESPONSE);
        };
        let stream = streams.pop_front().expect("a request").to_be_bytes();
        let [a, b, c, d] = stream;
        // :status 200 in HEADERS that end with it; two bytes of DATA that end the stream.
        let head = [0, 0, 1, HEADERS, 4, a, b, c, d, 0x88];
        let body = [0, 0, 2, 0, 1, a, b, c, d, b'o', b'k'];
        let mut frames = [0; 21];
        frames[..10].copy_from_slice(&head);
        frames[10..].copy_from_slice(&body);
        self.say(&frames);
    }

    fn say(&mut self, bytes: &[u8]) {
        // The other side may have gone.
        let _ = match &mut self.tls {
            None => self.stream.write_all(bytes),
            Some(tls) => tls.writer().write_all(bytes),
        };
        self.push();
    }

    fn pull(&mut self) {
        match &mut self.tls {
            None => {
                let mut buffer = [0; 16 * 1024];
                while let Ok(length @ 1..) = self.stream.read(&mut buffer) {
                    self.input.extend_from_slice(&buffer[..length]);
                }
            }
            Some(tls) => {
                while let Ok(1..) = tls.read_tls(&mut self.stream) {
                    if tls.process_new_packets().is_err() {
                        break;
                    }
                    // There is no end yet, which it calls an error.
                    let _ = tls.reader().read_to_end(&mut self.input);
                }
                self.push();
            }
        }
    }

    fn push(&mut self) {
        if let Some(tls) = &mut self.tls {
            while tls.wants_write() && tls.write_tls(&mut self.stream).is_ok() {}
        }
    }
}
