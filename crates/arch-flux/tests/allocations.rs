//! In steady state, a request costs Flux no allocation on the loop and in the pool. A thread for each flow is made for each.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "../../arch/tests/support/allocations.rs"]
mod allocations;

#[global_allocator]
static HEAP: sys::heap::Counting = sys::heap::Counting;

fn main() {
    for runtime in ["event", "pool"] {
        for spin in ["0s", "20us"] {
            let own = ["--runtime", runtime, "--spin", spin];
            allocations::none_in_steady_state::<arch_flux::Flux>(&own);
        }
    }
}
