//! Outputs are owned: by a ring until they complete, by a coroutine that parks in mid-send and goes on in another thread.

use std::sync::mpsc;

use arch::session::Output;
use arch::{Next, Session};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::memory::{Place, bytes};
use crate::{REQUESTS, STATUSES};

/// An operation that a ring has accepted and not completed: it alone has the output's bytes.
enum Operation {
    Send { connection: usize, output: Output },
    Receive { connection: usize },
}

/// Completions come in any order, some of them short; all sessions share one scratch.
#[test]
fn a_ring_owns_outputs_until_they_complete() {
    const CONNECTIONS: usize = 20;
    for place in Place::each() {
        let mut random = SmallRng::seed_from_u64(7);
        let mut scratch = place.scratch();
        let mut sessions: Vec<Session> = (0..CONNECTIONS).map(|_| place.session()).collect();
        let mut unread = vec![REQUESTS.as_bytes(); CONNECTIONS];
        let mut input: Vec<&[u8]> = vec![&[]; CONNECTIONS];
        let mut received = vec![Vec::new(); CONNECTIONS];
        let mut table: Vec<Operation> = (0..CONNECTIONS)
            .map(|connection| Operation::Receive { connection })
            .collect();
        while !table.is_empty() {
            let connection = match table.swap_remove(random.random_range(0..table.len())) {
                Operation::Receive { connection } => {
                    let unread = &mut unread[connection];
                    if unread.is_empty() {
                        sessions[connection].end_of_input(&mut scratch);
                    } else {
                        let count = random.random_range(1..=unread.len().min(90));
                        (input[connection], *unread) = unread.split_at(count);
                    }
                    connection
                }
                Operation::Send { connection, output } => {
                    let bytes = bytes(&output);
                    let sent = random.random_range(1..=bytes.len());
                    received[connection].extend_from_slice(&bytes[..sent]);
                    sessions[connection].sent(output, Ok(sent), &mut scratch);
                    connection
                }
            };
            let session = &mut sessions[connection];
            loop {
                match session.next(&mut scratch) {
                    // What has come is the session's before anybody else is worked on.
                    Next::Receive if !input[connection].is_empty() => {
                        let taken = session.receive(input[connection], &mut scratch);
                        input[connection] = &input[connection][taken..];
                    }
                    Next::Receive => break table.push(Operation::Receive { connection }),
                    Next::Send(output) => break table.push(Operation::Send { connection, output }),
                    Next::Work(work) => session.done(place.do_now(work), &mut scratch),
                    Next::Closed => break,
                    Next::ShutdownWrite | Next::Yield => {}
                    Next::Wait => panic!("nothing is out"),
                }
            }
            session.rest(&scratch);
        }
        assert_eq!(scratch.settled.len(), CONNECTIONS * STATUSES.len());
        assert!(received.iter().all(|bytes| *bytes == received[0]));
        assert!(received[0].starts_with(b"HTTP/1.1 200 ") && received[0].ends_with(b"lll"));
    }
}

/// What a coroutine is, seen from its session: it may stop after any output, with some of it sent, and be resumed by a thread that
/// has a scratch of its own.
#[test]
fn a_coroutine_parks_in_mid_send_and_goes_on_in_another_thread() {
    for place in Place::each() {
        let (results, from_threads) = mpsc::channel();
        std::thread::scope(|scope| {
            let (resume, resumed): (Vec<_>, Vec<_>) = (0..3).map(|_| mpsc::channel()).unzip();
            for (number, parked) in resumed.into_iter().enumerate() {
                let (place, results) = (&place, results.clone());
                let next_thread = resume[(number + 1) % 3].clone();
                scope.spawn(move || {
                    let mut scratch = place.scratch();
                    while let Ok(Some(parked)) = parked.recv() {
                        let mut coroutine: Coroutine = parked;
                        let is_over = coroutine.run_until_it_parks(place, &mut scratch);
                        if is_over {
                            results.send(coroutine.received).unwrap();
                            let _ = next_thread.send(None);
                            break;
                        }
                        next_thread.send(Some(coroutine)).unwrap();
                    }
                    let _ = next_thread.send(None);
                });
            }
            let coroutine = Coroutine {
                session: place.session(),
                unread: REQUESTS.as_bytes(),
                in_mid_send: None,
                received: Vec::new(),
            };
            resume[0].send(Some(coroutine)).unwrap();
        });
        let received = from_threads.recv().unwrap();
        assert!(received.starts_with(b"HTTP/1.1 200 ") && received.ends_with(b"lll"));
        let answers = received.windows(9).filter(|bytes| bytes == b"HTTP/1.1 ");
        assert_eq!(answers.count(), STATUSES.len());
    }
}

struct Coroutine {
    session: Session,
    unread: &'static [u8],
    in_mid_send: Option<Output>,
    received: Vec<u8>,
}

impl Coroutine {
    /// Whether it is over.
    fn run_until_it_parks(&mut self, place: &Place, scratch: &mut arch::session::Scratch) -> bool {
        if let Some(output) = self.in_mid_send.take() {
            let bytes = bytes(&output);
            let sent = bytes.len().div_ceil(2);
            self.received.extend_from_slice(&bytes[..sent]);
            self.session.sent(output, Ok(sent), scratch);
        }
        loop {
            match self.session.next(scratch) {
                Next::Receive if self.unread.is_empty() => self.session.end_of_input(scratch),
                Next::Receive => {
                    let taken = self.session.receive(self.unread, scratch);
                    self.unread = &self.unread[taken..];
                }
                Next::Send(output) => {
                    self.in_mid_send = Some(output);
                    self.session.rest(scratch);
                    return false;
                }
                Next::Work(work) => self.session.done(place.do_now(work), scratch),
                Next::Closed => return true,
                Next::ShutdownWrite | Next::Yield => {}
                Next::Wait => panic!("nothing is out"),
            }
        }
    }
}
