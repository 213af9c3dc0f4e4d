//! The layer between a client of rustls's own and a session, joined in memory.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;
use std::time::Instant;

use clap::Parser;
use http::Config;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{
    AlertDescription, ClientConfig, ClientConnection, RootCertStore, SupportedProtocolVersion,
    version,
};

use super::*;
use crate::session::{Scratch, Step};
use crate::{Files, ServeOptions};

const LARGE: usize = 300_000;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: ServeOptions,
}

/// What is served, and by whom clients know that it is he.
struct Place {
    root: tempfile::TempDir,
    files: Files,
    security: Arc<Security>,
    trusted: Arc<RootCertStore>,
}

impl Place {
    fn new(place: HandshakePlace) -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("small"), "small\n").unwrap();
        let large: Vec<_> = (0..LARGE).map(|at| (at / 7) as u8).collect();
        std::fs::write(root.path().join("large"), large).unwrap();
        let options = CommandLine::parse_from(["test"]).options;
        let pem = tls::self_signed::make(&["localhost".to_owned()]).unwrap();
        let certificate = CertificateDer::from_pem_slice(pem.certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(pem.key.as_bytes()).unwrap();
        let mut trusted = RootCertStore::empty();
        trusted.add(certificate.clone()).unwrap();
        let certified = CertifiedKey::from_der(vec![certificate], key, &tls::provider()).unwrap();
        Self {
            files: crate::setup::files(&options, root.path()).unwrap(),
            root,
            security: Arc::new(Security::new(certified, place).unwrap()),
            trusted: Arc::new(trusted),
        }
    }

    fn client(&self) -> ClientConfig {
        self.client_of(&[&version::TLS13, &version::TLS12])
    }

    fn client_of(&self, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
        ClientConfig::builder_with_provider(tls::provider())
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(Arc::clone(&self.trusted))
            .with_no_client_auth()
    }

    fn connect(&self, config: &Arc<ClientConfig>) -> Wire<'_> {
        let name = ServerName::try_from("localhost").unwrap();
        Wire {
            client: ClientConnection::new(Arc::clone(config), name).unwrap(),
            ..self.wire()
        }
    }

    fn wire(&self) -> Wire<'_> {
        let name = ServerName::try_from("localhost").unwrap();
        Wire {
            place: self,
            client: ClientConnection::new(Arc::new(self.client()), name).unwrap(),
            session: Session::secured(1, &self.security),
            scratch: Scratch::new(Arc::new(Config::default())),
            to_server: VecDeque::new(),
            sent: Vec::new(),
            answer: Vec::new(),
            events: Vec::new(),
            cut: usize::MAX,
            take: usize::MAX,
            pause_at: usize::MAX,
            handshakes: 0,
            is_shut: false,
            is_closed: false,
        }
    }
}

/// Both ends of a connection.
struct Wire<'p> {
    place: &'p Place,
    client: ClientConnection,
    session: Session,
    scratch: Scratch,
    /// What the client has sent and the session has not received.
    to_server: VecDeque<u8>,
    /// What the session has sent, as it was on the wire.
    sent: Vec<u8>,
    /// What the client has decrypted.
    answer: Vec<u8>,
    events: Vec<Event>,
    /// At most so many bytes come to the session at a time, and so many leave it.
    cut: usize,
    take: usize,
    /// When the client has so much it waits.
    pause_at: usize,
    handshakes: usize,
    is_shut: bool,
    is_closed: bool,
}

