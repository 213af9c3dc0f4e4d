//! What ends a trial and not the run.

use std::fs;
use std::path::Path;

use results::Validity;

use crate::sandbox::Sandbox;

#[test]
fn a_server_that_fails_fails_its_trial_and_not_the_run() {
    let sandbox = Sandbox::new("['good', 'dies', 'garbage', 'fragile', 'silent']", "");
    let run = sandbox.done();
    let reason = |model: &str| {
        let trial = run
            .trials
            .iter()
            .find(|trial| trial.level("model") == model)
            .expect(model);
        let failure = trial.failure.as_ref();
        failure.map_or(String::new(), |failure| {
            format!("{}: {}", failure.step, failure.reason)
        })
    };
    assert_eq!(reason("good"), "");
    assert_eq!(
        reason("dies"),
        "starting the server: it ended with status 1 and said: no such directory"
    );
    assert!(
        reason("garbage").contains("and said 'hello'"),
        "{}",
        reason("garbage")
    );
    assert!(
        reason("fragile").contains("in the middle of the trial it ended with status 7"),
        "{}",
        reason("fragile")
    );
    assert!(
        reason("silent").contains("printed no summary"),
        "{}",
        reason("silent")
    );
    let server = fs::read_to_string(sandbox.home.path().join("server")).expect("its id");
    assert!(
        !Path::new("/proc").join(server.trim()).exists(),
        "no server is left behind"
    );
}

#[test]
fn what_the_generator_found_wrong_with_the_server_fails_the_trial() {
    let sandbox = Sandbox::new("['good', 'hung', 'full']", "");
    let run = sandbox.done();
    let of = |model: &str| {
        run.trials
            .iter()
            .find(|trial| trial.level("model") == model)
            .expect(model)
    };
    let failure = of("hung").failure.as_ref().expect("it failed");
    assert_eq!(
        (failure.step.as_str(), failure.reason.as_str()),
        ("serving", "it fell silent")
    );
    assert_eq!(of("hung").verdict, Validity::Failed);
    // What it reported is kept, and so is the server's own summary.
    assert!(of("hung").load.is_some() && of("good").failure.is_none());
    // One without descriptors is no witness.
    assert!(of("full").failure.is_none() && of("full").verdict == Validity::Invalid);
}

/// One trial of a model, with little patience.
fn trial(sandbox: &Sandbox, model: &str) -> lab::trial::Measured {
    let (experiment, _) = lab::spec::Experiment::read(&sandbox.args().config).expect("sound");
    let archbench = sandbox.home.path().join("archbench");
    let plan =
        lab::plan::Plan::new(&experiment, &sandbox.args().config, &archbench).expect("a plan");
    let cell = plan
        .cells
        .iter()
        .find(|cell| cell.factors["model"] == model.into());
    let soon = std::time::Duration::from_millis(300);
    let runner = lab::trial::ProcessRunner {
        archbench,
        generator: None,
        cores: plan.cores.clone(),
        places: lab::trial::launched::Places::default(),
        memory: lab::trial::memory::Support::None("not asked for".into()),
        scratch: None,
        patience: lab::trial::Patience {
            stops: soon,
            slack: soon,
            ..Default::default()
        },
        interrupt: command::interrupt::Interrupt::default(),
    };
    let measured = lab::trial::Runner::run(
        &runner,
        &lab::trial::Job {
            cell: cell.expect(model),
            seed: 1,
            warm_up: std::time::Duration::ZERO,
            duration: soon,
            timeout: soon,
            cache: experiment.cache,
            wire: false,
            upstream: None,
        },
    );
    measured.expect("nobody stopped it")
}

#[test]
fn a_server_that_does_not_stop_and_a_generator_that_does_not_end_are_ended() {
    let sandbox = Sandbox::new("['deaf', 'endless']", "");
    for (model, expected) in [
        (
            "deaf",
            "stopping the server: it was told to stop and did not within 300ms",
        ),
        (
            "endless",
            "generating load: the generator did not end within 1.2s",
        ),
    ] {
        let measured = trial(&sandbox, model);
        let failure = measured.failure.expect("it failed");
        assert_eq!(format!("{}: {}", failure.step, failure.reason), expected);
        let server = fs::read_to_string(sandbox.home.path().join("server")).expect("its id");
        assert!(
            !Path::new("/proc").join(server.trim()).exists(),
            "{model} is left behind"
        );
    }
}
