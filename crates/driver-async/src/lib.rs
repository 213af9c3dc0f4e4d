//! The driver for tasks: a session at a socket, worked on by a task that awaits where a thread would wait.
//!
//! It is `arch::blocking` in other words: each call of a [`Connection`] that may take long is awaited, and whoever awaits holds
//! neither a thread nor a buffer meanwhile. What a room decides stays in the room: which task serves whom, and who waits for the disk.
//!
//! ```text
//! while let Some(client) = acceptor.accept().await {
//!     tokio::spawn(async move {
//!         let mut connection = Connection::new(&client, &process);
//!         loop {
//!             match connection.advance() {
//!                 Next::Receive => connection.receive().await,
//!                 Next::Send(output) => connection.send(output).await,
//!                 Next::Work(work) => …            the room's own
//!                 …
//! ```
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`connection`] | a session at its socket |
//! | [`disk`] | works that may wait for the disk, as futures |
//! | [`acceptor`] | letting connections in, and waiting until all have gone |
//! | [`runtime`] | the threads: who runs tasks, and who waits for the disk |
//! | [`worker`] | what a thread needs while a task runs on it |
//!
//! The runtime waits for sockets, edge-triggered as all event loops here; the bytes go the way that all architectures share
//! (`arch::transport`). It asks a socket when it has been told to, or when it is not yet watched: a connection that is served before it
//! has to wait is never watched.

pub mod acceptor;
pub mod connection;
pub mod disk;
pub mod runtime;
pub mod worker;

pub use acceptor::Acceptor;
pub use connection::Connection;
pub use runtime::{Runtime, RuntimeOptions, Scheduler};
