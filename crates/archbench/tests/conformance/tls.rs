//! TLS under every architecture: the same answers, from certificates that may change meanwhile.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustix::process::Signal;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned};

use crate::case::{Bench, Case, case, case_of_each_behaviour};
use crate::client::{PATIENCE, last_get, wait_until};
use crate::golden;
use crate::hosts;
use crate::server::{Recipe, Server};
use crate::site::Garden;
use crate::usage;

pub(crate) const CASES: &[Case] = &[
    case_of_each_behaviour("changes_no_answer", changes_no_answer),
    case("certificates_are_read_again", certificates_are_read_again),
    case(
        "a_certificate_that_cannot_be_used",
        a_certificate_that_cannot_be_used,
    ),
    case_of_each_behaviour(
        "handshakes_are_given_to_helpers_where_there_are_any",
        handshakes_are_given_to_helpers_where_there_are_any,
    ),
];

/// Of so many rows of the golden file one is tried: about twenty.
const STEP: usize = 9;

/// A certificate in files, and whoever trusts it.
struct Certificate {
    garden: Garden,
    trusting: Arc<ClientConfig>,
}

impl Certificate {
    fn new() -> Self {
        let garden = Garden::new();
        let trusting = Self::renew(&garden);
        Self { garden, trusting }
    }

    /// Puts another one in the place of the one that was there.
    fn renew(garden: &Garden) -> Arc<ClientConfig> {
        let pem = tls::self_signed::make(&[hosts::server().to_string()]).unwrap();
        garden.replace("key.pem", &pem.key);
        garden.replace("certificate.pem", &pem.certificate);
        for name in ["", "key.pem", "certificate.pem"] {
            garden.allow(name, if name.is_empty() { 0o755 } else { 0o644 });
        }
        let mut roots = RootCertStore::empty();
        for certificate in tls::certificate::certificates(&garden.at("certificate.pem")).unwrap() {
            roots.add(certificate).unwrap();
        }
        let client = ClientConfig::builder_with_provider(tls::provider());
        let client = client.with_safe_default_protocol_versions().unwrap();
        Arc::new(client.with_root_certificates(roots).with_no_client_auth())
    }

    fn options(&self) -> Vec<String> {
        let at = |name| self.garden.at(name).display().to_string();
        let options = [
            "--tls".into(),
            "--cert".into(),
            at("certificate.pem"),
            "--key".into(),
            at("key.pem"),
        ];
        options.into()
    }
}

type Stream = StreamOwned<ClientConnection, TcpStream>;

fn connect(config: &Arc<ClientConfig>, address: SocketAddr) -> Stream {
    let socket = TcpStream::connect_timeout(&address, PATIENCE).expect("the server accepts");
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_nodelay(true).unwrap();
    let name = ServerName::from(address.ip());
    StreamOwned::new(
        ClientConnection::new(Arc::clone(config), name).unwrap(),
        socket,
    )
}

/// All that comes back, up to where the server says that this is all.
fn exchange(
    config: &Arc<ClientConfig>,
    address: SocketAddr,
    request: &[u8],
) -> (Vec<u8>, HandshakeKind) {
    let mut stream = connect(config, address);
    stream.write_all(request).expect("it is sent");
    let mut answer = Vec::new();
    stream
        .read_to_end(&mut answer)
        .expect("no connection is cut");
    (answer, stream.conn.handshake_kind().expect("it is over"))
}

