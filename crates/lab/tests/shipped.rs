//! The experiments that ship are experiments.

use std::path::Path;

use lab::plan::cells::cells;
use lab::spec::{Experiment, Flags, Model, Models};

#[test]
fn every_experiment_that_ships_is_read_and_expects_only_what_is_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench-configs");
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder).expect("bench-configs") {
        let path = entry.expect("listed").path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        seen += 1;
        let (experiment, _) = Experiment::read(&path).unwrap_or_else(|error| panic!("{error}"));
        let models = match &experiment.models {
            Models::Some(models) => models.clone(),
            Models::All => ["iterative", "mp", "mt", "pool", "sped", "amped", "seda"]
                .map(|model| Model {
                    model: model.into(),
                    name: None,
                    options: Flags::default(),
                })
                .to_vec(),
        };
        let externals =
            lab::spec::external::read_all(&experiment.server, &path).expect("definitions");
        let cells = cells(&experiment, &models, &externals).expect("cells");
        let factors: Vec<_> = cells.iter().map(|cell| &cell.factors).collect();
        for expect in &experiment.expect {
            lab::plan::expected::check(&expect.ratio.0, &factors)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
        let trial = experiment.warm_up.0 + experiment.duration.0 + lab::plan::overhead();
        let all = trial.as_secs_f64() * (cells.len() * experiment.repeats) as f64;
        assert!(all < 360.0, "{} takes {all} s", path.display());
        assert!(!experiment.reasoning.is_empty() && !experiment.expect.is_empty());
    }
    assert!(seen >= 9, "{seen}");
    let agreement =
        workload::objective::read_file::<lab::spec::Objective>(&folder.join("slo/lecture.toml"))
            .expect("readable");
    assert_eq!(agreement.len(), 3);
}
