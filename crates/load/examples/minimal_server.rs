//! The least server there is: parses nothing, one read and one write from memory for each request. To measure generators against.
//!
//! `minimal_server PORT BODY_BYTES`

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::io::{self, Read, Write};

const LISTENER: Token = Token(usize::MAX - 1);

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |what: &str| {
        let text = arguments.next().unwrap_or_default();
        text.parse::<usize>().map_err(|_| {
            io::Error::other(format!("usage: minimal_server PORT BODY_BYTES ({what})"))
        })
    };
    let (port, length) = (number("the port")?, number("the body")?);
    let head = format!(
        "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nServer: minimal\r\nConnection: keep-alive\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
    );
    let response = [head.into_bytes(), vec![b'x'; length]].concat();
    let address = format!("127.0.0.1:{port}")
        .parse()
        .map_err(io::Error::other)?;
    serve(TcpListener::bind(address)?, &response)
}

fn serve(mut listener: TcpListener, response: &[u8]) -> io::Result<()> {
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
                    connections.push(Some((stream, response.len())));
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
    response: &[u8],
) -> Option<()> {
    let (stream, sent) = connection.as_mut()?;
    if *sent == response.len() {
        match stream.read(buffer) {
            Ok(0) => return None,
            Ok(_) => *sent = 0,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Some(()),
            Err(_) => return None,
        }
    }
    while *sent < response.len() {
        match stream.write(&response[*sent..]) {
            Ok(written) => *sent += written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Some(()),
            Err(_) => return None,
        }
    }
    Some(())
}
