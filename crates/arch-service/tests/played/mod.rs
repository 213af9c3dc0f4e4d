//! Servers that a test plays itself, byte by byte, and answers as a client takes them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

use http::client::{Closed, Event, Expect, Responses};

/// What a played server does next.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Do {
    /// Says this.
    Say(&'static str),
    /// Does nothing for so many milliseconds.
    Pause(u64),
    /// Says nothing more until the other side has gone.
    Keep,
    /// Ends the connection.
    Close,
    /// Ends it by a reset.
    Reset,
}

/// A server that is played.
pub(crate) struct Played {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Played {
    /// Plays these parts, one for each request, the last one for all that follow. Behind a part that does not end it, a connection
    /// takes the next request.
    pub(crate) fn start(parts: &'static [&'static [Do]]) -> Self {
        let next = AtomicUsize::new(0);
        Self::acting(move |stream| {
            let part = next.fetch_add(1, SeqCst).min(parts.len() - 1);
            parts[part].iter().all(|action| act(*action, stream))
        })
    }

    /// Has `answer` answer each request; false: the connection ends.
    pub(crate) fn acting(answer: impl Fn(&mut TcpStream) -> bool + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self::at(listener, answer)
    }

    pub(crate) fn at(
        listener: TcpListener,
        answer: impl Fn(&mut TcpStream) -> bool + Send + Sync + 'static,
    ) -> Self {
        let played = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            requests: Arc::default(),
        };
        let (connections, requests) = (
            Arc::clone(&played.connections),
            Arc::clone(&played.requests),
        );
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                connections.fetch_add(1, SeqCst);
                let (requests, answer) = (Arc::clone(&requests), Arc::clone(&answer));
                std::thread::spawn(move || {
                    while let Some(head) = read_head(&mut stream) {
                        requests.lock().unwrap().push(head);
                        if !answer(&mut stream) {
                            return;
                        }
                    }
                });
            }
        });
        played
    }

    /// As `--upstream` takes it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections were made to it.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(SeqCst)
    }

    /// The requests that came, as they came.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// Whether the connection goes on afterwards.
fn act(action: Do, stream: &mut TcpStream) -> bool {
    match action {
        Do::Say(text) => stream.write_all(text.as_bytes()).is_ok(),
        Do::Pause(ms) => {
            std::thread::sleep(Duration::from_millis(ms));
            true
        }
        Do::Keep => {
            while stream.read(&mut [0; 64]).is_ok_and(|count| count > 0) {}
            false
        }
        Do::Close => false,
        Do::Reset => {
            set_socket_linger(&*stream, Some(Duration::ZERO)).unwrap();
            false
        }
    }
}

fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

/// An answer, as far as it came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
    /// Its end came, as the head had said that it would.
    pub(crate) is_whole: bool,
}

impl Told {
    /// Of an answer to a GET and its connection's end.
    pub(crate) fn of(mut input: &[u8]) -> Self {
        let mut responses = Responses::keeping_heads();
        responses.expect(Expect::Body);
        let (mut status, mut body, mut is_whole) = (0, Vec::new(), false);
        loop {
            match responses.next(&mut input).unwrap() {
                Event::Head(head) => status = head.status,
                Event::Body(bytes) => body.extend_from_slice(bytes),
                Event::Done { .. } => {
                    is_whole = true;
                    break;
                }
                _ => break,
            }
        }
        is_whole |= !is_whole && responses.closed() == Ok(Closed::Done);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            status,
            head: text(responses.head()),
            body: text(&body),
            is_whole,
        }
    }
}
