//! `archbench slo`: a matrix of cells by objectives, met or missed, with margin and interval.

use std::fmt::Write;
use std::path::PathBuf;

use command::quantity::counted;
use contracts::slo::JudgedObjectives;
use contracts::{Document, Unknown};
use results::{Figure, JudgedSlo, Outcome, Run, Statistic, TimeFigure};
use workload::objective::read_file;

use super::Shown;
use crate::analysis::objectives::matrix;
use crate::spec::Objective;
use crate::table::{Table, label};
use crate::{Failure, Status};

/// Hold a results folder against service level objectives
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
An objective is met if the whole 95 % interval over repeats is on its right side, missed if the whole interval is on the wrong
one, and undecided otherwise. Times are response times; in a closed loop, service times.

Examples:
  archbench slo results/quick-20250321-140506 --slo 'p(99)<10ms'
  archbench slo results/quick-20250321-140506 --slo-file bench-configs/slo/lecture.toml

Exit status: 0 none is missed, 3 one is missed, 1 failed, 2 wrong usage.")]
pub struct Args {
    /// The results folder
    #[arg(value_name = "RESULTS")]
    pub results: PathBuf,
    /// An objective; repeatable: 'p(99)<10ms', 'service:p(99.9)<5ms', 'mean<1ms', 'max<100ms', 'errors<0.1%',
    /// 'throughput>=4900', 'availability>=99.9%', 'requests_per_cpu_second>=30000', 'memory_per_connection<64k'. Without any, those of the experiment
    #[arg(long, value_name = "SLO")]
    pub slo: Vec<Objective>,
    /// A file of objectives: a TOML file with slo = ["…"], or one objective a line
    #[arg(long, value_name = "FILE")]
    pub slo_file: Option<PathBuf>,
    /// For whom it is printed
    #[command(flatten)]
    pub shown: Shown,
}

/// Runs it; 3 when an objective is missed.
///
/// # Errors
/// When the folder or the objectives cannot be read.
pub fn run(args: Args) -> Result<Status, Failure> {
    let run = results::read(&args.results)?;
    let mut objectives = args.slo;
    if let Some(path) = &args.slo_file {
        objectives.extend(read_file::<Objective>(path)?);
    }
    if objectives.is_empty() {
        for text in &run.manifest.slo {
            objectives.push(text.parse()?);
        }
    }
    if objectives.is_empty() {
        return Err("the experiment has no objectives; give some with --slo or --slo-file".into());
    }
    crate::analysis::values::check(&run, objectives.iter().map(|slo| slo.figure))?;
    let longest = Figure::Time(TimeFigure::Session, Statistic::Max);
    let has_sessions = run.trials.iter().any(|trial| longest.of(trial).is_some());
    if let Some(slo) = objectives
        .iter()
        .find(|slo| slo.is_of_sessions() && !has_sessions)
    {
        return Err(format!("{slo} is about sessions, and this run had none").into());
    }
    let judged = JudgedObjectives {
        schema: JudgedObjectives::SCHEMA.into(),
        results: run.path.display().to_string(),
        complete: run.is_complete(),
        objectives: matrix(&run, &objectives),
        unknown: Unknown::new(),
    };
    args.shown.print(&judged, |judged| {
        text(&run, &judged.objectives, objectives.len())
    })?;
    let missed = judged
        .objectives
        .iter()
        .any(|judged| judged.outcome == Outcome::Missed);
    Ok(if missed { crate::SLO_MISSED } else { 0 })
}

/// The matrix for people: a row for each cell, a column for each objective.
pub fn text(run: &Run, judged: &[JudgedSlo], objectives: usize) -> String {
    let swept = run.swept();
    let mut table = Table::new(["cell".to_owned()]);
    for first in judged.iter().take(objectives) {
        table.column(&first.slo);
    }
    for row in judged.chunks(objectives.max(1)) {
        let mut cells = vec![
            row.first()
                .map_or(String::new(), |first| label(&first.factors, &swept)),
        ];
        cells.extend(row.iter().map(describe));
        table.row(cells);
    }
    let count = |outcome| {
        judged
            .iter()
            .filter(|judged| judged.outcome == outcome)
            .count()
    };
    let mut text = table.to_string();
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "\n{} met, {} missed, {} undecided; margins are shares of the limit, intervals 95 % over {}",
        count(Outcome::Met),
        count(Outcome::Missed),
        count(Outcome::Undecided),
        counted(run.manifest.repeats as u64, "repeat"),
    );
    if judged.iter().any(has_no_interval) {
        text.push_str("; one repeat that counts gives no interval, and so decides nothing");
    }
    if !run.is_complete() {
        let (done, all) = (run.done(), run.planned());
        let _ = write!(
            text,
            "\nthis run is not finished: {done} of {all} trials are done"
        );
    }
    text
}

/// Whether there is but one value to go by.
fn has_no_interval(judged: &JudgedSlo) -> bool {
    judged.estimate.is_some() && judged.low.is_none()
}

