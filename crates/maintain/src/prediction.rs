//! `prediction`: Flux's image server profiled at low load, its whole load curve simulated, and measured.
//!
//! Low load is one client that has one request at a time: nobody waits for anybody, and caches and clock are those of a processor that works, as
//! they are at the loads that are hard to predict. What that client saw beyond what the simulation says of it is the time outside of the server.
//! How the mean is missed follows from how the times of nodes are: a queue at 0.8 of what it can do answers five times as much
//! later as its services take longer. So each load is served with a profile of its own, which says by how much they did.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use contracts::Statistic;
use flux::Compiled;
use flux::profile::Profile;
use flux_simulator::curve::Arrivals;
use flux_simulator::measured::{Measured, of_reports};
use flux_simulator::predict::{Quantity, predict};
use flux_simulator::{Load, Model, Run, Runtime, Settings, chart};
use lab::Failure;

use crate::server::Server;
use crate::testbed::{Cores, Testbed};
use crate::{client, programs, splice};

/// Predict the load curve of the image server from a profile at low load, measure it, and tell by how much the two differ
///
/// The server has a core of its own, and a cache with room for nothing, so that every request has a picture compressed. The profile is of one
/// client that has one request at a time; the loads are shares of what the simulation says the server can do. Exit status: 0 up to 0.8
/// of that, throughput and mean are within 10 % and the 99th percentile within 25 %; 3 some are not, or a measurement does not count; 1
/// something failed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Who calls the next step
    #[arg(long, value_name = "WHO", default_value = "pool")]
    runtime: Runtime,
    /// Threads of the pool, or helpers of the loop
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=4096))]
    threads: u32,
    /// How long it is profiled
    #[arg(long, value_name = "TIME", default_value = "25s", value_parser = workload::units::duration)]
    profiled: Duration,
    /// How long all loads last together: the higher one is, the longer, for its figures are known the less well
    #[arg(long, value_name = "TIME", default_value = "110s", value_parser = workload::units::duration)]
    duration: Duration,
    /// Shares of what it can do at most that are measured, each above 0 and below 1
    #[arg(long, value_name = "SHARE", value_delimiter = ',', default_values_t = [0.2, 0.4, 0.6, 0.8], value_parser = share)]
    shares: Vec<f64>,
    /// How long a thread runs while others want to
    #[arg(long, value_name = "TIME", default_value = "3ms", value_parser = workload::units::duration)]
    slice: Duration,
    /// Predicted and measured response times, as SVG
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write what came out at the end of bench-configs/flux/flux-predict.toml, below the line "# Outcome"
    #[arg(long)]
    record: bool,
    #[command(flatten)]
    cores: Cores,
}

/// The experiment whose outcome it is.
const EXPERIMENT: &str = "bench-configs/flux/flux-predict.toml";
/// What its outcome answers.
const QUESTION: &str =
    "How well does a simulation say what the image server does at loads it was not profiled at?";
/// A load lasts no shorter.
const LEAST: Duration = Duration::from_secs(2);
/// What is not counted of a load, before it is as it stays.
const WARM_UP: Duration = Duration::from_secs(1);

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if share > 0.0 && share < 1.0 => Ok(share),
        _ => Err("expected a number above 0 and below 1, like 0.8".into()),
    }
}

/// The program.
const PROGRAM: &str = include_str!("../../flux-servers/programs/image.flux");
/// The node that every request runs, and no other flow.
const REQUEST: &str = "CheckCache";
/// What is asked for: five pictures in eight sizes, each as often as the others.
const PICTURES: [&str; 5] = ["one", "two", "three", "four", "five"];
const SIZES: std::ops::RangeInclusive<u32> = 1..=8;

