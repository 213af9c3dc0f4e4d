//! What the threads of one process share, opened from the recipe.

use std::sync::Arc;
use std::time::{Duration, Instant};

use meter::{Event, Gauge, Meter};

use crate::buffers::RequestBuffers;
use crate::document::Files;
use crate::error::context;
use crate::listener::Listener;
use crate::options::ServeOptions;
use crate::security::Security;
use crate::stop::Stop;
use crate::worker::Worker;

/// How often stages are looked at.
const STAGES_EVERY: Duration = Duration::from_millis(100);

/// What the threads of one process share.
#[derive(Debug, Clone)]
pub struct ProcessContext {
    /// The socket that connections come to.
    pub listener: Arc<Listener>,
    /// The document root, with caches of this process.
    pub files: Arc<Files>,
    /// The page that everybody counts in.
    pub meter: Meter,
    /// Limits and time-outs.
    pub options: Arc<ServeOptions>,
    /// What connections are secured with; none in the clear.
    pub security: Option<Arc<Security>>,
    /// Which of several loops it is for, if there are several.
    pub loop_number: Option<usize>,
    /// Whether and when this process is to end.
    pub stop: Arc<Stop>,
    pub(crate) hands_over_requests: bool,
    pub(crate) gathers_frames: bool,
}

impl ProcessContext {
    /// The same for one of several loops, by its number: it accepts at the socket of that number, if there are several, and is
    /// counted as that one. How many there are was said to the meter before ([`Meter::loops`]).
    pub fn for_loop(&self, number: usize) -> Self {
        Self {
            loop_number: Some(number),
            ..self.clone()
        }
    }

    /// What one thread needs to serve connections, one after the other or many at a time. The thread counts as one that
    /// serves for as long as it has its worker; whoever starts one beforehand makes that for it, so that it counts from the start.
    pub fn worker(&self) -> Worker {
        Worker::new(self, Some(self.serving_thread()))
    }

    /// The same where the thread is counted already, or has others' connections in hand in the midst of whatever they do.
    pub fn uncounted_worker(&self) -> Worker {
        Worker::new(self, None)
    }

    /// Buffers for a request that goes from thread to thread. A worker has its own already.
    pub fn buffers(&self) -> Box<RequestBuffers> {
        let config = http::Config {
            keep_fields: self.hands_over_requests,
            gather_frames: self.gathers_frames,
            ..self.options.protocol()
        };
        Box::new(RequestBuffers::new(Arc::new(config)))
    }

    /// Has sessions hand requests over as values, with all of their fields, to whoever answers them ([`Work::request`]), in place of
    /// asking for files. For all workers and buffers that are made afterwards.
    ///
    /// [`Work::request`]: crate::Work::request
    pub fn hand_over_requests(&mut self) {
        self.hands_over_requests = true;
    }

    /// Has each DATA frame of HTTP/2 sent as an output of its own, for a transport that does not put their headers in between
    /// ([`Output::frames`]). For all workers and buffers that are made afterwards.
    ///
    /// [`Output::frames`]: crate::session::Output::frames
    pub fn send_frames_singly(&mut self) {
        self.gathers_frames = false;
    }

    /// Counts a thread as one that serves, though it has no worker, until it drops the guard. Whoever starts it takes the guard
    /// for it: a server that is stopped at once has had the thread, too.
    pub fn serving_thread(&self) -> ServingThread {
        self.meter.rise(Gauge::Threads);
        ServingThread(self.meter)
    }

    /// Names the stages that the room is made of, in the order in which they are to be shown, and has them looked at ten
    /// times a second from now on.
    ///
    /// # Errors
    /// With more stages than there is room for, or where the thread that looks cannot be started.
    pub fn stages<const N: usize>(
        &self,
        names: [&str; N],
    ) -> std::io::Result<[meter::StageCounters; N]> {
        let stages = self.meter.stages(names)?;
        self.look_at_stages()?;
        Ok(stages)
    }

    /// The same where it is known only now how many there are.
    ///
    /// # Errors
    /// Likewise.
    pub fn stages_of(&self, names: &[String]) -> std::io::Result<Vec<meter::StageCounters>> {
        let mut stages = Vec::new();
        for name in names {
            stages.extend(self.meter.stages([name.as_str()])?);
        }
        self.look_at_stages()?;
        Ok(stages)
    }

    fn look_at_stages(&self) -> std::io::Result<()> {
        let meter = self.meter;
        let look = move || {
            let started = Instant::now();
            loop {
                std::thread::sleep(STAGES_EVERY);
                meter.look_at_stages(started.elapsed());
            }
        };
        std::thread::Builder::new()
            .name("stages".into())
            .stack_size(64 << 10)
            .spawn(look)
            .map(drop)
            .map_err(context("cannot start the thread that looks at the stages"))
    }

    /// Has the process end in good order, since it cannot go on.
    pub fn stop(&self) {
        self.stop.begin(true);
        self.listener.shut();
    }

    /// A worker or helper died, and another takes its place.
    pub fn count_replaced(&self) {
        self.meter.counters().count(Event::Replaced, 1);
    }

    /// Waits, when the server is stopping, until the connections of this process are over.
    pub fn wait_until_empty(&self) {
        self.listener
            .wait_until_empty(|now| self.stop.is_overdue(now));
    }
}

/// A thread that serves.
#[derive(Debug)]
pub struct ServingThread(Meter);

impl Drop for ServingThread {
    fn drop(&mut self) {
        self.0.fall(Gauge::Threads);
    }
}
