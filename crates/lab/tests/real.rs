//! One tiny run of the real thing, if it has been built.

use std::path::PathBuf;

use lab::run::{Args, run};

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

#[test]
fn a_server_and_a_generator_meet() {
    let Some(archbench) = archbench() else {
        eprintln!("skipped: archbench is not built; 'cargo build -p archbench' makes it");
        return;
    };
    let home = tempfile::tempdir().expect("a directory");
    let config = home.path().join("tiny.toml");
    let text = "name = 'tiny'\nquestion = 'Does it run?'\nfiles = 'single:1k'\nmodels = ['sped', 'amped']\nrepeats = 1\n\
        warm_up = '50ms'\nduration = '200ms'\nload = [{ name = 'closed', connections = 4 }]\n\
        [[expect]]\ntext = 'it answers'\nratio = 'sped > 1'\n";
    std::fs::write(&config, text).expect("written");
    let args = Args {
        config,
        dry_run: false,
        results: home.path().join("results"),
        resume: None,
        fresh: false,
        archbench: Some(archbench),
    };
    let mut folder = None;
    let status = run(args, |path| {
        folder = Some(path.to_owned());
        Ok(None)
    });
    assert!(matches!(status, Ok(0)), "{status:?}");
    let run = results::read(&folder.expect("a folder")).expect("readable");
    for trial in &run.trials {
        // A busy machine may make them INVALID, but there they are.
        assert!(trial.failure.is_none(), "{:?}", trial.failure);
        assert!(trial.load_number("/throughput/requests_per_s") > Some(1.0));
        assert!(trial.server_number("/requests") > Some(1.0));
    }
}
