//! Stacks by the hundred thousand: slots of one mapping, each with a guard below it, which cost what they touch.

use std::io;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::overflow;

/// How a guard is made, the page below a stack that whoever overflows it meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guards {
    /// A mark in the page table (`MADV_GUARD_INSTALL`, Linux 6.13), which costs the process no mapping.
    Marks,
    /// A page without rights (`PROT_NONE`), which parts the mapping: each stack takes two of those that a process may have
    /// (`vm.max_map_count`, 65,530 by default).
    Mappings,
}

/// `MADV_GUARD_INSTALL`.
const GUARD_INSTALL: libc::c_int = 102;

/// Where stacks come from, and go back to.
#[derive(Debug, Clone)]
pub struct Arena(Arc<Mapping>);

#[derive(Debug)]
struct Mapping {
    start: NonNull<u8>,
    page_bytes: usize,
    slot_bytes: usize,
    slots: usize,
    guards: Guards,
    state: Mutex<State>,
}

// SAFETY: the mapping is memory of the process; what is in a slot belongs to whoever has its `Stack`, and to nobody while it is free.
unsafe impl Send for Mapping {}
// SAFETY: as above; all else is behind a lock.
unsafe impl Sync for Mapping {}

#[derive(Debug, Default)]
struct State {
    /// Slots that were used and are not; the one that was used last is taken first, since it is warm.
    free: Vec<usize>,
    /// How many of the free ones, from the coldest on, have no memory.
    given_back: usize,
    /// The fewest free ones since the last [`Arena::give_back`].
    fewest_free: usize,
    /// Slots from here on were never used and have no guard yet.
    unused: usize,
    /// The most that any stack was found to have touched.
    deepest_bytes: usize,
}

/// A stack of one's own, given back when it is dropped.
#[derive(Debug)]
pub struct Stack {
    mapping: Arc<Mapping>,
    slot: usize,
}

impl Arena {
    /// Room for so many stacks of so many bytes, which are rounded up to whole pages. None of it costs memory before it is touched.
    ///
    /// # Errors
    /// Where there is not so much address space.
    pub fn new(stacks: usize, stack_bytes: usize) -> io::Result<Self> {
        Self::with_guards(stacks, stack_bytes, None)
    }

