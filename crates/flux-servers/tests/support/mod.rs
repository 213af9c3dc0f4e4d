//! What the tests of all servers share.

use std::net::SocketAddr;
use std::thread::JoinHandle;

/// All that a program runs on.
pub(crate) const RUNTIMES: [&str; 3] = ["thread", "pool", "event"];

/// A server in a thread of its own.
pub(crate) struct Running<Summary> {
    pub(crate) address: SocketAddr,
    stop: Box<dyn Fn()>,
    thread: JoinHandle<std::io::Result<Summary>>,
}

impl<Summary: Send + 'static> Running<Summary> {
    pub(crate) fn start(
        address: SocketAddr,
        stop: impl Fn() + 'static,
        run: impl FnOnce() -> std::io::Result<Summary> + Send + 'static,
    ) -> Self {
        Self {
            address,
            stop: Box::new(stop),
            thread: std::thread::spawn(run),
        }
    }

    /// Has it end; what it has done.
    pub(crate) fn stop(self) -> Summary {
        (self.stop)();
        self.thread.join().unwrap().unwrap()
    }
}
