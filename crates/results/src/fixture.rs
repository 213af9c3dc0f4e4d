//! Plausible results without a run: what whoever draws results tries his figures on.
//!
//! Each architecture is a queue M/M/1 with a capacity of its own; nothing here was measured.

mod measured;

use std::path::Path;
use std::time::{Duration, SystemTime};

use contracts::load::{self, Report};
use contracts::serve::{self, Summary};
use contracts::{Document, Line, Unknown, Validity};
use meter::formats::IntervalLog;
use rand_distr::{Distribution as _, Normal};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

use crate::error::Error;
use crate::folder::Folder;
use crate::read::{Run, read};
use crate::{
    Expectation, Factor, Factors, Failure, Judged, Level, Machine, Manifest, Outcome, Trial,
    Verdicts,
};
use measured::{blocking_graph, drawn, histogram, sample, stages, times};

/// What to make up.
#[derive(Debug, Clone)]
pub struct Fixture {
    /// The models; each following one is a tenth slower.
    pub models: Vec<String>,
    /// Those of them that are made of stages, and whose threads are user-level ones.
    pub staged: Vec<String>,
    /// Rates of open-loop cells, per second; the first model can do 10,000.
    pub rates: Vec<f64>,
    /// Clients of closed-loop cells.
    pub connections: Vec<f64>,
    /// Repeats of each cell.
    pub repeats: usize,
    /// Seconds of each trial.
    pub seconds: u32,
    /// The same seed makes the same figures.
    pub seed: u64,
    /// Whether one trial is invalid and one has failed.
    pub mishaps: bool,
}

impl Default for Fixture {
    fn default() -> Self {
        Self {
            models: ["iterative", "mp", "mt", "pool", "sped", "amped"]
                .map(Into::into)
                .to_vec(),
            staged: Vec::new(),
            rates: vec![1000.0, 2500.0, 4000.0, 4800.0],
            connections: vec![16.0, 64.0],
            repeats: 3,
            seconds: 3,
            seed: 1,
            mishaps: true,
        }
    }
}

const REQUESTS_PER_SECOND_DRAWN: usize = 1000;

impl Fixture {
    /// Writes them to a folder that does not exist yet, and reads them back.
    ///
    /// # Errors
    /// As [`Folder::create`].
    pub fn write(&self, path: &Path) -> Result<Run, Error> {
        let mut folder = Folder::create(path, self.manifest())?;
        let mut order = 0;
        for repeat in 1..=self.repeats {
            for (cell, factors) in self.cells().into_iter().enumerate() {
                order += 1;
                let (trial, hlog) = self.trial(cell, factors, repeat, order);
                let hlog = trial.failure.is_none().then_some(hlog);
                folder.append(trial, hlog.as_deref())?;
            }
        }
        folder.conclude(self.verdicts())?;
        read(path)
    }

    fn cells(&self) -> Vec<Factors> {
        let mut cells = Vec::new();
        let mut cell = |model: &String, load: &str, name: &str, level: f64| {
            cells.push(Factors::from([
                ("model".into(), Level::Text(model.clone())),
                ("load".into(), load.into()),
                (name.into(), level.into()),
            ]));
        };
        for model in &self.models {
            for rate in &self.rates {
                cell(model, "poisson", "rate", *rate);
            }
            for connections in &self.connections {
                cell(model, "closed", "connections", *connections);
            }
        }
        cells
    }

