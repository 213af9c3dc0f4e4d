//! Connections that are made and never ask: what a server spends on those who are merely there.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use http::h2::client::{Client, Event};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::address::Address;
use crate::measure::Error;
use crate::run::Run;
use crate::security::{self, Secured, Shaking};

/// What is read at a time of what a server says of itself.
const PIECE_BYTES: usize = 4096;

/// Idle connections, which end when it is dropped.
#[derive(Debug)]
pub(crate) struct Idle(Vec<OwnedFd>);

impl Idle {
    /// Makes as many as the run wants, to its addresses in turn. Each is as far as a client comes who has nothing to ask yet: over TLS its
    /// handshake is over, and in HTTP/2 both sides have said their settings.
    ///
    /// # Errors
    /// How many were made, and why there are no more.
    pub(crate) fn connect(run: &Run) -> Result<Self, Error> {
        let mut sockets = Vec::with_capacity(run.idle);
        let mut shaking = Shaking::default();
        for address in run.addresses.iter().cycle().take(run.idle) {
            let socket = connect(run, address, &mut shaking).map_err(|error| Error::Idle {
                address: address.to_string(),
                made: sockets.len(),
                wanted: run.idle,
                why: match error.kind() {
                    // A socket with a time-out calls it that.
                    ErrorKind::WouldBlock => "no answer in time".to_owned(),
                    _ => security::in_words(&error, run.http2),
                },
            })?;
            sockets.push(socket);
        }
        Ok(Self(sockets))
    }

    /// Whether all are there yet.
    ///
    /// # Errors
    /// How many the server has closed.
    pub(crate) fn are_all_there(&self) -> Result<(), Error> {
        // What has come, and is read by nobody, may stand before the end.
        let watch = |socket| PollFd::from_borrowed_fd(socket, PollFlags::RDHUP);
        let mut watched: Vec<_> = self.0.iter().map(|socket| watch(socket.as_fd())).collect();
        let at_once = Timespec::default();
        poll(&mut watched, Some(&at_once)).map_err(io::Error::from)?;
        let is_closed = |socket: &&PollFd<'_>| !socket.revents().is_empty();
        match watched.iter().filter(is_closed).count() {
            0 => Ok(()),
            closed => Err(Error::IdleClosed {
                closed,
                wanted: self.0.len(),
            }),
        }
    }
}

fn connect(run: &Run, address: &Address, shaking: &mut Shaking) -> io::Result<OwnedFd> {
    let patience = Duration::from_nanos(run.timeout);
    Ok(match address {
        Address::Tcp(address) => {
            let mut stream = TcpStream::connect_timeout(address, patience)?;
            stream.set_read_timeout(Some(patience))?;
            stream.set_write_timeout(Some(patience))?;
            greet(run, &mut stream, shaking)?;
            stream.into()
        }
        Address::Unix(path) => {
            let mut stream = UnixStream::connect_addr(&crate::address::unix(path)?)?;
            stream.set_read_timeout(Some(patience))?;
            stream.set_write_timeout(Some(patience))?;
            greet(run, &mut stream, shaking)?;
            stream.into()
        }
    })
}

/// What comes before the first request.
fn greet(run: &Run, stream: &mut (impl Read + Write), shaking: &mut Shaking) -> io::Result<()> {
    let mut secured = match &run.security {
        Some(security) => Some(security.connect(0)?),
        None => None,
    };
    if let Some(secured) = &mut secured
        && !secured.shake_hands(stream, shaking)?
    {
        return Err(ErrorKind::WouldBlock.into());
    }
    match run.http2 {
        true => exchange_settings(stream, secured),
        false => Ok(()),
    }
}

/// Says the preface of HTTP/2, and acknowledges the server's (RFC 9113, section 3.4).
fn exchange_settings(
    stream: &mut (impl Read + Write),
    mut secured: Option<Secured>,
) -> io::Result<()> {
    let mut said = Vec::new();
    let mut client = Client::new(&mut said);
    say(stream, &mut secured, &mut said)?;
    let mut input = secured.as_mut().map_or(Vec::new(), Secured::take_early);
    let mut plain = vec![0; 2 * PIECE_BYTES + tls::records::RECORD];
    loop {
        let mut rest = &input[..];
        while client
            .next(&mut rest, &mut said)
            .map_err(io::Error::other)?
            != Event::More
        {}
        if !said.is_empty() {
            return say(stream, &mut secured, &mut said);
        }
        input.resize(PIECE_BYTES, 0);
        let came = match stream.read(&mut input)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            came => came,
        };
        match &mut secured {
            None => input.truncate(came),
            Some(secured) => {
                let filled = secured.read(&mut input[..came], &mut plain)?;
                input.clear();
                input.extend_from_slice(&plain[..filled]);
            }
        }
    }
}

fn say(
    stream: &mut impl Write,
    secured: &mut Option<Secured>,
    said: &mut Vec<u8>,
) -> io::Result<()> {
    let mut records = Vec::new();
    match secured {
        None => stream.write_all(said)?,
        Some(secured) => {
            secured.write(said, &mut records)?;
            stream.write_all(&records)?;
        }
    }
    said.clear();
    Ok(())
}
