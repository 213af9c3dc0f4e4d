//! In steady state, a request costs SYMPED no allocation, whoever accepts its connection.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "../../arch/tests/support/allocations.rs"]
mod allocations;

#[global_allocator]
static HEAP: sys::heap::Counting = sys::heap::Counting;

fn main() {
    // As threads, for what another process allocates is not counted here; the loop is the same.
    for accept in ["shared", "exclusive", "reuseport"] {
        let options = ["--share", "caches", "--loops", "2", "--accept", accept];
        allocations::none_in_steady_state::<arch_symped::Symped>(&options);
    }
}
