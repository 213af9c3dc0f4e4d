//! In steady state, a request costs a completion loop no allocation.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "../../arch/tests/support/allocations.rs"]
mod allocations;

#[global_allocator]
static HEAP: sys::heap::Counting = sys::heap::Counting;

fn main() {
    // The one with a thread that spins comes last: all serve until this process ends.
    for own in [
        &[][..],
        &["--send", "zero-copy"],
        &["--files", "splice"],
        &["--sqpoll"],
    ] {
        println!("{own:?}");
        allocations::none_in_steady_state::<arch_uring::Uring>(own);
    }
}
