//! The least server there is: parses nothing, one read and one write from memory for each request, or one `sendfile` for what is long. To
//! measure generators against, and servers.
//!
//! `minimal_server PORT BODY_BYTES`, or `minimal_server ADDRESS:PORT FILE`

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::fs::File;
use std::io::{self, Read, Write};

const LISTENER: Token = Token(usize::MAX - 1);

/// A body of more bytes is sent from its file, as every server does.
const MOST_IN_MEMORY: usize = 64 << 10;

/// The one answer.
struct Response {
    /// Head and body, or the head alone where the body stays in its file.
    memory: Vec<u8>,
    file: Option<File>,
    length: usize,
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, body] = &arguments[..] else {
        return Err(io::Error::other(
            "usage: minimal_server PORT BODY_BYTES, or minimal_server ADDRESS:PORT FILE",
        ));
    };
    let address = match address.parse::<u16>() {
        Ok(port) => ([127, 0, 0, 1], port).into(),
        Err(_) => address.parse().map_err(io::Error::other)?,
    };
    let (body, file) = match body.parse() {
        Ok(bytes) => (vec![b'x'; bytes], None),
        Err(_) => (std::fs::read(body)?, Some(File::open(body)?)),
    };
    serve(TcpListener::bind(address)?, &Response::new(&body, file))
}

impl Response {
    fn new(body: &[u8], file: Option<File>) -> Self {
        let head = format!(
            "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nServer: minimal\r\nConnection: keep-alive\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let file = file.filter(|_| body.len() > MOST_IN_MEMORY);
        let in_memory = if file.is_some() { &[][..] } else { body };
        Self {
            length: head.len() + body.len(),
            memory: [head.as_bytes(), in_memory].concat(),
            file,
        }
    }

    /// Sends what stands behind so many bytes, or some of it.
    fn send(&self, stream: &mut TcpStream, sent: usize) -> io::Result<usize> {
        match (&self.file, sent.checked_sub(self.memory.len())) {
            (Some(file), Some(of_file)) => {
                let mut at = of_file as u64;
                let left = self.length - sent;
                Ok(rustix::fs::sendfile(stream, file, Some(&mut at), left)?)
            }
            (Some(_), None) => {
                let more = rustix::net::SendFlags::MORE;
                Ok(rustix::net::send(stream, &self.memory[sent..], more)?)
            }
            (None, _) => stream.write(&self.memory[sent..]),
        }
    }
}

fn serve(mut listener: TcpListener, response: &Response) -> io::Result<()> {
    let mut poll = Poll::new()?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(1024);
    let mut connections: Vec<Option<(TcpStream, usize)>> = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        match poll.poll(&mut events, None) {
            // It was stopped for a while, and goes on.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            let Token(slot) = event.token();
            if event.token() == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nodelay(true)?;
                    let token = Token(connections.len());
                    let both = Interest::READABLE | Interest::WRITABLE;
                    poll.registry().register(&mut stream, token, both)?;
                    connections.push(Some((stream, response.length)));
                }
            } else if turn(&mut connections[slot], &mut buffer, response).is_none() {
                connections[slot] = None;
            }
        }
    }
}

/// One read and one write. None: the connection is over.
fn turn(
    connection: &mut Option<(TcpStream, usize)>,
    buffer: &mut [u8],
    response: &Response,
) -> Option<()> {
    let (stream, sent) = connection.as_mut()?;
    if *sent == response.length {
        match stream.read(buffer) {
            Ok(0) => return None,
            Ok(_) => *sent = 0,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Some(()),
            Err(_) => return None,
        }
    }
    while *sent < response.length {
        match response.send(stream, *sent) {
            Ok(0) => return None,
            Ok(written) => *sent += written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Some(()),
            Err(_) => return None,
        }
    }
    Some(())
}
