//! How far a run is: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use command::output::{complain, harmless};
use indicatif::{ProgressBar, ProgressStyle};

/// A bar, or lines.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    at: usize,
    all: usize,
    each: Duration,
}

impl Progress {
    /// Of `all` trials, each taking about `each`.
    pub fn new(all: usize, each: Duration) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(all as u64);
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(Duration::from_millis(500));
            bar
        });
        Self {
            bar,
            at: 0,
            all,
            each,
        }
    }

    /// The number of the next trial.
    pub fn next(&self) -> usize {
        self.at + 1
    }

    /// The trial with this number begins, from 1; another attempt at it has the same.
    pub fn begins(&mut self, number: usize, what: &str) {
        self.at = number;
        // A search may take more steps than it was thought to.
        self.all = self.all.max(number);
        if let Some(bar) = &self.bar {
            bar.set_length(self.all as u64);
            bar.set_position(number as u64 - 1);
            let left = u32::try_from(self.all - number + 1).unwrap_or(u32::MAX);
            let left = self.each.saturating_mul(left);
            bar.set_message(format!("{} left  {what}", crate::plan::minutes(left)));
        }
    }

    /// It has ended; `elapsed` corrects the estimate. `trouble` is what is not well.
    pub fn ends(&mut self, what: &str, outcome: &str, trouble: bool, elapsed: Duration) {
        self.each = self.each.mul_f64(0.8) + elapsed.mul_f64(0.2);
        match &self.bar {
            None => self.say(&format!("[{}/{}] {what}: {outcome}", self.at, self.all)),
            Some(bar) => {
                bar.set_position(self.at as u64);
                if trouble {
                    self.say(&format!("{what}: {outcome}"));
                }
            }
        }
    }

    /// Something else that should be known.
    pub fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(harmless(text)),
            None => complain(text),
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
