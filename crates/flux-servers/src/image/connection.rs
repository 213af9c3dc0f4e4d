//! A connection, on its way through the program or resting between two flows. It never waits.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use http::{Missing, Phase, Scratch, Target, Want};
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::pictures::Jpeg;

/// What is read at a time, in bytes.
const READ_BYTES: usize = 8 << 10;
/// So often in one turn, of what is only dropped.
const MOST_READS: usize = 16;

/// A connection with a client.
pub(crate) struct Connection {
    stream: TcpStream,
    token: Token,
    is_registered: bool,
    http: http::Connection,
    /// What was received, and belongs to the next request.
    input: Vec<u8>,
    /// Heads and pages that have not been sent.
    output: Vec<u8>,
    /// What is being answered with.
    jpeg: Option<Jpeg>,
    phase: Phase,
    phase_since: Instant,
    /// There is no use in it any more.
    is_broken: bool,
    has_shut: bool,
    _place: Place,
}

/// How a connection rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Until something comes, or can be sent.
    Until(Interest),
    /// It can go on.
    Again,
    /// It is over.
    Over,
}

/// One of the connections that there are, until it is dropped.
pub(crate) struct Place(Arc<AtomicUsize>);

impl Place {
    pub(crate) fn take(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, SeqCst);
        Self(Arc::clone(open))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Connection {
    /// A connection that was accepted.
    pub(crate) fn new(stream: TcpStream, token: Token, place: Place) -> Self {
        // Where it cannot be had, answers come a little later.
        let _ = stream.set_nodelay(true);
        Self {
            stream,
            token,
            is_registered: false,
            http: http::Connection::new(),
            input: Vec::new(),
            output: Vec::new(),
            jpeg: None,
            phase: Phase::Idle,
            phase_since: Instant::now(),
            is_broken: false,
            has_shut: false,
            _place: place,
        }
    }

    pub(crate) fn token(&self) -> Token {
        self.token
    }

    /// What the request asks for.
    pub(crate) fn target(&self) -> &Target {
        self.http.target()
    }

    /// Receives until a request is whole, which it then is, or nothing more is there, or something was answered.
    pub(crate) fn receive(&mut self, scratch: &mut Scratch) -> bool {
        loop {
            while self.http.want() == Want::Request && !self.input.is_empty() {
                let taken = self.http.receive(&self.input, scratch);
                self.input.drain(..taken);
                self.take_output(scratch);
                if !self.output.is_empty() {
                    break;
                }
            }
            match self.http.want() {
                Want::Find => return true,
                Want::Request if self.output.is_empty() => {}
                _ => {
                    self.send(scratch);
                    return false;
                }
            }
            let mut buffer = [0; READ_BYTES];
            match self.read(&mut buffer) {
                Some(0) => {
                    self.http.end_of_input(scratch);
                    self.take_output(scratch);
                    self.send(scratch);
                    return false;
                }
                Some(received) => self.input.extend_from_slice(&buffer[..received]),
                None => return false,
            }
        }
    }

    /// Answers the request, and sends of that what the client takes.
    pub(crate) fn answer(&mut self, found: Result<Jpeg, Missing>, scratch: &mut Scratch) {
        let entity = found.as_ref().map(Jpeg::entity).map_err(|missing| *missing);
        self.http.found(entity, scratch);
        self.take_output(scratch);
        self.jpeg = found.ok();
        self.send(scratch);
    }

    /// Sends what is to be sent, for as long as the client takes it. Whether that was all.
    pub(crate) fn send(&mut self, scratch: &mut Scratch) -> bool {
        while !self.is_broken {
            let want = self.http.want();
            let body = match (&want, &self.jpeg) {
                (Want::Send(range), Some(jpeg)) => {
                    let (from, to) = (range.start as usize, range.end as usize);
                    jpeg.bytes().get(from..to).unwrap_or_default()
                }
                _ => &[],
            };
            if self.output.is_empty() && body.is_empty() {
                match (want, &self.jpeg) {
                    (Want::Load(_), Some(jpeg)) => self.http.loaded(jpeg.entity(), scratch),
                    (Want::Load(_) | Want::Send(_), _) => self.http.failed(scratch),
                    (Want::Linger, _) => {
                        self.shut_write();
                        break;
                    }
                    _ => break,
                }
                self.take_output(scratch);
                continue;
            }
            let parts = [IoSlice::new(&self.output), IoSlice::new(body)];
            match self.stream.write_vectored(&parts) {
                Ok(0) => self.is_broken = true,
                Ok(sent) => {
                    let of_output = sent.min(self.output.len());
                    self.output.drain(..of_output);
                    if sent > of_output {
                        self.http.sent((sent - of_output) as u64, scratch);
                        self.take_output(scratch);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.is_broken = true,
            }
        }
        self.jpeg = None;
        true
    }

    /// Does what needs no flow: sends the rest of an answer, or drops what comes behind the last. Whether a flow can begin.
    pub(crate) fn catch_up(&mut self, scratch: &mut Scratch) -> bool {
        let was_sending = self.is_sending();
        if was_sending && !self.send(scratch) {
            return false;
        }
        if self.http.want() == Want::Linger {
            self.drop_input(scratch);
        }
        // What came while it was sending is heard of again.
        !was_sending && !self.is_broken && self.http.want() == Want::Request
    }

    fn drop_input(&mut self, scratch: &mut Scratch) {
        let mut buffer = [0; READ_BYTES];
        for _ in 0..MOST_READS {
            match self.read(&mut buffer) {
                Some(0) => return self.http.end_of_input(scratch),
                Some(_) => {}
                None => return,
            }
        }
    }

    /// The time of its phase is over.
    pub(crate) fn expire(&mut self, scratch: &mut Scratch) {
        // Who has not taken an answer in all that time will not take more.
        self.is_broken |= self.is_sending();
        self.http.expire(scratch);
        self.take_output(scratch);
        self.send(scratch);
    }

    /// The server is stopping.
    pub(crate) fn finish(&mut self, scratch: &mut Scratch) {
        self.http.finish();
        self.send(scratch);
    }

    /// How it rests.
    pub(crate) fn rest(&self) -> Rest {
        if self.is_broken {
            return Rest::Over;
        }
        if self.is_sending() {
            return Rest::Until(Interest::WRITABLE);
        }
        match self.http.want() {
            Want::Close => Rest::Over,
            Want::Find => Rest::Again,
            Want::Request if !self.input.is_empty() => Rest::Again,
            _ => Rest::Until(Interest::READABLE),
        }
    }

    fn is_sending(&self) -> bool {
        !self.output.is_empty() || matches!(self.http.want(), Want::Load(_) | Want::Send(_))
    }

    /// When its phase is over.
    pub(crate) fn deadline(&mut self) -> Instant {
        let phase = self.http.phase();
        if phase != self.phase {
            (self.phase, self.phase_since) = (phase, Instant::now());
        }
        self.phase_since
            + Duration::from_secs(match phase {
                Phase::Idle | Phase::Request => 10,
                Phase::Answer => 60,
                Phase::Linger => 2,
            })
    }

    /// Has the poller tell when it can go on; at once, where it can.
    pub(crate) fn watch(&mut self, registry: &Registry, interest: Interest) -> io::Result<()> {
        let token = self.token;
        match std::mem::replace(&mut self.is_registered, true) {
            true => registry.reregister(&mut self.stream, token, interest),
            false => registry.register(&mut self.stream, token, interest),
        }
    }

    /// How many bytes came; none now, or never again, if it says nothing.
    fn read(&mut self, buffer: &mut [u8]) -> Option<usize> {
        loop {
            match self.stream.read(buffer) {
                Ok(received) => return Some(received),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.is_broken |= error.kind() != ErrorKind::WouldBlock;
                    return None;
                }
            }
        }
    }

    fn shut_write(&mut self) {
        if !std::mem::replace(&mut self.has_shut, true) {
            self.is_broken |= self.stream.shutdown(Shutdown::Write).is_err();
        }
    }

    fn take_output(&mut self, scratch: &mut Scratch) {
        if !scratch.out.is_empty() {
            // However soon it is over: the next request has all of its time.
            (self.phase, self.phase_since) = (Phase::Answer, Instant::now());
        }
        self.output.append(&mut scratch.out);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream as Client};

    use http::Config;

    use super::*;

    /// A connection on which a client has sent this.
    fn connection(sent: &[u8]) -> (Connection, Client, Scratch) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = Client::connect(listener.local_addr().unwrap()).unwrap();
        client.write_all(sent).unwrap();
        let (stream, _) = listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        let place = Place::take(&Arc::default());
        let connection = Connection::new(TcpStream::from_std(stream), Token(7), place);
        (
            connection,
            client,
            Scratch::new(Arc::new(Config::default())),
        )
    }

    const REQUEST: &[u8] = b"GET /a.jpg HTTP/1.1\r\nHost: a\r\n\r\n";
    const READABLE: Rest = Rest::Until(Interest::READABLE);
    const WRITABLE: Rest = Rest::Until(Interest::WRITABLE);

    #[test]
    fn a_request_that_never_becomes_whole_is_answered_and_then_given_up() {
        let (mut connection, mut client, mut scratch) = connection(&REQUEST[..20]);
        assert!(!connection.receive(&mut scratch));
        assert_eq!(connection.rest(), READABLE);
        connection.expire(&mut scratch);
        assert_eq!(connection.rest(), READABLE, "for the client's end");
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        connection.expire(&mut scratch);
        assert_eq!(connection.rest(), Rest::Over);
    }

    #[test]
    fn who_takes_no_more_of_an_answer_is_given_up() {
        for (length, request) in [(64 << 20, REQUEST.to_vec()), (9, REQUEST.repeat(200_000))] {
            let (mut connection, client, mut scratch) = connection(&request[..REQUEST.len()]);
            client.set_nonblocking(true).unwrap();
            let mut sent = REQUEST.len();
            // Until neither side takes more.
            while connection.rest() != WRITABLE {
                sent += (&client).write(&request[sent..]).unwrap_or(0);
                if connection.receive(&mut scratch) {
                    connection.answer(Ok(Jpeg::new(vec![0; length], (0, 0))), &mut scratch);
                }
                assert_ne!(connection.rest(), Rest::Over);
            }
            assert!(!connection.catch_up(&mut scratch));
            connection.expire(&mut scratch);
            assert_eq!(connection.rest(), Rest::Over, "{length}");
        }
    }

    #[test]
    fn each_request_has_all_of_its_time() {
        let (mut connection, mut client, mut scratch) = connection(REQUEST);
        let first = connection.deadline();
        assert_eq!(connection.deadline(), first);
        assert!(connection.receive(&mut scratch));
        connection.answer(Err(Missing::NotFound), &mut scratch);
        assert!(connection.deadline() > first);
        // However little it sends at a time.
        let second = {
            client.write_all(&REQUEST[..5]).unwrap();
            while connection.http.phase() != Phase::Request {
                assert!(!connection.receive(&mut scratch));
            }
            connection.deadline()
        };
        client.write_all(&REQUEST[5..10]).unwrap();
        connection.receive(&mut scratch);
        assert_eq!(connection.deadline(), second);
    }
}
