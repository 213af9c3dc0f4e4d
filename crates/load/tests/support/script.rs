//! Servers that do one thing to every connection.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What is done with a connection once a request has come.
#[derive(Clone)]
pub enum Act {
    /// Answers each request with these bytes.
    Answer(Vec<u8>),
    /// Answers once with these bytes and closes, though not before the other side has seen that (RFC 9112, section 9.6).
    AnswerAndClose(Vec<u8>),
    /// Answers each request with these bytes, and closes after one that asks for it, without saying so.
    CloseWhenAsked(Vec<u8>),
    /// Answers each request with these bytes, one by one.
    Drip(Vec<u8>),
    /// Closes without an answer.
    Close,
    /// Closes so that the other side is reset.
    Reset,
    /// Reads and says nothing.
    Silence,
    /// Answers requests for `/` with the first, others with the second.
    Only(Vec<u8>, Vec<u8>),
    /// Until that moment the first, from then on the second.
    Turn(Instant, Box<[Act; 2]>),
    /// For so many requests of a connection the first, then the second.
    First(u32, Box<[Act; 2]>),
    /// The same after so long.
    Late(Duration, Box<Act>),
    /// Says these bytes to whoever sends nothing for so long, and then closes, if it does. Else it goes on as written.
    Bored(Duration, Vec<u8>, bool, Box<Act>),
    /// To connections that are so old when their first request comes the first, to others the second.
    Stale(Duration, Box<[Act; 2]>),
    /// Notes down each request first.
    Noted(Arc<Mutex<Vec<Vec<u8>>>>, Box<Act>),
}

/// Starts a server that does `act`; it lives as long as the tests.
pub fn server(act: Act) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let act = Arc::new(act);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let act = act.clone();
            thread::spawn(move || serve(stream, &act));
        }
    });
    address
}

/// The same with so many workers, each of which serves one connection to its end.
pub fn workers(count: usize, act: Act) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let shared = Arc::new((listener, act));
    for _ in 0..count {
        let shared = shared.clone();
        thread::spawn(move || {
            for stream in shared.0.incoming().flatten() {
                serve(stream, &shared.1);
            }
        });
    }
    address
}

/// An address where nobody listens.
pub fn refused() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address")
}

fn serve(mut stream: TcpStream, act: &Act) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut seen = Vec::new();
    let mut act = act;
    if let Act::Bored(after, bytes, closes, then) = act {
        stream.set_read_timeout(Some(*after)).ok()?;
        if stream.peek(&mut [0]).is_err() {
            stream.write_all(bytes).ok()?;
            if *closes {
                return None;
            }
        }
        stream.set_read_timeout(None).ok()?;
        act = then;
    }
    let mut first = None;
    if let Act::Stale(after, acts) = act {
        let opened = Instant::now();
        first = Some(next_request(&mut stream, &mut seen)?);
        act = &acts[usize::from(opened.elapsed() < *after)];
    }
    for number in 0.. {
        let head = match first.take() {
            Some(head) => head,
            None => next_request(&mut stream, &mut seen)?,
        };
        answer(&mut stream, &head, number, act)?;
    }
    None
}

/// Deals with one request. None: the connection is over.
fn answer(stream: &mut TcpStream, head: &[u8], number: u32, act: &Act) -> Option<()> {
    match act {
        Act::Turn(at, acts) => {
            let act = &acts[usize::from(Instant::now() >= *at)];
            answer(stream, head, number, act)
        }
        Act::First(count, acts) => {
            let act = &acts[usize::from(number >= *count)];
            answer(stream, head, number, act)
        }
        Act::Late(by, act) => {
            thread::sleep(*by);
            answer(stream, head, number, act)
        }
        Act::Noted(notes, act) => {
            notes.lock().ok()?.push(head.to_vec());
            answer(stream, head, number, act)
        }
        Act::Only(found, other) => {
            let is_root = head.starts_with(b"GET / ");
            stream.write_all(if is_root { found } else { other }).ok()
        }
        Act::Answer(bytes) => stream.write_all(bytes).ok(),
        Act::AnswerAndClose(bytes) => {
            stream.write_all(bytes).ok()?;
            stream.shutdown(Shutdown::Write).ok()?;
            while stream.read(&mut [0; 4096]).ok()? > 0 {}
            None
        }
        Act::CloseWhenAsked(bytes) => {
            stream.write_all(bytes).ok()?;
            let asked = head
                .windows(5)
                .any(|five| five.eq_ignore_ascii_case(b"close"));
            (!asked).then_some(())
        }
        Act::Drip(bytes) => {
            for byte in bytes {
                stream.write_all(&[*byte]).ok()?;
                thread::sleep(Duration::from_micros(50));
            }
            Some(())
        }
        Act::Reset => {
            rustix::net::sockopt::set_socket_linger(&*stream, Some(Duration::ZERO)).ok()?;
            None
        }
        Act::Close | Act::Bored(..) | Act::Stale(..) => None,
        Act::Silence => Some(()),
    }
}

/// Reads up to the end of the next request's head, and gives it.
fn next_request(stream: &mut TcpStream, seen: &mut Vec<u8>) -> Option<Vec<u8>> {
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n") {
            return Some(seen.drain(..end + 4).collect());
        }
        let length = stream.read(&mut buffer).ok().filter(|length| *length > 0)?;
        seen.extend_from_slice(&buffer[..length]);
    }
}