    fn manifest(&self) -> Manifest {
        let experiment = "# Made up: nothing here was measured.\nname = \"fixture\"\n".to_owned();
        let factor = |name: &str, column: &str, unit: &str| Factor {
            name: name.into(),
            column: column.into(),
            unit: unit.into(),
            unknown: Unknown::new(),
        };
        let started = SystemTime::UNIX_EPOCH + Duration::from_secs(1_742_565_906);
        Manifest {
            schema: crate::SCHEMA.into(),
            name: "fixture".into(),
            question: "What would a report look like?".into(),
            reasoning: "Each architecture is a queue with a capacity of its own.".into(),
            expect: self.expectations(),
            slo: vec!["p(90)<1ms".into(), "p(99)<10ms".into()],
            experiment_hash: "0000000000000000".into(),
            configs: std::collections::BTreeMap::new(),
            experiment,
            experiment_path: "bench-configs/fixture.toml".into(),
            factors: vec![
                factor("model", "model", ""),
                factor("load", "load", ""),
                factor("rate", "rate_per_s", "requests/s"),
                factor("connections", "connections", "clients"),
            ],
            cells: self.cells().len(),
            repeats: self.repeats,
            seed: self.seed,
            duration_s: f64::from(self.seconds),
            warm_up_s: 0.5,
            started: crate::rfc3339_utc(started),
            started_unix_s: 1_742_565_906.0,
            command: ["archbench", "run", "bench-configs/fixture.toml"]
                .map(Into::into)
                .to_vec(),
            revision: Some("0123456789abcdef".into()),
            versions: [("archbench".to_owned(), "0.1.0".to_owned())].into(),
            machine: Machine {
                kernel: "Linux 6.1.0".into(),
                architecture: "x86_64".into(),
                cpu_model: Some("A processor that does not exist".into()),
                cores: vec![0, 1],
                server_cores: vec![0],
                generator_cores: vec![1],
                governor: Some("performance".into()),
                virtualised: Some(false),
                mitigations: [("meltdown".to_owned(), "Not affected".to_owned())].into(),
                limits: [("open_files_soft".to_owned(), "1024".to_owned())].into(),
                cgroup: "v2".into(),
                clock_source: Some("tsc".into()),
                memory_bytes: Some(8 << 30),
                file_system: Some("ext4".into()),
                unknown: Unknown::new(),
            },
            hosts: Vec::new(),
            notices: vec!["Made up: nothing here was measured.".into()],
            unknown: Unknown::new(),
        }
    }

    fn expectations(&self) -> Vec<Expectation> {
        let [first, .., last] = self.models.as_slice() else {
            return Vec::new();
        };
        vec![
            Expectation {
                text: format!("{last} is at least as fast as {first}"),
                ratio: format!("{last} / {first} >= 1.0"),
                unknown: Unknown::new(),
            },
            Expectation {
                text: format!("the p99 of {first} is half as long"),
                ratio: format!("p99({first}) / p99({last}) <= 0.5"),
                unknown: Unknown::new(),
            },
        ]
    }

    fn verdicts(&self) -> Verdicts {
        let outcomes = [
            (Outcome::Missed, 0.5, 0.48, 0.53),
            (Outcome::Undecided, 0.51, 0.4, 0.62),
        ];
        let judged = |(expectation, (outcome, estimate, low, high)): (Expectation, _)| Judged {
            text: expectation.text,
            ratio: expectation.ratio,
            outcome,
            estimate: Some(estimate),
            low: Some(low),
            high: Some(high),
            level: 0.95,
            note: None,
            unknown: Unknown::new(),
        };
        Verdicts {
            schema: crate::SCHEMA.into(),
            expectations: self
                .expectations()
                .into_iter()
                .zip(outcomes)
                .map(judged)
                .collect(),
            slo: Vec::new(),
            unknown: Unknown::new(),
        }
    }

