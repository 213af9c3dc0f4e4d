//! Proof that a server answers right: it is asked for a file as the generator will ask, and all that comes is looked at. One that answers
//! "403" is quick, and says nothing.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::h2::client::{Client, Event, Scheme, request_block};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::spec::external::Protocol;

/// How it is asked.
#[derive(Debug)]
pub(super) struct Proof {
    pub(super) protocol: Protocol,
    /// What it has to show, if it speaks TLS.
    pub(super) certificate: Option<PathBuf>,
    /// How long each answer may take.
    pub(super) within: Duration,
}

/// Bytes to the server and from it.
trait Connection: Read + Write {}
impl<C: Read + Write> Connection for C {}

/// What has come.
struct Answer {
    /// The whole line, or the status alone where there is no line.
    status: String,
    is_good: bool,
    /// Its end, at least as long as the body.
    body: Vec<u8>,
}

impl Proof {
    /// Asks at `address`, over a connection to it, for a file below `root`.
    ///
    /// # Errors
    /// What it did instead of sending that file.
    pub(super) fn of(
        &self,
        stream: TcpStream,
        address: &SocketAddr,
        path: &str,
        root: &Path,
    ) -> Result<(), String> {
        let expected = std::fs::read(root.join(path)).map_err(|error| error.to_string())?;
        let asked = stream
            .set_read_timeout(Some(self.within))
            .and_then(|()| self.secured(stream, address))
            .and_then(|connection| match self.protocol {
                Protocol::Http1 => ask_http1(connection, address, path),
                Protocol::Http2 => {
                    let scheme = match self.certificate {
                        Some(_) => Scheme::Https,
                        None => Scheme::Http,
                    };
                    ask_http2(connection, scheme, address, path)
                }
            });
        let answer =
            asked.map_err(|error| format!("it did not answer when asked for /{path}: {error}"))?;
        if answer.is_good && answer.body.ends_with(&expected) {
            return Ok(());
        }
        let status = answer.status;
        Err(format!(
            "asked for /{path} it should send that file, and said '{status}'"
        ))
    }

    fn secured(&self, stream: TcpStream, address: &SocketAddr) -> io::Result<Box<dyn Connection>> {
        let Some(certificate) = &self.certificate else {
            return Ok(Box::new(stream));
        };
        let mut roots = RootCertStore::empty();
        for certificate in tls::certificate::certificates(certificate).map_err(io::Error::other)? {
            roots.add(certificate).map_err(io::Error::other)?;
        }
        let mut config = ClientConfig::builder_with_provider(tls::provider())
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![self.protocol.name().into()];
        let name = ServerName::IpAddress(address.ip().into());
        let client = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        Ok(Box::new(StreamOwned::new(client, stream)))
    }
}

fn ask_http1(
    mut connection: impl Connection,
    address: &SocketAddr,
    path: &str,
) -> io::Result<Answer> {
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes())?;
    let mut body = Vec::new();
    match connection.read_to_end(&mut body) {
        // Its body is compared whole, so that nobody needs to say that this is all.
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {}
        ended => drop(ended?),
    }
    let text = String::from_utf8_lossy(&body);
    let status = text.lines().next().unwrap_or("nothing").to_owned();
    Ok(Answer {
        is_good: status.starts_with("HTTP/1.1 200 "),
        status,
        body,
    })
}

