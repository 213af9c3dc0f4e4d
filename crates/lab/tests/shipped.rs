//! The experiments that ship are experiments.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use contracts::Document;
use contracts::models::Models;
use lab::plan::Plan;
use lab::plan::cells::{Server, cells};
use lab::spec::Experiment;

#[test]
fn every_experiment_that_ships_is_read_and_expects_only_what_is_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench-configs");
    let mut seen = 0;
    let listed = |folder: &Path| std::fs::read_dir(folder).expect("bench-configs");
    for entry in listed(&folder).chain(listed(&folder.join("flux"))) {
        let path = entry.expect("listed").path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        seen += 1;
        let (experiment, text) = Experiment::read(&path).unwrap_or_else(|error| panic!("{error}"));
        // What is kept of them is what they are: nothing in them is taken for a secret.
        assert_eq!(command::secret::masked_text(&text), text);
        let models = lab::plan::models::chosen(&experiment.models, &catalogue());
        let externals =
            lab::spec::external::read_all(&experiment.server, &path).expect("definitions");
        if let Some(generator) = &experiment.generator {
            lab::spec::external::read_generator(generator, &path).expect("a generator");
        }
        let cells = cells(&experiment, &models, &externals).expect("cells");
        for cell in &cells {
            if let Server::External(external) = &cell.server {
                let spoken = external.check_protocol(cell.load.protocol());
                spoken.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            }
        }
        let factors: Vec<_> = cells.iter().map(|cell| &cell.factors).collect();
        for expect in &experiment.expect {
            lab::plan::expected::check(&expect.ratio.0, &factors)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
        let trial = experiment.warm_up.0 + experiment.duration.0 + lab::plan::overhead();
        let all = trial.as_secs_f64() * (cells.len() * experiment.repeats) as f64;
        assert!(all < 480.0, "{} takes {all} s", path.display());
        assert!(!experiment.reasoning.is_empty() && !experiment.expect.is_empty());
    }
    assert!(seen >= 9, "{seen}");
    for (name, count) in [("lecture", 3), ("availability-and-cost", 4)] {
        let path = folder.join(format!("slo/{name}.toml"));
        let agreement = workload::objective::read_file::<lab::spec::Objective>(&path);
        assert_eq!(agreement.expect("readable").len(), count, "{name}");
    }
}

/// A catalogue as the command line lists it, of 24 architectures: those of ten families, of which the shipped experiments name five.
fn catalogue() -> Models {
    const FAMILIES: [(&str, &str); 10] = [
        ("sequential", "iterative"),
        ("processes", "mp"),
        ("threads", "mt"),
        ("events", "sped"),
        ("stages", "seda"),
        ("actors", "made-up-1"),
        ("completions", "made-up-2"),
        ("coroutines", "made-up-3"),
        ("flows", "made-up-4"),
        ("services", "made-up-5"),
    ];
    let model = |number: usize| {
        let (family, first) = FAMILIES[number % FAMILIES.len()];
        let is_first = number < FAMILIES.len();
        let name = match is_first {
            true => first.to_owned(),
            false => format!("{first}-{number}"),
        };
        serde_json::json!({
            "name": name,
            "summary": "made up",
            "family": family,
            "represents_family": is_first,
        })
    };
    let models: Vec<_> = (0..24).map(model).collect();
    let text = serde_json::json!({
        "schema": "archbench.models/1",
        "version": "0.1.0",
        "models": models,
    });
    Models::parse(&text.to_string()).expect("a catalogue")
}

#[test]
fn a_first_look_stays_within_three_minutes_with_24_architectures() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench-configs/quick.toml");
    let (experiment, _) = Experiment::read(&path).unwrap_or_else(|error| panic!("{error}"));
    let catalogue = catalogue();
    assert_eq!(catalogue.models.len(), 24);
    let models = lab::plan::models::chosen(&experiment.models, &catalogue);
    let plan = Plan::of(&experiment, &models, Vec::new(), &[0, 1]).expect("a plan");
    let served: BTreeSet<_> = plan
        .cells
        .iter()
        .map(|cell| cell.factors["model"].to_string())
        .collect();
    assert_eq!(served.len(), 10, "one of each family: {served:?}");
    // Whoever is left out is named, unless nobody is.
    let said = lab::plan::models::left_out(&experiment.models, &catalogue).expect("some are");
    for model in &catalogue.models {
        let mut words = said.split([' ', ',']);
        let is_named = words.any(|word| word == model.name);
        assert_eq!(
            is_named,
            !served.contains(&model.name),
            "{}: {said}",
            model.name
        );
    }
    assert_eq!(
        lab::plan::models::left_out(&lab::spec::Models::All, &catalogue),
        None
    );
    let takes = plan.duration(&experiment, plan.trials.len());
    assert!(takes <= Duration::from_secs(180), "{takes:?}");
}

#[test]
fn flags_of_a_family_are_those_of_its_models() {
    let experiment = |models: &str| {
        let text = format!(
            "name='x'\nquestion='?'\nduration='1s'\nload=[{{name='closed'}}]\n{models}\n\
             model_options.threads='--stack-size 1m'\nmodel_options.made-up='--threads 3'"
        );
        Experiment::parse(&text, Path::new("x")).expect("an experiment")
    };
    let flags = |models: &str| -> Vec<_> {
        let experiment = experiment(models);
        let models = lab::plan::models::chosen(&experiment.models, &catalogue());
        let cells = cells(&experiment, &models, &[]).expect("cells");
        let flags = cells.into_iter().map(|cell| match cell.server {
            Server::Model { model, flags } => (model, flags.join(" ")),
            Server::External(_) => panic!("one of ours"),
        });
        flags.filter(|(_, flags)| !flags.is_empty()).collect()
    };
    let of = |model: &str, flags: &str| (model.to_owned(), flags.to_owned());
    assert_eq!(flags("models='families'"), [of("mt", "--stack-size 1m")]);
    // Whoever is named has his own.
    assert_eq!(
        flags("models=['mt', {model='mt', name='made-up'}, 'sped']"),
        [of("mt", "--stack-size 1m"), of("mt", "--threads 3")]
    );
    let unknown = experiment("models=['sped']");
    let models = lab::plan::models::chosen(&unknown.models, &catalogue());
    let error = Plan::of(&unknown, &models, Vec::new(), &[0, 1]).expect_err("no threads");
    assert!(error.contains("no model or family"), "{error}");
}
