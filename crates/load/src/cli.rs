//! The arguments of `archbench load`, as they are typed.

mod several;
mod values;

use crate::mix::Mix;
use crate::output::Format;
use crate::schedule::Think;
use crate::security::Resume;
use crate::slo::Slo;
use crate::statuses::Statuses;
use crate::target::Field;
use clap::{ArgAction, Args, ValueEnum};
pub use several::Several;
use std::path::{Path, PathBuf};
use std::time::Duration;
use values::{cores, no_http3, positive, positive_duration, refuse_correction, refuse_q, think};
use workload::{Arrival, Preset, RateStages, units};

/// Put load on a server of HTTP/1.1 or HTTP/2, in the clear or over TLS, and measure how it answers.
///
/// The figure reported first is the response time: from the moment a request was *due* to the last byte of its answer, so that a server that stalls
/// is seen to stall. A generator that could not keep up says so: it calls the run INVALID rather than the server slow.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// What to ask for: http:// or https:// URLs, all of one server, each as often as the others. Without any, the address and the built-in file set of a
    /// bare `archbench serve`
    #[arg(value_name = "URL", help_heading = "What is asked for")]
    pub urls: Vec<String>,

    /// A server behind a Unix socket, by its path, or @NAME for one in the abstract namespace; the URLs say what is asked for there, and
    /// whose name the Host field has (http://localhost if there is none)
    #[arg(
        long,
        value_name = "PATH",
        help_heading = "What is asked for",
        conflicts_with = "all_addresses"
    )]
    pub unix: Option<PathBuf>,

    /// Where the host has several addresses, connect to all of them in turn rather than to the first that can be connected to
    #[arg(long, help_heading = "What is asked for")]
    pub all_addresses: bool,

    /// A file of URLs, one a line, each with its weight behind it if that is not 1, and GET or HEAD before it if that is not --method; - is
    /// standard input, here and wherever a file is read
    #[arg(long, value_name = "FILE", help_heading = "What is asked for", conflicts_with_all = ["urls", "files", "replay"])]
    pub urls_file: Option<PathBuf>,

    /// A file set with its own popularity, like specweb99:60, uniform:1000:16k or single:1k, at the URL given (http://127.0.0.1:8080 if none is)
    #[arg(
        long,
        value_name = "PRESET",
        help_heading = "What is asked for",
        conflicts_with = "replay"
    )]
    pub files: Option<Preset>,

    /// The seed that the contents of the file set were made from
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        help_heading = "What is asked for"
    )]
    pub files_seed: u64,

    /// An access log in common or combined format: its GET and HEAD requests, in its order, at the URL given
    #[arg(long, value_name = "LOG", help_heading = "What is asked for")]
    pub replay: Option<PathBuf>,

    /// Replay the log in its own time too
    #[arg(long, requires = "replay", conflicts_with_all = ["rate", "stages", "arrival", "poisson"], help_heading = "What is asked for")]
    pub replay_timing: bool,

    /// Ways of asking for a file of the set, with their shares: whole, range (206), unchanged (a condition that makes it 304), changed (one that
    /// does not), like whole=8,range=1,unchanged=1. With --verify, status and body must be what the way asks for;
    /// a server that ignores ranges or conditions, as it may, fails it
    #[arg(long, value_name = "WAY=SHARE,…", conflicts_with_all = ["urls_file", "replay", "method"], help_heading = "What is asked for")]
    pub mix: Option<Mix>,

    /// The method of every request
    #[arg(long, value_enum, default_value_t = Method::Get, conflicts_with = "replay", help_heading = "What is asked for")]
    pub method: Method,

    /// A field for the head of every request; repeatable
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = Field::parse, help_heading = "What is asked for")]
    pub headers: Vec<Field>,

    /// Which status codes are good answers, as a list of codes and ranges like 200,304,404; others count as failures
    #[arg(
        long,
        value_name = "STATUSES",
        default_value_t,
        help_heading = "What is asked for"
    )]
    pub expect: Statuses,

    /// Compare every body: with what the file set must hold, or else with the first answer to the same URL
    #[arg(long, help_heading = "What is asked for")]
    pub verify: bool,

    /// Closed loop: the number of clients. Open loop: the number of connections opened at the start
    #[arg(short = 'c', long, alias = "clients", value_name = "N", default_value = "64", value_parser = positive, help_heading = "When it is asked (closed loop, unless a rate is given)")]
    pub connections: u64,

    /// Open loop: so many requests are due each second, whatever becomes of those before. 5000, 5k, 100/s, 6000/m
    #[arg(short = 'R', long, alias = "qps", value_name = "RATE", value_parser = units::rate, conflicts_with = "stages", help_heading = "When it is asked (closed loop, unless a rate is given)")]
    pub rate: Option<f64>,

    /// Poisson arrivals, as of many clients that know nothing of each other; the same as --arrival poisson
    #[arg(
        long,
        conflicts_with = "arrival",
        help_heading = "When it is asked (closed loop, unless a rate is given)"
    )]
    pub poisson: bool,

    /// How arrivals are spaced: constant, poisson, or trace:FILE, a file of seconds since the start, one a line
    #[arg(
        long,
        value_name = "PROCESS",
        help_heading = "When it is asked (closed loop, unless a rate is given)"
    )]
    pub arrival: Option<Arrival>,

    /// A rate that changes by steps and ramps, and how long each lasts: 30s@500,1m@2000 or 30s@500..2000
    #[arg(
        long,
        value_name = "STAGES",
        conflicts_with = "duration",
        help_heading = "When it is asked (closed loop, unless a rate is given)"
    )]
    pub stages: Option<RateStages>,

    /// Partly open: what arrives is sessions of K requests, each following the answer to the one before
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..), help_heading = "When it is asked (closed loop, unless a rate is given)")]
    pub session_requests: Option<u32>,

    /// The requests of a session are all due at its beginning, like the objects of a page, rather than one after the other
    #[arg(
        long,
        requires = "session_requests",
        help_heading = "When it is asked (closed loop, unless a rate is given)"
    )]
    pub session_at_once: bool,

    /// How long a client or session thinks between an answer and its next request: 100ms, or exp:100ms for exponentially distributed times
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = think, help_heading = "When it is asked (closed loop, unless a rate is given)")]
    pub think: Think,

    /// The seed of arrivals, choices of files and think times: the same seed asks the same again
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        help_heading = "When it is asked (closed loop, unless a rate is given)"
    )]
    pub seed: u64,

    /// How long requests are made, like 30s or 2m; 10s if neither this nor -n is given, or 2m at most with --precision
    #[arg(short = 'd', long, short_alias = 'z', value_name = "TIME", value_parser = positive_duration, help_heading = "Until when")]
    pub duration: Option<Duration>,

    /// How many requests are made
    #[arg(short = 'n', long, value_name = "N", value_parser = positive, help_heading = "Until when")]
    pub requests: Option<u64>,

    /// End as soon as the mean and the percentiles of --slo (p99, if it names none) are known so well, like 5%: half the 95 % interval that
    /// this run gives; -d and -n are then the most
    #[arg(long, value_name = "PERCENT", value_parser = units::precision, conflicts_with_all = ["stages", "replay_timing", "share"], help_heading = "Until when")]
    pub precision: Option<f64>,

    /// What is due in this first stretch of the run is asked for and not measured
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = units::duration, help_heading = "Until when")]
    pub warmup: Duration,

    /// Open loop: the most connections, if there may be more than at the start; one is added when a request is due and all are busy
    #[arg(long, value_name = "N", value_parser = positive, help_heading = "Connections and threads")]
    pub max_connections: Option<u64>,

    /// Connections that are made beside those that ask, with their handshake of TLS and the preface of HTTP/2 if these are spoken, and never
    /// ask. All have to be there at the end
    #[arg(long, value_name = "N", default_value = "0", value_parser = units::count, help_heading = "Connections and threads")]
    pub idle: u64,

    /// Newcomers beside those that ask: ten times a second so many connections are made at once, over TLS with a handshake in full, and closed
    #[arg(long, value_name = "N", default_value = "0", value_parser = units::count, help_heading = "Connections and threads")]
    pub storm: u64,

    /// Replace a connection after so many requests
    #[arg(long, value_name = "K", value_parser = positive, help_heading = "Connections and threads")]
    pub requests_per_connection: Option<u64>,

    /// A new connection for each request; the same as --requests-per-connection 1
    #[arg(
        long,
        alias = "disable-keepalive",
        conflicts_with = "requests_per_connection",
        help_heading = "Connections and threads"
    )]
    pub no_keepalive: bool,

    /// Count a request as failed whose connection the server had closed by the time it was used again. Else it is sent again once, on another
    /// connection, if no byte of an answer had come; its response time counts from when it was due
    #[arg(long, help_heading = "Connections and threads")]
    pub no_retry: bool,

    /// The certificates that are believed of https:// URLs, in PEM, rather than those that this machine believes: a root, or the server's
    /// own, as `archbench serve --tls` names it
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Connections and threads",
        conflicts_with = "insecure"
    )]
    pub cacert: Option<PathBuf>,

    /// Believe whatever certificate the server shows
    #[arg(long, help_heading = "Connections and threads")]
    pub insecure: bool,

    /// Whether later connections take up the TLS session of earlier ones by their tickets, as browsers do; 'off' for a full handshake each;
    /// 'on' if nothing is said
    #[arg(
        long,
        value_name = "on|off",
        hide_possible_values = true,
        help_heading = "Connections and threads"
    )]
    pub tls_resume: Option<Resume>,

    /// Pipelining: how many requests may be outstanding on one connection
    #[arg(long, value_name = "DEPTH", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Connections and threads")]
    pub pipeline: u16,

    /// Speak HTTP/1.1, as goes without saying
    #[arg(long, help_heading = "Connections and threads")]
    pub http1: bool,

    /// Speak HTTP/2: over TLS if the server chooses it (ALPN), and in the clear to one that is taken to know it ('prior knowledge'). Several
    /// requests of one connection are under way at a time, see --streams
    #[arg(long, conflicts_with_all = ["http1", "pipeline"], help_heading = "Connections and threads")]
    pub http2: bool,

    /// With --http2: how many requests may be under way on one connection; no more than its server takes
    #[arg(long, value_name = "N", default_value_t = 1, requires = "http2", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Connections and threads")]
    pub streams: u16,

    /// Refused: HTTP/3 has a transport of its own above UDP
    #[arg(long, hide = true, value_parser = no_http3, num_args = 0, default_missing_value = "true")]
    pub http3: Option<bool>,

    /// How long an answer, or a connection, is waited for. Also bounds the wait for the last answers
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = positive_duration, help_heading = "Connections and threads")]
    pub timeout: Duration,

    /// Threads, each with its own loop and its share of the connections
    #[arg(short = 't', long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Connections and threads")]
    pub threads: u16,

    /// Cores to run the threads on, in turn: 1 or 0,2 or 0-3
    #[arg(long, value_name = "CORES", value_parser = cores, help_heading = "Connections and threads")]
    pub pin: Option<Cores>,

    /// How long before a due time the loop may spin rather than sleep; how much of it is used is learned from how late wake-ups are
    #[arg(long, value_name = "TIME", default_value = "200us", value_parser = units::duration, help_heading = "Connections and threads")]
    pub max_spin: Duration,

    /// One run of several processes.
    #[command(flatten)]
    pub several: Several,

    /// What must be met, else the exit status is 3; repeatable. 'p(99)<10ms', 'service:p(99.9)<5ms', 'mean<1ms', 'max<100ms', 'errors<0.1%', 'throughput>=4900',
    /// 'availability>=99.9%' (of the requests), 'available_seconds>=99%'
    #[arg(long, value_name = "SLO", help_heading = "What must be met")]
    pub slo: Vec<Slo>,

    /// A file of the same: one a line, where # begins a comment, or TOML with slo = ["…"] if it is called .toml
    #[arg(long, value_name = "FILE", help_heading = "What must be met")]
    pub slo_file: Option<PathBuf>,

    /// End the run as soon as one of them cannot be met any more, which is looked for once a second
    #[arg(long, help_heading = "What must be met")]
    pub slo_abort: bool,

    /// The format of the report
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text, help_heading = "What comes out")]
    pub output_format: Format,

    /// Write the report to a file, in one piece, rather than to standard output, which is also -
    #[arg(
        short = 'o',
        long,
        value_name = "FILE",
        help_heading = "What comes out"
    )]
    pub output: Option<PathBuf>,

    /// Write the histogram log to a file too, the same as --output-format hlog gives, whatever the format of the report
    #[arg(long, value_name = "FILE", help_heading = "What comes out")]
    pub hlog: Option<PathBuf>,

    /// Show progress in lines, even on a terminal
    #[arg(long, help_heading = "What comes out")]
    pub no_tui: bool,

    /// Show no progress and no remarks: nothing but the report and, where that does not say so itself, what is wrong with it
    #[arg(long, help_heading = "What comes out")]
    pub quiet: bool,

    /// Refused: nothing is to be corrected
    #[arg(long = "latency-correction", hide = true, num_args = 0..=1, default_missing_value = "", value_parser = refuse_correction, action = ArgAction::Set)]
    pub refused_correction: Option<String>,

    /// Refused: it means too many things
    #[arg(short = 'q', value_name = "RATE", hide = true, num_args = 0..=1, default_missing_value = "", value_parser = refuse_q, action = ArgAction::Set)]
    pub refused_q: Option<String>,
}

