//! `archbench search`: the highest rate at which objectives hold.

mod bisection;

use std::path::PathBuf;
use std::time::Duration;

use contracts::search::{HighestRate, HighestRates};
use contracts::{Document, PERCENTILES, Unknown};
use results::{Figure, TimeFigure, Trial, Validity};
use sys::process::INTERRUPTED;
use workload::objective::read_file;
use workload::{Arrival, Preset, units};

use super::Shown;
use crate::analysis::judge::{self, LEVEL};
use crate::commands::progress::Progress;
use crate::cores::{self, Cores};
use crate::plan::cells::{Cell, LoadCell, Server};
use crate::plan::models;
use crate::spec::Objective;
use crate::spec::{Cache, Loop, NetworkCell};
use crate::table::Table;
use crate::trial::launched::Places;
use crate::trial::memory::Support;
use crate::trial::{Job, Patience, ProcessRunner, Runner};
use crate::{Failure, Status, files};
use bisection::{Answer, Search};

/// Find the highest rate at which a model holds its objectives
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
A closed loop first finds what the server can do at all; then the rate of Poisson arrivals is halved in on until it is known to
the resolution. Each repeat searches afresh with arrivals of its own; the interval is Student's over the repeats, on logarithms. A
rate that the generator could not offer (INVALID) does not hold, and the answer is then marked with ≥: the server might do more. So
is one that held up to a quarter above what the closed loop gave, where the search ends.

Examples:
  archbench search --model amped --slo 'p(99)<10ms'
  archbench search --slo-file bench-configs/slo/lecture.toml          all models, and a table
  archbench search --model pool --options '--threads 150' --slo 'p(99.9)<50ms' --files single:1k

Exit status: 0 done, whatever came out; 1 failed, or no model could be tried; 2 wrong usage; 130 stopped by Ctrl-C.")]
pub struct Args {
    /// An architecture; repeatable; without it, all
    #[arg(short, long, value_name = "MODEL")]
    pub model: Vec<String>,
    /// Flags of 'archbench serve' for them
    #[arg(
        long,
        value_name = "FLAGS",
        default_value = "",
        allow_hyphen_values = true
    )]
    pub options: String,
    /// What must hold; repeatable: 'p(99)<10ms', 'errors<0.1%', 'availability>=99.9%', 'cpu_per_request<50us', …
    #[arg(long, value_name = "SLO", required_unless_present = "slo_file")]
    pub slo: Vec<Objective>,
    /// A file of objectives
    #[arg(long, value_name = "FILE")]
    pub slo_file: Option<PathBuf>,
    /// What is served
    #[arg(long, value_name = "PRESET", default_value = "specweb99:4")]
    pub files: Preset,
    /// Connections
    #[arg(short = 'c', long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..))]
    pub connections: u64,
    /// How long each rate is tried at most
    #[arg(short = 'd', long, value_name = "TIME", default_value = "10s", value_parser = units::duration)]
    pub duration: Duration,
    /// A rate is tried until the mean and the percentiles of --slo are known so well
    #[arg(long, value_name = "PERCENT", default_value = "10%", value_parser = units::precision)]
    pub precision: f64,
    /// How long each rate is tried before it is measured
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = units::duration)]
    pub warm_up: Duration,
    /// How often the search is repeated, for the interval
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub repeats: u64,
    /// How finely the rate is found
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0, value_parser = resolution)]
    pub resolution: f64,
    /// The seed of the arrivals
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// For whom it is printed
    #[command(flatten)]
    pub shown: Shown,
    /// The archbench that serves and loads; this one if not given
    #[arg(long, value_name = "FILE", hide = true)]
    pub archbench: Option<PathBuf>,
}

/// How often a rate is tried again that the generator could not offer: the machine may have been disturbed.
const AGAIN: usize = 2;

fn resolution(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').parse::<f64>().ok();
    number
        .filter(|number| (0.5..=50.0).contains(number))
        .ok_or_else(|| format!("'{text}' is no percentage from 0.5 to 50"))
}