    /// The same with guards of one kind; otherwise they are marks where the kernel has them.
    ///
    /// # Errors
    /// Likewise.
    pub fn with_guards(
        stacks: usize,
        stack_bytes: usize,
        guards: Option<Guards>,
    ) -> io::Result<Self> {
        let page_bytes = rustix::param::page_size();
        let slot_bytes = stack_bytes.next_multiple_of(page_bytes).max(page_bytes) + page_bytes;
        let bytes = slot_bytes.checked_mul(stacks.max(1));
        let bytes = bytes.ok_or(io::ErrorKind::OutOfMemory)?;
        // SAFETY: the mapping is new and replaces nothing.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            let error = io::Error::last_os_error();
            return Err(io::Error::new(
                error.kind(),
                format!("no address space for {stacks} stacks of {stack_bytes} bytes: {error}"),
            ));
        }
        // A huge page would be the memory of many stacks. Kernels without them refuse.
        // SAFETY: the range is the mapping's.
        unsafe { libc::madvise(start, bytes, libc::MADV_NOHUGEPAGE) };
        let mut mapping = Mapping {
            start: NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?,
            page_bytes,
            slot_bytes,
            slots: stacks.max(1),
            guards: guards.unwrap_or(Guards::Marks),
            state: Mutex::default(),
        };
        if guards.is_none() && mapping.guard(0).is_err() {
            mapping.guards = Guards::Mappings;
        }
        overflow::watch(mapping.range(), slot_bytes, page_bytes)?;
        Ok(Self(Arc::new(mapping)))
    }

    /// How guards are made here.
    pub fn guards(&self) -> Guards {
        self.0.guards
    }

    /// A stack.
    ///
    /// # Errors
    /// Where all are taken, or the process may have no more mappings for their guards.
    pub fn take(&self) -> io::Result<Stack> {
        let mut state = self.0.state();
        let slot = match state.free.pop() {
            Some(slot) => {
                let left = state.free.len();
                state.given_back = state.given_back.min(left);
                state.fewest_free = state.fewest_free.min(left);
                slot
            }
            None if state.unused == self.0.slots => {
                let all = self.0.slots;
                return Err(io::Error::other(format!("all {all} stacks are in use")));
            }
            None => {
                self.0.guard(state.unused).map_err(|error| {
                    let made = state.unused;
                    let limit = match self.0.guards {
                        Guards::Marks => "",
                        Guards::Mappings => {
                            "; each takes two mappings of the process (vm.max_map_count)"
                        }
                    };
                    let text = format!("no room for a stack beside {made} others: {error}{limit}");
                    io::Error::new(error.kind(), text)
                })?;
                state.unused += 1;
                state.unused - 1
            }
        };
        drop(state);
        Ok(Stack {
            mapping: Arc::clone(&self.0),
            slot,
        })
    }

    /// Gives the memory of those stacks to the kernel that nobody has needed since this was called last.
    pub fn give_back(&self) {
        /// Stacks whose memory is given back while nobody can take one.
        const AT_ONCE: usize = 32;
        loop {
            let mut state = self.0.state();
            let cold = state.fewest_free.min(state.free.len());
            let from = state.given_back;
            let to = cold.min(from + AT_ONCE);
            for place in from..to {
                let slot = state.free[place];
                state.deepest_bytes = state.deepest_bytes.max(self.0.touched_bytes(slot));
                self.0.discard(slot);
            }
            state.given_back = to.max(from);
            if to >= cold {
                state.fewest_free = state.free.len();
                return;
            }
        }
    }

    /// The most bytes that any stack has touched, in whole pages; those that are in use may touch more while this is worked out.
    pub fn deepest_bytes(&self) -> usize {
        let mut state = self.0.state();
        let slots = 0..state.unused;
        let deepest = slots.map(|slot| self.0.touched_bytes(slot)).max();
        state.deepest_bytes = state.deepest_bytes.max(deepest.unwrap_or(0));
        state.deepest_bytes
    }
}

impl Mapping {
    fn range(&self) -> std::ops::Range<usize> {
        let start = self.start.as_ptr() as usize;
        start..start + self.slot_bytes * self.slots
    }

    /// Where a slot begins, which is with its guard.
    fn slot(&self, slot: usize) -> *mut u8 {
        debug_assert!(slot < self.slots);
        // SAFETY: within the mapping.
        unsafe { self.start.as_ptr().add(slot * self.slot_bytes) }
    }

    /// Where the stack of a slot ends, behind which its guard lies.
    fn stack(&self, slot: usize) -> (*mut u8, usize) {
        // SAFETY: a slot is longer than its guard.
        let lowest = unsafe { self.slot(slot).add(self.page_bytes) };
        (lowest, self.slot_bytes - self.page_bytes)
    }

    fn guard(&self, slot: usize) -> io::Result<()> {
        let guard = self.slot(slot).cast();
        // SAFETY: a slot that was never used is given a guard, where nobody's memory is.
        crate::check(unsafe {
            match self.guards {
                Guards::Marks => libc::madvise(guard, self.page_bytes, GUARD_INSTALL),
                Guards::Mappings => libc::mprotect(guard, self.page_bytes, libc::PROT_NONE),
            }
        })
        .map(drop)
    }

    fn discard(&self, slot: usize) {
        let (lowest, bytes) = self.stack(slot);
        // It has failed if the kernel has no memory for it, and then only costs what it did.
        // SAFETY: nobody has the stack: whoever takes it next finds zeroes, and reads nothing that it has not written.
        unsafe { libc::madvise(lowest.cast(), bytes, libc::MADV_DONTNEED) };
    }

