//! What a second engine, on `io_uring`, would give the load generator: the least closed loop there is over epoll, and the same
//! over a ring. Neither parses, draws or measures anything, so that what is between them is the most that could be won.
//!
//! `engines epoll|ring PORT CONNECTIONS SECONDS` prints requests per second and processor time for each request in µs.
//! `scripts/bench-engines` compares the two.

#![allow(
    unsafe_code,
    reason = "a ring takes addresses, and this crate is where unsafe code lives"
)]

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use io_uring::{IoUring, opcode, types::Fixed};
use mio::{Events, Interest, Poll, Token};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sys::usage::{Who, usage};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let wrong = || io::Error::other("usage: engines epoll|ring PORT CONNECTIONS SECONDS");
    let [engine, port, connections, seconds] = &arguments[..] else {
        return Err(wrong());
    };
    let (Ok(port), Ok(connections), Ok(seconds)) =
        (port.parse(), connections.parse(), seconds.parse())
    else {
        return Err(wrong());
    };
    let engine = match &engine[..] {
        "epoll" => epoll,
        "ring" => ring,
        _ => return Err(wrong()),
    };

    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised)?;
    let sockets = connect(port, connections)?;
    let length = response_length(&sockets[0])?;
    let before = cpu()?;
    let end = Instant::now() + Duration::from_secs(seconds);
    let answered = engine(sockets, length, end)?;
    let cpu = cpu()? - before;
    println!(
        "{} {:.3}",
        answered / seconds,
        cpu.as_secs_f64() * 1e6 / answered as f64
    );
    Ok(())
}

fn cpu() -> io::Result<Duration> {
    let usage = usage(Who::Process)?;
    Ok(usage.user + usage.system)
}

fn connect(port: u16, connections: usize) -> io::Result<Vec<TcpStream>> {
    (0..connections)
        .map(|_| {
            let socket = TcpStream::connect(("127.0.0.1", port))?;
            socket.set_nodelay(true)?;
            Ok(socket)
        })
        .collect()
}

/// Asks once; all answers are as long as the first.
fn response_length(mut socket: &TcpStream) -> io::Result<usize> {
    socket.write_all(REQUEST)?;
    let mut buffer = vec![0; 1 << 20];
    let mut filled = 0;
    loop {
        match socket.read(&mut buffer[filled..])? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            read => filled += read,
        }
        let text = String::from_utf8_lossy(&buffer[..filled]);
        let Some((head, _)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let told = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "))
            .and_then(|value| value.parse::<usize>().ok())
            .ok_or_else(|| io::Error::other("the answer does not tell its length"))?;
        let length = head.len() + 4 + told;
        socket.read_exact(&mut vec![0; length.saturating_sub(filled)])?;
        return Ok(length);
    }
}

/// As the generator does it: one send and one receive for each request, when epoll says so.
fn epoll(sockets: Vec<TcpStream>, length: usize, end: Instant) -> io::Result<u64> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let mut connections = Vec::new();
    for (index, socket) in sockets.into_iter().enumerate() {
        socket.set_nonblocking(true)?;
        let mut socket = mio::net::TcpStream::from_std(socket);
        poll.registry()
            .register(&mut socket, Token(index), Interest::READABLE)?;
        socket.write_all(REQUEST)?;
        connections.push((socket, 0));
    }
    let mut buffer = vec![0; length];
    let mut answered = 0;
    while Instant::now() < end {
        poll.poll(&mut events, None)?;
        for event in &events {
            let Token(index) = event.token();
            let (socket, received) = &mut connections[index];
            while *received < length {
                match socket.read(&mut buffer) {
                    Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                    Ok(read) => *received += read,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error),
                }
            }
            if *received == length {
                answered += 1;
                *received = 0;
                socket.write_all(REQUEST)?;
            }
        }
    }
    Ok(answered)
}

/// Requests and whole answers are handed in and taken out in batches: one system call for as many as there are.
fn ring(sockets: Vec<TcpStream>, length: usize, end: Instant) -> io::Result<u64> {
    const SENT: u64 = u64::MAX;
    let entries = (2 * sockets.len()).next_power_of_two().try_into();
    let mut ring = IoUring::builder()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .build(entries.map_err(io::Error::other)?)?;
    let descriptors: Vec<_> = sockets.iter().map(AsRawFd::as_raw_fd).collect();
    ring.submitter().register_files(&descriptors)?;
    // The kernel may write into them for a moment longer than the ring is open.
    let buffers: Vec<_> = sockets
        .iter()
        .map(|_| vec![0_u8; length].leak().as_mut_ptr())
        .collect();
    let room = u32::try_from(length).map_err(io::Error::other)?;
    let asked: u32 = REQUEST.len().try_into().map_err(io::Error::other)?;

    let mut ready: Vec<usize> = (0..sockets.len()).collect();
    let mut answered = 0;
    while Instant::now() < end {
        let mut submission = ring.submission();
        for &index in &ready {
            let socket = Fixed(index.try_into().map_err(io::Error::other)?);
            let send = opcode::Send::new(socket, REQUEST.as_ptr(), asked)
                .build()
                .user_data(SENT)
                .flags(io_uring::squeue::Flags::SKIP_SUCCESS);
            let receive = opcode::Recv::new(socket, buffers[index], room)
                .flags(libc::MSG_WAITALL)
                .build()
                .user_data(index as u64);
            // SAFETY: the request is static, and a buffer is never freed; one operation at a time writes into it, for its
            // connection is ready again only once that is over.
            unsafe { submission.push_multiple(&[send, receive]) }.map_err(io::Error::other)?;
        }
        drop(submission);
        ready.clear();
        ring.submit_and_wait(1)?;
        for completion in ring.completion() {
            if completion.result() < 0 {
                return Err(io::Error::from_raw_os_error(-completion.result()));
            }
            if completion.user_data() == SENT {
                return Err(io::Error::other(
                    "a send that came to less than its request",
                ));
            }
            if completion.result() as u32 != room {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            answered += 1;
            ready.push(completion.user_data() as usize);
        }
    }
    Ok(answered)
}
