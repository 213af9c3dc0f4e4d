//! Both ends of a connection under TLS, joined in memory.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Instant;

use arch::security::HandshakePlace;
use arch::session::Scratch;
use arch::{Files, Next, Security, ServeOptions, Session};
use clap::Parser;
use http::Config;
use meter::Event;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, Error, RootCertStore, version};
use tempfile::TempDir;

use crate::frames::{get, hello};

/// What is asked, a record each.
const REQUESTS: [&str; 3] = [
    "GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET /small HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
];
/// In bytes: two records and a half.
const LARGE: usize = 40_000;
/// How many deadlines a session outlives on which nothing comes any more.
const MOST_DEADLINES: usize = 6;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: ServeOptions,
}

thread_local! {
    // Made once and removed when the thread ends, which in a fuzzer is the process's end.
    pub(super) static PLACE: Place = Place::new();
}

/// What is served, how it is secured, and what it is answered with.
pub(super) struct Place {
    files: Files,
    _root: TempDir,
    /// Without HTTP/2 and with it; handshakes computed at once and by a helper.
    securities: [[Arc<Security>; 2]; 2],
    trusted: Arc<RootCertStore>,
    /// All answers of HTTP/1.1, and where the answers to so many requests end.
    answers: Vec<u8>,
    ends: Vec<usize>,
}

impl Place {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a directory");
        let large: Vec<_> = (0..LARGE).map(|at| (at / 7) as u8).collect();
        for (name, bytes) in [("small", &b"small\n"[..]), ("large", &large)] {
            std::fs::write(root.path().join(name), bytes).expect("a file");
        }
        let options = CommandLine::parse_from(["fuzz"]).options;
        let pem = tls::self_signed::make(&["localhost".to_owned()]).expect("a certificate");
        let certificate =
            CertificateDer::from_pem_slice(pem.certificate.as_bytes()).expect("of our own making");
        let mut trusted = RootCertStore::empty();
        trusted.add(certificate.clone()).expect("it is one");
        let security = |place, is_http2| {
            let key = PrivateKeyDer::from_pem_slice(pem.key.as_bytes()).expect("of our own making");
            let certified =
                CertifiedKey::from_der(vec![certificate.clone()], key, &tls::provider());
            let security =
                Security::new(certified.expect("they fit"), place).expect("random bytes");
            Arc::new(match is_http2 {
                true => security.offering_http2(),
                false => security,
            })
        };
        let mut place = Self {
            files: arch::setup::files(&options, root.path()).expect("a root"),
            _root: root,
            securities: [false, true].map(|is_http2| {
                [HandshakePlace::Inline, HandshakePlace::Helper]
                    .map(|place| security(place, is_http2))
            }),
            trusted: Arc::new(trusted),
            answers: Vec::new(),
            ends: vec![0],
        };
        place.learn();
        place
    }

    /// What is answered to whom nobody disturbs.
    fn learn(&mut self) {
        let mut client = Client::new(self, 0);
        let mut server = Server::new(self, 0);
        let (mut answers, mut ends) = (Vec::new(), vec![0]);
        loop {
            let records = client.records().concat();
            server.receive(&records);
            let said = server.take_said();
            client.read(&said).expect("nobody disturbs them");
            if !records.is_empty() || !said.is_empty() {
                continue;
            }
            if client.asked > 0 {
                answers.clone_from(&client.answer);
                ends.push(answers.len());
            }
            if !client.ask() {
                break;
            }
        }
        (self.answers, self.ends) = (answers, ends);
    }
}

/// The server's end.
pub(super) struct Server<'p> {
    place: &'p Place,
    session: Session,
    scratch: Scratch,
    /// What it has said and nobody has taken.
    said: Vec<u8>,
    is_shut: bool,
    is_closed: bool,
}

impl<'p> Server<'p> {
    /// One on whose connection nothing has come.
    pub(super) fn new(place: &'p Place, seed: u32) -> Self {
        let security = &place.securities[is_http2(seed)][usize::from(seed & 4 != 0)];
        Self {
            place,
            session: Session::secured(1, security),
            scratch: Scratch::new(Arc::new(Config::default())),
            said: Vec::new(),
            is_shut: false,
            is_closed: false,
        }
    }

    pub(super) fn receive(&mut self, mut input: &[u8]) {
        while !input.is_empty() && self.run() {
            let taken = self.session.receive(input, &mut self.scratch);
            assert!(taken > 0, "it asks for bytes and takes none");
            input = &input[taken..];
        }
        self.run();
    }

    /// Whether it asks for more.
    fn run(&mut self) -> bool {
        while !self.is_closed {
            match self.session.next(&mut self.scratch) {
                Next::Receive => return true,
                Next::Send(output) => {
                    assert!(!self.is_shut, "nothing is said after the end");
                    assert!(output.tail_in_memory().is_empty(), "all is encrypted");
                    self.said.extend_from_slice(output.head());
                    let length = output.head().len();
                    self.session.sent(output, Ok(length), &mut self.scratch);
                }
                Next::Work(work) => {
                    let done = work.run(&self.place.files, Instant::now());
                    self.session.done(done, &mut self.scratch);
                }
                Next::ShutdownWrite => self.is_shut = true,
                Next::Yield => {}
                Next::Wait => panic!("nothing is out"),
                Next::Closed => self.is_closed = true,
            }
        }
        false
    }

