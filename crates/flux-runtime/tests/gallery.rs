//! Predicate types, an empty flow, an error path, readers and writers: on each runtime the same flows take the same paths.

#![deny(warnings)]
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

mod flows {
    include!("../../flux/src/tests/golden/gallery.rs");
}

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

static LEFT: AtomicU64 = AtomicU64::new(0);
static READERS: AtomicU64 = AtomicU64::new(0);
static MOST_READERS: AtomicU64 = AtomicU64::new(0);
static SAID: Mutex<Vec<&str>> = Mutex::new(Vec::new());

mod nodes {
    use std::time::{Duration, Instant};

    use super::{LEFT, MOST_READERS, READERS, SAID, SeqCst};

    /// What is asked for: a third is kept, a third is not, and a third is not to be had.
    pub(crate) struct Picture(u64);

    type Order = (i32, bool, Picture);

    pub(crate) fn accept() -> Option<i32> {
        let left = LEFT.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        left.ok().map(|left| left as i32 - 1)
    }

    pub(crate) fn read_order(socket: i32) -> Order {
        (socket, true, Picture(socket as u64 % 3))
    }

    /// A reader waits for another to be seen beside it; on a loop, on which nodes run one after the other, in vain.
    pub(crate) fn look_up(socket: i32, close: bool, order: Picture) -> Order {
        let readers = READERS.fetch_add(1, SeqCst) + 1;
        MOST_READERS.fetch_max(readers, SeqCst);
        let until = Instant::now() + Duration::from_millis(5);
        while MOST_READERS.load(SeqCst) < 2 && Instant::now() < until {
            std::thread::yield_now();
        }
        READERS.fetch_sub(1, SeqCst);
        (socket, close, order)
    }

    pub(crate) fn is_in_album(order: &Picture) -> bool {
        order.0 == 0
    }

    pub(crate) fn fetch(
        socket: i32,
        close: bool,
        order: Picture,
    ) -> Result<(i32, bool, Picture, Vec<u8>), Order> {
        if order.0 == 2 {
            return Err((socket, close, order));
        }
        Ok((socket, close, order, vec![1, 2, 3]))
    }

    pub(crate) fn shrink(socket: i32, close: bool, order: Picture, raw: Vec<u8>) -> Order {
        assert_eq!(raw, [1, 2, 3]);
        (socket, close, order)
    }

    pub(crate) fn keep(socket: i32, close: bool, order: Picture) -> Order {
        assert_eq!(READERS.load(SeqCst), 0, "a writer beside readers");
        (socket, close, order)
    }

    pub(crate) fn send(socket: i32, close: bool, order: Picture) -> Order {
        (socket, close, order)
    }

    pub(crate) fn finish(socket: i32, close: bool, order: Picture) {
        assert!(close && socket as u64 % 3 == order.0);
        SAID.lock().unwrap().push("sent");
    }

    pub(crate) fn not_there(_: i32, _: bool, order: Picture) {
        assert_eq!(order.0, 2);
        SAID.lock().unwrap().push("not there");
    }
}

#[test]
fn the_same_paths_are_taken_on_each_runtime() {
    support::on_each_runtime::<flows::Flow>(
        || {
            LEFT.store(90, SeqCst);
            SAID.lock().unwrap().clear();
            MOST_READERS.store(0, SeqCst);
        },
        |runtime, profile| {
            let said = SAID.lock().unwrap();
            let sent = said.iter().filter(|said| **said == "sent").count();
            assert_eq!((sent, said.len()), (60, 90), "{runtime}");
            let paths = profile.lines();
            assert!(
                paths.contains("\npath 0 30\npath 1 30\npath 2 30\n"),
                "{runtime}\n{paths}"
            );
            // Nodes that may not wait run one after the other on a loop; threads meet.
            let meets = MOST_READERS.load(SeqCst) > 1;
            assert_eq!(meets, runtime != "event", "{runtime}");
        },
    );
}
