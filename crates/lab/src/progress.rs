//! How far a run is: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar, or lines.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    done: usize,
    all: usize,
    each: Duration,
}

impl Progress {
    /// Of `all` trials, `done` of which have been done before, each taking about `each`.
    pub fn new(all: usize, done: usize, each: Duration) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(all as u64).with_position(done as u64);
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(Duration::from_millis(500));
            bar
        });
        Self {
            bar,
            done,
            all,
            each,
        }
    }

    /// A trial begins.
    pub fn begins(&self, what: &str) {
        if let Some(bar) = &self.bar {
            let left = self.each.saturating_mul(
                u32::try_from(self.all - self.done.min(self.all)).unwrap_or(u32::MAX),
            );
            bar.set_message(format!("{} left  {what}", crate::plan::minutes(left)));
        }
    }

    /// It has ended; `elapsed` corrects the estimate. `trouble` is what is not well.
    pub fn ends(&mut self, what: &str, outcome: &str, trouble: bool, elapsed: Duration) {
        self.done += 1;
        // A search may take more steps than it was thought to.
        self.all = self.all.max(self.done);
        self.each = self.each.mul_f64(0.8) + elapsed.mul_f64(0.2);
        match &self.bar {
            None => self.say(&format!("[{}/{}] {what}: {outcome}", self.done, self.all)),
            Some(bar) => {
                bar.set_length(self.all as u64);
                bar.inc(1);
                if trouble {
                    self.say(&format!("{what}: {outcome}"));
                }
            }
        }
    }

    /// Something else that should be known.
    pub fn say(&self, text: &str) {
        let text = &crate::visible(text);
        match &self.bar {
            Some(bar) => bar.println(text),
            None => {
                use std::io::Write;
                // Nobody may be listening.
                let _ = writeln!(std::io::stderr(), "{text}");
            }
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