/// The method of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// With the body.
    #[value(alias = "GET")]
    Get,
    /// Without the body.
    #[value(alias = "HEAD")]
    Head,
}

/// A list of cores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cores(pub Vec<usize>);

const EXAMPLES: &str = "\
What is measured, in nanoseconds, for each request:
  intended → connection free → written → first byte → last byte
  response time     last byte − intended: what users feel, and what an SLO is held against
  service time      last byte − written. In a closed loop nothing is intended, and this comes first
  connection wait   connection free − intended: all connections were busy
  generator lag     written − the later of intended and connection free: the generator's own fault
A request that was not answered in time, or not by the end, counts with the time it had been waited for, and every percentile that it touches is
marked as a lower bound (≥). How well the run knows its first figures stands beside them (±): half the 95 % interval, as a share, in which what
neighbouring requests have in common is taken into account. That is no part of the verdict: a run may be honest and short. Answers with a status that is not expected (--expect) and bodies that do not verify are errors: counted, and not timed.
Attempts to connect that failed are counted by themselves: there may be many for one request.

Verdict and exit status:
  VALID             0 (3 if an SLO is missed)
  SUSPECT           0 (3 if an SLO is missed), with reasons: drift, correlation, a disturbed machine, many errors, seconds of nothing
                    else, starved clients, or too short a run to tell whether the generator was late
  INVALID           4, even if an SLO is missed, with reasons:
                    the generator was late, behind its schedule, busy or starved, out of ports or descriptors, or sent other arrivals than were asked for;
                    the server answered nothing well, fell silent, went away, or gave answers (one is enough) that were malformed or, with --verify,
                    not what they must be
  no figures        1 a file could not be read or written, no connection could be made; 2 what was typed makes no sense

