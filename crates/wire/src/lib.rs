//! What the wire saw of a server: the packets of its port, captured, kept, and matched.
//!
//! A generator's time stamps hold its own work and two trips through the kernel as well as the server's. The wire's hold neither: how long a
//! server takes for an answer is what lies between the last byte of the request and the first of the answer where both pass. So a
//! capture at the server and one at the client tell apart what is server, what is network and what is generator.
//!
//! Packets come by a packet socket with a ring that the kernel shares (`SOCK_RAW`, or `SOCK_DGRAM`, which begins at the IP header), of one
//! port (a filter runs in the kernel). What has to be known of such a capture:
//!
//! - **The tap is not free.** Whoever sends or receives a packet copies it to the ring, in the kernel, on their own processor time; the
//!   process that reads the ring is another one, and its time is told. If the ring is full, packets are dropped and counted, and
//!   the trace is SUSPECT.
//! - **Loopback shows each packet twice**, as sent and as received, at one and the same interface; only the received ones are taken. On veth
//!   and TUN each is seen once.
//! - **Frames may be larger than any MTU.** With segmentation offload the stack hands down up to 64 KiB at once, which a card would cut;
//!   loopback and veth never do. They are counted as what they are, one packet, and how many there are is told: packets for each request
//!   are fewer than a wire would carry, bytes are short of the headers between.
//! - **What cannot be read is matched by bytes and time alone**: all that one end sends before the other does is a message. So it is for TLS,
//!   HTTP/2, chunked bodies, and heads that were not captured. Where one connection carries several requests at once this counts
//!   them as one; such exchanges are counted apart, and the summary says so.
//! - **A retransmission is what passes twice.** What was lost before it came here is seen once, late.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`filter`] | the selection, as the kernel runs it |
//! | [`segment`] | a packet, parsed |
//! | [`matcher`], [`connection`] | requests and answers: pure functions of segments |
//! | [`summary`] | what came out, as figures |
//! | [`capture`] | the ring, read; [`trace`], the packets kept as pcapng |
//! | [`cli`] | the arguments of `archbench wire` |

pub mod capture;
pub mod cli;
pub mod connection;
mod error;
pub mod filter;
pub mod matcher;
mod message;
mod output;
mod run;
pub mod segment;
mod stream;
pub mod summary;
pub mod trace;

pub use connection::{Exchange, Matched};
pub use error::Error;
pub use matcher::{Counts, Matcher};
pub use run::run;
pub use segment::{LinkLayer, Segment};
