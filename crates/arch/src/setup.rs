//! What is served, where and within which limits: the recipe, what a process opens from it, what a thread needs.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{AsFd, RawFd};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use meter::{Counters, Event, Gauge, Meter};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

use crate::architecture::Sockets;
use crate::buffers::RequestBuffers;
use crate::document::Files;
use crate::error::context;
use crate::limits::free_descriptors_below;
use crate::listener::Listener;
use crate::options::ServeOptions;
use crate::privileges::{Privileges, User};
use crate::remarks::Remarks;
use crate::security::Security;
use crate::session::{Delivery, FileAnswer, Session};
use crate::stop::{Role, Stop};
use crate::timing::Timer;
use crate::transport::SendVia;

/// How often a process that has nothing else to do looks for files to close, at most.
const CHORES_AT_MOST_EVERY: Duration = Duration::from_millis(10);

/// How often stages are looked at.
const STAGES_EVERY: Duration = Duration::from_millis(100);

/// The recipe that a room receives. What is shared between its processes, and what each of them makes for itself, is
/// the room's own decision.
#[derive(Debug, Clone)]
pub struct ServerSetup {
    /// The socket that connections come to; bound and listening.
    pub listener: Arc<Listener>,
    /// The document root and its caches.
    pub files: files::Recipe,
    /// The page that everybody counts in.
    pub meter: Meter,
    /// What the room says of itself at its end.
    pub remarks: Remarks,
    /// Limits and time-outs.
    pub options: Arc<ServeOptions>,
    /// What connections are secured with; none in the clear.
    pub security: Option<Arc<Security>>,
}

impl ServerSetup {
    /// Binds the address, becomes the user that is to serve, and takes the rest from the options; nothing is served yet.
    /// Call it before any thread starts: from here on the signals that stop a server wait to be taken.
    ///
    /// # Errors
    /// What is wrong with the address, the user or the root, in words for the person who gave it.
    pub fn new(options: ServeOptions, root: &Path) -> std::io::Result<Self> {
        Self::with_sockets(Sockets::ONE, options, root)
    }

    /// The same with so many sockets at the address, for an architecture that [asks](crate::Architecture::sockets) for them.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_sockets(
        sockets: Sockets,
        options: ServeOptions,
        root: &Path,
    ) -> std::io::Result<Self> {
        let user = options.user.as_ref().map(User::look_up).transpose()?;
        let listener = Listener::open(&options, sockets)?;
        Self::of(listener, user, options, root)
    }

    /// The same for an architecture that [listens itself](crate::Architecture::listen), and does so already.
    ///
    /// # Errors
    /// What only the kernel's sockets have, or what is wrong with the user or the root, in words for the person who gave it.
    pub fn without_sockets(
        address: SocketAddr,
        options: ServeOptions,
        root: &Path,
    ) -> std::io::Result<Self> {
        if options.defer_accept {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "this model's network stack is its own, and the kernel keeps no connection back for it: leave --defer-accept out",
            ));
        }
        let user = options.user.as_ref().map(User::look_up).transpose()?;
        Self::of(Listener::of_own_stack(address)?, user, options, root)
    }

    fn of(
        listener: Listener,
        user: Option<Privileges>,
        options: ServeOptions,
        root: &Path,
    ) -> std::io::Result<Self> {
        let own = options.security.make_own(listener.address())?;
        if let Some(user) = user {
            allow_locking(options.content_cache);
            user.drop_to()?;
        }
        // What was given is read by whoever is to read it again.
        let security = match own {
            None => options.security.read_given()?,
            own => own,
        };
        let security = match options.http2.is_on() {
            true => security.map(Security::offering_http2),
            false => security,
        };
        let files = recipe(&options, root)?;
        Stop::block_signals()?;
        let meter = Meter::new()?;
        meter.rise(Gauge::Processes);
        Ok(Self {
            listener: Arc::new(listener),
            files,
            meter,
            remarks: Remarks::default(),
            options: Arc::new(options),
            security: security.map(Arc::new),
        })
    }

    /// Leaves the descriptors below `end` to sockets, and lets in only so many connections as find one: for whoever cannot watch
    /// those beyond. Where the process may not have more than those, files have what sockets leave of them.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn keep_sockets_below(&mut self, end: RawFd) -> std::io::Result<()> {
        let limit = getrlimit(Resource::Nofile).current;
        if limit.is_none_or(|limit| limit > end.unsigned_abs().into()) {
            self.files.lowest_descriptor = end;
            let any = self.listener.as_fd();
            self.listener.limit(free_descriptors_below(end, any)?);
        }
        Ok(())
    }

    /// Opens the setup for a process that serves alone.
    ///
    /// # Errors
    /// Where the thread that waits for signals cannot be started.
    pub fn open(&self) -> std::io::Result<ProcessContext> {
        self.open_and_watch(Role::Alone)
    }

    /// Opens the setup for a process whose parent decides when it ends.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_as_worker(&self) -> std::io::Result<ProcessContext> {
        self.open_and_watch(Role::Worker)
    }

    /// Opens the setup for a process that takes its signals itself.
    ///
    /// # Errors
    /// Where a cache of the size that was asked for cannot be made.
    pub fn open_unwatched(&self) -> std::io::Result<ProcessContext> {
        Ok(ProcessContext {
            listener: Arc::clone(&self.listener),
            files: Arc::new(Files::open(self.files.clone(), describe)?),
            meter: self.meter,
            options: Arc::clone(&self.options),
            security: self.security.clone(),
            loop_number: None,
            hands_over_requests: false,
            stop: Arc::new(Stop::new(self.options.drain_timeout)),
        })
    }

    fn open_and_watch(&self, role: Role) -> std::io::Result<ProcessContext> {
        let process = self.open_unwatched()?;
        let (stop, listener) = (Arc::clone(&process.stop), Arc::clone(&self.listener));
        let (files, tickets) = (Arc::clone(&process.files), process.security.clone());
        let every = (self.options.name_cache_idle / 4).max(CHORES_AT_MOST_EVERY);
        let chores = move || {
            files.close_idle(Instant::now());
            if let Some(security) = &tickets {
                security.tickets().advance();
            }
        };
        let security = process.security.clone();
        Stop::watch(stop, listener, role, security, every, chores)?;
        Ok(process)
    }
}

