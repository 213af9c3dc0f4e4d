//! The options that every model has: what is served, its limits, its time-outs, its caches.

use std::path::PathBuf;
use std::time::Duration;

use workload::units;

use crate::address::Address;
use crate::privileges::User;
use crate::security::SecurityOptions;
use crate::transport::{self, SendPath};

/// A switch, written `on` or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Switch {
    /// Yes.
    On,
    /// No.
    Off,
}

impl Switch {
    /// Whether it is on.
    pub fn is_on(self) -> bool {
        self == Self::On
    }
}

/// What every model is told.
#[derive(Debug, Clone, clap::Args)]
pub struct ServeOptions {
    /// Directory to serve; without it, a built-in file set, made once in the user's cache directory
    #[arg(long, value_name = "DIR", help_heading = "Server")]
    pub root: Option<PathBuf>,
    /// Where to listen: an address or host name with a port, of which 0 picks a free one; a port alone, on this machine only; or a
    /// Unix socket, as unix:PATH or unix:@NAME
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:8080",
        help_heading = "Server"
    )]
    pub addr: Address,
    /// Who may connect to a Unix socket with a path, as the mode of its file: all who can reach its directory, by default
    #[arg(long, value_name = "OCTAL", default_value = "666", value_parser = mode, help_heading = "Server")]
    pub socket_mode: u32,
    /// Connections that may wait to be accepted; the kernel caps it at net.core.somaxconn
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(i32).range(1..), help_heading = "Server")]
    pub backlog: i32,
    /// Let the kernel keep a new connection back until its first request is there, for a second at most, as nginx's 'deferred' does: no
    /// wake-up is in vain. For TCP only
    #[arg(long, help_heading = "Server")]
    pub defer_accept: bool,
    /// Serve files and directories whose names begin with a dot; /.well-known/ is served in any case
    #[arg(long, help_heading = "Server")]
    pub dotfiles: bool,
    /// Serve as this user when started as root: once the address is bound, root's rights are given up for good. Names or
    /// numbers
    #[arg(long, value_name = "NAME[:GROUP]", help_heading = "Server")]
    pub user: Option<User>,

    /// Speak HTTP/2 beside HTTP/1.1 on the same port: in the clear to clients that begin with its preface, over TLS to those that
    /// choose it
    #[arg(
        long,
        value_name = "on|off",
        default_value = "off",
        hide_possible_values = true,
        help_heading = "Server"
    )]
    pub http2: Switch,

    /// Keep connections open between requests. Where a worker serves one connection at a time, the clients beyond the
    /// workers wait until a connection ends; 'off' lets them take turns
    #[arg(
        long,
        value_name = "on|off",
        default_value = "on",
        hide_possible_values = true,
        help_heading = "Limits"
    )]
    pub keep_alive: Switch,
    /// Close a connection after this many requests; 0 for no limit
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Limits")]
    pub max_requests_per_connection: u64,
    /// Ranges that one request may ask for; more, or ranges that add up to more than the file, are answered with the whole
    /// file; 0 ignores them
    #[arg(long, value_name = "N", default_value_t = 100, help_heading = "Limits")]
    pub max_ranges: usize,
    /// Connections served at a time, in each process; more wait in the backlog; 0 for no limit
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Limits")]
    pub max_connections: usize,

    /// Close a connection that has been idle this long
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = time_out, help_heading = "Time-outs")]
    pub idle_timeout: Duration,
    /// Time for a request to come whole, from its first byte; then 408
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = units::duration, help_heading = "Time-outs")]
    pub request_timeout: Duration,
    /// Drop a client that has taken no byte of its answer for this long
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time_out, help_heading = "Time-outs")]
    pub send_timeout: Duration,
    /// Time for a client to close its side after the last answer of a connection; what it still sends meanwhile is dropped
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = units::duration, help_heading = "Time-outs")]
    pub linger_timeout: Duration,
    /// Time for the answers under way when the server is told to stop
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = units::duration, help_heading = "Time-outs")]
    pub drain_timeout: Duration,

    /// Files to keep open with their names, in each process; 0 to open a file for every request
    #[arg(
        long,
        value_name = "N",
        default_value_t = 4096,
        help_heading = "Caches and data path"
    )]
    pub name_cache: usize,
    /// Close files that nobody has asked for in this time: a deleted one gives its space back, and a file system can be
    /// unmounted
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = time_out, help_heading = "Caches and data path")]
    pub name_cache_idle: Duration,
    /// How long a name is used before it is looked up afresh, and a copy before it is held against its file
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = units::duration, help_heading = "Caches and data path")]
    pub revalidate: Duration,
    /// Compute the headers of an answer once for each file, not once for each request
    #[arg(
        long,
        value_name = "on|off",
        default_value = "on",
        hide_possible_values = true,
        help_heading = "Caches and data path"
    )]
    pub header_cache: Switch,
    /// Bytes of files to hold in memory, in each process: small ones as copies, larger ones that are wanted often locked in
    /// the page cache; 0 for none. Must be well below the memory that the server may use
    #[arg(long, value_name = "SIZE", default_value = "64m", value_parser = units::size, help_heading = "Caches and data path")]
    pub content_cache: u64,
    /// The largest file that is held as a copy
    #[arg(long, value_name = "SIZE", default_value = "8k", value_parser = units::size, help_heading = "Caches and data path")]
    pub content_cache_file: u64,
    /// Bytes of files on their way in memory of the server, in each process, where the kernel keeps none that could be sent
    /// without waiting: for helpers that wait for the disk, as those of amped. When it is used up, each connection has 16 KiB at a time
    #[arg(long, value_name = "SIZE", default_value = "16m", value_parser = units::size, help_heading = "Caches and data path")]
    pub helper_memory: u64,
    /// Bodies in memory from this size on are gathered by the kernel; smaller ones are copied beside their head
    #[arg(long, value_name = "SIZE", default_value = transport::GATHER_FROM, value_parser = units::size, help_heading = "Caches and data path")]
    pub gather_from: u64,
    /// How the bytes of files that are not in the content cache leave
    #[arg(
        long,
        value_name = "PATH",
        default_value = "sendfile",
        help_heading = "Caches and data path"
    )]
    pub send_path: SendPath,
    /// Make the files below PREFIX slow: each look-up on disk and each first read takes this long, in whichever thread
    /// does it; with PREFIX=MS:N, one in so many of either alone. Shows who waits: compare sped and amped
    #[arg(long, value_name = "PREFIX=MS", help_heading = "Caches and data path")]
    pub slow: Option<files::Slow>,
    /// Panic whenever a file below PREFIX is looked up on disk, in whichever thread or process does it. Shows what a defect
    /// costs: compare sped and mp
    #[arg(long, value_name = "PREFIX", help_heading = "Caches and data path")]
    pub panic: Option<files::Defect>,

    /// TLS
    #[command(flatten)]
    pub security: SecurityOptions,
}

