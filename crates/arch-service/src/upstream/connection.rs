//! A connection to another server, with one request on it at a time. What answers mean is `http`'s, as for the load generator.

use std::io;
use std::ops::Range;

use http::Method;
use http::client::{Closed, Event, Expect, Responses};
use http::relay::write_request;
use tokio::net::TcpStream;

use crate::service::Request;

/// Bytes that are read at a time, and so of a piece of a body at the most.
const PIECE: usize = 16 << 10;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection ended, and nothing of an answer had come.
    BeforeAnswer,
    /// What came is no answer, or none that can be passed on, or it broke off.
    Malformed,
}

/// What comes next of a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Nothing: it is whole. Whether the connection can be kept.
    End { keeps: bool },
}

/// A connection, whether a request is on it or it is kept for the next.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    responses: Responses,
    /// A buffer, and what came last and is not used yet.
    input: Box<[u8]>,
    unused: Range<usize>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            responses: Responses::keeping_heads(),
            input: vec![0; PIECE].into(),
            unused: 0..0,
        }
    }

    /// Sends a request.
    pub(super) async fn send(&mut self, request: &Request, authority: &str) -> Result<(), Fault> {
        let mut head = Vec::with_capacity(512);
        write_request(request, authority, &mut head);
        self.responses.expect(match request.method() {
            Method::Head => Expect::HeadOnly,
            _ => Expect::Body,
        });
        let mut rest = &head[..];
        while !rest.is_empty() {
            let is_writable = self.stream.writable().await;
            match is_writable.and_then(|()| self.stream.try_write(rest)) {
                Ok(sent) => rest = &rest[sent..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Err(Fault::BeforeAnswer),
            }
        }
        Ok(())
    }

    /// Waits for the head of the answer.
    pub(super) async fn receive_head(&mut self) -> Result<(), Fault> {
        loop {
            let mut input = &self.input[self.unused.clone()];
            let event = self
                .responses
                .next(&mut input)
                .map_err(|_| Fault::Malformed)?;
            let is_head = matches!(event, Event::Head(_));
            self.unused.start = self.unused.end - input.len();
            if is_head {
                return Ok(());
            }
            let is_blank = self.responses.at_start();
            if !self.read().await {
                return Err(match is_blank {
                    true => Fault::BeforeAnswer,
                    false => Fault::Malformed,
                });
            }
        }
    }

    /// The head of the answer, as it came.
    pub(super) fn head(&self) -> &[u8] {
        self.responses.head()
    }

    /// What comes next of the body among the bytes that are here; nothing where there are none.
    pub(super) fn next(&mut self) -> Result<Option<Next>, Fault> {
        let mut input = &self.input[self.unused.clone()];
        let next = match self.responses.next(&mut input) {
            Ok(Event::Body(bytes)) => Some(Next::Bytes(bytes.to_vec())),
            Ok(Event::Done { keep_alive }) => {
                // Whoever says more than was asked is not trusted with the next request.
                let keeps = keep_alive && input.is_empty();
                Some(Next::End { keeps })
            }
            Ok(_) => None,
            Err(_) => return Err(Fault::Malformed),
        };
        self.unused.start = self.unused.end - input.len();
        Ok(next)
    }

    /// Waits for what comes next of the body.
    pub(super) async fn receive(&mut self) -> Result<Next, Fault> {
        loop {
            if let Some(next) = self.next()? {
                return Ok(next);
            }
            if !self.read().await {
                return match self.responses.closed() {
                    Ok(Closed::Done) => Ok(Next::End { keeps: false }),
                    _ => Err(Fault::Malformed),
                };
            }
        }
    }

    /// Whether it is still there, and nothing has come that nobody asked for.
    pub(super) fn is_quiet(&self) -> bool {
        let heard = self.stream.try_read(&mut [0]);
        heard.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Waits for bytes; false: none will come.
    async fn read(&mut self) -> bool {
        loop {
            let is_readable = self.stream.readable().await;
            match is_readable.and_then(|()| self.stream.try_read(&mut self.input)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => {
                    let count = read.unwrap_or(0);
                    self.unused = 0..count;
                    return count > 0;
                }
            }
        }
    }
}