fn ask_http2(
    mut connection: impl Connection,
    scheme: Scheme,
    address: &SocketAddr,
    path: &str,
) -> io::Result<Answer> {
    let mut out = Vec::new();
    let mut client = Client::new(&mut out);
    let block = request_block(scheme, false, &address.to_string(), &format!("/{path}"), []);
    let asked = client.request(&block, false, &mut out);
    let mut answer = Answer {
        status: "nothing".to_owned(),
        is_good: false,
        body: Vec::new(),
    };
    let mut buffer = vec![0; 16 << 10];
    loop {
        connection.write_all(&out)?;
        out.clear();
        let length = match connection.read(&mut buffer)? {
            0 => return Ok(answer),
            length => length,
        };
        let mut input = &buffer[..length];
        loop {
            let event = client.next(&mut input, &mut out);
            match event.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))? {
                Event::More => break,
                Event::Head(_, status) => {
                    answer.status = status.to_string();
                    answer.is_good = status == 200;
                }
                Event::Body(_, bytes) => answer.body.extend_from_slice(bytes),
                Event::Done(stream) if stream == asked => return Ok(answer),
                Event::Reset(_, code) => {
                    answer.status = code.name().to_owned();
                    answer.is_good = false;
                    return Ok(answer);
                }
                Event::Done(_) | Event::GoAway(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    const FILE: &[u8] = b"what is in it\n";

    /// Has somebody prove himself who does `serve` with the connection.
    fn prove(
        protocol: Protocol,
        certificate: Option<PathBuf>,
        serve: impl FnOnce(TcpStream) + Send + 'static,
    ) -> Result<(), String> {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("file"), FILE).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || serve(listener.accept().unwrap().0));
        let proof = Proof {
            protocol,
            certificate,
            within: Duration::from_secs(20),
        };
        let stream = TcpStream::connect(address).unwrap();
        let proved = proof.of(stream, &address, "file", root.path());
        server.join().unwrap();
        proved
    }

    /// Reads until the request has come whole, and says `answer`.
    fn say(mut connection: impl Read + Write, answer: &[u8]) {
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            connection.read_exact(&mut byte).unwrap();
            asked.extend(byte);
        }
        connection.write_all(answer).unwrap();
    }

    fn answer(status: &str, body: &[u8]) -> Vec<u8> {
        [b"HTTP/1.1 ", status.as_bytes(), b"\r\n\r\n", body].concat()
    }

    #[test]
    fn what_is_served_is_looked_at() {
        for (status, body, expected) in [
            ("200 OK", FILE, Ok(())),
            ("403 Forbidden", FILE, Err("said 'HTTP/1.1 403 Forbidden'")),
            ("200 OK", &FILE[1..], Err("should send that file")),
        ] {
            let said = answer(status, body);
            let proved = prove(Protocol::Http1, None, move |stream| say(stream, &said));
            match expected {
                Ok(()) => assert_eq!(proved, Ok(())),
                Err(part) => assert!(
                    proved.as_ref().is_err_and(|why| why.contains(part)),
                    "{proved:?}"
                ),
            }
        }
    }

    #[test]
    fn one_that_speaks_tls_shows_what_it_was_given() {
        let place = tempfile::tempdir().unwrap();
        let kept =
            |name: &str| tls::self_signed::kept(&["127.0.0.1".into()], &place.path().join(name));
        let (own, other) = (kept("own").unwrap(), kept("other").unwrap());
        for (trusted, is_right) in [(&own, true), (&other, false)] {
            let certified = tls::certificate::read(&own.certificate, &own.key).unwrap();
            let resolver = rustls::sign::SingleCertAndKey::from(certified);
            let config = rustls::ServerConfig::builder_with_provider(tls::provider())
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_cert_resolver(Arc::new(resolver));
            let server = rustls::ServerConnection::new(Arc::new(config)).unwrap();
            let certificate = Some(trusted.certificate.clone());
            let proved = prove(Protocol::Http1, certificate, move |stream| {
                let mut connection = StreamOwned::new(server, stream);
                let mut first = [0];
                // Whoever does not believe it says nothing more.
                if connection.read_exact(&mut first).is_ok() {
                    say(&mut connection, &answer("200 OK", FILE));
                }
            });
            assert_eq!(proved.is_ok(), is_right, "{proved:?}");
        }
    }

    /// A server that sends frames as they are here: its settings, a head, and the file in two pieces.
    #[test]
    fn one_that_speaks_http2_is_asked_in_it() {
        let frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
            let mut frame = vec![0, 0, payload.len() as u8, kind, flags, 0, 0, 0, stream];
            frame.extend_from_slice(payload);
            frame
        };
        let (begin, end) = FILE.split_at(5);
        let right = [
            frame(4, 0, 0, &[]),
            frame(1, 4, 1, &[0x88]),
            frame(0, 0, 1, begin),
            frame(0, 1, 1, end),
        ];
        let refused = [frame(4, 0, 0, &[]), frame(3, 0, 1, &[0, 0, 0, 7])];
        for (frames, expected) in [
            (right.concat(), Ok(())),
            (refused.concat(), Err("said 'REFUSED_STREAM'")),
            (
                b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
                Err("did not answer"),
            ),
        ] {
            let proved = prove(Protocol::Http2, None, move |mut stream| {
                let mut preface = [0; 24];
                stream.read_exact(&mut preface).unwrap();
                assert_eq!(&preface, http::h2::PREFACE);
                stream.write_all(&frames).unwrap();
                // Until the client has gone.
                let _ = io::copy(&mut stream, &mut io::sink());
            });
            match expected {
                Ok(()) => assert_eq!(proved, Ok(())),
                Err(part) => assert!(
                    proved.as_ref().is_err_and(|why| why.contains(part)),
                    "{proved:?}"
                ),
            }
        }
    }
}