The JSON report has a schema with a version, `schema: \"archbench.load/1\"`: fields may be added to it, and a changed meaning makes a new version.
Times are in microseconds; `at_least` lists those that are lower bounds. hgrm is in milliseconds, and says in a comment from which value on
they are lower bounds; CSV says so in each row. hlog has one interval a second with response time (closed loop: service time) untagged and
the others tagged service, wait and lag; requests that were given up are among them, and once more tagged given_up and service_given_up.

Examples:
  archbench load                                              the built-in files of a bare `archbench serve`, 64 clients, 10 s
  archbench load --rate 5000 --poisson                        the same in an open loop
  archbench load -c 100 -d 30s http://127.0.0.1:8080/a.html   one URL, 100 clients
  archbench load -R 5000 --poisson --precision 5%             until mean and p99 are known to 5 %
  archbench load --stages 30s@500,1m@500..2000 --poisson      half a minute at 500/s, then a ramp to 2000/s
  archbench load -R 200/s --poisson --session-requests 5 --think exp:1s --slo 'p(99)<10ms'
  archbench load -R 5000 --output-format json -o run.json --hlog run.hlog
  srun -n 4 archbench load --share auto --out-dir out -R 200k --poisson http://server:8080/";

impl Arguments {
    /// The files that are read, each with the option that names it.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let trace = match &self.arrival {
            Some(Arrival::Trace(path)) => Some(path),
            _ => None,
        };
        let inputs = [
            ("--urls-file", self.urls_file.as_ref()),
            ("--replay", self.replay.as_ref()),
            ("--arrival", trace),
            ("--slo-file", self.slo_file.as_ref()),
        ];
        inputs
            .into_iter()
            .filter_map(|(option, path)| Some((option, path?.as_path())))
    }
}

#[cfg(test)]
pub(crate) mod tests;
