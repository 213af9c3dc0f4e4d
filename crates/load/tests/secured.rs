//! https: who is believed, what is taken up again, and what is never taken for whole.

mod support;

use clap::Parser;
use load::cli::Arguments;
use load::failure::Failure;
use load::measure::measure;
use load::prepare::prepare;
use load::record::Record;
use load::run::Control;
use rustls::{ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use support::certified;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

/// What a server does after each request.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    Keeps,
    /// Ends the connection, and says so over TLS.
    Closes,
    /// Ends it as somebody would who can cut it.
    IsCut,
}

/// A server over TLS for `localhost`, and the file of its certificate.
struct Server {
    address: SocketAddr,
    certificate: PathBuf,
    _place: tempfile::TempDir,
}

fn server(answer: &'static str, then: Then) -> Server {
    server_of(&[], answer, then)
}

/// One that chooses among these by ALPN.
fn server_of(protocols: &[&str], answer: &'static str, then: Then) -> Server {
    let (config, pem) = certified::server(protocols);
    let place = tempfile::tempdir().expect("a directory");
    let certificate = place.path().join("certificate.pem");
    std::fs::write(&certificate, pem).expect("it is written");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let connection = ServerConnection::new(config.clone()).expect("a connection");
            std::thread::spawn(move || serve(connection, socket, answer, then));
        }
    });
    Server {
        address,
        certificate,
        _place: place,
    }
}

fn serve(connection: ServerConnection, socket: TcpStream, answer: &str, then: Then) {
    let mut stream = StreamOwned::new(connection, socket);
    let mut asked = Vec::new();
    loop {
        let mut piece = [0; 1000];
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(count) => asked.extend_from_slice(&piece[..count]),
        }
        if !asked.ends_with(b"\r\n\r\n") {
            continue;
        }
        asked.clear();
        // Half of a record first: what has come of it is no byte of the answer.
        let mut records = Vec::new();
        stream
            .conn
            .writer()
            .write_all(answer.as_bytes())
            .expect("room");
        if then == Then::Closes {
            stream.conn.send_close_notify();
        }
        while stream.conn.wants_write() {
            stream.conn.write_tls(&mut records).expect("memory");
        }
        let (half, rest) = records.split_at(records.len() / 2);
        let _ = stream.sock.write_all(half);
        std::thread::sleep(Duration::from_millis(2));
        let _ = stream.sock.write_all(rest);
        if then != Then::Keeps {
            return;
        }
    }
}

