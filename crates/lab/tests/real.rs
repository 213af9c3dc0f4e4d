//! One tiny run of the real thing, if it has been built.

use std::path::{Path, PathBuf};

use lab::commands::run::{Args, run};
use results::Figure;

/// `archbench` beside this test's own program: target/debug/archbench for target/debug/deps/real-….
fn archbench() -> Option<PathBuf> {
    let test = std::env::current_exe().ok()?;
    let built = test.parent()?.parent()?.join("archbench");
    let help = std::process::Command::new(&built)
        .args(["load", "--help"])
        .output()
        .ok()?;
    help.status.success().then_some(built)
}

/// The results of an experiment, once it has been run.
fn done(home: &Path, archbench: PathBuf, experiment: &str) -> results::Run {
    let config = home.join("experiment.toml");
    std::fs::write(&config, experiment).expect("written");
    let args = Args {
        config,
        dry_run: false,
        results: home.join("results"),
        resume: None,
        fresh: false,
        archbench: Some(archbench),
    };
    let mut finished = None;
    let status = run(args, |run| {
        finished = Some(run.clone());
        Ok(None)
    });
    assert!(matches!(status, Ok(0)), "{status:?}");
    finished.expect("a run")
}

#[test]
fn a_server_and_a_generator_meet() {
    let Some(archbench) = archbench() else {
        eprintln!("skipped: archbench is not built; 'cargo build -p archbench' makes it");
        return;
    };
    let home = tempfile::tempdir().expect("a directory");
    let text = "name = 'tiny'\nquestion = 'Does it run?'\nfiles = 'single:1k'\nmodels = ['sped', 'amped']\nrepeats = 1\n\
        warm_up = '100ms'\nduration = '1s'\nload = [{ name = 'closed', connections = 4 }]\n\
        [[expect]]\ntext = 'it answers'\nratio = 'sped > 1'\n";
    let run = done(home.path(), archbench, text);
    for trial in &run.trials {
        // A busy machine may make them INVALID, but there they are.
        assert!(trial.failure.is_none(), "{:?}", trial.failure);
        assert!(Figure::Throughput.of(trial) > Some(1.0));
        let summary = trial.server.as_ref().expect("a summary");
        assert!(summary.requests > Some(1));
        let log = run.hlog(trial).expect("readable").expect("kept");
        assert!(log.merged(None).is_some_and(|all| !all.is_empty()));
    }
}

/// Those that ship and are installed here: each is started, answers, is measured and stops.
#[test]
fn the_servers_that_people_use_are_started_measured_and_stopped() {
    let Some(archbench) = archbench() else {
        eprintln!("skipped: archbench is not built; 'cargo build -p archbench' makes it");
        return;
    };
    let home = tempfile::tempdir().expect("a directory");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench-configs/external");
    std::os::unix::fs::symlink(&shipped, home.path().join("external")).expect("linked");
    let mut text = "name = 'peers'\nquestion = 'Do they run?'\nfiles = 'single:1k'\nmodels = ['sped']\nrepeats = 1\n\
        warm_up = '100ms'\nduration = '1s'\nload = [{ name = 'closed', connections = 4, verify = true }]\n"
        .to_owned();
    for entry in std::fs::read_dir(&shipped).expect("bench-configs/external") {
        let name = entry
            .expect("listed")
            .file_name()
            .into_string()
            .expect("a name");
        if let Some(name) = name.strip_suffix(".toml") {
            text += &format!("[[server]]\nexternal = '{name}'\n");
        }
    }
    let run = done(home.path(), archbench, &text);
    assert_eq!(
        run.trials.len() + run.manifest.notices.len(),
        10,
        "{:?}",
        run.manifest.notices
    );
    for trial in &run.trials {
        let who = trial.level("model");
        assert!(trial.failure.is_none(), "{who}: {:?}", trial.failure);
        let requests = &trial.load.as_ref().expect("a report").requests;
        assert!(requests.verified > Some(1), "{who}");
        assert_eq!(requests.errors_total, Some(0), "{who}");
        // Processor time has been accounted, of workers too.
        let used = Figure::CpuPerRequest.of(trial);
        assert!(used > Some(0.5), "{who}: {used:?}");
    }
}
