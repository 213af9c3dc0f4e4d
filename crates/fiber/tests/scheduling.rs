//! Who runs when: yielding, parking, sleeping, descriptors, helpers, and workers that are stalled.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use fiber::{Fiber, Helper, Look, Offload, Place, Settings, Unparker, Watched};
use support::{SETTINGS, run, start, start_with};

static HERE: Place = Place::new("here");

/// First in, first out: each has a turn before anybody has another.
#[test]
fn fibers_of_one_worker_take_turns() {
    let seen: Arc<Mutex<Vec<_>>> = Arc::default();
    let all = Arc::clone(&seen);
    run(1, move |fiber| {
        for number in 0..3 {
            let seen = Arc::clone(&all);
            let count = move |fiber: &Fiber<'_>| {
                for turn in 0..4 {
                    seen.lock().unwrap().push((turn, number));
                    fiber.yield_now();
                }
            };
            fiber.spawn(count).unwrap();
        }
    });
    let expected = (0..4).flat_map(|turn| (0..3).map(move |number| (turn, number)));
    assert_eq!(*seen.lock().unwrap(), expected.collect::<Vec<_>>());
}

#[test]
fn an_unpark_that_comes_first_is_not_lost() {
    for workers in [1, 2] {
        run(workers, |fiber| {
            fiber.unparker().unpark();
            fiber.park(&HERE);
        });
    }
}

/// Two that unpark each other, each from wherever it happens to run.
#[test]
fn no_unpark_is_lost_between_workers_or_from_other_threads() {
    const ROUNDS: usize = 20_000;
    for workers in [1, 2, 3] {
        let turn = Arc::new(AtomicUsize::new(0));
        let others: Arc<Mutex<Vec<Unparker>>> = Arc::default();
        let running = start(workers);
        for number in 0..2 {
            let (turn, others) = (Arc::clone(&turn), Arc::clone(&others));
            running.spawn(move |fiber| {
                others.lock().unwrap().push(fiber.unparker());
                while others.lock().unwrap().len() < 2 {
                    fiber.yield_now();
                }
                let others = others.lock().unwrap().clone();
                while turn.load(SeqCst) < ROUNDS {
                    if turn.load(SeqCst) % 2 == number {
                        turn.fetch_add(1, SeqCst);
                        others.iter().for_each(Unparker::unpark);
                    }
                    fiber.park(&HERE);
                }
                others.iter().for_each(Unparker::unpark);
            });
        }
        // A thread that is no worker, beside them.
        while turn.load(SeqCst) < ROUNDS {
            others.lock().unwrap().iter().for_each(Unparker::unpark);
            std::thread::yield_now();
        }
        others.lock().unwrap().iter().for_each(Unparker::unpark);
        running.join();
    }
}

#[test]
fn who_sleeps_less_is_up_first() {
    for workers in [1, 2] {
        let seen: Arc<Mutex<Vec<_>>> = Arc::default();
        let all = Arc::clone(&seen);
        let since = Instant::now();
        run(workers, move |fiber| {
            for time in [90, 30, 60] {
                let seen = Arc::clone(&all);
                let sleep = move |fiber: &Fiber<'_>| {
                    fiber.sleep(Duration::from_millis(time));
                    seen.lock().unwrap().push(time);
                };
                fiber.spawn(sleep).unwrap();
            }
        });
        assert_eq!(*seen.lock().unwrap(), [30, 60, 90]);
        assert!(since.elapsed() >= Duration::from_millis(90));
    }
}

#[test]
fn a_descriptor_is_waited_for_or_its_deadline() {
    for workers in [1, 2] {
        let (mut near, mut far) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        let running = start(workers);
        let (tell, told) = mpsc::channel();
        running.spawn(move |fiber| {
            let watched = Watched::readable(fiber, &near).unwrap();
            let wait = |deadline| watched.wait(fiber, &HERE, deadline);
            let since = Instant::now();
            assert_eq!(wait(Some(since + Duration::from_millis(20))), None);
            assert!(since.elapsed() >= Duration::from_millis(20));
            tell.send(()).unwrap();
            let news = wait(None).unwrap();
            assert!(news.readable && !news.is_ended);
            let mut byte = [0];
            near.read_exact(&mut byte).unwrap();
            tell.send(()).unwrap();
            while !wait(None).unwrap().is_ended {}
        });
        told.recv().unwrap();
        far.write_all(b"x").unwrap();
        told.recv().unwrap();
        drop(far);
        assert_eq!(running.join().panics, 0);
    }
}

