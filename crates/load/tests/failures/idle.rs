//! Connections that never ask.

use crate::ok;
use crate::support::{go, run};
use load::measure::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// A server that closes a connection on which nothing comes for so long; and how many have come and said nothing yet.
fn server(patience: Duration) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let silent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&silent);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            counted.fetch_add(1, Relaxed);
            let counted = Arc::clone(&counted);
            let _ = stream.set_read_timeout(Some(patience));
            std::thread::spawn(move || {
                let mut has_spoken = false;
                while let Ok(1..) = stream.read(&mut [0; 4096]) {
                    if !has_spoken {
                        counted.fetch_sub(1, Relaxed);
                    }
                    has_spoken = true;
                    if stream.write_all(&ok("x")).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, silent)
}

#[test]
fn idle_connections_are_there_and_never_ask() {
    let (address, silent) = server(Duration::from_secs(60));
    let mut run = run(address, Duration::from_secs(10));
    run.idle = 7;
    run.requests = Some(100);
    let done = go(run).expect("a run");
    assert_eq!(done.outcome.record.counts.completed, 100);
    assert_eq!(done.outcome.record.counts.connected, 1);
    assert_eq!(silent.load(Relaxed), 7);
}

/// A server may say something before it closes, which nobody reads: 408 is what some do to whoever asks for nothing.
#[test]
fn an_idle_connection_that_was_told_something_and_closed_is_gone() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        // Those who never ask come first.
        let mut streams: Vec<_> = listener.incoming().flatten().take(4).collect();
        let mut asking = streams.pop().expect("four");
        for mut stream in streams {
            let _ = stream.write_all(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n");
        }
        while let Ok(1..) = asking.read(&mut [0; 4096]) {
            if asking.write_all(&ok("x")).is_err() {
                return;
            }
        }
    });
    let mut run = run(address, Duration::from_millis(300));
    run.idle = 3;
    let error = go(run).err().expect("they are closed");
    assert!(
        matches!(error, Error::IdleClosed { closed: 3, .. }),
        "{error}"
    );
}

#[test]
fn a_run_whose_idle_connections_are_closed_is_none() {
    let (address, _) = server(Duration::from_millis(50));
    let mut run = run(address, Duration::from_millis(500));
    run.idle = 3;
    let error = go(run).err().expect("they are closed");
    assert!(
        matches!(
            error,
            Error::IdleClosed {
                closed: 3,
                wanted: 3
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("--idle-timeout"), "{error}");
}
