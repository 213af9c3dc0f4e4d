//! What is to be seen while a run is under way.

use crate::clock::seconds;
use crate::collect::{CollectedSecond, Observer};
use crate::parts::log::PartLog;
use crate::precision;
use crate::record::Record;
use crate::report::histograms::Log;
use crate::run::{Control, Run};
use crate::slo::Slo;
use crate::start::Began;
use crate::tui::Tui;
use command::quantity::counted;
use std::ffi::OsStr;
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
        if no_tui || !terminal || !has_full_screen(std::env::var_os("TERM").as_deref()) {
            return Self::Lines;
        }
        match Tui::new(run, title, control.clone()) {
            Ok(tui) => Self::Picture(Box::new(tui)),
            Err(_) => Self::Lines,
        }
    }
}

/// Whether a terminal of this name moves its cursor: one without a name, or a dumb one (terminfo's for a terminal that can do
/// nothing), does not.
fn has_full_screen(term: Option<&OsStr>) -> bool {
    term.is_some_and(|term| !term.is_empty() && term != "dumb")
}

/// Looks at the run second by second: shows it, logs it, and ends it when it is hopeless, or enough is known.
pub(crate) struct Watch<'a> {
    pub(crate) run: &'a Run,
    pub(crate) control: &'a Control,
    pub(crate) view: View,
    pub(crate) log: Option<Log>,
    /// Where a part of a run writes what it measures.
    pub(crate) part: Option<PartLog>,
    /// Objectives whose failure ends the run.
    pub(crate) must_hold: Vec<Slo>,
    /// Whether enough is known, where that ends the run.
    pub(crate) precision: Option<precision::Watch<'a>>,
    /// Why the run was ended, if it was.
    pub(crate) ended: Option<String>,
    pub(crate) done: u64,
}

impl Observer for Watch<'_> {
    fn began(&mut self, began: &Began) {
        if let Some(part) = &mut self.part {
            part.began(began);
        }
    }

    fn second(&mut self, row: &CollectedSecond, second: &Record, total: &Record) {
        self.done += row.completed + row.failed;
        let (share, left) = progress(self.run, row.at_s, self.done);
        match &mut self.view {
            View::None => {}
            View::Lines => {
                // Whoever closed standard error does not want to know.
                let _ = writeln!(std::io::stderr(), "{}", line(row, &left).trim_end());
            }
            View::Picture(tui) => tui.second(row, total, (share, &left)),
        }
        if let Some(log) = &mut self.log {
            log.add(second, (row.at_s * 1e9) as u64);
        }
        if let Some(part) = &mut self.part {
            part.second(row, second);
        }
        if self.ended.is_none() {
            self.look_for_hopeless(row, total);
            self.look_for_enough(row, total);
        }
    }
}

impl Watch<'_> {
    fn look_for_hopeless(&mut self, row: &CollectedSecond, total: &Record) {
        let planned = self.run.planned();
        let Some(planned) = planned.or_else(|| self.extrapolated(row.at_s)) else {
            return;
        };
        let closed_loop = self.run.is_closed_loop();
        let lost = self
            .must_hold
            .iter()
            .find(|slo| slo.is_hopeless(total, closed_loop, planned));
        if let Some(slo) = lost {
            self.ended = Some(format!("ended early: {slo} cannot be met any more"));
            self.control.stop();
        }
    }

    fn look_for_enough(&mut self, row: &CollectedSecond, total: &Record) {
        let watch = self.precision.as_mut();
        if let Some(enough) = watch.and_then(|watch| watch.enough(row.at_s, total)) {
            self.ended = Some(enough);
            self.control.end();
        }
    }

    /// How many requests will have been measured if they go on as they did up to `at_s`.
    fn extrapolated(&self, at_s: f64) -> Option<f64> {
        let warmup_s = seconds(self.run.warmup);
        let all_s = self.run.duration?.as_secs_f64() - warmup_s;
        let so_far_s = at_s - warmup_s;
        (so_far_s > 0.0).then(|| self.done as f64 * (all_s / so_far_s).max(1.0))
    }
}

