//! Simulations held against what is known without them.

mod curves;
mod machines;
mod predictions;
mod programs;
mod queues;

use flux::Compiled;
use flux::profile::Profile;

use crate::model::{Model, Settings};
use crate::outcome::Outcome;
use crate::run::{Load, Run, run};

/// One node, of which everything is known from the settings.
const ONE: &str = "
    source Arrive => Serve;
    Arrive () => (int id);
    Serve (int id) => ();
";

fn compiled(text: &str) -> Compiled {
    let checked = flux::check(text);
    checked
        .compiled
        .unwrap_or_else(|| panic!("{:?}", checked.diagnostics))
}

/// What a program does that no profile is of.
fn simulated(text: &str, settings: &Settings, load: Load) -> Outcome {
    simulated_of(text, None, settings, load)
}

fn simulated_of(text: &str, profile: Option<&str>, settings: &Settings, load: Load) -> Outcome {
    let compiled = compiled(text);
    let profile = profile.map(|text| Profile::parse(text, &compiled).unwrap());
    let model = Model::new(&compiled, profile.as_ref(), settings).unwrap();
    run(&model, load, Run::default())
}

/// Whether a share of `bound` parts them at most.
#[track_caller]
fn near(found: f64, expected: f64, bound: f64) {
    assert!(
        (found / expected - 1.0).abs() <= bound,
        "{found} for {expected}"
    );
}

/// How much of a station was in use.
fn used(outcome: &Outcome, name: &str) -> f64 {
    let station = outcome.stations.iter().find(|one| one.name == name);
    station
        .unwrap_or_else(|| panic!("no {name} in {outcome:?}"))
        .utilisation
}