fn describe(judged: &JudgedSlo) -> String {
    let Some(margin) = judged.margin else {
        return match judged.estimate {
            Some(_) => format!("{}: a lower bound", judged.outcome),
            None => "no figures".into(),
        };
    };
    let objective = judged.slo.parse::<Objective>().ok();
    let spread = match (objective, judged.low, judged.high) {
        (Some(objective), Some(low), Some(high)) => {
            let ends = [low, high].map(|end| objective.margin(end) * 100.0);
            format!(
                " [{:+.0}, {:+.0}]",
                ends[0].min(ends[1]),
                ends[0].max(ends[1])
            )
        }
        _ => " (1 repeat)".to_owned(),
    };
    let name = if judged.outcome == Outcome::Missed {
        "MISSED"
    } else {
        judged.outcome.name()
    };
    let most = if judged.at_least { "≤ " } else { "" };
    format!("{name} {most}{:+.0} %{spread}", margin * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use results::fixture::Fixture;

    /// SPED at a single rate, without mishaps.
    fn of_one_model() -> Fixture {
        Fixture {
            models: vec!["sped".into()],
            rates: vec![1000.0],
            connections: vec![],
            seconds: 1,
            mishaps: false,
            ..Fixture::default()
        }
    }

    #[test]
    fn the_matrix_says_met_and_missed_with_margins() {
        let home = tempfile::tempdir().unwrap();
        let fixture = of_one_model();
        let path = home.path().join("run");
        let run = fixture.write(&path).unwrap();
        // M/M/1 with 10,000 and 1000 per second: p(99) is about 0.51 ms.
        let slos = ["p(99)<2ms", "p(99)<100us", "p(97)<1ms", "throughput>=900"];
        let objectives: Vec<Objective> = slos.iter().map(|slo| slo.parse().unwrap()).collect();
        let judged = matrix(&run, &objectives);
        let outcomes: Vec<_> = judged.iter().map(|judged| judged.outcome).collect();
        assert_eq!(
            outcomes,
            [Outcome::Met, Outcome::Missed, Outcome::Met, Outcome::Met]
        );
        assert!(judged[0].margin.unwrap() > 0.5 && judged[1].margin.unwrap() < -1.0);
        let text = text(&run, &judged, 4);
        assert!(text.contains("3 met, 1 missed, 0 undecided"), "{text}");
        let status = |slo: &str| {
            let slo = vec![slo.parse().unwrap()];
            run_on(Args {
                results: path.clone(),
                slo,
                slo_file: None,
                shown: Shown::default(),
            })
        };
        assert_eq!((status("p(99)<100us"), status("p(99)<2ms")), (3, 0));
        // Only the histograms know this one.
        assert_eq!(status("p(98)<2ms"), 0);
        std::fs::remove_file(path.join("trials/c000-r1.hlog")).unwrap();
        assert_eq!(status("p(99)<2ms"), 0);
        let slo = vec!["p(98)<2ms".parse().unwrap()];
        let (slo_file, shown) = (None, Shown::default());
        let args = Args {
            results: path,
            slo,
            slo_file,
            shown,
        };
        let error = super::run(args).unwrap_err().to_string();
        assert!(error.contains("c000-r1.hlog"), "{error}");
    }

    #[test]
    fn a_lower_bound_shows_no_margin_that_its_outcome_contradicts() {
        let home = tempfile::tempdir().unwrap();
        let fixture = of_one_model();
        let mut run = fixture.write(&home.path().join("run")).unwrap();
        let load = run.trials[0].load.as_mut().unwrap();
        load.response_time_us.as_mut().unwrap().at_least = vec!["p99".into()];
        let slos = ["p(99)<2ms", "p(99)<100us"].map(|slo| slo.parse().unwrap());
        let judged = matrix(&run, &slos);
        assert_eq!(
            (judged[0].outcome, judged[0].margin),
            (Outcome::Undecided, None)
        );
        assert!(judged[0].at_least && judged[0].estimate.is_some());
        assert_eq!(judged[1].outcome, Outcome::Missed);
        let text = text(&run, &judged, 2);
        for part in ["undecided: a lower bound", "MISSED ≤ -"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let args = Args {
            results: home.path().join("run"),
            slo: vec!["session:p(99)<1s".parse().unwrap()],
            slo_file: None,
            shown: Shown::default(),
        };
        let error = super::run(args).unwrap_err().to_string();
        assert!(error.contains("this run had none"), "{error}");
    }

    #[test]
    fn a_single_repeat_is_said_to_decide_nothing() {
        let home = tempfile::tempdir().unwrap();
        let fixture = Fixture {
            repeats: 1,
            ..of_one_model()
        };
        let run = fixture.write(&home.path().join("run")).unwrap();
        let judged = matrix(&run, &["p(99)<2ms".parse().unwrap()]);
        let text = text(&run, &judged, 1);
        for part in [
            "undecided +",
            "% (1 repeat)",
            "over 1 repeat;",
            "decides nothing",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("not finished"), "{text}");
        // Without its only trial.
        let unfinished = Run {
            trials: Vec::new(),
            ..run
        };
        let text = super::text(&unfinished, &[], 1);
        assert!(
            text.ends_with("not finished: 0 of 1 trials are done"),
            "{text}"
        );
    }

    fn run_on(args: Args) -> Status {
        super::run(args).unwrap()
    }
}
