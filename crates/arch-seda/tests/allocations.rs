//! In steady state, a request costs SEDA no allocation, although it passes through four queues.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "../../arch/tests/support/allocations.rs"]
mod allocations;

#[global_allocator]
static HEAP: sys::heap::Counting = sys::heap::Counting;

fn main() {
    for own in [&[][..], &["--spin", "20us"]] {
        allocations::none_in_steady_state::<arch_seda::Seda>(own);
    }
}
