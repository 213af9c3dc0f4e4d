//! A program that would deadlock if its constraints were taken as they are written, with all the contention that there can be: on each
//! runtime it comes to its end, and what a constraint protects is touched by one at a time.

#![deny(warnings)]
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

mod flows {
    include!("../../flux/src/tests/golden/crossed.rs");
}

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

/// Flows of each source.
const FLOWS: u64 = 300;

static LEFT: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];
static SERVED: AtomicU64 = AtomicU64::new(0);
static IS_TAKEN: [AtomicBool; 3] = [const { AtomicBool::new(false) }; 3];

/// Touches what constraints protect, for long enough to be met there.
fn touch(constraints: &[usize]) {
    for &constraint in constraints {
        assert!(!IS_TAKEN[constraint].swap(true, SeqCst), "two at a time");
    }
    std::thread::yield_now();
    for &constraint in constraints {
        IS_TAKEN[constraint].store(false, SeqCst);
    }
}

mod nodes {
    use super::{LEFT, SERVED, SeqCst, touch};

    fn next(source: usize) -> Option<i32> {
        let left = LEFT[source].fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        left.ok().map(|left| left as i32)
    }

    pub(crate) fn innkeeper() -> Option<i32> {
        next(0)
    }

    pub(crate) fn cook() -> Option<i32> {
        next(1)
    }

    pub(crate) fn lay(_: i32) {
        touch(&[0, 1, 2]);
        SERVED.fetch_add(1, SeqCst);
    }

    pub(crate) fn carve(_: i32) {
        touch(&[1, 2]);
    }

    pub(crate) fn pour() {
        touch(&[0, 2]);
        SERVED.fetch_add(1, SeqCst);
    }
}

#[test]
fn it_comes_to_its_end_on_each_runtime() {
    support::on_each_runtime::<flows::Flow>(
        || {
            for left in &LEFT {
                left.store(FLOWS, SeqCst);
            }
            SERVED.store(0, SeqCst);
        },
        |runtime, profile| {
            assert_eq!(SERVED.load(SeqCst), 2 * FLOWS, "{runtime}");
            let lines = profile.lines();
            assert!(
                lines.contains(&format!("\npath 0 {FLOWS}\npath 1 {FLOWS}\n")),
                "{runtime}\n{lines}"
            );
        },
    );
}
