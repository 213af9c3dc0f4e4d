//! Coroutines with stacks of their own (`corosensei`), which may be resumed by another thread than the one that they stopped in.
//!
//! That a coroutine changes threads is what the type system cannot check, so it is kept true by who may write a body, and by what a
//! body gets to stop with: only a [`Suspension`] stops it, which cannot be kept anywhere but on its stack. Whoever writes a body sees
//! to it that where it stops
//!
//! - no closure given to [`std::thread::LocalKey::with`] is being run, and nothing borrowed from a thread-local is held;
//! - no thread-local is used by the function itself, for a compiler that knows its address from before may use that one after;
//!   one that is never inlined has to do it;
//! - nothing is held that is not [`Send`] and known beyond this stack: no guard of a lock of the thread's, no `Rc` that others
//!   have as well. Such things may come and go between two stops.
//!
//! A body moved to another thread is then no other than a value moved there. In the house, bodies stop in the methods of the crate
//! `fiber` alone.

use corosensei::{CoroutineResult, Yielder};

use crate::stack::Stack;

/// A body of code on a stack of its own, which stops where it likes and is resumed from there.
pub struct Coroutine<Yield: 'static, Return: 'static>(
    corosensei::Coroutine<(), Yield, Return, Stack>,
);

// SAFETY: what is on the stack of a coroutine moves with it. The body is `Send`, and so is all that it hands out; of what it makes
// meanwhile, the rules above keep whatever belongs to a thread from being held across a stop, and a coroutine changes threads nowhere
// else. The stack is memory of the process that belongs to no thread.
unsafe impl<Yield: Send, Return: Send> Send for Coroutine<Yield, Return> {}

/// What a coroutine stops with.
pub struct Suspension<'a, Yield>(&'a Yielder<(), Yield>);

/// Why a coroutine has given the thread back.
#[derive(Debug)]
pub enum Stopped<Yield, Return> {
    /// It has stopped, and is to be resumed.
    Suspended(Yield),
    /// It is over.
    Ended(Return),
}

impl<Yield: Send + 'static, Return: Send + 'static> Coroutine<Yield, Return> {
    /// A coroutine that begins with `body` when it is first resumed. A body that panics panics in whoever resumes it.
    pub fn new<F>(stack: Stack, body: F) -> Self
    where
        F: FnOnce(&Suspension<'_, Yield>) -> Return + Send + 'static,
    {
        let body = move |yielder: &Yielder<(), Yield>, ()| body(&Suspension(yielder));
        Self(corosensei::Coroutine::with_stack(stack, body))
    }

    /// Runs it until it stops or ends.
    ///
    /// # Panics
    /// If it has ended before, or its body panics.
    #[inline]
    pub fn resume(&mut self) -> Stopped<Yield, Return> {
        match self.0.resume(()) {
            CoroutineResult::Yield(why) => Stopped::Suspended(why),
            CoroutineResult::Return(result) => Stopped::Ended(result),
        }
    }
}

impl<Yield> Suspension<'_, Yield> {
    /// Stops here, and goes on when the coroutine is resumed.
    ///
    /// It may be inlined: to a compiler it is no more than a call of something unknown, and the rules above hold for either. (The count of
    /// panics is the thread's, but where it matters the standard library looks at it in a function that is never inlined.) As a call it
    /// would cost a switch two returns that no processor predicts, for each is expected to go to whoever called last, on the other stack.
    ///
    /// # Panics
    /// While a panic unwinds this stack: the count of panics is the thread's, and another's coroutines would take it for theirs.
    /// As that happens in a destructor, it ends the process.
    #[inline]
    pub fn suspend(&self, why: Yield) {
        assert!(
            !std::thread::panicking(),
            "a coroutine must not stop while a panic unwinds its stack"
        );
        self.0.suspend(why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::Arena;

    /// A coroutine that counts aloud.
    fn counting(arena: &Arena, to: u32) -> Coroutine<u32, &'static str> {
        let count = move |suspension: &Suspension<'_, u32>| {
            for number in 0..to {
                suspension.suspend(number);
            }
            "over"
        };
        Coroutine::new(arena.take().unwrap(), count)
    }

    #[test]
    fn a_coroutine_goes_on_where_it_stopped_in_whichever_thread() {
        let arena = Arena::new(4, 64 << 10).unwrap();
        let mut coroutine = counting(&arena, 10);
        for expected in 0..10 {
            coroutine = std::thread::scope(|scope| {
                let resume = scope.spawn(move || {
                    match coroutine.resume() {
                        Stopped::Suspended(number) => assert_eq!(number, expected),
                        Stopped::Ended(_) => panic!("it ended at {expected}"),
                    }
                    coroutine
                });
                resume.join().unwrap()
            });
        }
        assert!(matches!(coroutine.resume(), Stopped::Ended("over")));
    }

    #[test]
    fn one_that_is_dropped_drops_what_is_on_its_stack() {
        let arena = Arena::new(1, 64 << 10).unwrap();
        let held = std::sync::Arc::new(());
        let mut coroutine = Coroutine::new(arena.take().unwrap(), {
            let held = std::sync::Arc::clone(&held);
            move |suspension: &Suspension<'_, ()>| {
                let _held = held;
                suspension.suspend(());
            }
        });
        coroutine.resume();
        assert_eq!(std::sync::Arc::strong_count(&held), 2);
        drop(coroutine);
        assert_eq!(std::sync::Arc::strong_count(&held), 1);
        arena.take().expect("the stack is there again");
    }

    #[test]
    fn a_panic_reaches_whoever_resumes() {
        let arena = Arena::new(1, 64 << 10).unwrap();
        let mut coroutine: Coroutine<(), ()> =
            Coroutine::new(arena.take().unwrap(), |_| panic!("a defect"));
        let resumed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            coroutine.resume();
        }));
        assert_eq!(
            resumed.unwrap_err().downcast_ref::<&str>(),
            Some(&"a defect")
        );
    }
}