    fn trial(
        &self,
        cell: usize,
        factors: Factors,
        repeat: usize,
        order: usize,
    ) -> (Trial, Vec<u8>) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(self.seed ^ (order as u64) << 20);
        let place = |model: &str| {
            self.models
                .iter()
                .position(|other| other == model)
                .unwrap_or(0)
        };
        let model = factors
            .get("model")
            .and_then(Level::text)
            .unwrap_or_default()
            .to_owned();
        let wobble = Normal::new(1.0, 0.02).map_or(1.0, |normal| normal.sample(&mut rng));
        let capacity = 10_000.0 * 0.9_f64.powi(place(&model) as i32) * wobble;
        let rate = factors.get("rate").and_then(Level::number);
        let clients = factors
            .get("connections")
            .and_then(Level::number)
            .unwrap_or(64.0);
        // Times in seconds: open, the response of M/M/1; closed, N = X·R at capacity.
        let mean = rate.map_or(clients / capacity, |rate| 1.0 / (capacity - rate).max(50.0));
        let throughput = rate.map_or(capacity, |rate| rate.min(capacity));
        let mut log = IntervalLog::new(SystemTime::UNIX_EPOCH, "made up");
        let mut response = histogram();
        let mut service = histogram();
        for second in 0..self.seconds {
            let mut draw = |mean: f64| drawn(&mut rng, mean);
            let (here, served) = (
                draw(mean),
                draw(if rate.is_some() { 1.0 / capacity } else { mean }),
            );
            let (from, length) = (Duration::from_secs(second.into()), Duration::from_secs(1));
            log.add(&here, from, length, None);
            log.add(&served, from, length, Some("service"));
            response += &here;
            service += &served;
        }
        let failed = self.mishaps && order == 2;
        let invalid = self.mishaps && order == 5;
        let requests = (throughput * f64::from(self.seconds)).round();
        let cpu_us = 1e6 / capacity * 0.9;
        let verdict = match (failed, invalid) {
            (true, _) => Validity::Failed,
            (_, true) => Validity::Invalid,
            _ => Validity::Valid,
        };
        let reasons: Vec<String> = invalid
            .then(|| "p99 of generator lag is 400 µs, over 50 µs".into())
            .into_iter()
            .collect();
        let mut open_only = || rate.map(|_| times(&drawn(&mut rng, 2e-6)));
        let load = Report {
            schema: Report::SCHEMA.into(),
            verdict: Some(verdict),
            reasons: reasons.clone(),
            requests: load::Requests {
                completed: Some(requests as u64),
                censored: Some(0),
                errors_total: Some(0),
                error_percent: Some(0.0),
                ..Default::default()
            },
            throughput: load::Throughput {
                requests_per_s: Some(throughput),
                bytes_per_s: Some(throughput * 14_739.0),
                ..Default::default()
            },
            response_time_us: Some(times(&response)),
            service_time_us: Some(times(&service)),
            connection_wait_us: open_only(),
            generator_lag_us: open_only(),
            run: load::Run {
                model: load::LoadModel {
                    name: Some(rate.map_or(load::Loop::Closed, |_| load::Loop::Open)),
                    ..Default::default()
                },
                ..Default::default()
            },
            ..Default::default()
        };
        let server = Summary {
            event: Summary::EVENT.into(),
            schema: Some(serve::SCHEMA.into()),
            model: Some(model.clone()),
            requests: Some(requests as u64),
            cpu: Some(serve::Cpu {
                user_s: Some(requests * cpu_us * 0.3e-6),
                system_s: Some(requests * cpu_us * 0.7e-6),
                per_request_us: Some(cpu_us),
                ..Default::default()
            }),
            context_switches: Some(serve::ContextSwitches {
                voluntary: Some((requests / 4.0) as u64),
                involuntary: Some((requests / 100.0) as u64),
                ..Default::default()
            }),
            faults: Some(serve::PageFaults {
                minor: Some(2000),
                major: Some(0),
                ..Default::default()
            }),
            peak_resident_bytes_of_largest_process: Some(9 << 20),
            peak_threads: Some(1),
            peak_processes: Some(1),
            stages: match self.staged.contains(&model) {
                true => stages(self.seconds),
                false => Vec::new(),
            },
            blocking_graph: match self.staged.contains(&model) {
                true => blocking_graph(requests as u64),
                false => Vec::new(),
            },
            ..Default::default()
        };
        let samples = (0..self.seconds * 4)
            .map(|quarter| sample(f64::from(quarter) / 4.0, throughput, cpu_us));
        let trial = Trial {
            schema: crate::SCHEMA.into(),
            id: format!("c{cell:03}-r{repeat}"),
            cell,
            factors,
            repeat,
            block: repeat,
            order,
            verdict,
            reasons,
            failure: failed.then(|| Failure {
                step: "starting the server".into(),
                reason: "it ended with status 1 and said: no such directory".into(),
                unknown: Unknown::new(),
            }),
            started_unix_s: 1_742_565_906.0 + 4.0 * order as f64,
            elapsed_s: f64::from(self.seconds) + 0.9,
            server_command: ["archbench", "serve", "--model", &model]
                .map(Into::into)
                .to_vec(),
            generator_command: ["archbench", "load"].map(Into::into).to_vec(),
            memory_limit: None,
            cache: "prefill".into(),
            load: (!failed).then_some(load),
            server: (!failed).then_some(server),
            samples: if failed {
                Vec::new()
            } else {
                samples.collect()
            },
            hlog: None,
            network: None,
            wire: Vec::new(),
            unknown: Unknown::new(),
        };
        (trial, log.text().to_vec())
    }
}
