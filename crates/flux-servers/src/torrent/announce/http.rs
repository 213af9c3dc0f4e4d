//! An announcement over HTTP, as a peer makes it.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use http::client::{Closed, Event, Expect, Responses};

use super::{Announcement, Answer};

/// An answer has to be there by then.
const PATIENCE: Duration = Duration::from_secs(10);
/// No answer is longer: it names two hundred peers in a few kilobytes.
const LONGEST: usize = 256 << 10;

/// Where a tracker is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    /// Host and port.
    authority: String,
    /// And what stands behind them.
    path: String,
}

impl Url {
    /// # Errors
    /// Why nothing can be announced there.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let rest = text
            .strip_prefix("http://")
            .ok_or_else(|| format!("'{text}' is no tracker that is spoken to: only http:// is"))?;
        let (authority, path) = match rest.find('/') {
            Some(place) => rest.split_at(place),
            None => (rest, "/"),
        };
        let is_strange = |letter: char| letter.is_whitespace() || letter.is_control();
        if authority.is_empty() || authority.contains('@') || rest.contains(is_strange) {
            return Err(format!("'{}' is no URL of a tracker", text.escape_debug()));
        }
        let has_port = authority
            .rsplit_once(':')
            .is_some_and(|(_, port)| !port.ends_with(']'));
        Ok(Self {
            authority: match has_port {
                true => authority.to_owned(),
                false => format!("{authority}:80"),
            },
            path: path.to_owned(),
        })
    }

    /// Announces, and waits for the answer.
    ///
    /// # Errors
    /// What went wrong, the tracker's refusal among it.
    pub(crate) fn announce(&self, announcement: &Announcement) -> Result<Answer, String> {
        let failed = |error: io::Error| format!("tracker {}: {error}", self.authority);
        let body = self.ask(announcement).map_err(failed)?;
        Answer::parse(&body).map_err(|why| format!("tracker {}: {why}", self.authority))
    }

    fn ask(&self, announcement: &Announcement) -> io::Result<Vec<u8>> {
        let deadline = Instant::now() + PATIENCE;
        let address = self.authority.to_socket_addrs()?.next();
        let address = address.ok_or_else(|| io::Error::other("it has no address"))?;
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let sign = if self.path.contains('?') { '&' } else { '?' };
        let request = format!(
            "GET {}{sign}{} HTTP/1.1\r\nHost: {}\r\nUser-Agent: archbench\r\nConnection: close\r\n\r\n",
            self.path,
            announcement.query(),
            self.authority
        );
        stream.write_all(request.as_bytes())?;
        let mut responses = Responses::new();
        responses.expect(Expect::Body);
        let (mut body, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            stream.set_read_timeout(Some(left))?;
            let count = stream.read(&mut buffer)?;
            let mut input = &buffer[..count];
            if input.is_empty() {
                return match responses.closed().map_err(io::Error::other)? {
                    Closed::Done => Ok(body),
                    Closed::Idle => Err(io::ErrorKind::UnexpectedEof.into()),
                };
            }
            while !input.is_empty() {
                match responses.next(&mut input).map_err(io::Error::other)? {
                    Event::Head(head) if head.status != 200 => {
                        return Err(io::Error::other(format!("it answers {}", head.status)));
                    }
                    Event::Head(_) | Event::More => {}
                    Event::Body(piece) if body.len() + piece.len() > LONGEST => {
                        return Err(io::Error::other("its answer is too long"));
                    }
                    Event::Body(piece) => body.extend(piece),
                    Event::Done { .. } => return Ok(body),
                    Event::Unasked { .. } => return Err(io::ErrorKind::InvalidData.into()),
                }
            }
        }
    }
}
