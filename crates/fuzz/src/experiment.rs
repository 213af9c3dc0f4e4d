//! Experiment files.

use std::path::Path;

use lab::plan::Plan;
use lab::spec::expression::Estimate;
use lab::spec::{Experiment, Model, Models};
use workload::Preset;

/// Reads `bytes` as an experiment, and plans it.
///
/// # Panics
/// When a plan is out of bounds.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let experiment = match Experiment::parse(text, Path::new("x.toml")) {
        Ok(experiment) => experiment,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let models = match &experiment.models {
        Models::Some(models) => models.clone(),
        Models::All | Models::Families => ["one", "two"].map(Model::named).to_vec(),
    };
    let plan = match Plan::of(&experiment, &models, Vec::new(), &[0, 1, 2, 3]) {
        Ok(plan) => plan,
        Err(what) => return assert!(!what.is_empty()),
    };
    assert_eq!(plan.trials.len(), plan.cells.len() * experiment.repeats);
    assert!(plan.trials.len() <= 100_000, "{} trials", plan.trials.len());
    for cell in &plan.cells {
        assert_eq!(cell.files.to_string().parse::<Preset>(), Ok(cell.files));
        assert!(cell.load.connections > 0 && cell.load.rate.is_none_or(|rate| rate > 0.0));
    }
    for expect in &experiment.expect {
        let again = expect.ratio.0.text.parse();
        assert_eq!(again.as_ref(), Ok(&expect.ratio.0));
        let _ = expect
            .ratio
            .0
            .value
            .evaluate(&|_, cell| Some(Estimate::at_least(cell.to_string().len() as f64)));
    }
    assert!(!plan.describe(&experiment).is_empty());
    let document = plan.document(&experiment);
    assert_eq!(document.trials.len(), plan.trials.len());
}
