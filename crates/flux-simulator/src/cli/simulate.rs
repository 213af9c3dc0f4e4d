//! `archbench flux simulate`.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use command::output::{self, Format};
use command::quantity::{Unit, counted, significant, trimmed};
use command::{input, usage};
use contracts::Document as _;
use flux::cli::{load, refuse};
use workload::units;

use super::{Machine, Shown, profile};
use crate::chart;
use crate::curve::{Arrivals, Loads, curve};
use crate::outcome::{Curve, Outcome, Report};

/// Tell what a program would do on a machine: throughput, response times, and which station is the bottleneck, load by load
///
/// How long its nodes run and which ways its flows take is what a profile says, which the program writes with --profile FILE; so one
/// run at low load on any machine foretells the whole load curve, on as many processors as are asked for. Nothing of it is measured.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The program; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What the program has counted of itself; - for standard input. Without it --node-time says how long a node takes
    #[arg(value_name = "PROFILE")]
    profile: Option<PathBuf>,
    /// Requests a second, one or more: 500, 100..1000 for ten rates of that span, or 100,200,400 [default: up to 0.95 of what the machine can do]
    #[arg(long, value_name = "RATES", value_delimiter = ',', value_parser = rates, conflicts_with_all = ["clients", "think"])]
    rate: Vec<Rates>,
    /// When flows begin that wait for no others
    #[arg(long, value_name = "PROCESS", default_value = "poisson")]
    arrivals: Arrivals,
    /// Clients instead, each of which has one flow at a time; one or more
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    clients: Vec<u32>,
    /// How long a client thinks between its flows on the average
    #[arg(long, value_name = "TIME", default_value = "0", requires = "clients", value_parser = units::duration)]
    think: Duration,
    /// Processors, one or more numbers of them: a curve for each
    #[arg(long, value_name = "N", default_value = "1", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=4096))]
    processors: Vec<u32>,
    #[command(flatten)]
    machine: Machine,
    #[command(flatten)]
    shown: Shown,
}

const EXAMPLES: &str = concat!(
    "\
Examples:
  archbench flux simulate server.flux server.profile
  archbench flux simulate server.flux server.profile --runtime pool --threads 64 --rate 100..2000
  archbench flux simulate server.flux server.profile --processors 1,2,4,8,16 -o curve.svg
  archbench flux simulate server.flux --node-time 1ms --service-times exponential --clients 1,10,100 --think 1s

What it tells, of shop.flux:

",
    include_str!("shop.flux"),
    "
  $ archbench flux simulate shop.flux --node-time 1ms --service-times exponential --runtime pool --processors 1,4 --rate 400
  simulated on 1 processor: at most 500 requests/s
     offered/s  answered/s       mean        p50        p90        p99  bottleneck
           400         398    11.2 ms    7.09 ms    27.8 ms    49.1 ms  processors
  simulated on 4 processors: at most 1,000 requests/s
           400         399    2.66 ms    2.20 ms    5.25 ms    9.27 ms  lock ledger

An order takes 2 ms of a processor, so that one processor does 500 a second; four do not do 2,000, for the ledger is held for 1 ms each."
);

/// Rates of one span.
#[derive(Debug, Clone, PartialEq)]
struct Rates(Vec<f64>);

/// How many rates a span has.
const OF_SPAN: u32 = 10;

