//! What is the kernel's stays so until it says that it is done.

use super::*;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// Sends a head and a tail.
#[derive(Debug)]
struct Words(&'static [u8]);

impl Operand for Words {
    fn head(&self) -> &[u8] {
        self.0
    }

    fn file(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn path(&self) -> Option<&[u8]> {
        None
    }

    fn pipe(&self) -> Option<(BorrowedFd<'_>, BorrowedFd<'_>)> {
        None
    }
}

fn settings() -> Settings {
    Settings {
        entries: 64,
        completions: 256,
        kernel_thread_idle_ms: None,
        receive_buffers: 4,
        receive_buffer_bytes: 1024,
        descriptors: 1024,
        file_workers: 2,
    }
}

fn ring() -> Ring<Words> {
    Ring::new(&settings()).unwrap()
}

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    (client, listener.accept().unwrap().0)
}

/// Waits for the next chain that is over.
fn finished(ring: &mut Ring<Words>) -> Finished<Words> {
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        match ring.next_event() {
            Some(Event::Finished(finished)) => return finished,
            Some(_) => {}
            None => ring.wait(Some(Duration::from_millis(50))).unwrap(),
        }
    }
    panic!("nothing is over");
}

/// A client that does not read does not acknowledge either: what was sent to it without copying is kept, and whoever wants a buffer
/// meanwhile has another.
#[test]
fn a_buffer_is_not_used_again_before_its_notification() {
    let mut ring = ring();
    let (mut lazy, to_lazy) = pair();
    let socket = ring.register(to_lazy.as_fd()).unwrap();
    // Until nothing fits between the two.
    let mut expected = 0;
    let mut kept = Vec::new();
    loop {
        let mut tail = ring.tail(Tail::BYTES);
        let bytes = tail.to_fill().expect("it is nobody else's");
        bytes.fill((kept.len() % 100) as u8);
        kept.push(bytes.as_ptr());
        let send = [Operation::SendTail {
            socket,
            zero_copy: true,
        }];
        ring.start(&send, Words(b""), Some(tail)).unwrap();
        ring.wait(Some(Duration::from_millis(200))).unwrap();
        match ring.next_event() {
            Some(Event::Finished(finished)) => {
                expected += finished.results[0].unwrap() as usize;
                ring.recycle(finished.tail.unwrap());
            }
            _ if kept.len() > 3 => break,
            _ => {}
        }
        assert!(kept.len() < 4096, "there is always room");
    }
    assert!(ring.unnotified() > 0, "all of {} are free", kept.len());
    // Others are sent to, from buffers that are none of those.
    let (mut quick, to_quick) = pair();
    let to_quick_registered = ring.register(to_quick.as_fd()).unwrap();
    for _ in 0..50 {
        let mut tail = ring.tail(1000);
        tail.to_fill().expect("it is nobody else's").fill(0xff);
        let send = [Operation::SendTail {
            socket: to_quick_registered,
            zero_copy: false,
        }];
        ring.start(&send, Words(b""), Some(tail)).unwrap();
        let sent = finished(&mut ring);
        assert_eq!(sent.results[0], Ok(1000));
        ring.recycle(sent.tail.unwrap());
        quick.read_exact(&mut [0; 1000]).unwrap();
    }
    assert!(ring.unnotified() > 0, "nobody has acknowledged anything");
    // The one who was slow finds what was sent to it, and not what was sent to others since.
    let mut received = vec![0; expected];
    lazy.read_exact(&mut received).unwrap();
    assert!(received.iter().all(|byte| *byte != 0xff));
    let deadline = Instant::now() + Duration::from_secs(20);
    while ring.unnotified() > 0 && Instant::now() < deadline {
        ring.wait(Some(Duration::from_millis(20))).unwrap();
        while ring.next_event().is_some() {}
        let _ = lazy.set_nonblocking(true);
        while lazy.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {}
    }
    assert_eq!(ring.unnotified(), 0, "they come back once they are read");
}

