//! In steady state, a request costs SPED no allocation, however it asks who is ready.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "../../arch/tests/support/allocations.rs"]
mod allocations;

#[global_allocator]
static HEAP: sys::heap::Counting = sys::heap::Counting;

fn main() {
    // The one that never waits comes last: all serve until this process ends.
    for poller in ["epoll", "epoll-level", "poll", "select", "scan"] {
        println!("{poller}");
        allocations::none_in_steady_state::<arch_sped::Sped>(&["--poller", poller]);
    }
}
