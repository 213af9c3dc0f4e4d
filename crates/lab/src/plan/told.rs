//! A plan, told to people and to programs.

use std::fmt::Write;
use std::time::Duration;

use command::quantity::counted;
use contracts::plan::{PlannedCell, PlannedRun};
use contracts::{Document, Unknown};

use super::cells::{self, Cell, Server};
use super::{Plan, PlannedTrial};
use crate::cores;
use crate::spec::Experiment;
use crate::table::label;

impl Plan {
    /// The plan for programs.
    pub fn document(&self, experiment: &Experiment) -> PlannedRun {
        let generator = self.generator.as_ref();
        PlannedRun {
            schema: PlannedRun::SCHEMA.into(),
            name: experiment.name.clone(),
            question: experiment.question.clone(),
            factors: cells::factors(&self.cells),
            cells: self.cells.iter().enumerate().map(planned).collect(),
            trials: self.trials.iter().map(PlannedTrial::id).collect(),
            repeats: experiment.repeats,
            seed: experiment.seed,
            warm_up_s: experiment.warm_up.0.as_secs_f64(),
            duration_s: experiment.duration.0.as_secs_f64(),
            estimated_s: self.estimate(experiment).as_secs_f64(),
            server_cores: self.cores.server.clone(),
            generator_cores: self.cores.generator.clone(),
            generator: generator.map(|generator| generator.label.clone()),
            expect: experiment.expectations(),
            slo: experiment.objectives(),
            notices: self.notices.clone(),
            unknown: Unknown::new(),
        }
    }

    /// How long all of it takes, about.
    fn estimate(&self, experiment: &Experiment) -> Duration {
        self.duration(experiment, self.trials.len())
    }

    /// The plan for people.
    pub fn describe(&self, experiment: &Experiment) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}: {}\n", experiment.name, experiment.question);
        let factors = cells::factors(&self.cells);
        let shown: Vec<_> = factors.iter().collect();
        for (number, cell) in self.cells.iter().enumerate() {
            let flags = match flags(cell) {
                [] => String::new(),
                flags => format!("  ({})", flags.join(" ")),
            };
            let _ = writeln!(
                text,
                "  c{number:03}  {}{flags}",
                label(&cell.factors, &shown)
            );
        }
        let _ = writeln!(
            text,
            "\n{}, {}, {} of {:?} after {:?} of warm-up: about {}",
            counted(self.cells.len() as u64, "cell"),
            counted(experiment.repeats as u64, "repeat"),
            counted(self.trials.len() as u64, "trial"),
            experiment.duration.0,
            experiment.warm_up.0,
            minutes(self.estimate(experiment)),
        );
        let _ = writeln!(
            text,
            "server on core {}, generator on core {}",
            cores::list(&self.cores.server),
            cores::list(&self.cores.generator)
        );
        if let Some(upstream) = &experiment.upstream {
            let flags = upstream.options.0.join(" ");
            let _ = writeln!(text, "behind it {} {flags}", upstream.model);
        }
        for notice in &self.notices {
            let _ = writeln!(text, "notice: {notice}");
        }
        for expect in &experiment.expect {
            let _ = writeln!(
                text,
                "expected: {}\n          {}",
                expect.text, expect.ratio.0.text
            );
        }
        text
    }
}

fn planned((number, cell): (usize, &Cell)) -> PlannedCell {
    PlannedCell {
        cell: number,
        factors: cell.factors.clone(),
        flags: flags(cell).to_vec(),
        unknown: Unknown::new(),
    }
}

/// Those of `archbench serve`.
fn flags(cell: &Cell) -> &[String] {
    match &cell.server {
        Server::Model { flags, .. } => flags,
        Server::External(_) => &[],
    }
}

/// Like `2 min 30 s`.
pub fn minutes(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Models;
    use std::path::Path;

    #[test]
    fn programs_are_told_what_people_are() {
        let text = "name='x'\nquestion='?'\nduration='2s'\nwarm_up='500ms'\nrepeats=2\nslo=['p(99)<1ms']\n\
             models=[{model='a',options='--threads 2'},'b']\nload=[{name='closed',connections=[1,8]}]\n\
             expect=[{text='so',ratio='a@connections=1 / b@connections=1 < 1'}]";
        let experiment = Experiment::parse(text, Path::new("x")).unwrap();
        let Models::Some(models) = &experiment.models else {
            panic!("a list");
        };
        let plan = Plan::of(&experiment, models, Vec::new(), &[0, 1]).unwrap();
        let document = plan.document(&experiment);
        let read = PlannedRun::parse(&document.pretty().unwrap()).unwrap();
        assert_eq!(read, document);
        assert_eq!((read.cells.len(), read.trials.len()), (4, 8));
        assert_eq!(read.cells[0].flags, ["--threads", "2"]);
        assert_eq!(read.cells[3].factors["connections"], 8.0.into());
        assert_eq!(read.estimated_s, 8.0 * (2.5 + 0.7));
        assert_eq!(read.expect[0].text, "so");
        let described = plan.describe(&experiment);
        for part in [
            "--threads 2",
            "4 cells, 2 repeats, 8 trials",
            "26 s",
            "expected: so",
        ] {
            assert!(described.contains(part), "{part}: {described}");
        }
    }

    #[test]
    fn times() {
        assert_eq!(minutes(Duration::from_secs(150)), "2 min 30 s");
        assert_eq!(minutes(Duration::from_millis(59_400)), "59 s");
    }
}