/// Profiles, simulates, measures; prints one beside the other.
///
/// # Errors
/// When the server cannot be started, or does not serve.
pub(crate) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let testbed = Testbed::new(arguments.cores)?;
    let compiled = flux::check(PROGRAM)
        .compiled
        .ok_or("the image server's program does not compile")?;
    let settings = Settings {
        runtime: arguments.runtime,
        threads: arguments.threads,
        slice: arguments.slice,
        request: Some(REQUEST.into()),
        ..Settings::default()
    };
    let one = ["--connections", "1"].map(str::to_owned);
    let (text, profile) = profiled(&testbed, arguments, &compiled, &one, arguments.profiled)?;
    let model = Model::new(&compiled, Some(&profile), &settings)?;
    let capacity = model.capacity_per_s(1);
    let how = Run {
        delay: outside(&model, &text)?,
        ..Run::default()
    };
    let (mut measured, mut own, mut left_out) = (Vec::new(), Vec::new(), String::new());
    for (share, lasts) in loads(&arguments.shares, arguments.duration) {
        // Not above it by rounding.
        let rate = (share * capacity * 10.0).floor() / 10.0;
        let open = ["--connections", "64", "--poisson", "--rate"].map(str::to_owned);
        let open = [&open[..], &[format!("{rate:.1}")]].concat();
        let (text, profile) = profiled(&testbed, arguments, &compiled, &open, lasts)?;
        let report = client::report(&text)?;
        if let Ok(load) = of_reports(std::slice::from_ref(&report)) {
            debug_assert!(load.iter().all(|one| one.arrivals == Arrivals::Poisson));
            measured.extend(load);
            own.push(profile);
        } else {
            let why = report.reasons.join("\n  ");
            let _ = writeln!(
                left_out,
                "\nat {rate:.1}/s the measurement does not count:\n  {why}"
            );
        }
    }
    if measured.is_empty() {
        return Err(left_out.trim().into());
    }
    let (prediction, curve) = predict(&compiled, &profile, &settings, &measured, how)?;
    let delay_us = how.delay.as_secs_f64() * 1e6;
    let hindsight = hindsight(&compiled, &settings, capacity, &measured, &own, how)?;
    let told = format!(
        "{QUESTION}\n\n{prediction}\n\n\
         {delay_us:.0} µs of each response are outside of the server, as one client saw it.\n\n{hindsight}\n{left_out}"
    );
    println!("{}", told.trim_end());
    if let Some(path) = &arguments.output {
        let svg = chart::response_times("image.flux", &[curve], &measured)?;
        std::fs::write(path, svg)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    if arguments.record {
        splice::record(Path::new(EXPERIMENT), &told)?;
    }
    Ok(match prediction.holds() && left_out.is_empty() {
        true => 0,
        false => lab::SLO_MISSED,
    })
}

/// How long each load lasts: the variance of a queue's mean grows as 1/(1-ρ)² beside its square (Whitt, *Management Science* 35, 1989).
fn loads(shares: &[f64], all: Duration) -> impl Iterator<Item = (f64, Duration)> {
    let weight = |share: &f64| (1.0 - share).powi(-2);
    let sum: f64 = shares.iter().map(weight).sum();
    shares.iter().map(move |share| {
        let lasts = all.mul_f64(weight(share) / sum);
        (*share, lasts.max(LEAST))
    })
}

/// What one client's report says beyond what the simulation does of the same: the network, its own time, and how long threads take to wake.
fn outside(model: &Model, report: &str) -> Result<Duration, Failure> {
    let report = client::report(report)?;
    let times = report.response_time_us.as_ref();
    let seen = times.and_then(|times| times.get(Statistic::Mean));
    let seen = seen.ok_or("the generator has reported no mean response time")? * 1e-6;
    let said = flux_simulator::run(model, Load::Closed(1, Duration::ZERO), Run::default());
    Ok(Duration::from_secs_f64(
        (seen - said.response_s.mean).max(0.0),
    ))
}