fn rates(text: &str) -> Result<Rates, String> {
    let rate = |text: &str| units::rate(text).map_err(|why| why.to_string());
    let Some((from, to)) = text.split_once("..") else {
        return Ok(Rates(vec![rate(text)?]));
    };
    let (from, to) = (rate(from)?, rate(to)?);
    if from >= to {
        return Err("expected the lower rate first, like 100..1000".into());
    }
    let step = (to - from) / f64::from(OF_SPAN - 1);
    let rates = (0..OF_SPAN).map(|number| from + step * f64::from(number));
    Ok(Rates(rates.collect()))
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let (file, machine) = (&arguments.file, &arguments.machine);
    let counted = arguments.profile.as_deref();
    if command::is_standard(file) && counted.is_some_and(command::is_standard) {
        return Err(usage(
            "standard input is the program or the profile, and not both",
        ));
    }
    let Some(loaded) = load(file)? else {
        return Ok(refuse(file, "this is no program"));
    };
    let compiled = &loaded.compiled;
    let profile = counted.map(|path| profile(path, compiled)).transpose()?;
    let rates = arguments
        .rate
        .iter()
        .flat_map(|span| span.0.iter().copied());
    let loads = if !arguments.clients.is_empty() {
        Loads::Clients(arguments.clients.clone(), arguments.think)
    } else if !arguments.rate.is_empty() {
        Loads::Rates(arguments.arrivals, rates.collect())
    } else {
        Loads::ToCapacity(arguments.arrivals)
    };
    let mut curves = Vec::new();
    for &processors in &arguments.processors {
        let settings = machine.settings(processors);
        let how = machine.how();
        curves.push(curve(compiled, profile.as_ref(), &settings, &loads, how)?);
    }
    let program = input::name(file);
    if arguments.shown.output.is_some() {
        let svg = chart::response_times(&program, &curves, &[]);
        arguments.shown.draw(svg)?;
    }
    match arguments.shown.format {
        Format::Text => output::print(told(&curves, profile.is_some())),
        Format::Json => output::print_json(
            Report {
                schema: Report::SCHEMA.into(),
                program,
                is_simulated: true,
                curves,
            }
            .pretty()?,
        ),
    }
    Ok(ExitCode::SUCCESS)
}

fn told(curves: &[Curve], is_profiled: bool) -> String {
    let mut text = String::new();
    if !is_profiled {
        text.push_str("without a profile: each way of a fork is as likely as the others, and no node fails\n\n");
    }
    for curve in curves {
        let machine = counted(curve.processors.into(), "processor");
        text.push_str(&format!(
            "simulated on {machine}: at most {} requests/s\n\n",
            significant(curve.capacity_per_s, 3)
        ));
        let is_closed = curve
            .outcomes
            .iter()
            .any(|outcome| outcome.clients.is_some());
        let load = if is_closed { "clients" } else { "offered/s" };
        text.push_str(&format!(
            "  {load:>10}  {:>10}  {:>9}  {:>9}  {:>9}  {:>9}  bottleneck\n",
            "answered/s", "mean", "p50", "p90", "p99"
        ));
        for outcome in &curve.outcomes {
            text.push_str(&row(outcome));
        }
        text.push_str(&stations(&curve.outcomes));
        text.push('\n');
    }
    text
}

fn row(outcome: &Outcome) -> String {
    let load = outcome.offered_per_s.or(outcome.clients.map(f64::from));
    let time = |seconds: f64| Unit::Seconds.show(seconds);
    let response = &outcome.response_s;
    let saturated = if outcome.is_saturated {
        ", saturated"
    } else {
        ""
    };
    format!(
        "  {:>10}  {:>10}  {:>9}  {:>9}  {:>9}  {:>9}  {}{saturated}\n",
        trimmed(load.unwrap_or_default(), 1),
        significant(outcome.throughput_per_s, 3),
        time(response.mean),
        time(response.p50),
        time(response.p90),
        time(response.p99),
        outcome.bottleneck,
    )
}

/// By how much each station is used, from the first load to the last.
fn stations(outcomes: &[Outcome]) -> String {
    let Some(first) = outcomes.first() else {
        return String::new();
    };
    let mut text = "\n  in use, load by load\n".to_owned();
    for (place, station) in first.stations.iter().enumerate() {
        let shares = outcomes.iter().map(|outcome| {
            let share = outcome.stations[place].utilisation * 100.0;
            format!("{share:>5.1} %")
        });
        let shares: Vec<_> = shares.collect();
        text.push_str(&format!("  {:<24} {}\n", station.name, shares.join(" ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Model, Runtime, Settings};

    #[test]
    fn the_help_s_example_can_do_what_is_said_there() {
        let compiled = flux::check(include_str!("shop.flux")).compiled;
        let compiled = compiled.expect("it is a program");
        for (processors, said) in [(1, "500"), (4, "1,000")] {
            let settings = Settings {
                runtime: Runtime::Pool,
                processors,
                node_time: Some(Duration::from_millis(1)),
                ..Settings::default()
            };
            let model = Model::new(&compiled, None, &settings).expect("times are said");
            let capacity = significant(model.capacity_per_s(1), 3);
            assert_eq!(capacity, said);
            assert!(EXAMPLES.contains(&format!("at most {said} requests/s")));
        }
    }
}
