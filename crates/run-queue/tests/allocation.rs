//! A turn allocates nothing.

use run_queue::RunQueue;

#[global_allocator]
static HEAP: sys::heap::Counting = sys::heap::Counting;

#[test]
fn turns_allocate_nothing_below_the_capacity() {
    let mut queue = RunQueue::with_capacity(100);
    let before = sys::heap::allocations();
    for round in 0..50_usize {
        (0..100).for_each(|key| assert!(queue.push(key)));
        assert!(queue.remove(round));
        while queue.pop().is_some() {}
    }
    assert_eq!(sys::heap::allocations(), before);
}
