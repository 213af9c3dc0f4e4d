//! What a server says when it is ready and when it has ended: to people, or in the lines that the lab reads.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use command::interrupt;
use command::output::{self, Format};
use contracts::{Line, Unknown, serve};
use sys::usage::{Who, usage};

/// What a server has done, whichever it is.
pub trait Told: Display {
    /// What it was asked for, and has answered.
    fn answers(&self) -> u64;
    /// What went wrong, by kind.
    fn errors(&self) -> BTreeMap<String, u64>;
    /// How long it has served.
    fn elapsed(&self) -> Duration;
}

/// A server that is ready.
#[derive(Debug)]
pub struct Ready<'a> {
    /// What it calls itself.
    pub name: &'a str,
    /// Where it listens.
    pub address: SocketAddr,
    /// How that is told.
    pub format: Format,
}

impl Ready<'_> {
    /// Says that it is ready, has it serve until Ctrl-C or SIGTERM call `stop`, and tells what it has done. A second Ctrl-C ends the
    /// process at once. No other thread may have been started before.
    ///
    /// # Errors
    /// Signals that cannot be waited for; what serving fails with.
    pub fn serve<S: Told>(
        &self,
        stop: impl Fn() + Send + 'static,
        serve: impl FnOnce() -> io::Result<S>,
    ) -> Result<(), String> {
        let mut came = false;
        interrupt::each(move || {
            if std::mem::replace(&mut came, true) {
                interrupt::end_at_once();
            }
            stop();
        })
        .map_err(|error| format!("cannot wait for signals: {error}"))?;
        self.say()?;
        let done = serve().map_err(|error| error.to_string())?;
        match self.format {
            Format::Text => output::print(&done),
            Format::Json => output::print_json(line(&self.summary(&done))?),
        }
        Ok(())
    }

    fn say(&self) -> Result<(), String> {
        let (name, address) = (self.name, self.address);
        match self.format {
            Format::Text => output::print(format_args!("{name} at {address}; Ctrl-C ends it")),
            Format::Json => output::print_json(line(&serve::Ready {
                event: serve::Ready::EVENT.into(),
                schema: Some(serve::SCHEMA.into()),
                model: Some(name.into()),
                address: address.to_string(),
                url: None,
                root: None,
                notice: None,
                openat2_refusal: None,
                process_id: Some(std::process::id().into()),
                user: None,
                descriptors: None,
                tls: None,
                unknown: Unknown::new(),
            })?),
        }
        Ok(())
    }

    fn summary(&self, done: &impl Told) -> serve::Summary {
        let used = usage(Who::Process).unwrap_or_default();
        let answers = done.answers();
        let cpu = used.user + used.system;
        serve::Summary {
            event: serve::Summary::EVENT.into(),
            schema: Some(serve::SCHEMA.into()),
            model: Some(self.name.into()),
            elapsed_s: Some(done.elapsed().as_secs_f64()),
            requests: Some(answers),
            errors: done.errors(),
            cpu: Some(serve::Cpu {
                user_s: Some(used.user.as_secs_f64()),
                system_s: Some(used.system.as_secs_f64()),
                per_request_us: (answers > 0).then(|| cpu.as_secs_f64() * 1e6 / answers as f64),
                unknown: Unknown::new(),
            }),
            context_switches: Some(serve::ContextSwitches {
                voluntary: Some(used.voluntary_switches),
                involuntary: Some(used.involuntary_switches),
                unknown: Unknown::new(),
            }),
            peak_resident_bytes_of_largest_process: Some(used.peak_resident_bytes),
            ..serve::Summary::default()
        }
    }
}

fn line(document: &impl serde::Serialize) -> Result<String, String> {
    serde_json::to_string(document).map_err(|error| format!("cannot print JSON: {error}"))
}

/// Of what went wrong, the kinds that there were.
pub(crate) fn kinds<const COUNT: usize>(errors: [(&str, u64); COUNT]) -> BTreeMap<String, u64> {
    let were = errors.into_iter().filter(|(_, count)| *count > 0);
    were.map(|(kind, count)| (kind.to_owned(), count)).collect()
}

/// A summary for people: a line, one for each figure, and one for flows that a defect has ended, if any was.
pub(crate) fn table(
    formatter: &mut fmt::Formatter<'_>,
    line: fmt::Arguments<'_>,
    figures: &[(&str, &dyn Display)],
    defects: u64,
) -> fmt::Result {
    formatter.write_fmt(line)?;
    for (name, figure) in figures {
        write!(formatter, "\n  {name:<16}{figure}")?;
    }
    match defects {
        0 => Ok(()),
        defects => write!(formatter, "\n  {:<16}{defects} flows, by a defect", "lost"),
    }
}