/// Runs it.
///
/// # Errors
/// When nothing can be tried at all.
pub fn run(args: Args) -> Result<Status, Failure> {
    let archbench = crate::commands::run::executable(args.archbench.as_deref())?;
    let mut objectives = args.slo.clone();
    if let Some(path) = &args.slo_file {
        objectives.extend(read_file::<Objective>(path)?);
    }
    if let Some(slo) = objectives.iter().find(|slo| !slo.figure.is_reported()) {
        let known = PERCENTILES.map(|percent| percent.to_string()).join(", ");
        let why = format!("'{slo}': of percentiles a search knows {known}; choose one of them");
        return Err(command::usage(why));
    }
    if let Some(slo) = objectives.iter().find(|slo| slo.is_of_sessions()) {
        let why = format!("'{slo}' is about sessions, and a search has none");
        return Err(command::usage(why));
    }
    let names = if args.model.is_empty() {
        let listed = models::list(&archbench)?.models.into_iter();
        listed.map(|model| model.name).collect()
    } else {
        args.model.clone()
    };
    let flags: Vec<String> = args.options.split_whitespace().map(str::to_owned).collect();
    for name in &names {
        models::check(&archbench, name, &flags).map_err(command::usage)?;
    }
    let set = args.files.file_set(1);
    command::interrupt::end_by_any()?;
    files::make(&set, &set.cache_dir()?)?;
    let interrupt = crate::commands::run::watch()?;
    let runner = ProcessRunner {
        archbench,
        generator: None,
        cores: two_sides()?,
        places: Places::default(),
        memory: Support::None("not asked for".into()),
        scratch: None,
        patience: Patience::default(),
        interrupt: interrupt.clone(),
    };
    let each = args.duration + args.warm_up + crate::plan::overhead();
    let tries =
        names.len() * args.repeats as usize * Search::tries(args.resolution / 100.0) + names.len();
    let mut progress = Progress::new(tries, each);
    let mut found = Vec::new();
    for name in &names {
        let one = Searcher {
            args: &args,
            runner: &runner,
            objectives: &objectives,
            model: name,
            flags: &flags,
        };
        found.push(one.search(&mut progress));
        if interrupt.came() {
            break;
        }
    }
    progress.finish();
    let found = HighestRates {
        schema: HighestRates::SCHEMA.into(),
        slo: objectives.iter().map(ToString::to_string).collect(),
        level: LEVEL,
        models: found,
        unknown: Unknown::new(),
    };
    args.shown.print(&found, text)?;
    if interrupt.came() {
        return Ok(INTERRUPTED);
    }
    let is_unknown = |model: &HighestRate| model.rate_per_s.is_none();
    Ok(u8::from(found.models.iter().all(is_unknown)))
}

fn reason(failure: &results::Failure) -> String {
    format!("{}: {}", failure.step, failure.reason)
}

fn two_sides() -> Result<Cores, String> {
    let all = cores::available();
    match all.as_slice() {
        [] => Err("this process may use no core".into()),
        [only] => Ok(Cores {
            server: vec![*only],
            generator: vec![*only],
        }),
        [first, rest @ ..] => Ok(Cores {
            server: vec![*first],
            generator: rest.to_vec(),
        }),
    }
}

struct Searcher<'a> {
    args: &'a Args,
    runner: &'a dyn Runner,
    objectives: &'a [Objective],
    model: &'a str,
    flags: &'a [String],
}

