//! What an architecture is and how it behaves, as it declares it itself.
//!
//! Whoever has to know how a server behaves (tests, experiments, reports) reads it here and knows no server by name. The
//! conformance battery holds each fact of a [`Behaviour`] against the running server, in both directions: what is declared must be
//! seen, and what is seen must be declared.

use std::fmt;

/// What an architecture is, and how it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nature {
    /// The kind of thing that runs the steps of a request.
    pub family: Family,
    /// The architectures whose shortcoming it answers, by name; none for one that answers nobody.
    pub predecessors: &'static [&'static str],
    /// Where it is described: authors, title, place.
    pub paper: &'static str,
    /// When that was published.
    pub year: u16,
    /// Whose network stack its connections go through.
    pub stack: Stack,
    /// How it behaves with the options that it has if none are given.
    pub behaviour: Behaviour,
    /// Options with which it behaves otherwise.
    pub variants: &'static [Variant],
    /// Further settings of its own options, like `--queue 1 --threads 1`, that must not change an answer: the least of each, and
    /// what has a code path of its own.
    pub settings: &'static [&'static str],
}

/// Architectures of one idea.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// One connection after the other.
    Sequential,
    /// A connection has a process.
    Processes,
    /// A connection has a thread.
    Threads,
    /// Loops serve many connections each, as events come.
    Events,
    /// A request goes through queues from stage to stage.
    Stages,
    /// Whoever has state has it alone, and hears of others by messages.
    Actors,
}

/// Whose network stack a server's connections go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stack {
    /// The kernel's.
    Kernel,
    /// Its own, which takes a whole network interface. What only the kernel's sockets have is refused: Unix sockets, addresses that are
    /// no interface's, IPv6, `--defer-accept`. Connections take no descriptors; a byte sent as urgent is one of the stream; who is
    /// connected when the server is killed is told nothing.
    Own {
        /// The option that says which interface, like `--interface`.
        interface: &'static str,
    },
}

/// Options of an architecture's own, and how it behaves with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    /// As they are typed, like `--spawn prefork`.
    pub options: &'static str,
    /// What it does then.
    pub behaviour: Behaviour,
}

/// How a server behaves, in facts that a client or an operator can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behaviour {
    /// Which connections it serves at a time.
    pub concurrency: Concurrency,
    /// Who waits while a file is found or read on the disk.
    pub disk_wait: DiskWait,
    /// What ends where the code that serves a request panics.
    pub defect: Loss,
    /// What ends where a process that serves is killed.
    pub killed: Killed,
    /// How the requests of one connection fare that its protocol lets come together, as HTTP/2 does.
    pub requests: Requests,
    /// What a connection costs on which nothing happens.
    pub idle_connection: IdleConnection,
}

/// Which connections a server serves at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concurrency {
    /// One; all others wait for its end.
    One,
    /// As many as there are workers, each of which belongs to its connection for as long as that lives.
    Workers {
        /// What a worker is.
        carrier: Carrier,
        /// The option that says how many there are, like `--threads`.
        count: &'static str,
        /// The option that says how many accepted connections may wait for one, if such a queue is bounded.
        queue: Option<&'static str>,
        /// What becomes of a connection that finds neither.
        overflow: Overflow,
    },
    /// Any number; each gets one of its own when it comes, or 503 where the system gives none.
    OneEach(Carrier),
    /// Any number; whoever serves them turns from one to the other.
    Any,
}

/// What belongs to one connection at a time, and waits when that has to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// A process with memory of its own.
    Process,
    /// A thread.
    Thread,
}

/// What becomes of a connection for which there is no worker and no place in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// It waits until one leaves.
    Waits,
    /// It is answered 503 and closed.
    IsRefused,
}

/// Who waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskWait {
    /// The whole server.
    Server,
    /// Whoever serves the connection that asked, and nobody else.
    Connection,
    /// The kernel, which says when it is done, while the connections turn to others.
    Kernel,
    /// The loop that serves the connection that asked, with all of its connections, and no other loop.
    Loop {
        /// The option that says how many there are, like `--loops`.
        count: &'static str,
    },
    /// A helper, while the connections turn to others: it asks the kernel what is in memory.
    Helper {
        /// The option that says how many there are, like `--helpers`.
        count: &'static str,
    },
}

/// How much ends with a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The whole server.
    Server,
    /// One of several loops, with all of its connections; another takes its place.
    Loop,
    /// One process, and its connection.
    Process,
    /// One connection.
    Connection,
    /// One answer, which is 500.
    Answer,
}

