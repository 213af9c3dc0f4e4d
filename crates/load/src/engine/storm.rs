//! Newcomers beside those who ask: many connections at once, again and again, of which none asks for anything.
//!
//! They are made by a thread of their own, which gives way to the loops where it shares their cores, so that what they cost is seen at the
//! server and not here.

use super::stream::Stream;
use crate::address::Address;
use crate::run::Run;
use crate::security::{self, Secured, Security, Shaking};
use mio::{Events, Poll, Token};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// From the beginning of one storm to that of the next.
const PERIOD: Duration = Duration::from_millis(100);
/// How soon the end of the run is noticed.
const LOOK: Duration = Duration::from_millis(20);

/// What became of newcomers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Newcomers {
    /// Connections that were made, their handshakes of TLS among it.
    pub made: u64,
    /// Connections that could not be made.
    pub failed: u64,
    /// Those that were due while the ones before had not all come, and were left out.
    pub missed: u64,
    /// Why the first that failed did.
    pub why: Option<String>,
}

/// Newcomers who keep coming until they are told to end.
pub(crate) struct Storm {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<Newcomers>>,
}

impl Storm {
    /// Begins those of a run, if it has any.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn begin(run: &Arc<Run>) -> io::Result<Option<Self>> {
        if run.storm == 0 {
            return Ok(None);
        }
        let is_over = Arc::new(AtomicBool::new(false));
        let (run, told) = (Arc::clone(run), Arc::clone(&is_over));
        let thread = std::thread::Builder::new()
            .name("load-storm".into())
            .spawn(move || {
                settle(&run)?;
                Front::new(&run)?.blow(&told)
            })?;
        Ok(Some(Self { is_over, thread }))
    }

    /// Ends them. None: their thread panicked.
    pub(crate) fn end(self) -> Option<io::Result<Newcomers>> {
        self.is_over.store(true, Relaxed);
        self.thread.join().ok()
    }
}

/// Keeps to the cores of the loops, and gives way to them there.
fn settle(run: &Run) -> io::Result<()> {
    if run.cores.is_empty() {
        return Ok(());
    }
    let mut set = rustix::thread::CpuSet::new();
    run.cores.iter().for_each(|core| set.set(*core));
    rustix::thread::sched_setaffinity(None, &set)?;
    sys::priority::give_way()
}

/// The connections of a storm.
struct Front<'a> {
    run: &'a Run,
    security: Option<Security>,
    shaking: Shaking,
    poll: Poll,
    /// Those that are still being made.
    coming: Vec<Option<Coming>>,
    newcomers: Newcomers,
}

struct Coming {
    stream: Stream,
    secured: Option<Secured>,
}

impl<'a> Front<'a> {
    fn new(run: &'a Run) -> io::Result<Self> {
        Ok(Self {
            run,
            // Whoever comes for the first time has no session to take up.
            security: run.security.as_ref().map(Security::without_resumption),
            shaking: Shaking::default(),
            poll: Poll::new()?,
            coming: Vec::with_capacity(run.storm),
            newcomers: Newcomers::default(),
        })
    }

    fn blow(mut self, is_over: &AtomicBool) -> io::Result<Newcomers> {
        let mut events = Events::with_capacity(256);
        let begin = Instant::now();
        let mut next = 0;
        loop {
            let due = begin + PERIOD * next;
            while Instant::now() < due {
                self.wait(&mut events, due.saturating_duration_since(Instant::now()))?;
                if is_over.load(Relaxed) {
                    return Ok(self.newcomers);
                }
            }
            let late = due.elapsed().as_nanos() / PERIOD.as_nanos();
            let late = u32::try_from(late).unwrap_or(u32::MAX);
            self.newcomers.missed += u64::from(late) * self.run.storm as u64;
            next = next.saturating_add(late).saturating_add(1);
            self.dial();
            let give_up = Instant::now() + Duration::from_nanos(self.run.timeout);
            while self.coming.iter().any(Option::is_some) {
                self.wait(&mut events, LOOK)?;
                for event in &events {
                    self.go_on(event.token().0);
                }
                if is_over.load(Relaxed) {
                    return Ok(self.newcomers);
                }
                if Instant::now() >= give_up {
                    for place in 0..self.coming.len() {
                        self.end(place, Err(io::ErrorKind::TimedOut.into()));
                    }
                }
            }
        }
    }

    fn wait(&mut self, events: &mut Events, most: Duration) -> io::Result<()> {
        match self.poll.poll(events, Some(most.min(LOOK))) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                events.clear();
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// Begins to make all connections of a storm, to the addresses in turn.
    fn dial(&mut self) {
        self.coming.clear();
        let addresses = self.run.addresses.iter().cycle();
        for (place, address) in addresses.take(self.run.storm).enumerate() {
            let stream = Stream::connect(address, self.poll.registry(), Token(place));
            let failed = stream
                .as_ref()
                .err()
                .map(|error| self.in_words(address, error));
            let coming = stream.ok().map(|stream| Coming {
                stream,
                secured: None,
            });
            self.coming.push(coming);
            if failed.is_some() {
                self.newcomers.failed += 1;
                self.newcomers.why = self.newcomers.why.take().or(failed);
            }
        }
    }

    fn go_on(&mut self, place: usize) {
        let Some(Some(coming)) = self.coming.get_mut(place) else {
            return;
        };
        match coming.go_on(self.security.as_ref(), &mut self.shaking) {
            Ok(false) => {}
            Ok(true) => self.end(place, Ok(())),
            Err(error) => self.end(place, Err(error)),
        }
    }

    /// One has come, or will not. It leaves at once.
    fn end(&mut self, place: usize, how: io::Result<()>) {
        if self.coming[place].take().is_none() {
            return;
        }
        match how {
            Ok(()) => self.newcomers.made += 1,
            Err(error) => {
                self.newcomers.failed += 1;
                let address = &self.run.addresses[place % self.run.addresses.len()];
                let why = self.in_words(address, &error);
                self.newcomers.why.get_or_insert(why);
            }
        }
    }

    fn in_words(&self, address: &Address, error: &io::Error) -> String {
        let why = security::in_words(error, self.run.http2);
        format!("connecting to {address}: {why}")
    }
}

impl Coming {
    /// Whether it has come.
    fn go_on(&mut self, security: Option<&Security>, shaking: &mut Shaking) -> io::Result<bool> {
        let secured = match (&mut self.secured, security) {
            (Some(secured), _) => secured,
            (None, security) => {
                match self.stream.is_connected() {
                    None => return Ok(false),
                    Some(connected) => connected?,
                }
                match security {
                    None => return Ok(true),
                    Some(security) => self.secured.insert(security.connect(0)?),
                }
            }
        };
        secured.shake_hands(&mut &self.stream, shaking)
    }
}