/// A worker that always has somebody to run hears of descriptors, times and threads all the same.
#[test]
fn those_who_wait_go_on_beside_a_fiber_that_yields_for_ever() {
    for workers in [1, 2] {
        let (near, mut far) = UnixStream::pair().unwrap();
        let gone_on = Arc::new(AtomicUsize::new(0));
        let running = start(workers);
        for _ in 0..workers {
            let gone_on = Arc::clone(&gone_on);
            running.spawn(move |fiber| {
                while gone_on.load(SeqCst) < 3 {
                    fiber.yield_now();
                }
            });
        }
        let (descriptor, time, thread) = (
            Arc::clone(&gone_on),
            Arc::clone(&gone_on),
            Arc::clone(&gone_on),
        );
        let (tell, told) = mpsc::channel();
        running.spawn(move |fiber| {
            let watched = Watched::readable(fiber, &near).unwrap();
            assert!(watched.wait(fiber, &HERE, None).unwrap().readable);
            descriptor.fetch_add(1, SeqCst);
        });
        running.spawn(move |fiber| {
            fiber.sleep(Duration::from_millis(2));
            time.fetch_add(1, SeqCst);
        });
        running.spawn(move |fiber| {
            tell.send(fiber.unparker()).unwrap();
            fiber.park(&HERE);
            thread.fetch_add(1, SeqCst);
        });
        told.recv().unwrap().unpark();
        far.write_all(b"x").unwrap();
        assert_eq!(running.join().panics, 0);
        assert_eq!(gone_on.load(SeqCst), 3);
    }
}

/// A fiber that fills a socket, parks in the midst of it, and goes on in another worker, because its own is stalled.
#[test]
fn a_fiber_that_parks_in_mid_send_goes_on_in_another_worker() {
    const SENT: usize = 4 << 20;
    let (near, mut far) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    let running = start(2);
    let (tell, told) = mpsc::channel::<ThreadId>();
    running.spawn(move |fiber| {
        let watched = Watched::socket(fiber, &near).unwrap();
        // What it sends lies on its stack, and goes where it goes.
        let piece: [u8; 10_000] = std::array::from_fn(|place| place as u8);
        let mut sent = 0;
        while sent < SENT {
            let rest = &piece[sent % piece.len()..];
            match (&near).write(&rest[..rest.len().min(SENT - sent)]) {
                Ok(count) => sent += count,
                Err(_) => {
                    tell.send(std::thread::current().id()).unwrap();
                    watched.wait(fiber, &HERE, None);
                }
            }
        }
    });
    let first = told.recv().unwrap();
    // Both workers are stalled, and the one that it did not run in goes on.
    let mut releases = Vec::new();
    for _ in 0..2 {
        let (release, released) = mpsc::channel::<()>();
        let (stall, stalled) = mpsc::channel();
        running.spawn(move |_| {
            stall.send(std::thread::current().id()).unwrap();
            released.recv().unwrap();
        });
        releases.push((stalled.recv().unwrap(), release));
    }
    assert_ne!(releases[0].0, releases[1].0);
    // It was told once more that there is room, of the time before it filled the socket.
    let first = told.try_iter().last().unwrap_or(first);
    for (worker, release) in &releases {
        if *worker != first {
            release.send(()).unwrap();
        }
    }
    let read = std::thread::spawn(move || {
        let mut received = Vec::new();
        far.read_to_end(&mut received).unwrap();
        received
    });
    let then = told.recv().unwrap();
    assert_ne!(then, first, "it went on in a worker that is stalled");
    for (_, release) in releases {
        // One of them has gone on already.
        let _ = release.send(());
    }
    running.join();
    let received = read.join().unwrap();
    assert_eq!(received.len(), SENT);
    let is_as_sent = |(place, byte): (usize, &u8)| *byte == (place % 10_000) as u8;
    assert!(received.iter().enumerate().all(is_as_sent));
}

/// A worker that a blocking call stalls keeps nobody but the fiber that makes it.
#[test]
fn what_a_stalled_worker_had_to_run_is_run_by_another() {
    let running = start(2);
    let (release, released) = mpsc::channel::<()>();
    let (tell, told) = mpsc::channel();
    running.spawn(move |fiber| {
        for number in 0..100 {
            let tell = tell.clone();
            fiber.spawn(move |_| tell.send(number).unwrap()).unwrap();
        }
        released.recv().unwrap();
    });
    let mut all: Vec<_> = told.iter().take(100).collect();
    all.sort_unstable();
    assert_eq!(all, (0..100).collect::<Vec<_>>());
    release.send(()).unwrap();
    running.join();
}