/// The share of the run that is over, and what is left of it, in words.
fn progress(run: &Run, at_s: f64, done: u64) -> (f64, String) {
    let (share, left) = match (run.duration, run.requests_of_part()) {
        (Some(duration), _) => {
            let seconds = duration.as_secs_f64();
            let left = (seconds - at_s).max(0.0);
            (at_s / seconds, format!("{left:.0} s left"))
        }
        (None, Some(requests)) => {
            let left = requests.saturating_sub(done);
            let words = format!("{} left", counted(left, "request"));
            (done as f64 / requests as f64, words)
        }
        (None, None) => (0.0, String::new()),
    };
    (share.clamp(0.0, 1.0), left)
}

fn line(row: &CollectedSecond, left: &str) -> String {
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
    let figures = [
        ("p50", row.p50_us),
        ("p99", row.p99_us),
        ("max", row.max_us),
    ];
    let times = figures.into_iter().filter_map(|(name, us)| {
        let bound = if row.is_at_least(name) { "≥ " } else { "" };
        Some(format!("  {name} {bound}{:.0} µs", us?))
    });
    let times: String = times.collect();
    format!(
        "{:5.0} s  {:>7} answered{times}{failed}{connects}{waiting}  {left}",
        row.at_s, row.completed
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::tests::parse;
    use crate::clock::SECOND;
    use crate::prepare::prepare;

    /// Whether a run is given up that had so many answers when `at_s` had passed, so many of them slow.
    fn is_given_up(line: &str, at_s: f64, answered: u64, slow: u64) -> bool {
        let run = prepare(&parse(line).expect(line)).expect("a run").run;
        let control = Control::default();
        let mut watch = Watch {
            run: &run,
            control: &control,
            view: View::None,
            log: None,
            part: None,
            must_hold: vec!["p(87.5)<1ms".parse().expect("an objective")],
            precision: None,
            ended: None,
            done: 0,
        };
        let row = CollectedSecond {
            at_s,
            completed: answered,
            ..CollectedSecond::default()
        };
        let mut total = Record::default();
        for times in [&mut total.response, &mut total.service] {
            times.saturating_record_n(SECOND, slow);
        }
        watch.second(&row, &Record::default(), &total);
        assert_eq!(watch.ended.is_some(), control.stop_requests() == 1);
        assert_eq!(watch.ended.is_some(), control.is_interrupted());
        watch.ended.is_some()
    }

    #[test]
    fn a_terminal_that_can_do_nothing_has_lines() {
        for (term, full_screen) in [
            (None, false),
            (Some(""), false),
            (Some("dumb"), false),
            (Some("xterm-256color"), true),
            (Some("linux"), true),
        ] {
            assert_eq!(
                has_full_screen(term.map(OsStr::new)),
                full_screen,
                "{term:?}"
            );
        }
    }

    #[test]
    fn a_run_is_given_up_when_too_many_of_all_that_will_come_are_slow() {
        // One of eight may be slow.
        for (line, at_s, answered, slow) in [
            ("-d 10s", 5.0, 80, 20),
            // What was asked while warming up does not count, before or after.
            ("-d 10s --warmup 5s", 6.0, 80, 50),
            ("-R 80 -d 10s --warmup 5s", 6.0, 80, 50),
            ("--stages 10s@0..80", 5.0, 100, 50),
            ("-R 80 -d 10s --session-requests 2", 2.0, 320, 200),
            ("-n 800", 1.0, 200, 100),
        ] {
            assert!(!is_given_up(line, at_s, answered, slow), "{line}");
            assert!(is_given_up(line, at_s, answered, slow + 1), "{line}");
        }
        assert!(!is_given_up("-d 10s --warmup 5s", 5.0, 0, 0));
    }
}