impl Searcher<'_> {
    fn search(&self, progress: &mut Progress) -> HighestRate {
        let mut found = HighestRate {
            model: self.model.into(),
            ..HighestRate::default()
        };
        let Some(closed) = self.try_until_valid(None, self.args.seed, progress) else {
            found.note = Some("interrupted".into());
            return found;
        };
        let Some(capacity) = Figure::Throughput.of(&closed).filter(|rate| *rate > 0.0) else {
            let nothing = || "nothing was answered in a closed loop".to_owned();
            found.note = Some(closed.failure.as_ref().map_or_else(nothing, reason));
            return found;
        };
        found.closed_loop_per_s = Some(capacity);
        for repeat in 1..=self.args.repeats {
            let mut search = Search::new(capacity, self.args.resolution / 100.0);
            while let Some(rate) = search.next() {
                let seed = self.args.seed.wrapping_add(repeat);
                let Some(trial) = self.try_until_valid(Some(rate), seed, progress) else {
                    found.note = Some("interrupted".into());
                    return found;
                };
                search.answer(self.holds(&trial));
                if let Some(failure) = &trial.failure {
                    found.note = Some(reason(failure));
                }
            }
            if search.highest() == 0.0 && search.is_at_least() {
                let why = "the generator could not offer any rate; 'archbench doctor' may say why";
                found.note = Some(why.into());
                return found;
            }
            found.repeats_per_s.push(search.highest());
            found.at_least |= search.is_at_least();
        }
        let interval = judge::interval(&found.repeats_per_s);
        found.rate_per_s = Some(stats::sample::median(&mut found.repeats_per_s.clone()));
        found.low_per_s = interval.map(|interval| interval.low.max(0.0));
        found.high_per_s = interval.map(|interval| interval.high);
        found
    }

    /// Has the generator end when it knows the percentiles that are asked about.
    fn until_known(&self) -> Vec<String> {
        let mut flags = vec!["--precision".into(), self.args.precision.to_string()];
        for slo in self.objectives {
            if let Figure::Time(TimeFigure::Latency | TimeFigure::Response, _) = slo.figure {
                let text = slo.to_string();
                let text = text.strip_prefix("latency:").unwrap_or(&text);
                flags.extend(["--slo".into(), text.to_owned()]);
            }
        }
        flags
    }

    fn holds(&self, trial: &Trial) -> Answer {
        if trial.verdict == Validity::Invalid {
            return Answer::CannotTell;
        }
        let met = self.objectives.iter().all(|slo| {
            let bound = slo.operator.is_upper() && slo.figure.is_at_least(trial);
            let value = slo.figure.of(trial);
            trial.counts()
                && !bound
                && value.is_some_and(|value| slo.operator.holds(value, slo.limit))
        });
        if met { Answer::Holds } else { Answer::DoesNot }
    }

    /// A trial, made again a few times while the generator is disturbed; `None` when somebody stopped it.
    fn try_until_valid(
        &self,
        rate: Option<f64>,
        seed: u64,
        progress: &mut Progress,
    ) -> Option<Trial> {
        let number = progress.next();
        let mut trial = self.try_one(number, rate, seed, progress)?;
        for _ in 0..AGAIN {
            if trial.verdict == Validity::Invalid {
                trial = self.try_one(number, rate, seed, progress)?;
            }
        }
        Some(trial)
    }

    /// One trial: Poisson arrivals at a rate, or a closed loop.
    fn try_one(
        &self,
        number: usize,
        rate: Option<f64>,
        seed: u64,
        progress: &mut Progress,
    ) -> Option<Trial> {
        let cell = Cell {
            factors: results::Factors::new(),
            server: Server::Model {
                model: self.model.into(),
                flags: self.flags.to_vec(),
            },
            files: self.args.files,
            load: LoadCell {
                kind: if rate.is_some() {
                    Loop::Open
                } else {
                    Loop::Closed
                },
                connections: self.args.connections,
                rate,
                arrival: rate.map(|_| Arrival::Poisson),
                stages: None,
                session_requests: None,
                think: None,
                think_exponential: false,
                flags: self.until_known(),
            },
            memory_limit: None,
            cores: None,
            disk: None,
            network: NetworkCell::default(),
        };
        let what = rate.map_or("closed loop".to_owned(), |rate| format!("{rate:.0}/s"));
        let what = format!("{} {what}", self.model);
        progress.begins(number, &what);
        let measured = self.runner.run(&Job {
            cell: &cell,
            seed,
            warm_up: self.args.warm_up,
            duration: self.args.duration,
            timeout: Duration::from_secs(2),
            cache: Cache::Prefill,
            wire: false,
            upstream: None,
        })?;
        let plan = crate::plan::PlannedTrial {
            cell: 0,
            repeat: 1,
            order: 1,
            attempt: 1,
        };
        let trial = measured.into_trial(&plan, &cell, Cache::Prefill).trial;
        let failed = trial.verdict == Validity::Failed;
        let elapsed = Duration::from_secs_f64(trial.elapsed_s);
        progress.ends(
            &what,
            &crate::commands::run::measure::outcome(&trial),
            failed,
            elapsed,
        );
        Some(trial)
    }
}

fn text(found: &HighestRates) -> String {
    let heads = [
        "model",
        "highest rate",
        "95 % interval",
        "closed loop",
        "share",
        "",
    ];
    let mut table = Table::new(heads.map(str::to_owned));
    let rate = |rate: Option<f64>| rate.map_or("–".to_owned(), |rate| format!("{rate:.0}/s"));
    for one in &found.models {
        let sign = if one.at_least && one.rate_per_s.is_some() {
            "≥ "
        } else {
            ""
        };
        let share = one
            .rate_per_s
            .zip(one.closed_loop_per_s)
            .map(|(rate, all)| rate / all * 100.0);
        table.row(vec![
            one.model.clone(),
            format!("{sign}{}", rate(one.rate_per_s)),
            match (one.low_per_s, one.high_per_s) {
                (Some(low), Some(high)) => format!("{low:.0} … {high:.0}/s"),
                _ => "–".into(),
            },
            rate(one.closed_loop_per_s),
            share.map_or("–".into(), |share| format!("{share:.0} %")),
            one.note.clone().unwrap_or_default(),
        ]);
    }
    format!(
        "highest rate of Poisson arrivals that holds {}\n\n{table}",
        found.slo.join(", ")
    )
}
