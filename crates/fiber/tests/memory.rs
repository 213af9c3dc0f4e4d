//! What stacks have touched goes back to the kernel when the load falls; by itself, as it is the memory of a process.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

use std::time::{Duration, Instant};

use support::start;

const FIBERS: usize = 500;
const TOUCHED: usize = 48 << 10;

#[inline(never)]
fn touch() {
    std::hint::black_box([1u8; TOUCHED]);
}

/// Resident memory of this process, in bytes.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * rustix::param::page_size()
}

#[test]
fn when_the_load_falls_stacks_give_back_what_they_have_touched() {
    let running = start(1);
    let before = resident_bytes();
    running.spawn(|fiber| {
        for _ in 0..FIBERS {
            let busy = |fiber: &fiber::Fiber<'_>| {
                touch();
                fiber.yield_now();
            };
            fiber.spawn(busy).unwrap();
        }
        fiber.yield_now();
        fiber.yield_now();
    });
    let (many, few) = (FIBERS * TOUCHED * 9 / 10, FIBERS * TOUCHED / 10);
    let until = |is_so: &dyn Fn(usize) -> bool| {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !is_so(resident_bytes().saturating_sub(before)) {
            assert!(Instant::now() < deadline, "{} bytes", resident_bytes());
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    until(&|taken| taken > many);
    until(&|taken| taken < few);
    running.join();
}