impl Wire<'_> {
    fn ask(&mut self, request: &str) {
        self.client.writer().write_all(request.as_bytes()).unwrap();
    }

    /// Until neither end has anything to do.
    fn run(&mut self) {
        while self.turn() | self.client_turn() {}
        self.events.append(&mut self.scratch.events);
    }

    fn client_turn(&mut self) -> bool {
        let mut sent = Vec::new();
        while self.client.wants_write() {
            self.client.write_tls(&mut sent).unwrap();
        }
        self.to_server.extend(&sent);
        !sent.is_empty()
    }

    /// Whether anything has moved.
    fn turn(&mut self) -> bool {
        let mut moved = false;
        while self.answer.len() < self.pause_at {
            match self.session.next(&mut self.scratch) {
                Next::Receive if self.to_server.is_empty() => return moved,
                Next::Receive => {
                    let count = self.to_server.len().min(self.cut);
                    let input: Vec<_> = self.to_server.drain(..count).collect();
                    let taken = self.session.receive(&input, &mut self.scratch);
                    assert_eq!(taken, count, "what it does not take it keeps");
                }
                Next::Send(output) => {
                    assert!(output.tail_in_memory().is_empty(), "all is encrypted");
                    let count = output.head().len().min(self.take);
                    self.client_reads(&output.head()[..count]);
                    self.session.sent(output, Ok(count), &mut self.scratch);
                }
                Next::Work(work) => {
                    self.handshakes += usize::from(work.step() == Some(Step::Handshake));
                    let done = match work.step() {
                        // As by a helper.
                        Some(Step::Handshake) => {
                            let work = work.try_run(&self.place.files, Instant::now());
                            let work = work.unwrap_err().prepare(&self.place.files);
                            work.try_run(&self.place.files, Instant::now()).unwrap()
                        }
                        _ => work.run(&self.place.files, Instant::now()),
                    };
                    self.session.done(done, &mut self.scratch);
                }
                Next::ShutdownWrite => self.is_shut = true,
                Next::Yield => {}
                Next::Wait => panic!("nothing is out"),
                Next::Closed => {
                    self.is_closed = true;
                    return false;
                }
            }
            moved = true;
        }
        false
    }

    fn client_reads(&mut self, mut records: &[u8]) {
        self.sent.extend_from_slice(records);
        while !records.is_empty() {
            self.client.read_tls(&mut records).unwrap();
            self.client.process_new_packets().unwrap();
            let mut plain = vec![0; 1 << 16];
            loop {
                match self.client.reader().read(&mut plain) {
                    Ok(0) => break,
                    Ok(count) => self.answer.extend_from_slice(&plain[..count]),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.answer).into_owned()
    }

    /// Whether the client has been told that this is all.
    fn is_whole(&mut self) -> bool {
        matches!(self.client.reader().read(&mut [0]), Ok(0))
    }
}

const SMALL: &str = "GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n";
const LAST: &str = "GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

#[test]
fn answers_are_the_same_in_both_versions_wherever_handshakes_are_computed() {
    for place in [HandshakePlace::Inline, HandshakePlace::Helper] {
        let place = Place::new(place);
        for version in [&version::TLS13, &version::TLS12] {
            let mut wire = place.connect(&Arc::new(place.client_of(&[version])));
            // One request, then two at once.
            wire.ask(SMALL);
            wire.run();
            assert!(wire.text().ends_with("\r\n\r\nsmall\n"), "{}", wire.text());
            wire.ask(&[SMALL, LAST].concat());
            wire.run();
            let large = std::fs::read(place.root.path().join("large")).unwrap();
            assert!(wire.answer.ends_with(&large), "{}", wire.answer.len());
            assert_eq!(wire.text().matches("HTTP/1.1 200 OK").count(), 3);
            assert!(wire.is_shut && wire.is_whole());
            assert_eq!(wire.client.protocol_version(), Some(version.version));
            assert_eq!(wire.events, [Event::Handshake]);
            let helper = place.security.place() == HandshakePlace::Helper;
            assert_eq!(wire.handshakes > 0, helper);
        }
    }
}

/// Wherever records are cut on their way in, and however little is taken on the way out.
#[test]
fn cuts_change_nothing() {
    let place = Place::new(HandshakePlace::Inline);
    let config = Arc::new(place.client());
    for (cut, take) in [
        (1, usize::MAX),
        (2, 100),
        (usize::MAX, 1),
        (700, 999),
        (5, 16_384),
    ] {
        let mut wire = place.connect(&config);
        (wire.cut, wire.take) = (cut, take);
        wire.ask(&[SMALL, SMALL, LAST].concat());
        wire.run();
        let text = wire.text();
        assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 3, "{cut} {take}");
        assert!(wire.is_shut && wire.is_whole(), "{cut} {take}");
    }
}

#[test]
fn a_session_is_taken_up_again_by_its_ticket() {
    let place = Place::new(HandshakePlace::Inline);
    for version in [&version::TLS13, &version::TLS12] {
        let config = Arc::new(place.client_of(&[version]));
        for expected in [Event::Handshake, Event::Resumption, Event::Resumption] {
            let mut wire = place.connect(&config);
            wire.ask(SMALL);
            wire.run();
            assert_eq!(wire.events, [expected], "{version:?}");
        }
    }
}