impl ServeOptions {
    /// What of them the protocol has to know.
    pub fn protocol(&self) -> http::Config {
        http::Config {
            keep_alive: self.keep_alive.is_on(),
            max_requests_per_connection: self.max_requests_per_connection,
            max_ranges: self.max_ranges,
            ..http::Config::default()
        }
    }
}

/// Reads the mode of a socket's file.
fn mode(text: &str) -> Result<u32, String> {
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|mode| *mode <= 0o777)
        .ok_or_else(|| "expected three octal digits, like 660".to_owned())
}

/// Reads a span of time that is more than nothing: a time-out that the kernel keeps, to which nothing means for ever, or a period.
///
/// # Errors
/// In words, for the command line.
pub fn time_out(text: &str) -> Result<Duration, String> {
    match units::duration(text) {
        Ok(Duration::ZERO) => Err("must be more than nothing, like 1ms".to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(error.to_string()),
    }
}

/// Reads a span of time, which may be none.
///
/// # Errors
/// In words, for the command line.
pub fn time(text: &str) -> Result<Duration, String> {
    units::duration(text).map_err(|error| error.to_string())
}

/// Reads an amount of memory, like `64m`.
///
/// # Errors
/// Where it is none.
pub fn memory(text: &str) -> Result<u64, String> {
    units::size(text).map_err(|error| error.to_string())
}

/// Reads the size of a thread's stack; at least 64 KiB, which the work on a session needs.
///
/// # Errors
/// In words, for the command line.
pub fn stack_size(text: &str) -> Result<usize, String> {
    let bytes = units::size(text).map_err(|error| error.to_string())?;
    usize::try_from(bytes)
        .ok()
        .filter(|bytes| (64 << 10..=1 << 30).contains(bytes))
        .ok_or_else(|| format!("'{text}' is not a stack: expected a size from 64k to 1g"))
}