fn go(server: &Server, options: &[&str]) -> Result<Record, String> {
    let url = format!("https://localhost:{}/", server.address.port());
    let line = ["load", &url, "-c", "2", "-n", "20"];
    let arguments = Line::parse_from(line.iter().chain(options)).arguments;
    let run = prepare(&arguments).map_err(|error| error.to_string())?.run;
    let measured = measure(
        Arc::new(run),
        &Control::default().into(),
        &mut support::Nobody,
    );
    let outcome = measured.map_err(|error| error.to_string())?;
    Ok(outcome.record)
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const UNTIL_THE_END: &str = "HTTP/1.1 200 OK\r\n\r\nto the end";

#[test]
fn whoever_is_not_believed_is_told_of_in_a_line() {
    let server = server(OK, Then::Keeps);
    let why = go(&server, &[]).expect_err("nobody knows it");
    for word in [
        "is signed by nobody who is believed",
        "--cacert",
        "--insecure",
    ] {
        assert!(why.contains(word), "{why}");
    }
    assert!(!why.contains('\n'), "{why}");
    let trusted = server.certificate.to_str().expect("a path");
    for options in [&["--cacert", trusted][..], &["--insecure"]] {
        let record = go(&server, options).expect("it is believed");
        assert_eq!((record.counts.completed, record.counts.failed()), (20, 0));
        assert_eq!(record.handshake.len(), 2);
        // A handshake is a part of connecting.
        assert!(record.handshake.max() <= record.connect.max());
    }
    let elsewhere = Server {
        address: server.address,
        certificate: server.certificate.clone(),
        _place: tempfile::tempdir().expect("a directory"),
    };
    let url = format!("https://127.0.0.1:{}/", elsewhere.address.port());
    let line = ["load", &url, "-n", "1", "--cacert", trusted];
    let run = prepare(&Line::parse_from(line).arguments)
        .expect("a run")
        .run;
    let failed = measure(
        Arc::new(run),
        &Control::default().into(),
        &mut support::Nobody,
    );
    let why = failed.expect_err("another name").to_string();
    assert!(why.contains("is for another name than the URL's"), "{why}");
}

#[test]
fn sessions_are_taken_up_again_unless_that_is_off() {
    let server = server(OK, Then::Keeps);
    for (resume, resumed) in [("on", 18), ("off", 0)] {
        let options = ["--insecure", "--no-keepalive", "--tls-resume", resume];
        let record = go(&server, &options).expect("a run");
        let counts = &record.counts;
        assert_eq!(
            (counts.completed, record.handshake.len()),
            (20, counts.connected)
        );
        // The first of each client has none to take up.
        assert!(
            counts.resumed >= resumed && counts.resumed <= resumed + 2,
            "{}",
            counts.resumed
        );
    }
}

#[test]
fn a_body_that_ends_with_its_connection_is_whole_only_if_the_server_says_so() {
    let whole = go(&server(UNTIL_THE_END, Then::Closes), &["--insecure"]).expect("a run");
    assert_eq!(
        (whole.counts.completed, whole.counts.failed()),
        (20, 0),
        "{:?}",
        whole.examples
    );
    let cut = go(&server(UNTIL_THE_END, Then::IsCut), &["--insecure"]).expect("a run");
    assert_eq!(cut.counts.completed, 0);
    let class = Failure::Http(http::client::Error::ClosedInBody);
    assert_eq!(cut.counts.failures[class.index()], 20, "{:?}", cut.examples);
}

/// Half of the record came at once, and the other two milliseconds later.
#[test]
fn a_byte_that_cannot_be_read_yet_has_not_come() {
    let record = go(&server(OK, Then::Keeps), &["--insecure"]).expect("a run");
    assert!(
        record.first_byte.min() >= 2_000_000,
        "{}",
        record.first_byte.min()
    );
}

#[test]
fn options_of_tls_are_refused_where_there_is_none() {
    for options in [
        &["--insecure"][..],
        &["--cacert", "f"],
        &["--tls-resume", "off"],
    ] {
        let line = ["load", "http://localhost/"];
        let arguments = Line::parse_from(line.iter().chain(options)).arguments;
        let why = prepare(&arguments).expect_err("no effect").to_string();
        assert!(
            why.contains(options[0]) && why.contains("https://"),
            "{why}"
        );
    }
}

/// What is measured is what was asked for, and not what the server likes better.
#[test]
fn a_server_that_does_not_choose_the_protocol_is_told_of_in_a_sentence() {
    for (protocols, option, words) in [
        (
            &[][..],
            "--http2",
            ["HTTP/2 (ALPN h2)", "leave out --http2"],
        ),
        (
            &["http/1.1"],
            "--http2",
            ["HTTP/2 (ALPN h2)", "leave out --http2"],
        ),
        (
            &["h2"],
            "--http1",
            ["HTTP/1.1 (ALPN http/1.1)", "ask with --http2"],
        ),
    ] {
        let server = server_of(protocols, OK, Then::Keeps);
        let why = go(&server, &["--insecure", option]).expect_err("another protocol");
        assert!(words.iter().all(|word| why.contains(word)), "{why}");
        assert!(
            why.contains("tls_handshake") && !why.contains('\n'),
            "{why}"
        );
    }
    let server = server_of(&["http/1.1"], OK, Then::Keeps);
    let record = go(&server, &["--insecure"]).expect("HTTP/1.1 goes without saying");
    assert_eq!(record.counts.completed, 20);
}

#[test]
fn http3_is_refused_with_a_reason() {
    let line = ["load", "https://localhost/", "--http3"];
    let why = Line::try_parse_from(line)
        .err()
        .expect("it is refused")
        .to_string();
    assert!(
        why.contains("HTTP/3 is not spoken") && why.contains("UDP"),
        "{why}"
    );
    let why = load::url::Url::parse("h3://localhost/").expect_err("no scheme of ours");
    assert!(why.to_string().contains("https://"), "{why}");
}