    /// From the highest address to the lowest page that has memory.
    fn touched_bytes(&self, slot: usize) -> usize {
        const PAGES: usize = 256;
        let mut in_memory = [0u8; PAGES];
        let (lowest, bytes) = self.stack(slot);
        for from in (0..bytes).step_by(PAGES * self.page_bytes) {
            let length = (bytes - from).min(PAGES * self.page_bytes);
            // SAFETY: the range is the stack's, and there is a byte for each of its pages.
            let asked =
                unsafe { libc::mincore(lowest.add(from).cast(), length, in_memory.as_mut_ptr()) };
            if asked != 0 {
                return 0;
            }
            let pages = &in_memory[..length / self.page_bytes];
            if let Some(page) = pages.iter().position(|page| page & 1 == 1) {
                return bytes - from - page * self.page_bytes;
            }
        }
        0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        overflow::forget(self.range().start);
        // SAFETY: no stack refers to the mapping any more, nor does anybody else.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.range().len()) };
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.mapping.state().free.push(self.slot);
    }
}

// SAFETY: a slot has a guard below its stack, which whoever overflows it meets; at least a page is left above it; and the addresses
// are those of pages.
unsafe impl corosensei::stack::Stack for Stack {
    fn base(&self) -> NonZeroUsize {
        let (lowest, bytes) = self.mapping.stack(self.slot);
        NonZeroUsize::MIN.saturating_add(lowest as usize + bytes - 1)
    }

    fn limit(&self) -> NonZeroUsize {
        NonZeroUsize::MIN.saturating_add(self.mapping.slot(self.slot) as usize - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coroutine::{Coroutine, Suspension};

    /// Touches so many bytes of a stack.
    fn touch(arena: &Arena, bytes: usize) {
        let dig = move |_: &Suspension<'_, ()>| dig(bytes);
        Coroutine::<(), ()>::new(arena.take().unwrap(), dig).resume();
    }

    #[inline(never)]
    fn dig(bytes: usize) {
        let page = std::hint::black_box([1u8; 1024]);
        if bytes > page.len() {
            dig(bytes - page.len());
        }
        std::hint::black_box(page);
    }

    #[test]
    fn what_is_touched_is_known_and_given_back_when_nobody_needs_it() {
        let arena = Arena::new(100, 1 << 20).unwrap();
        touch(&arena, 100 << 10);
        let deepest = arena.deepest_bytes();
        assert!((100 << 10..1 << 20).contains(&deepest), "{deepest}");
        // It was in use a moment ago.
        arena.give_back();
        let touched = || arena.0.touched_bytes(0);
        assert_eq!(touched(), deepest);
        arena.give_back();
        assert_eq!(touched(), 0);
        assert_eq!(arena.deepest_bytes(), deepest, "it is remembered");
        touch(&arena, 10 << 10);
        assert!(touched() >= 10 << 10, "it is of use again");
        assert_eq!(arena.deepest_bytes(), deepest);
    }

    #[test]
    fn the_warmest_stack_is_taken_first_and_the_coldest_are_given_back() {
        let arena = Arena::new(100, 64 << 10).unwrap();
        let all: Vec<_> = (0..100).map(|_| arena.take().unwrap()).collect();
        let full = arena.take().unwrap_err().to_string();
        assert!(full.contains("all 100 stacks are in use"), "{full}");
        drop(all);
        arena.give_back();
        for _ in 0..5 {
            let busy: Vec<_> = (0..10).map(|_| arena.take().unwrap()).collect();
            assert!(busy.iter().all(|stack| stack.slot >= 90));
            drop(busy);
            arena.give_back();
            assert_eq!(arena.0.state().given_back, 90);
        }
    }

    #[test]
    fn guards_are_marks_where_the_kernel_has_them() {
        let arena = Arena::new(10, 64 << 10).unwrap();
        let asked = Arena::with_guards(10, 64 << 10, Some(Guards::Marks)).unwrap();
        let has_marks = asked.take().is_ok();
        assert_eq!(arena.guards() == Guards::Marks, has_marks);
        arena.take().expect("guards of either kind");
    }
}