/// A ring may go while the kernel has all sorts of things from it.
#[test]
fn a_ring_that_is_dropped_takes_everything_back_first() {
    for zero_copy in [false, true] {
        let (client, server) = pair();
        let mut ring = ring();
        let socket = ring.register(server.as_fd()).unwrap();
        ring.receive(socket, 1);
        for _ in 0..20 {
            let tail = ring.tail(Tail::BYTES);
            let send = [
                Operation::SendHead { socket, more: true },
                Operation::SendTail { socket, zero_copy },
            ];
            ring.start(&send, Words(b"head"), Some(tail)).unwrap();
        }
        let nap = [Operation::Sleep(Duration::from_secs(3600))];
        ring.start(&nap, Words(b""), None).unwrap();
        ring.wait(Some(Duration::from_millis(20))).unwrap();
        let since = Instant::now();
        drop(ring);
        assert!(since.elapsed() < Duration::from_secs(10));
        drop(client);
    }
}

/// Of four buffers, for ten connections that all say something at once: whoever finds none asks again.
#[test]
fn who_finds_no_buffer_is_told_and_asks_again() {
    let mut ring = ring();
    let mut pairs: Vec<_> = (0..10).map(|_| pair()).collect();
    let sockets: Vec<_> = pairs
        .iter()
        .map(|(_, server)| ring.register(server.as_fd()).unwrap())
        .collect();
    for (client, _) in &mut pairs {
        client.write_all(&[b'x'; 3000]).unwrap();
    }
    for (token, socket) in sockets.iter().enumerate() {
        ring.receive(*socket, token as u64);
    }
    let mut received = [0; 10];
    let mut without = 0;
    let deadline = Instant::now() + Duration::from_secs(20);
    while received.iter().any(|count| *count < 3000) && Instant::now() < deadline {
        ring.wait(Some(Duration::from_millis(20))).unwrap();
        let mut again = Vec::new();
        while let Some(event) = ring.next_event() {
            let Event::Received {
                token,
                bytes,
                goes_on,
            } = event
            else {
                continue;
            };
            match bytes {
                Ok(bytes) => {
                    assert!(bytes.iter().all(|byte| *byte == b'x'));
                    received[token as usize] += bytes.len();
                }
                Err(error) => {
                    assert_eq!(error, Errno::NOBUFS);
                    without += 1;
                }
            }
            if !goes_on {
                again.push(token);
            }
        }
        for token in again {
            ring.receive(sockets[token as usize], token);
        }
    }
    assert_eq!(received, [3000; 10]);
    assert!(without > 0, "there were always enough");
}

#[test]
fn what_follows_is_not_done_where_less_was_done_before() {
    let mut ring = ring();
    let (mut client, server) = pair();
    let socket = ring.register(server.as_fd()).unwrap();
    // There is no file to read.
    let send = [
        Operation::Read { offset: 0 },
        Operation::SendBoth { socket },
    ];
    let tail = ring.tail(100);
    assert!(ring.start(&send, Words(b"head"), Some(tail)).is_err());
    let tail = Tail::new(Arc::from(&b" and tail"[..]), 0..9);
    let send = [Operation::SendBoth { socket }];
    ring.start(&send, Words(b"head"), Some(tail)).unwrap();
    assert_eq!(finished(&mut ring).results[0], Ok(13));
    let mut received = [0; 13];
    client.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"head and tail");
}

/// A thread of the kernel's that looks for entries is one of this process, and so is its processor time.
#[test]
fn a_thread_of_the_kernels_counts_as_ours() {
    let settings = Settings {
        kernel_thread_idle_ms: Some(2000),
        ..settings()
    };
    let mut ring: Ring<Words> = Ring::new(&settings).unwrap();
    let nap = [Operation::Sleep(Duration::from_millis(1))];
    ring.start(&nap, Words(b""), None).unwrap();
    finished(&mut ring);
    let processor = || rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let own = || rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let (all_before, own_before) = (processor(), own());
    std::thread::sleep(Duration::from_millis(400));
    let nanoseconds = |after: rustix::time::Timespec, before: rustix::time::Timespec| {
        (after.tv_sec - before.tv_sec) * 1_000_000_000 + (after.tv_nsec - before.tv_nsec)
    };
    let all = nanoseconds(processor(), all_before);
    let own = nanoseconds(own(), own_before);
    // It spins meanwhile, as far as others leave it a processor.
    assert!(
        all - own > 10_000_000,
        "{all} ns in all, {own} of this thread"
    );
}
