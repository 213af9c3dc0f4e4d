//! What is served, where and within which limits: the recipe that a room receives.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{AsFd, RawFd};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use meter::{Gauge, Meter};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::architecture::Sockets;
use crate::document::Files;
use crate::limits::free_descriptors_below;
use crate::listener::Listener;
use crate::options::ServeOptions;
use crate::privileges::{Privileges, User};
use crate::process::ProcessContext;
use crate::remarks::Remarks;
use crate::security::Security;
use crate::stop::{Role, Stop};

/// How often a process that has nothing else to do looks for files to close, at most.
const CHORES_AT_MOST_EVERY: Duration = Duration::from_millis(10);

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
            gathers_frames: true,
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
