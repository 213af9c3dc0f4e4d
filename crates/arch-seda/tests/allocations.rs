//! In steady state, a request costs SEDA no allocation, although it passes through four queues.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "../../arch/tests/support/allocations.rs"]
mod allocations;

#[global_allocator]
static HEAP: sys::heap::Counting = sys::heap::Counting;

#[test]
fn a_request_for_what_is_at_hand_allocates_nothing() {
    allocations::none_in_steady_state::<arch_seda::Seda>();
}