/// HTTP/1.1 where the client names it or nothing; where it names only others, the alert that says so.
#[test]
fn a_protocol_is_agreed_on() {
    let place = Place::new(HandshakePlace::Inline);
    for (offered, expected) in [(&["http/1.1"][..], true), (&["spdy/1"], false)] {
        let mut config = place.client();
        config.alpn_protocols = offered
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        let mut wire = place.connect(&Arc::new(config));
        wire.client_turn();
        let hello = wire.to_server.iter().copied().collect::<Vec<_>>();
        if expected {
            wire.ask(SMALL);
            wire.run();
            assert_eq!(wire.client.alpn_protocol(), Some(&b"http/1.1"[..]));
        } else {
            let (sent, events) = exchange(&place, &hello);
            wire.client.read_tls(&mut &sent[..]).unwrap();
            let why = wire.client.process_new_packets().unwrap_err();
            let alert = AlertDescription::NoApplicationProtocol;
            assert_eq!(why, rustls::Error::AlertReceived(alert));
            assert_eq!(events, [Event::HandshakeFailed]);
        }
    }
}

/// What a session says to these bytes, which end in nothing; and what it counts.
fn exchange(place: &Place, bytes: &[u8]) -> (Vec<u8>, Vec<Event>) {
    let mut wire = place.wire();
    let mut sent = Vec::new();
    let (mut input, mut is_shut) = (Some(bytes), false);
    loop {
        match wire.session.next(&mut wire.scratch) {
            Next::Receive => match input.take() {
                Some(bytes) => {
                    assert_eq!(wire.session.receive(bytes, &mut wire.scratch), bytes.len());
                }
                None => wire.session.end_of_input(&mut wire.scratch),
            },
            Next::Send(output) => {
                sent.extend_from_slice(output.head());
                let length = output.head().len();
                wire.session.sent(output, Ok(length), &mut wire.scratch);
            }
            Next::Work(work) => {
                let done = work.run(&place.files, Instant::now());
                wire.session.done(done, &mut wire.scratch);
            }
            Next::ShutdownWrite => is_shut = true,
            Next::Closed => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        is_shut,
        !sent.is_empty(),
        "what was said is not cut off by a reset"
    );
    (sent, std::mem::take(&mut wire.scratch.events))
}

#[test]
fn what_is_no_handshake_has_an_alert_and_what_is_a_request_a_page() {
    for place in [HandshakePlace::Inline, HandshakePlace::Helper] {
        is_told(&Place::new(place));
    }
}

fn is_told(place: &Place) {
    for text in [SMALL, "\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let (sent, events) = exchange(place, text.as_bytes());
        let sent = String::from_utf8(sent).unwrap();
        assert!(sent.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{sent}");
        assert!(sent.contains("Connection: close\r\n"), "{sent}");
        assert_eq!(events, [Event::NotTls]);
    }
    let mut oversized = vec![22, 3, 1, 0xff, 0xff];
    oversized.extend([0; 100]);
    for (bytes, alert) in [
        (&oversized[..], true),
        // An empty record, one of data before there are keys, and a type that does not exist.
        (&[22, 3, 1, 0, 0], true),
        (&[23, 3, 3, 0, 1, 0], true),
        (&[7, 3, 3, 0, 1, 0], true),
        // A handshake that is cut.
        (&[22, 3, 1, 0, 9, 1], false),
    ] {
        let (sent, events) = exchange(place, bytes);
        assert_eq!(sent.first() == Some(&21), alert, "{bytes:?}: {sent:?}");
        assert_eq!(events, [Event::HandshakeFailed], "{bytes:?}");
    }
    // Nobody who says nothing is counted.
    let mut wire = place.wire();
    wire.session.end_of_input(&mut wire.scratch);
    assert!(matches!(wire.session.next(&mut wire.scratch), Next::Closed));
    assert!(wire.scratch.events.is_empty());
}

/// A byte of a record changed, a record twice, and one too many: an alert, and no answer.
#[test]
fn records_that_are_not_the_clients_end_the_connection() {
    let place = Place::new(HandshakePlace::Inline);
    for change in [0, 1, 2] {
        let mut wire = place.connect(&Arc::new(place.client()));
        wire.run();
        wire.ask(SMALL);
        wire.client_turn();
        let mut record: Vec<_> = wire.to_server.drain(..).collect();
        match change {
            0 => *record.last_mut().unwrap() ^= 1,
            1 => record.splice(..0, record.clone()).for_each(drop),
            _ => record
                .splice(..0, [23, 3, 3, 0, 17].into_iter().chain([0; 17]))
                .for_each(drop),
        }
        let before = wire.sent.len();
        wire.to_server.extend(&record);
        let mut alert = Vec::new();
        loop {
            match wire.session.next(&mut wire.scratch) {
                Next::Receive if wire.to_server.is_empty() => break,
                Next::Receive => {
                    let input: Vec<_> = wire.to_server.drain(..).collect();
                    wire.session.receive(&input, &mut wire.scratch);
                }
                Next::Send(output) => {
                    alert.extend_from_slice(output.head());
                    let length = output.head().len();
                    wire.session.sent(output, Ok(length), &mut wire.scratch);
                }
                Next::ShutdownWrite => wire.is_shut = true,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(wire.sent.len(), before);
        assert!(wire.is_shut, "change {change}");
        // The alert is encrypted, and all that is said.
        assert_eq!(
            (alert[0], alert.len()),
            (23, 5 + 2 + 1 + 16),
            "change {change}"
        );
        assert_eq!(wire.session.phase(), Some(Phase::Linger));
        wire.session.expire(&mut wire.scratch);
        assert!(matches!(wire.session.next(&mut wire.scratch), Next::Closed));
        assert_eq!(wire.scratch.events.last(), Some(&Event::BadRecord));
    }
}

#[test]
fn deadlines_are_those_of_what_is_waited_for() {
    let place = Place::new(HandshakePlace::Inline);
    let mut wire = place.wire();
    assert_eq!(wire.session.phase(), Some(Phase::Idle));
    wire.client_turn();
    wire.to_server.truncate(10);
    wire.run();
    assert_eq!(wire.session.phase(), Some(Phase::Request));
    wire.session.expire(&mut wire.scratch);
    assert_eq!(wire.scratch.events, [Event::HandshakeTimeout]);

    let mut wire = place.wire();
    wire.run();
    assert_eq!(wire.session.phase(), Some(Phase::Idle));
    wire.ask(SMALL);
    wire.client_turn();
    wire.to_server.truncate(7);
    wire.turn();
    assert_eq!(
        wire.session.phase(),
        Some(Phase::Request),
        "a record has begun"
    );
}

/// A client may say that it sends no more, by its own end of the connection or only by the network's.
#[test]
fn the_end_of_input_is_told_from_a_cut() {
    let place = Place::new(HandshakePlace::Inline);
    for says_so in [true, false] {
        let mut wire = place.wire();
        wire.ask(SMALL);
        if says_so {
            wire.run();
            wire.client.send_close_notify();
        }
        wire.run();
        if !says_so {
            wire.session.end_of_input(&mut wire.scratch);
            wire.run();
        }
        assert!(wire.text().ends_with("small\n") && wire.is_closed && wire.is_whole());
        let cut = wire.events.contains(&Event::EndedWithoutClose);
        assert_eq!(cut, !says_so, "{:?}", wire.events);
    }
}

#[test]
fn stopping_ends_whoever_has_nothing_under_way() {
    let place = Place::new(HandshakePlace::Inline);
    // One that has said nothing, and one that is idle.
    let mut blank = place.wire();
    blank.session.finish();
    assert!(matches!(
        blank.session.next(&mut blank.scratch),
        Next::Closed
    ));
    let mut idle = place.wire();
    idle.ask(SMALL);
    idle.run();
    idle.session.finish();
    idle.run();
    assert!(idle.is_shut && idle.is_whole());
    // One in the midst of its handshake still has its answer, which is the last.
    let mut shaking = place.wire();
    shaking.ask(SMALL);
    shaking.client_turn();
    let rest = shaking.to_server.split_off(20);
    shaking.turn();
    shaking.session.finish();
    shaking.to_server.extend(rest);
    shaking.run();
    let text = shaking.text();
    assert!(
        text.contains("Connection: close\r\n") && text.ends_with("small\n"),
        "{text}"
    );
    assert!(shaking.is_shut && shaking.is_whole());
}

/// A file that became shorter is a body that is short, and nobody says that it is all.
#[test]
fn a_truncated_file_is_never_taken_for_whole() {
    let place = Place::new(HandshakePlace::Inline);
    let mut wire = place.wire();
    wire.pause_at = 70_000;
    wire.ask(LAST);
    wire.run();
    let path = place.root.path().join("large");
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_len(100).unwrap();
    wire.pause_at = usize::MAX;
    wire.run();
    assert!(
        wire.is_closed && wire.answer.len() < LARGE,
        "{}",
        wire.answer.len()
    );
    assert_eq!(wire.events, [Event::Handshake, Event::Truncated]);
    assert!(!wire.is_whole());
}
