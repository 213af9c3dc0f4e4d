//! User-level threads: sequential code on stacks of its own, which parks where a thread would wait.
//!
//! ```text
//!             spawn                      a worker, which is a thread               Fiber::park
//!   body ──────────────► run queue ───► resumes the fiber that is first ─────────────────────────► Waiter
//!                          ▲   ▲         │ yields                                                    │
//!                          │   └─────────┘                                                           │
//!                          └─────────── unpark: a descriptor is ready (epoll), a time has come, ─────┘
//!                                       another fiber or thread says so
//! ```
//!
//! Parking is as in [`std::thread`]: an unpark that comes before the fiber has parked is not lost, and a fiber that goes on looks
//! whether what it waited for is so. All else is built on that: [`Watched`] descriptors, sleeping, [`Mutex`], [`Queue`], and calls that
//! may block, done by [`helpers`](offload).
//!
//! A worker has a run queue of its own, first in, first out, or by [what fibers are about to use](schedule); one that has nothing to
//! run takes half of another's. There is one poller,
//! asked by whoever has nothing else to do, so that a worker that is stalled keeps nobody's news. Who makes the threads, and how many,
//! is the caller's affair: a [`Worker`] is a value that runs in whichever thread calls [`Worker::run`].
//!
//! **What a fiber must not hold while it is parked**: anything of the thread that it runs in, for it may go on in another. `sys` says
//! what that is. The compiler does not check it; that a fiber can only stop by a method of the [`Fiber`] that it is given shows in its
//! code where to look.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`runtime`] | what fibers and workers share; starting and ending |
//! | [`worker`] | the loop that runs fibers |
//! | [`handle`] | what a fiber can do: yield, park, sleep, spawn |
//! | [`schedule`] | who goes first where something is scarce |
//! | [`waiter`] | where a parked fiber is |
//! | [`watched`] | parking until a descriptor is ready |
//! | [`offload`] | calls that block, in helper threads |
//! | [`sync`] | a mutex and a queue |
//! | [`look`] | looking for something to run before sleeping |
//! | [`place`] | the places where fibers park, and the scopes around them |
//! | [`graph`] | the ways between them, learnt while fibers run |
//! | [`watchdog`] | fibers that do not yield, and stacks that nobody needs |

mod by_node;
pub mod graph;
pub mod handle;
mod idle;
pub mod look;
pub mod offload;
pub mod place;
mod planner;
mod poller;
mod run_queue;
pub mod runtime;
pub mod schedule;
pub mod sync;
mod timers;
pub mod waiter;
pub mod watchdog;
pub mod watched;
pub mod worker;

pub use graph::{Edge, Graph, Taken};
pub use handle::{Fiber, Within};
pub use look::Look;
pub use offload::{Helper, Offload};
pub use place::{Node, Place};
pub use runtime::{Runtime, Settings};
pub use schedule::{Limits, Schedule};
pub use sync::{Mutex, Queue};
pub use sys::stack::Guards;
pub use waiter::Unparker;
pub use watchdog::Watchdog;
pub use watched::{Readiness, Watched};
pub use worker::Worker;