/// The same bytes; one handshake in full, and whoever comes later is known by his ticket, in whichever process; who knows
/// nothing of TLS is told in the clear.
fn changes_no_answer(bench: &Bench) {
    let certificate = Certificate::new();
    let helper = ["--handshake", "helper"];
    let options = match bench.room.has_helpers() {
        true => &helper[..],
        false => &[],
    };
    let server = bench
        .recipe()
        .args(certificate.options())
        .args(options)
        .start();
    assert!(
        server.ready["url"]
            .as_str()
            .unwrap()
            .starts_with("https://")
    );
    let kinds = std::cell::RefCell::new(Vec::new());
    golden::matches_every(STEP, |request| {
        let (answer, kind) = exchange(&certificate.trusting, server.address, request);
        kinds.borrow_mut().push(kind);
        answer
    });
    let kinds = kinds.into_inner();
    assert_eq!(kinds[0], HandshakeKind::Full);
    assert!(
        kinds[1..]
            .iter()
            .all(|kind| *kind == HandshakeKind::Resumed),
        "{kinds:?}"
    );

    let large = exchange(
        &certificate.trusting,
        server.address,
        last_get("/large.bin").as_bytes(),
    )
    .0;
    let head = large
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .expect("a head");
    crate::site::assert_contents("large.bin", 0, &large[head + 4..]);

    let mut client = server.connect();
    client.send(last_get("/file.txt").as_bytes());
    assert!(
        String::from_utf8(client.ending().0)
            .unwrap()
            .starts_with("HTTP/1.1 400 ")
    );
    let mut client = server.connect();
    client.send(b"\x16\x03\x01\xff\xff");
    // Alert, of level fatal.
    let alert = client.ending().0;
    drop(client);
    assert_eq!(
        (alert.first(), alert.get(5)),
        (Some(&21), Some(&2)),
        "{alert:?}"
    );

    let summary = server.stop();
    let handshakes = &summary["handshakes"];
    assert_eq!(handshakes["full"], 1, "{summary}");
    assert_eq!(handshakes["resumed"], kinds.len(), "{summary}");
    assert_eq!(summary["errors"]["tls_not_spoken"], 1, "{summary}");
    assert_eq!(summary["errors"]["tls_handshake_failed"], 1, "{summary}");
}

/// By SIGHUP, in every process; what cannot be used leaves the one from before, and says so.
fn certificates_are_read_again(bench: &Bench) {
    let certificate = Certificate::new();
    let server = Recipe::new(&bench.room, bench.site.root())
        .args(certificate.options())
        .start();
    let serves = |config: &Arc<ClientConfig>| {
        let mut stream = connect(config, server.address);
        let asked = stream.write_all(last_get("/file.txt").as_bytes());
        asked.is_ok() && stream.read_to_end(&mut Vec::new()).is_ok()
    };
    assert!(serves(&certificate.trusting));
    let renewed = Certificate::renew(&certificate.garden);
    assert!(!serves(&renewed), "nobody has read it yet");
    server.signal(Signal::HUP);
    wait_until("the new certificate", || serves(&renewed));
    // A process may be behind the one that was just asked.
    wait_until("no other", || (0..8).all(|_| serves(&renewed)));
    certificate.garden.replace("key.pem", "no key");
    server.signal(Signal::HUP);
    std::thread::sleep(std::time::Duration::from_millis(50));
    assert!(serves(&renewed));
    ended_with_a_word(server, "holds no private key in PEM");
}

fn handshakes_are_given_to_helpers_where_there_are_any(bench: &Bench) {
    // Where there are, the answers of `changes_no_answer` are from such.
    if !bench.room.has_helpers() {
        let mut options: Vec<_> = bench.room.variant().collect();
        options.extend(["--tls", "--handshake", "helper"]);
        usage::is_wrong(
            &bench.room,
            &options,
            &["--handshake helper", "has no helpers"],
        );
    }
}

fn ended_with_a_word(server: Server, word: &str) {
    server.signal(Signal::TERM);
    let (status, _, complaints) = server.end_with_complaints();
    assert_eq!(status.code(), Some(0), "{complaints}");
    assert!(complaints.contains(word), "{complaints}");
}

/// A line, and no server.
fn a_certificate_that_cannot_be_used(bench: &Bench) {
    let certificate = Certificate::new();
    let others = Certificate::new();
    let at = |certificate: &Certificate, name| certificate.garden.at(name).display().to_string();
    let file = at(&certificate, "certificate.pem");
    let (root, address) = (bench.site.root().to_str().unwrap(), hosts::address());
    let with_key = |key: &str, words: &[&str]| {
        let options = [
            "--addr", &address, "--root", root, "--tls", "--cert", &file, "--key", key,
        ];
        usage::fails(&bench.room, &options, words);
    };
    let other = at(&others, "key.pem");
    with_key(&other, &["key.pem", "does not belong to the certificate"]);
    with_key(
        &at(&others, "none.pem"),
        &["cannot read the key", "none.pem"],
    );
    others
        .garden
        .replace("locked.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
    with_key(
        &at(&others, "locked.pem"),
        &["is encrypted", "openssl pkey"],
    );
    if let Some(user) = crate::server::stranger() {
        certificate.garden.allow("key.pem", 0o600);
        let user = format!("{user}:{user}");
        let key = at(&certificate, "key.pem");
        let options = [
            "--addr", &address, "--root", root, "--user", &user, "--tls", "--cert", &file, "--key",
            &key,
        ];
        usage::fails(&bench.room, &options, &["cannot read the key", "--user"]);
    }
}
