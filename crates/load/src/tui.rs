//! The live view: rates and percentiles, redrawn each second on the terminal's other screen.

use crate::collect::CollectedSecond;
use crate::metric::Metric;
use crate::record::Record;
use crate::run::{Control, Run};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Style, Stylize};
use ratatui::widgets::{Block, Gauge, Paragraph, Row, Sparkline, Table};
use stats::hist::{Bound, Censored};
use std::io::{self, Stderr};
use std::sync::Arc;

/// As many seconds as are drawn.
const HISTORY: usize = 240;

/// The terminal while a run is under way. It is given back when this is dropped.
pub(crate) struct Tui {
    terminal: Terminal<CrosstermBackend<Stderr>>,
    title: String,
    control: Arc<Control>,
    closed_loop: bool,
    seconds: Vec<CollectedSecond>,
}

impl Tui {
    pub(crate) fn new(run: &Run, title: &str, control: Arc<Control>) -> io::Result<Self> {
        execute!(io::stderr(), EnterAlternateScreen)?;
        Ok(Self {
            terminal: Terminal::new(CrosstermBackend::new(io::stderr()))?,
            title: title.to_owned(),
            control,
            closed_loop: run.is_closed_loop(),
            seconds: Vec::new(),
        })
    }

    /// Draws the run as it stands at the end of a second. `progress`: the share that is done, and what is left, in words.
    pub(crate) fn second(&mut self, row: &CollectedSecond, total: &Record, progress: (f64, &str)) {
        let (share, left) = progress;
        self.seconds.push(row.clone());
        if self.seconds.len() > HISTORY {
            self.seconds.remove(0);
        }
        let picture = Picture {
            title: &self.title,
            closed_loop: self.closed_loop,
            stopping: self.control.stop_requests() > 0,
            seconds: &self.seconds,
            progress: (share, format!("{:.0} s  {left}", row.at_s)),
            total,
        };
        // A terminal that went away is no reason to end the run.
        let _ = self.terminal.draw(|frame| picture.draw(frame));
    }
}

impl Drop for Tui {
    fn drop(&mut self) {
        let _ = execute!(io::stderr(), LeaveAlternateScreen);
        let _ = self.terminal.show_cursor();
    }
}

struct Picture<'a> {
    title: &'a str,
    closed_loop: bool,
    stopping: bool,
    seconds: &'a [CollectedSecond],
    progress: (f64, String),
    total: &'a Record,
}

impl Picture<'_> {
    fn draw(&self, frame: &mut ratatui::Frame<'_>) {
        let rows = [
            Constraint::Length(4),
            Constraint::Length(3),
            Constraint::Length(10),
            Constraint::Min(4),
            Constraint::Min(4),
            Constraint::Length(1),
        ];
        let [head, gauge, table, rates, tails, foot] = Layout::vertical(rows).areas(frame.area());
        let block = Block::bordered().title(" archbench load ");
        frame.render_widget(Paragraph::new(self.title).block(block), head);
        let (share, left) = &self.progress;
        let bar = Gauge::default()
            .block(Block::bordered())
            .ratio(*share)
            .label(left.as_str());
        frame.render_widget(bar, gauge);
        frame.render_widget(self.table(), table);
        self.sparkline(frame, rates, " answers each second ", |second| {
            second.completed
        });
        self.sparkline(frame, tails, " p99 of each second, µs ", |second| {
            second.p99_us.unwrap_or(0.0) as u64
        });
        let foot_text = if self.stopping {
            "ending; Ctrl-C again ends at once"
        } else {
            "Ctrl-C ends the run and reports it"
        };
        frame.render_widget(Paragraph::new(foot_text).dim(), foot);
    }

    fn table(&self) -> Table<'_> {
        let last = self.seconds.last().cloned().unwrap_or_default();
        let total = self.total;
        let main = Metric::Response.times(total, self.closed_loop);
        let main = main.filter(|times| !times.is_empty());
        let us = |nanos: u64| format!("{:.0}", nanos as f64 / 1e3);
        let shown =
            |is_bound: bool, us: f64| format!("{}{us:.0}", if is_bound { "≥ " } else { "" });
        let so_far = |of: &dyn Fn(&Censored) -> Bound| {
            let bound = main.as_ref().map(of);
            bound.map_or(String::new(), |bound| {
                shown(bound.at_least, bound.value as f64 / 1e3)
            })
        };
        let now = |name: &str, us: Option<f64>| {
            us.map_or(String::new(), |us| shown(last.is_at_least(name), us))
        };
        let lag = |quantile| us(total.lag.value_at_quantile(quantile));
        let rows = [
            Row::new([
                "p50, µs".to_owned(),
                so_far(&|times| times.quantile(0.5)),
                now("p50", last.p50_us),
                lag(0.5),
            ]),
            Row::new([
                "p99".to_owned(),
                so_far(&|times| times.quantile(0.99)),
                now("p99", last.p99_us),
                lag(0.99),
            ]),
            Row::new([
                "p99.9".to_owned(),
                so_far(&|times| times.quantile(0.999)),
                now("p99.9", last.p99_9_us),
                lag(0.999),
            ]),
            Row::new([
                "max".to_owned(),
                so_far(&Censored::max),
                now("max", last.max_us),
                us(total.lag.max()),
            ]),
            Row::new([
                "answered".to_owned(),
                total.counts.completed.to_string(),
                last.completed.to_string(),
            ]),
            Row::new([
                "failed".to_owned(),
                total.counts.failed().to_string(),
                last.failed.to_string(),
            ]),
            Row::new([
                "waiting".to_owned(),
                String::new(),
                last.waiting.to_string(),
            ]),
        ];
        let first = if self.closed_loop {
            "service time"
        } else {
            "response time"
        };
        let head =
            Row::new([first, "so far", "this second", "generator lag"]).style(Style::new().bold());
        let widths = [
            Constraint::Length(14),
            Constraint::Length(14),
            Constraint::Length(14),
            Constraint::Length(14),
        ];
        Table::new(rows, widths)
            .header(head)
            .block(Block::bordered())
    }

    fn sparkline(
        &self,
        frame: &mut ratatui::Frame<'_>,
        area: Rect,
        title: &str,
        of: impl Fn(&CollectedSecond) -> u64,
    ) {
        let room = usize::from(area.width.saturating_sub(2));
        let start = self.seconds.len().saturating_sub(room);
        let values: Vec<u64> = self.seconds[start..].iter().map(of).collect();
        let most = values.iter().max().copied().unwrap_or(0);
        let block = Block::bordered().title(format!("{title}(up to {most}) "));
        frame.render_widget(Sparkline::default().data(&values).block(block), area);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::backend::TestBackend;

    #[test]
    fn it_draws_on_any_size() {
        let seconds = vec![
            CollectedSecond {
                at_s: 1.0,
                completed: 5000,
                p99_us: Some(123.0),
                ..CollectedSecond::default()
            };
            300
        ];
        let total = Record::default();
        for (width, height) in [(80, 40), (20, 5), (1, 1)] {
            let picture = Picture {
                title: "http://h/\nclosed loop",
                closed_loop: true,
                stopping: false,
                seconds: &seconds,
                progress: (0.5, "5 s left".to_owned()),
                total: &total,
            };
            let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
            terminal.draw(|frame| picture.draw(frame)).expect("drawn");
            if width == 80 {
                let screen = terminal.backend().to_string();
                assert!(
                    screen.contains("up to 5000") && screen.contains("this second"),
                    "{screen}"
                );
            }
        }
    }
}
