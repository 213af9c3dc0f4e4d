//! In steady state, a request costs green threads no allocation.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "../../arch/tests/support/allocations.rs"]
mod allocations;

#[global_allocator]
static HEAP: sys::heap::Counting = sys::heap::Counting;

fn main() {
    for own in [
        &[][..],
        &["--workers", "2"],
        &["--workers", "2", "--spin", "20us"],
        &["--disk", "inline"],
        &["--schedule", "resource"],
    ] {
        allocations::none_in_steady_state::<arch_green::Green>(own);
    }
}
