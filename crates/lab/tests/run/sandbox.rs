//! A directory with an experiment, and the stand-in for archbench that it is run with.

use std::fs;
use std::path::PathBuf;

use lab::commands::run::Args;
use results::Run;

use crate::executable::write_executable;
use crate::experiment;

pub(crate) struct Sandbox {
    pub(crate) home: tempfile::TempDir,
}

impl Sandbox {
    pub(crate) fn new(models: &str, more: &str) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let script = home.path().join("archbench");
        write_executable(&script, include_str!("stand_in.sh"));
        let sandbox = Self { home };
        sandbox.config(models, more);
        sandbox
    }

    pub(crate) fn config(&self, models: &str, more: &str) {
        let text = format!(
            "name = 'x'\nquestion = 'Is it?'\nfiles = 'single:1k'\nmodels = {models}\nrepeats = 2\nduration = '10ms'\nwarm_up = '0'\n\
             timeout = '1s'\nload = [{{ name = 'closed', connections = 2 }}]\n{more}"
        );
        fs::write(self.home.path().join("x.toml"), text).expect("written");
    }

    pub(crate) fn args(&self) -> Args {
        let home = self.home.path();
        experiment::args(&home.join("x.toml"), home.join("archbench"))
    }

    pub(crate) fn folders(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.home.path().join("results"));
        let mut all: Vec<_> = entries
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        all.sort();
        all
    }

    pub(crate) fn loads(&self) -> usize {
        fs::read_to_string(self.home.path().join("loads")).map_or(0, |loads| loads.lines().count())
    }

    pub(crate) fn done(&self) -> Run {
        experiment::done(self.args())
    }
}
