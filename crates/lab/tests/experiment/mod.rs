//! Experiments that tests run.

use std::path::{Path, PathBuf};

use command::output::Format;
use lab::commands::run::{Args, run};
use results::Run;

/// The experiment in a file, with the results beside it.
pub(crate) fn args(config: &Path, archbench: PathBuf) -> Args {
    Args {
        hosts: Default::default(),
        config: config.to_owned(),
        dry_run: false,
        output_format: Format::Text,
        results: config.with_file_name("results"),
        resume: None,
        fresh: false,
        archbench: Some(archbench),
    }
}

/// What came of it.
pub(crate) fn done(args: Args) -> Run {
    let mut finished = None;
    let status = run(args, |run| {
        finished = Some(run.clone());
        Ok(None)
    });
    assert!(matches!(status, Ok(0)), "{status:?}");
    finished.expect("a run")
}
