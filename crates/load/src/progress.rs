//! What is to be seen while a run is under way.

use crate::collect::{Observer, Second};
use crate::record::Record;
use crate::report::histograms::Log;
use crate::run::{Control, Run};
use crate::slo::Slo;
use crate::tui::Tui;
use std::io::{IsTerminal, Write};
use std::sync::Arc;

/// How progress is shown.
pub(crate) enum View {
    /// Not at all.
    None,
    /// By a line each second.
    Lines,
    /// By a picture of the whole terminal.
    Picture(Box<Tui>),
}

impl View {
    /// The best that is wanted and possible.
    pub(crate) fn new(
        quiet: bool,
        no_tui: bool,
        run: &Run,
        title: &str,
        control: &Arc<Control>,
    ) -> Self {
        if quiet {
            return Self::None;
        }
        let terminal = std::io::stderr().is_terminal() && std::io::stdout().is_terminal();
        if no_tui || !terminal {
            return Self::Lines;
        }
        match Tui::new(run, title, control.clone()) {
            Ok(tui) => Self::Picture(Box::new(tui)),
            Err(_) => Self::Lines,
        }
    }
}

/// Looks at the run second by second: shows it, logs it, and ends it when it is hopeless.
pub(crate) struct Watch<'a> {
    pub(crate) run: &'a Run,
    pub(crate) control: &'a Control,
    pub(crate) view: View,
    pub(crate) log: Option<Log>,
    /// Objectives whose failure ends the run.
    pub(crate) must_hold: Vec<Slo>,
    /// Why the run was ended, if it was.
    pub(crate) hopeless: Option<String>,
    pub(crate) done: u64,
}

impl Observer for Watch<'_> {
    fn second(&mut self, row: &Second, second: &Record, total: &Record) {
        self.done += row.completed + row.failed;
        let seconds = self.run.duration.map(|duration| duration.as_secs_f64());
        match &mut self.view {
            View::None => {}
            View::Lines => {
                let line = line(row, left(seconds, self.run.requests, row.at_s, self.done));
                // Whoever closed standard error does not want to know.
                let _ = writeln!(std::io::stderr(), "{line}");
            }
            View::Picture(tui) => tui.second(row, total),
        }
        if let Some(log) = &mut self.log {
            log.add(second, (row.at_s * 1e9) as u64);
        }
        self.look_for_hopeless(row, total);
    }
}

impl Watch<'_> {
    fn look_for_hopeless(&mut self, row: &Second, total: &Record) {
        if self.hopeless.is_some() || row.at_s <= 0.0 {
            return;
        }
        let so_far = self.done as f64;
        let planned = match (self.run.requests, self.run.duration) {
            (Some(requests), _) => requests as f64,
            (None, Some(duration)) => so_far * (duration.as_secs_f64() / row.at_s).max(1.0),
            (None, None) => return,
        };
        let closed_loop = self.run.is_closed_loop();
        let lost = self
            .must_hold
            .iter()
            .find(|slo| slo.is_hopeless(total, closed_loop, planned));
        if let Some(slo) = lost {
            self.hopeless = Some(format!("ended early: {slo} cannot be met any more"));
            self.control.stop();
        }
    }
}

/// What is left of the run, in words.
pub(crate) fn left(seconds: Option<f64>, requests: Option<u64>, at_s: f64, done: u64) -> String {
    match (seconds, requests) {
        (Some(seconds), _) => format!("{:.0} s left", (seconds - at_s).max(0.0)),
        (None, Some(requests)) => format!("{} requests left", requests.saturating_sub(done)),
        (None, None) => String::new(),
    }
}

fn line(row: &Second, left: String) -> String {
    let failed = match row.failed {
        0 => String::new(),
        failed => format!("  {failed} failed"),
    };
    let connects = match row.connects_failed {
        0 => String::new(),
        failed => format!("  {failed} attempts to connect failed"),
    };
    let waiting = match row.waiting {
        0 => String::new(),
        waiting => format!("  {waiting} waiting"),
    };
    format!(
        "{:5.0} s  {:>7} answered  p50 {:.0} µs  p99 {:.0} µs  max {:.0} µs{failed}{connects}{waiting}  {left}",
        row.at_s, row.completed, row.p50_us, row.p99_us, row.max_us
    )
}
