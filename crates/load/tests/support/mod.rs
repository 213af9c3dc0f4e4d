//! What the tests of whole runs share: servers whose delays are known, and runs against them.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its part of it, and it is no crate of its own"
)]

pub mod certified;
pub mod golden;
pub mod peer;
pub mod queue;
pub mod script;

use load::clock::Nanos;
use load::collect::{CollectedSecond, Observer};
use load::measure::{Outcome, measure};
use load::record::Record;
use load::report::Report;
use load::run::{Arrivals, Control, Fault, Model, Run};
use load::schedule::Think;
use load::slo::Slo;
use load::target::{Order, Target, Targets};
use load::url::Url;
use load::verdict::Finding;
use load::verify::Expected;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};
use workload::{RateStages, Schedule};

/// Runs that measure time must not measure each other.
pub fn one_at_a_time() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// A closed loop of one client, to be changed as a test needs it.
pub fn run(address: SocketAddr, duration: Duration) -> Run {
    let url = Url::parse(&format!("http://{address}/")).expect("a URL");
    let target = Target::new(&url, false, &[], Expected::Anything);
    Run {
        model: Model::Closed,
        part: None,
        start_at: None,
        addresses: vec![address.into()],
        targets: Targets {
            targets: vec![target],
            order: Order::One,
        },
        clients: 1,
        max_connections: 1,
        threads: 1,
        cores: Vec::new(),
        http2: false,
        depth: 1,
        idle: 0,
        storm: 0,
        session_at_once: false,
        requests_per_connection: u64::MAX,
        duration: Some(duration),
        requests: None,
        precision: None,
        warmup: 0,
        timeout: 2 * load::clock::SECOND,
        think: Think::Constant(Duration::ZERO),
        seed: 1,
        expect: Default::default(),
        verify: false,
        retry: true,
        most_spin: 200_000,
        security: None,
        fault: Fault::None,
    }
}

/// An open loop over so many connections.
pub fn open_loop(
    address: SocketAddr,
    duration: Duration,
    rate: f64,
    poisson: bool,
    connections: usize,
) -> Run {
    let stages = RateStages::steady(rate, Some(duration)).expect("a rate");
    let mut run = run(address, duration);
    let times = if poisson {
        Schedule::poisson(stages.clone(), run.seed)
    } else {
        Schedule::constant(stages.clone())
    };
    run.model = Model::Open(Arrivals {
        times,
        asked: Some((stages, poisson)),
    });
    run.clients = connections;
    run.max_connections = connections;
    run
}

/// Nobody watches.
pub struct Nobody;

impl Observer for Nobody {
    fn second(&mut self, _: &CollectedSecond, _: &Record, _: &Record) {}
}

/// A finished run.
pub struct Done {
    pub run: Arc<Run>,
    pub outcome: Outcome,
}

impl Done {
    pub fn report(&self) -> Report<'_> {
        self.report_on(&[])
    }

    pub fn report_on(&self, slos: &[Slo]) -> Report<'_> {
        Report::new(
            &self.run,
            &self.outcome,
            slos,
            Vec::new(),
            String::new(),
            SystemTime::now(),
        )
    }

    /// A quantile of a histogram of the outcome, in seconds.
    pub fn quantile(&self, metric: load::metric::Metric, quantile: f64) -> f64 {
        let report = self.report();
        let times = report.figures.times(metric).expect("times");
        load::clock::seconds(times.quantile(quantile).value)
    }

    /// A mean, in seconds.
    pub fn mean(&self, metric: load::metric::Metric) -> f64 {
        let report = self.report();
        report.figures.times(metric).expect("times").mean().0 / 1e9
    }

    /// Why the same run might do better on a quieter machine.
    pub fn disturbances(&self) -> Vec<Finding> {
        let mut findings = self.report().findings;
        findings.retain(|finding| finding.rule.is_disturbance());
        findings
    }
}

/// Runs it.
pub fn go(run: Run) -> Result<Done, load::measure::Error> {
    let run = Arc::new(run);
    let control = Arc::new(Control::default());
    let outcome = measure(run.clone(), &control, &mut Nobody)?;
    Ok(Done { run, outcome })
}

/// What a check says: nothing, or what is wrong.
pub type Checked = Result<(), String>;

/// Whether a figure is what it must be, give or take a share and a constant.
pub fn near(what: &str, is: f64, must_be: f64, share: f64, plus: f64) -> Checked {
    if (is - must_be).abs() <= must_be * share + plus {
        return Ok(());
    }
    Err(format!(
        "{what} is {is:.6}, and must be {must_be:.6} ± {:.0} % ± {plus}",
        share * 100.0
    ))
}

/// Whether it is at most this.
pub fn at_most(what: &str, is: f64, most: f64) -> Checked {
    if is <= most {
        return Ok(());
    }
    Err(format!("{what} is {is:.6}, and must be at most {most:.6}"))
}

/// Milliseconds in nanoseconds.
pub const MS: Nanos = 1_000_000;
