//! An allocator that counts, so that a test can prove that a path allocates nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The system's allocator, counting the allocations of each thread and of all together.
///
/// ```
/// #[global_allocator]
/// static HEAP: sys::heap::Counting = sys::heap::Counting;
///
/// let before = sys::heap::allocations();
/// let boxed = std::hint::black_box(Box::new(1));
/// assert_eq!(sys::heap::allocations() - before, 1);
/// let before = sys::heap::bytes_held();
/// drop(boxed);
/// assert_eq!(before - sys::heap::bytes_held(), 4);
/// ```
pub struct Counting;

thread_local! {
    // Const-initialised and without a destructor, so that using it inside the allocator allocates nothing.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static HELD: Cell<i64> = const { Cell::new(0) };
    static MOST_HELD: Cell<i64> = const { Cell::new(0) };
}

/// The allocations and reallocations that the calling thread has made under [`Counting`].
pub fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

/// The bytes that the calling thread has allocated under [`Counting`], less those that it has freed: of a thread that hands nothing to
/// others, what it holds.
pub fn bytes_held() -> i64 {
    HELD.with(Cell::get)
}

/// The most bytes that the calling thread has held at a time, as [`bytes_held`] counts them, since it last asked.
pub fn take_most_bytes_held() -> i64 {
    MOST_HELD.with(|most| most.replace(bytes_held()))
}

static ALLOCATIONS_OF_ALL_THREADS: AtomicU64 = AtomicU64::new(0);

/// The allocations and reallocations that all threads of the process have made under [`Counting`].
pub fn allocations_of_all_threads() -> u64 {
    ALLOCATIONS_OF_ALL_THREADS.load(Relaxed)
}

fn count() {
    ALLOCATIONS.with(|count| count.set(count.get() + 1));
    ALLOCATIONS_OF_ALL_THREADS.fetch_add(1, Relaxed);
}

fn hold(more: usize, less: usize) {
    // No allocation is longer than isize::MAX.
    HELD.with(|held| {
        held.set(
            held.get()
                .wrapping_add(more as i64)
                .wrapping_sub(less as i64),
        );
        MOST_HELD.with(|most| most.set(most.get().max(held.get())));
    });
}

// SAFETY: every call goes to the system's allocator unchanged; the counter neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        hold(layout.size(), 0);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        hold(0, layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        hold(size, layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
