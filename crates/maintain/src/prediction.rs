//! `prediction`: Flux's image server profiled at low load, its whole load curve simulated, and measured.

use std::path::PathBuf;
use std::time::Duration;

use flux::profile::Profile;
use flux_simulator::curve::Arrivals;
use flux_simulator::measured::of_reports;
use flux_simulator::predict::predict;
use flux_simulator::{Model, Run, Runtime, Settings, chart};
use lab::Failure;

use crate::server::Server;
use crate::testbed::{Cores, Testbed};
use crate::{client, programs};

/// Predict the load curve of the image server from a profile at low load, measure it, and tell by how much the two differ
///
/// The server has a core of its own, and a cache with room for nothing, so that every request has a picture compressed. The loads are
/// shares of what the simulation says it can do. Exit status: 0 up to 0.8 of that, throughput and mean are within 10 % and the 99th
/// percentile within 25 %; 3 some are not; 1 something failed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Who calls the next step
    #[arg(long, value_name = "WHO", default_value = "pool")]
    runtime: Runtime,
    /// Threads of the pool, or helpers of the loop
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=4096))]
    threads: u32,
    /// Requests a second while it is profiled
    #[arg(long, value_name = "RATE", default_value_t = 20.0)]
    profile_rate: f64,
    /// How long each load lasts; the profile takes twice as long
    #[arg(long, value_name = "TIME", default_value = "8s", value_parser = workload::units::duration)]
    duration: Duration,
    /// Shares of what it can do at most that are measured
    #[arg(long, value_name = "SHARE", value_delimiter = ',', default_values_t = [0.2, 0.4, 0.6, 0.7, 0.8, 0.9])]
    shares: Vec<f64>,
    /// How long a thread runs while others want to
    #[arg(long, value_name = "TIME", default_value = "3ms", value_parser = workload::units::duration)]
    slice: Duration,
    /// Predicted and measured response times, as SVG
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    cores: Cores,
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
    let path = testbed.work().join("image.profile");
    let server = serve(
        &testbed,
        arguments,
        &["--profile", &path.display().to_string()],
    )?;
    let warm_up = Duration::from_secs(1);
    ask(
        &testbed,
        &server,
        arguments.profile_rate,
        2 * arguments.duration + warm_up,
    )?;
    server.stop()?;
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let profile = Profile::parse(&text, &compiled)?;
    let settings = Settings {
        runtime: arguments.runtime,
        threads: arguments.threads,
        slice: arguments.slice,
        request: Some(REQUEST.into()),
        ..Settings::default()
    };
    let capacity = Model::new(&compiled, Some(&profile), &settings)?.capacity_per_s(1);
    let server = serve(&testbed, arguments, &[])?;
    let mut reports = Vec::new();
    for share in &arguments.shares {
        let text = ask(
            &testbed,
            &server,
            share * capacity,
            arguments.duration + warm_up,
        )?;
        reports.push(client::report(&text)?);
    }
    server.stop()?;
    let measured = of_reports(&reports)?;
    debug_assert!(measured.iter().all(|one| one.arrivals == Arrivals::Poisson));
    let (prediction, curve) = predict(&compiled, &profile, &settings, &measured, Run::default())?;
    println!("{prediction}");
    if let Some(path) = &arguments.output {
        let svg = chart::response_times("image.flux", &[curve], &measured)?;
        std::fs::write(path, svg)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(match prediction.holds() {
        true => 0,
        false => lab::SLO_MISSED,
    })
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

/// Has clients ask for pictures, so many a second at random; gives their report.
fn ask(testbed: &Testbed, server: &Server, rate: f64, lasts: Duration) -> Result<String, Failure> {
    let pictures = PICTURES.iter().flat_map(|name| {
        SIZES.map(move |eighths| format!("{}/{name}.jpg?scale={eighths}", server.url))
    });
    let mut command = vec![programs::archbench()?.display().to_string(), "load".into()];
    let lasts = format!("{}ms", lasts.as_millis());
    let rate = format!("{rate:.1}");
    let how = [
        "--quiet",
        "--output-format",
        "json",
        "--poisson",
        "--rate",
        &rate,
    ];
    let much = [
        "--duration",
        &lasts,
        "--warmup",
        "1s",
        "--connections",
        "64",
    ];
    command.extend(how.iter().chain(&much).map(|one| (*one).to_owned()));
    command.extend(pictures);
    Ok(client::run(testbed, &command)?.text)
}