#[test]
fn a_call_that_blocks_is_made_by_a_helper_while_others_run() {
    let (helpers, helper) = Offload::new();
    std::thread::spawn(|| Helper::run(helper));
    let (release, released) = mpsc::channel::<()>();
    let running = start(1);
    running.spawn(move |fiber| {
        let own = std::thread::current().id();
        let made_in = helpers.call(fiber, &HERE, move || {
            released.recv().unwrap();
            std::thread::current().id()
        });
        assert_ne!(made_in, own);
        helpers.call(fiber, &HERE, || panic!("a defect in a call"));
    });
    // One worker: this runs while the other waits.
    running.spawn(move |_| release.send(()).unwrap());
    assert_eq!(running.join().panics, 1);
}

#[test]
fn a_panic_costs_the_fiber_that_has_it() {
    let ended = Arc::new(AtomicUsize::new(0));
    let all = Arc::clone(&ended);
    let report = run(1, move |fiber| {
        for number in 0..10 {
            let ended = Arc::clone(&all);
            let body = move |fiber: &Fiber<'_>| {
                fiber.yield_now();
                assert_ne!(number % 2, 0, "a defect");
                fiber.yield_now();
                ended.fetch_add(1, SeqCst);
            };
            fiber.spawn(body).unwrap();
        }
    });
    assert_eq!((report.panics, ended.load(SeqCst)), (5, 5));
}

#[test]
fn a_fiber_that_does_not_yield_is_named() {
    let report = run(1, |fiber| {
        fiber.unparker().unpark();
        fiber.park(&HERE);
        let since = Instant::now();
        while since.elapsed() < Duration::from_millis(400) {
            std::hint::spin_loop();
        }
    });
    let stuck: Vec<_> = report.stuck.iter().collect();
    let [(place, (time, times))] = stuck[..] else {
        panic!("{stuck:?}")
    };
    assert_eq!((place.name().as_str(), *times), ("here", 1));
    assert!(*time >= fiber::watchdog::PATIENCE, "{time:?}");
}

/// Stacks are lent again, and no more of them are made than are needed at a time.
#[test]
fn there_are_as_many_fibers_as_stacks_and_each_ends_for_another() {
    let full = Arc::new(AtomicBool::new(false));
    let is_full = Arc::clone(&full);
    run(1, move |fiber| {
        for _ in 0..3 {
            let mut started = 1;
            while fiber.spawn(|fiber| fiber.yield_now()).is_ok() {
                started += 1;
            }
            assert_eq!(started, 20_000);
            fiber.yield_now();
            fiber.yield_now();
        }
        is_full.store(true, SeqCst);
    });
    assert!(full.load(SeqCst));
}

/// Who looks until there is something is woken by nobody, and sees all there is: fibers of other workers and of other threads, calls for
/// helpers, descriptors, times, and the end.
#[test]
fn workers_and_helpers_that_look_miss_nothing() {
    for workers in [1, 2, 3] {
        let is_over = Arc::new(AtomicBool::new(false));
        let look = {
            let is_over = Arc::clone(&is_over);
            Look::by(move |is_there| {
                while !is_there() && !is_over.load(SeqCst) {
                    std::thread::yield_now();
                }
            })
        };
        let (helpers, helper) = Offload::looking(look.clone());
        let helping = std::thread::spawn(|| Helper::run(helper));
        let running = start_with(&Settings {
            workers,
            look,
            ..SETTINGS
        });
        let done = Arc::new(AtomicUsize::new(0));
        for number in 0..20_u8 {
            let (helpers, done) = (helpers.clone(), Arc::clone(&done));
            running.spawn(move |fiber| {
                let (near, mut far) = UnixStream::pair().unwrap();
                near.set_nonblocking(true).unwrap();
                let readable = Watched::readable(fiber, &near).unwrap();
                let child = Arc::clone(&done);
                let count = move |_: &Fiber<'_>| {
                    child.fetch_add(1, SeqCst);
                };
                fiber.spawn(count).unwrap();
                let far = helpers.call(fiber, &HERE, move || {
                    far.write_all(&[number]).unwrap();
                    far
                });
                assert!(readable.wait(fiber, &HERE, None).unwrap().readable);
                let mut received = [0];
                (&near).read_exact(&mut received).unwrap();
                assert_eq!(received, [number]);
                drop(far);
                fiber.sleep(Duration::from_micros(200));
                done.fetch_add(1, SeqCst);
            });
        }
        running.join();
        assert_eq!(done.load(SeqCst), 40);
        drop(helpers);
        is_over.store(true, SeqCst);
        helping.join().unwrap();
    }
}
