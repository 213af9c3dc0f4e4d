//! What came of a run, and how it is shown: one module for each format, all of them functions of the same [`Report`].

pub mod figures;
pub mod histograms;
pub mod json;
mod parts;
pub mod text;

use crate::asked::Asked;
use crate::host;
use crate::measure::Outcome;
use crate::precision::Precision;
use crate::run::Run;
use crate::slo::{JudgedObjective, Slo};
use crate::verdict::{self, Finding, Trend, Validity};
use figures::Figures;
use std::time::SystemTime;

/// A run and what is to be said of it.
#[derive(Debug)]
pub struct Report<'a> {
    /// What was asked for.
    pub run: Asked,
    /// How it was asked for, to be asked again.
    pub arguments: Vec<String>,
    /// The model and what is asked for, in words.
    pub title: String,
    /// When it began.
    pub started: SystemTime,
    /// Where it ran.
    pub host: contracts::load::Host,
    /// The processes that made it together, if there were several.
    pub parts: Vec<contracts::load::Part>,
    /// What was measured.
    pub outcome: &'a Outcome,
    /// Its figures.
    pub figures: Figures<'a>,
    /// How well the times that come first are known; none of a run that is too short, or whose rate changes.
    pub precision: Option<Precision>,
    /// Where the times were going.
    pub trend: Option<Trend>,
    /// What speaks against believing it.
    pub findings: Vec<Finding>,
    /// What else should be known.
    pub notes: Vec<String>,
    /// What came of the objectives.
    pub slos: Vec<JudgedObjective>,
}

impl<'a> Report<'a> {
    /// Judges a run that was made here.
    pub fn new(
        run: &Run,
        outcome: &'a Outcome,
        slos: &[Slo],
        arguments: Vec<String>,
        title: String,
        started: SystemTime,
    ) -> Self {
        let mut report = Self::of(Asked::of(run), outcome, slos);
        report.arguments = arguments;
        report.title = title;
        report.started = started;
        report.host = host::here();
        report.parts = parts::own(run, &report).into_iter().collect();
        let wanted = run.precision.as_ref();
        let missing = wanted.and_then(|wanted| wanted.missing(report.precision.as_ref()));
        report.notes.extend(missing);
        report
    }

    /// Judges what came of a run, wherever it was made.
    pub fn of(run: Asked, outcome: &'a Outcome, slos: &[Slo]) -> Self {
        let figures = Figures::new(&run, outcome);
        let trend = Trend::of(&run, outcome);
        let precision = run
            .has_one_rate()
            .then(|| Precision::of(&outcome.record, run.is_closed_loop()));
        Self {
            arguments: Vec::new(),
            title: String::new(),
            started: SystemTime::UNIX_EPOCH,
            host: contracts::load::Host::default(),
            parts: Vec::new(),
            findings: verdict::findings(&run, outcome, &figures, trend.as_ref()),
            notes: verdict::notes(&run, outcome, &figures),
            slos: slos.iter().map(|slo| slo.judge(&figures)).collect(),
            run,
            outcome,
            figures,
            precision: precision.flatten(),
            trend,
        }
    }

    /// The worst that was found.
    pub fn level(&self) -> Validity {
        self.findings
            .iter()
            .map(|finding| finding.level)
            .max()
            .unwrap_or(Validity::Valid)
    }

    /// 0, or 3 if an objective was missed, or 4 if the run is not to be believed, whatever its objectives.
    pub fn exit_status(&self) -> u8 {
        match self.level() {
            Validity::Invalid => 4,
            _ if self.slos.iter().any(|slo| !slo.met) => 3,
            _ => 0,
        }
    }
}