/// What ends with a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Killed {
    /// The whole server, which is that process.
    Server,
    /// Its connection; another process takes its place.
    Replaced,
    /// All connections of its loop; another process takes its place.
    LoopReplaced,
    /// Its connection; nobody takes its place, for each connection has its own.
    Connection,
}

/// How the requests of one connection fare that its protocol lets come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requests {
    /// One after the other: while the file of one is found or read, those behind it wait.
    InTurn,
    /// Each waits for its own file, and for no other's.
    AtOnce,
}

/// What a connection costs on which nothing happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdleConnection {
    /// A place in a table: less than 2 KiB.
    Place,
    /// A place, and the buffers of a TCP of the server's own: less than 40 KiB.
    Buffers,
    /// A worker, with stack and buffers: less than 64 KiB of a process.
    Worker,
}

impl Nature {
    /// Every behaviour, with the options that lead to it; the first without any.
    pub fn behaviours(&self) -> impl Iterator<Item = (&'static str, Behaviour)> + use<> {
        let variants = self.variants.iter();
        let variants = variants.map(|variant| (variant.options, variant.behaviour));
        std::iter::once(("", self.behaviour)).chain(variants)
    }
}

impl Behaviour {
    /// Whether it has helpers, to whom more than the disk can be given.
    pub fn has_helpers(&self) -> bool {
        matches!(self.disk_wait, DiskWait::Helper { .. })
    }

    /// The option that says how many there are who may be kept waiting: workers, helpers or loops.
    pub fn worker_count(&self) -> Option<&'static str> {
        match (self.concurrency, self.disk_wait) {
            (Concurrency::Workers { count, .. }, _)
            | (_, DiskWait::Helper { count } | DiskWait::Loop { count }) => Some(count),
            _ => None,
        }
    }

    /// Whether a process that ends has its place taken by another.
    pub fn replaces_processes(&self) -> bool {
        matches!(self.killed, Killed::Replaced | Killed::LoopReplaced)
    }

    /// Whether a second connection is served while a first one is kept.
    pub fn is_concurrent(&self) -> bool {
        self.concurrency != Concurrency::One
    }
}

impl Family {
    /// As files and people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sequential => "sequential",
            Self::Processes => "processes",
            Self::Threads => "threads",
            Self::Events => "events",
            Self::Stages => "stages",
            Self::Actors => "actors",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl fmt::Display for Stack {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel => formatter.write_str("the kernel's"),
            Self::Own { interface } => write!(formatter, "its own, at an interface ({interface})"),
        }
    }
}

impl fmt::Display for Concurrency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One => formatter.write_str("one"),
            Self::Workers {
                carrier,
                count,
                queue,
                overflow,
            } => {
                write!(formatter, "one for each {carrier} ({count}); ")?;
                match queue {
                    Some(queue) => write!(
                        formatter,
                        "as many as {queue} says wait for one, any other "
                    )?,
                    None => formatter.write_str("any other ")?,
                }
                formatter.write_str(match overflow {
                    Overflow::Waits => "in the backlog",
                    Overflow::IsRefused => "is refused (503)",
                })
            }
            Self::OneEach(carrier) => {
                write!(formatter, "any number, each with a {carrier} of its own")
            }
            Self::Any => formatter.write_str("any number"),
        }
    }
}

impl fmt::Display for Carrier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Process => "process",
            Self::Thread => "thread",
        })
    }
}

impl fmt::Display for DiskWait {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server => formatter.write_str("the whole server"),
            Self::Connection => formatter.write_str("whoever serves the connection that asked"),
            Self::Kernel => formatter.write_str("the kernel, which says when it is done"),
            Self::Loop { count } => {
                write!(formatter, "the loop of the connection that asked ({count})")
            }
            Self::Helper { count } => write!(formatter, "a helper ({count})"),
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Server => "the server",
            Self::Loop => "a loop and its connections; another takes its place",
            Self::Process => "a process and its connection",
            Self::Connection => "a connection",
            Self::Answer => "one answer (500)",
        })
    }
}

impl fmt::Display for Killed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Server => "the server",
            Self::Replaced => "its connection; another takes its place",
            Self::LoopReplaced => "its connections; another takes its place",
            Self::Connection => "its connection",
        })
    }
}

impl fmt::Display for Requests {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::InTurn => "one after the other",
            Self::AtOnce => "each waits for its own file alone",
        })
    }
}

impl fmt::Display for IdleConnection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Place => "a place in a table, less than 2 KiB",
            Self::Buffers => "a place and the buffers of its TCP, less than 40 KiB",
            Self::Worker => "a worker with its stack and buffers",
        })
    }
}
