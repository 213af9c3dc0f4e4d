//! A socket that parks its fiber where a blocking one would have its thread wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arch::session::{Output, SendError};
use arch::transport::{self, SendVia, Sent};
use arch::{Client, Done, Files, Readiness, ServeOptions, Step, Transport, Work, blocking};
use fiber::{Fiber, Offload, Place, Watched};
use rustix::io::Errno;

static RECEIVE: Place = Place::new("receive");
static SEND: Place = Place::new("send");
static DISK: Place = Place::new("disk");
static FIND: Place = Place::new("find");
static LOAD: Place = Place::new("load");
static SOURCE: Place = Place::new("source");

/// The transport that the blocking driver is given. All of it lies on the fiber's stack, and goes where that goes.
pub(crate) struct ParkingSocket<'a> {
    pub(crate) fiber: &'a Fiber<'a>,
    /// Dropped before the socket is closed.
    watched: Option<Watched>,
    client: Arc<Client>,
    /// What the kernel has said of the socket, and nothing has been found to the contrary.
    readiness: Readiness,
    /// How long to wait for a client that does not read, until it is looked at.
    look_after: Duration,
    helpers: Option<Offload>,
    files: Arc<Files>,
}

impl<'a> ParkingSocket<'a> {
    /// For a connection that has just been accepted, of which it is taken that something has been sent already. Files are waited for by
    /// helpers, if there are any.
    pub(crate) fn new(
        fiber: &'a Fiber<'a>,
        client: Arc<Client>,
        options: &ServeOptions,
        files: Arc<Files>,
        helpers: Option<Offload>,
    ) -> Self {
        Self {
            fiber,
            watched: None,
            client,
            readiness: Readiness {
                readable: true,
                writable: true,
                ..Readiness::default()
            },
            look_after: blocking::look_after(options),
            helpers,
            files,
        }
    }

    /// Parks until there is news of the socket; whether there is any before the deadline.
    fn wait(&mut self, place: &'static Place, deadline: Instant) -> Result<bool, Errno> {
        let watched = match &mut self.watched {
            Some(watched) => watched,
            // Under load the request has come with the connection, and one request has been answered before it has to be watched.
            none => {
                let watched = Watched::socket(self.fiber, &*self.client);
                none.insert(watched.map_err(|_| Errno::NOMEM)?)
            }
        };
        let news = watched.wait(self.fiber, place, Some(deadline));
        if let Some(news) = news {
            self.readiness.add(Readiness {
                readable: news.readable,
                writable: news.writable,
                is_ended: news.is_ended,
                is_urgent: news.is_urgent,
            });
        }
        Ok(news.is_some())
    }
}

impl Transport for ParkingSocket<'_> {
    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, Errno> {
        let received = transport::receive(&*self.client, buffer);
        let Readiness {
            is_ended,
            is_urgent,
            ..
        } = self.readiness;
        match received {
            // A stream gives all that it has: a short read means that more has to be waited for.
            Ok(count) => {
                self.readiness.readable = count == buffer.len() || is_ended || is_urgent;
            }
            Err(Errno::AGAIN) => {
                (self.readiness.readable, self.readiness.is_urgent) = (false, false);
            }
            Err(_) => {}
        }
        received
    }

    fn send(&mut self, output: &Output, via: &mut SendVia) -> Result<Sent, SendError> {
        let deadline = Instant::now() + self.look_after;
        loop {
            if self.readiness.writable {
                let sent = transport::send(&*self.client, output, via)?;
                self.readiness.writable = !sent.is_full;
                if sent.bytes > 0 {
                    return Ok(sent);
                }
            }
            let is_news = self.wait(&SEND, deadline);
            if !is_news.map_err(|_| SendError::Broken)? {
                return Ok(Sent {
                    bytes: 0,
                    is_full: true,
                });
            }
        }
    }

    fn shutdown_write(&mut self) {
        self.client.shutdown_write();
    }

    fn unacknowledged(&self) -> Option<u64> {
        self.client.unacknowledged()
    }
}

impl blocking::Waiting for ParkingSocket<'_> {
    fn receive_within(&mut self, buffer: &mut [u8], time: Duration) -> Result<usize, Errno> {
        let deadline = Instant::now() + time;
        loop {
            if self.readiness.readable {
                match self.receive(buffer) {
                    Err(Errno::AGAIN) => {}
                    received => return received,
                }
            }
            if !self.wait(&RECEIVE, deadline)? {
                return Err(Errno::AGAIN);
            }
        }
    }

    /// With helpers, nothing is waited for here: what the kernel has in memory is done at once, and a helper prepares the rest.
    fn run(&mut self, mut work: Work, files: &Files, now: Instant) -> Done {
        let Some(helpers) = &self.helpers else {
            return work.run(files, now);
        };
        loop {
            work = match work.try_run(files, now) {
                Ok(done) => return done,
                Err(work) => {
                    let place = match work.step() {
                        Some(Step::Load) => &LOAD,
                        _ => &FIND,
                    };
                    let _disk = self.fiber.within(&DISK);
                    let files = Arc::clone(&self.files);
                    helpers.call(self.fiber, place, move || work.prepare(&files))
                }
            };
        }
    }

    /// Nobody interrupts a fiber, so a client of many requests has to give way.
    fn yield_now(&mut self) {
        self.fiber.yield_now();
    }

    fn pause(&mut self, at_most: Duration) {
        self.fiber.park_until(&SOURCE, Instant::now() + at_most);
    }
}