/// How the options have the files below `root` looked after.
///
/// # Errors
/// What is wrong with the root, in words for the person who gave it.
fn recipe(options: &ServeOptions, root: &Path) -> std::io::Result<files::Recipe> {
    Ok(files::Recipe {
        root: files::Root::open(root).map_err(|error| unservable(root, options, error))?,
        name_cache: names_that_fit(options.name_cache),
        name_cache_idle: options.name_cache_idle,
        revalidate: options.revalidate,
        header_cache: options.header_cache.is_on(),
        content_cache_bytes: options.content_cache,
        content_cache_file_bytes: options.content_cache_file,
        helper_memory_bytes: options.helper_memory,
        dotfiles: options.dotfiles,
        lowest_descriptor: 0,
        slow: options.slow.clone(),
        defect: options.panic.clone(),
    })
}

/// The files below `root`, for a session that is driven without a server.
///
/// # Errors
/// What is wrong with the root, or that a cache of the size that was asked for cannot be made.
pub fn files(options: &ServeOptions, root: &Path) -> std::io::Result<Files> {
    Files::open(recipe(options, root)?, describe)
}

/// Why a root cannot be served, and what to do about it.
fn unservable(root: &Path, options: &ServeOptions, error: Error) -> Error {
    let hint = match error.kind() {
        ErrorKind::NotFound => "make it, or choose another directory with --root",
        ErrorKind::PermissionDenied => "choose one that this user may enter with --root",
        ErrorKind::NotADirectory => "choose a directory with --root",
        _ => "choose another directory with --root",
    };
    let root = root.display();
    let who = match &options.user {
        Some(user) => format!(" as {user}"),
        None => String::new(),
    };
    Error::new(
        error.kind(),
        format!("cannot serve {root}{who}: {error}; {hint}"),
    )
}

/// Whoever is not privileged may lock only so much, and large files of the content cache are locked. Where it cannot be raised,
/// what is beyond it is asked about instead.
fn allow_locking(content_cache: u64) {
    let limit = getrlimit(Resource::Memlock);
    if limit.current.is_some_and(|most| most < content_cache) {
        let raised = Some(content_cache);
        let _ = setrlimit(
            Resource::Memlock,
            Rlimit {
                current: raised,
                maximum: limit.maximum.and(limit.maximum.max(raised)),
            },
        );
    }
}

/// How many names may be remembered, each with an open file: connections need descriptors as well.
fn names_that_fit(wanted: usize) -> usize {
    let descriptors = getrlimit(Resource::Nofile).current;
    descriptors.map_or(wanted, |descriptors| {
        wanted.min(usize::try_from(descriptors / 2).unwrap_or(usize::MAX))
    })
}