    /// Nothing comes any more: the client has gone, or its time is over.
    pub(super) fn end(&mut self, seed: u32) {
        if seed & 8 == 0 {
            self.session.end_of_input(&mut self.scratch);
            self.run();
        } else {
            for _ in 0..MOST_DEADLINES {
                if self.is_closed {
                    break;
                }
                self.session.expire(&mut self.scratch);
                self.run();
            }
        }
        assert!(self.is_closed, "it is over, and the session is not");
    }

    pub(super) fn take_said(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.said)
    }

    pub(super) fn events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.scratch.events)
    }
}

/// Which protocol both ends know.
fn is_http2(seed: u32) -> usize {
    usize::from(seed & 16 != 0)
}

/// The client's end, which is rustls's own.
pub(super) struct Client<'p> {
    place: &'p Place,
    connection: ClientConnection,
    is_http2: bool,
    /// How many requests it has made.
    pub(super) asked: usize,
    /// What it has decrypted.
    pub(super) answer: Vec<u8>,
    /// It has said that it sends no more, and so has the server.
    has_ended: bool,
    is_ended: bool,
}

impl<'p> Client<'p> {
    pub(super) fn new(place: &'p Place, seed: u32) -> Self {
        let versions = match seed & 2 {
            0 => [&version::TLS13],
            _ => [&version::TLS12],
        };
        let mut config = ClientConfig::builder_with_provider(tls::provider())
            .with_protocol_versions(&versions)
            .expect("the ciphers are those of both versions")
            .with_root_certificates(Arc::clone(&place.trusted))
            .with_no_client_auth();
        let is_http2 = is_http2(seed) != 0;
        if is_http2 {
            config.alpn_protocols = vec![b"h2".to_vec()];
        }
        let name = ServerName::try_from("localhost").expect("a name");
        Self {
            place,
            connection: ClientConnection::new(Arc::new(config), name).expect("a client"),
            is_http2,
            asked: 0,
            answer: Vec::new(),
            has_ended: false,
            is_ended: false,
        }
    }

    /// Makes the next request; over HTTP/2, where no request is the last, says then that there are no more. False: nothing is left.
    pub(super) fn ask(&mut self) -> bool {
        if self.connection.is_handshaking() || self.is_ended {
            return false;
        }
        if self.asked == REQUESTS.len() {
            let is_due = self.is_http2 && !std::mem::replace(&mut self.has_ended, true);
            if is_due {
                self.connection.send_close_notify();
            }
            return is_due;
        }
        let mut request = REQUESTS[self.asked].as_bytes().to_vec();
        if self.is_http2 {
            let stream = 2 * self.asked as u32 + 1;
            request = match self.asked {
                0 => [hello(), get(stream, "/small")].concat(),
                _ => get(stream, "/large"),
            };
        }
        self.asked += 1;
        self.connection.writer().write_all(&request).is_ok()
    }

    /// What it has to say, in records.
    pub(super) fn records(&mut self) -> Vec<Vec<u8>> {
        let mut bytes = Vec::new();
        while self.connection.wants_write() {
            self.connection.write_tls(&mut bytes).expect("to memory");
        }
        let mut rest = &bytes[..];
        let mut records = Vec::new();
        while let Some(header) = rest.first_chunk::<5>() {
            let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
            let (record, after) = rest.split_at(5 + length);
            records.push(record.to_vec());
            rest = after;
        }
        records
    }

    /// Reads what the server has said.
    pub(super) fn read(&mut self, mut records: &[u8]) -> Result<(), Error> {
        while !records.is_empty() && !self.is_ended {
            self.connection.read_tls(&mut records).expect("from memory");
            let state = self.connection.process_new_packets()?;
            let mut plain = vec![0; state.plaintext_bytes_to_read()];
            self.connection
                .reader()
                .read_exact(&mut plain)
                .expect("as much as there is");
            self.answer.extend_from_slice(&plain);
            self.is_ended = state.peer_has_closed();
        }
        Ok(())
    }

    /// How long the answers to so many requests are, in bytes.
    pub(super) fn answers_to(&self, requests: usize) -> usize {
        if self.is_http2 {
            // Nobody has learnt it; what they are is looked at elsewhere.
            return match requests {
                usize::MAX => self.answer.len(),
                _ => usize::MAX,
            };
        }
        let ends = &self.place.ends;
        ends[requests.min(ends.len() - 1)]
    }

    /// Looks at all that was answered.
    pub(super) fn is_right(&self) {
        if self.is_http2 {
            crate::frames::Heard::default().read(&self.answer);
        } else {
            assert!(self.place.answers.starts_with(&self.answer));
        }
    }

    pub(super) fn is_told_of_the_end(&self) -> bool {
        self.is_ended
    }
}
