//! Letting connections in, and waiting until all have gone.

use std::future::poll_fn;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arch::{Client, ProcessContext};
use meter::Counters;
use sys::watched::Watched;
use tokio::io::Interest;
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

/// How often whoever waits for connections to end looks at the drain deadline.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long connections have, once they are broken off, to notice it.
pub(crate) const GRACE: Duration = Duration::from_millis(500);

/// Lets connections in for tasks to serve.
pub struct Acceptor<'a> {
    process: &'a ProcessContext,
    acceptor: arch::Acceptor,
    watched: Watched<'a>,
    counters: Counters,
    inside: mpsc::Sender<()>,
    all_gone: mpsc::Receiver<()>,
}

/// A connection that was let in, until its task drops it.
#[derive(Debug)]
pub struct Admitted {
    /// Its socket.
    pub client: Arc<Client>,
    _inside: mpsc::Sender<()>,
}

impl<'a> Acceptor<'a> {
    /// An acceptor at the listener of `process`, which from now on makes nobody wait.
    ///
    /// # Errors
    /// What the kernel reports.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn new(process: &'a ProcessContext) -> io::Result<Self> {
        let (inside, all_gone) = mpsc::channel(1);
        Ok(Self {
            process,
            acceptor: arch::Acceptor::new(Arc::clone(&process.listener))?,
            watched: Watched::new(process.listener.as_fd(), Interest::READABLE)?,
            counters: process.meter.counters(),
            inside,
            all_gone,
        })
    }

    /// The next connection; `None` when the server is stopping.
    pub async fn accept(&mut self) -> Option<Admitted> {
        loop {
            if let Some(client) = self.acceptor.admit(&self.counters) {
                return Some(Admitted {
                    client: Arc::new(client),
                    _inside: self.inside.clone(),
                });
            }
            if self.process.stop.is_stopping() {
                return None;
            }
            match self.acceptor.poll_timeout() {
                None => self.notice().await,
                // Those that are inside have their turn.
                Some(Duration::ZERO) => yield_now().await,
                Some(pause) => sleep(pause).await,
            }
        }
    }

    /// Waits until somebody is there.
    async fn notice(&mut self) {
        let noticed = poll_fn(|context| {
            let ready = self.watched.poll_read_ready(context);
            // Cleared before anybody is let in: who comes from now on is heard of.
            ready.map_ok(|mut ready| ready.clear_ready())
        });
        match noticed.await {
            Ok(()) => self.acceptor.notify(),
            // The runtime has shut down, and drops this task.
            Err(_) => std::future::pending().await,
        }
    }

    /// Waits until all connections are over; a little longer than the drain deadline at most, when all are broken off.
    pub async fn wait_until_empty(self) {
        let Self {
            process,
            inside,
            mut all_gone,
            ..
        } = self;
        drop(inside);
        while timeout(LOOK_EVERY, all_gone.recv()).await.is_err() {
            if process.stop.is_overdue(Instant::now() - GRACE) {
                return;
            }
        }
    }
}