pub(crate) fn describe(file: &files::Metadata<'_>) -> http::Entity {
    let state = http::FileState {
        len: file.len,
        modified: file.modified,
        changed: file.changed,
        revision: file.revision,
    };
    http::Entity::new(file.name, state)
}

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
    hands_over_requests: bool,
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
    /// serves for as long as it has its worker.
    pub fn worker(&self) -> Worker {
        self.worker_of(Some(self.serving_thread()))
    }

    /// The same for one connection, where a thread has others in hand in the midst of whatever they do. It counts as no thread.
    pub fn worker_of_connection(&self) -> Worker {
        self.worker_of(None)
    }

    fn worker_of(&self, serving: Option<ServingThread>) -> Worker {
        let mut worker = Worker {
            _serving: serving,
            files: Arc::clone(&self.files),
            options: Arc::clone(&self.options),
            security: self.security.clone(),
            stop: Arc::clone(&self.stop),
            counters: match self.loop_number {
                Some(number) => self.meter.counters_of_loop(number),
                None => self.meter.counters(),
            },
            buffers: self.buffers(),
            via: SendVia::new(self.options.send_path),
            now: Instant::now(),
            unix_s: 0,
        };
        worker.tick();
        worker
    }

    /// Buffers for a request that goes from thread to thread. A worker has its own already.
    pub fn buffers(&self) -> Box<RequestBuffers> {
        let config = http::Config {
            keep_fields: self.hands_over_requests,
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

    /// Counts the calling thread as one that serves, though it has no worker, until the guard is dropped.
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

/// What one thread needs only while it works on a session, so that an idle session owns none of it.
#[derive(Debug)]
pub struct Worker {
    /// The document root.
    pub files: Arc<Files>,
    /// This thread's counters.
    pub counters: Counters,
    /// When the thread last looked at the clock; an event loop looks once for each batch of events.
    pub now: Instant,
    _serving: Option<ServingThread>,
    pub(crate) options: Arc<ServeOptions>,
    security: Option<Arc<Security>>,
    pub(crate) stop: Arc<Stop>,
    pub(crate) buffers: Box<RequestBuffers>,
    pub(crate) via: SendVia,
    /// The time of day, in seconds since the epoch.
    unix_s: u64,
}

impl Worker {
    /// Looks at the clock.
    #[inline]
    pub fn tick(&mut self) {
        self.now = Instant::now();
        let wall = clock_gettime(ClockId::RealtimeCoarse);
        self.unix_s = u64::try_from(wall.tv_sec).unwrap_or(0);
        self.buffers.scratch.set_time(self.unix_s);
    }

    /// A session for a connection on which nothing has come.
    pub(crate) fn session(&self) -> Session {
        match &self.security {
            None if self.options.http2.is_on() => Session::of_either(self.options.gather_from),
            None => Session::new(self.options.gather_from),
            Some(security) => Session::secured(self.options.gather_from, security),
        }
    }

    /// Takes `buffers` into use and gives those that were: done before an endpoint is worked on that has come with its own, and
    /// again after.
    #[inline]
    pub fn exchange(&mut self, buffers: &mut Box<RequestBuffers>) {
        std::mem::swap(&mut self.buffers, buffers);
        self.buffers.scratch.set_time(self.unix_s);
    }

    /// Whether something was received that the session at work has not taken yet.
    #[inline]
    pub fn has_rest(&self) -> bool {
        self.buffers.has_rest()
    }

    /// A defect has ended the work on a connection: that is counted, and what the connection leaves in the buffers is given up.
    pub fn defect(&mut self) {
        self.buffers.clear();
        self.counters.count(Event::Broken, 1);
    }

    /// The steps of answering a request, which was handed over, with the file that it means.
    pub fn answer_with_file(&self, request: Arc<http::Request>) -> FileAnswer {
        let delivery = match self.security {
            None => Delivery::PageCache,
            // They have to be encrypted.
            Some(_) => Delivery::Memory,
        };
        FileAnswer::new(request, self.unix_s, self.options.max_ranges, delivery)
    }

    /// Whether the server is stopping.
    #[inline]
    pub fn is_stopping(&self) -> bool {
        self.stop.is_stopping()
    }

    /// Whether this process alone is to end, and leaves whoever comes to others at the listener.
    #[inline]
    pub fn is_leaving(&self) -> bool {
        self.stop.is_stopping() && !self.stop.is_closing()
    }

    /// Whether the drain deadline has passed.
    #[inline]
    pub fn is_overdue(&self) -> bool {
        self.stop.is_overdue(self.now)
    }

    /// Has a session receive what was read and is not used up.
    #[inline]
    pub(crate) fn parse(&mut self, session: &mut Session) {
        let RequestBuffers {
            input,
            rest,
            scratch,
            ..
        } = &mut *self.buffers;
        rest.start += session.receive(&input[rest.clone()], scratch);
        if self.stop.is_stopping() {
            session.finish();
        }
    }

    /// Counts what went wrong with a session.
    #[inline]
    pub(crate) fn count_events(&mut self) {
        let events = &mut self.buffers.scratch.events;
        if !events.is_empty() {
            for event in events.drain(..) {
                self.counters.count(event, 1);
            }
        }
    }

    /// Counts what has come of a session: the answers that have left whole, each with the time since its request was readable,
    /// and what went wrong.
    #[inline]
    pub(crate) fn account(&mut self, readable_at: Instant, timer: &mut Timer) {
        self.count_events();
        let settled = &mut self.buffers.scratch.settled;
        if settled.is_empty() {
            return;
        }
        let now = Instant::now();
        let latency = now.saturating_duration_since(readable_at);
        for answer in settled.drain(..) {
            self.counters.answered(answer.status, latency);
        }
        timer.restart(now);
    }
}