/// What the simulation says with the times that nodes had under each load itself: whether those were other, or the model is wrong.
fn hindsight(
    compiled: &Compiled,
    settings: &Settings,
    capacity: f64,
    measured: &[Measured],
    own: &[Profile],
    how: Run,
) -> Result<String, Failure> {
    let mut told = format!(
        "With the times that nodes had under each load itself:\n\n  {:>10}  {:>19}  {:>10}  {:>9}",
        "offered/s", "times, to profiled", "mean ratio", "p99 ratio"
    );
    for (measured, profile) in measured.iter().zip(own) {
        let (again, _) = predict(compiled, profile, settings, &[*measured], how)?;
        let times = capacity / again.capacity_per_s;
        let _ = write!(told, "\n  {:>10.1}  {times:>19.3}", measured.offered_per_s);
        let figures = again.loads.iter().flat_map(|load| &load.figures);
        for pair in figures.filter(|pair| pair.quantity != Quantity::Throughput) {
            let width = if pair.quantity == Quantity::Mean {
                10
            } else {
                9
            };
            let _ = write!(told, "  {:>width$.2}", 1.0 + pair.error());
        }
    }
    Ok(told)
}

/// Serves a load, with a profile: the generator's report, and the profile.
fn profiled(
    testbed: &Testbed,
    arguments: &Arguments,
    compiled: &Compiled,
    load: &[String],
    lasts: Duration,
) -> Result<(String, Profile), Failure> {
    let path = testbed.work().join("image.profile");
    let server = serve(
        testbed,
        arguments,
        &["--profile", &path.display().to_string()],
    )?;
    let report = ask(testbed, &server, load, lasts)?;
    server.stop()?;
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok((report, Profile::parse(&text, compiled)?))
}

/// The image server, with further options.
fn serve(testbed: &Testbed, arguments: &Arguments, options: &[&str]) -> Result<Server, Failure> {
    let runtime = match arguments.runtime {
        Runtime::Thread => "thread",
        Runtime::Pool => "pool",
        Runtime::Event => "event",
    };
    let mut command = vec![
        programs::binary("flux-servers", "flux-servers")?
            .display()
            .to_string(),
        "image".into(),
    ];
    let threads = arguments.threads.to_string();
    let given = ["--runtime", runtime, "--threads", &threads];
    let fixed = [
        "--addr",
        "127.0.0.1:0",
        "--cache-mib",
        "0",
        "--output-format",
        "json",
    ];
    command.extend(
        given
            .iter()
            .chain(&fixed)
            .chain(options)
            .map(|one| (*one).to_owned()),
    );
    Server::telling(testbed, "flux-servers image", &command)
}

/// Has clients ask for pictures, each time one at random; gives their report.
fn ask(
    testbed: &Testbed,
    server: &Server,
    load: &[String],
    lasts: Duration,
) -> Result<String, Failure> {
    let pictures = PICTURES.iter().flat_map(|name| {
        SIZES.map(move |eighths| format!("{}/{name}.jpg?scale={eighths}", server.url))
    });
    let mut command = vec![programs::archbench()?.display().to_string(), "load".into()];
    command.extend(["--quiet", "--output-format", "json"].map(str::to_owned));
    let of = |time: Duration| format!("{}ms", time.as_millis());
    command.extend(["--warmup".into(), of(WARM_UP)]);
    command.extend(["--duration".into(), of(WARM_UP + lasts)]);
    command.extend_from_slice(load);
    command.extend(pictures);
    Ok(client::run(testbed, &command)?.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loads_take_as_long_as_they_may_and_the_highest_most_of_it() {
        let all = Duration::from_secs(110);
        let loads: Vec<_> = loads(&[0.2, 0.4, 0.6, 0.8], all).collect();
        let lasts = |place: usize| loads[place].1.as_secs_f64();
        let sum: f64 = (0..4).map(lasts).sum();
        assert!((sum - 110.0).abs() < 1e-6);
        assert!((lasts(3) / lasts(2) - 4.0).abs() < 1e-6);
    }

    #[test]
    fn a_share_is_one_of_what_can_be_done() {
        assert_eq!(share("0.8"), Ok(0.8));
        for wrong in ["0", "1", "-1", "NaN", "much"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }
}
