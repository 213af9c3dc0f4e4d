//! What the tests draw: made up, as nothing is measured here.

use contracts::models::Model;
use results::Run;
use results::fixture::Fixture;
use std::path::PathBuf;
use tempfile::TempDir;

/// The architectures of these tests.
pub(crate) fn catalogue() -> Vec<Model> {
    let families = [
        ("iterative", "sequential"),
        ("mp", "processes"),
        ("mt", "threads"),
        ("pool", "threads"),
        ("sped", "events"),
        ("amped", "events"),
    ];
    let model = |(name, family): (&str, &str)| Model {
        name: name.into(),
        family: family.into(),
        ..Model::default()
    };
    families.map(model).to_vec()
}

/// A run in a folder that goes with it.
pub(crate) struct Made {
    _folder: TempDir,
    pub(crate) path: PathBuf,
    pub(crate) run: Run,
}

pub(crate) fn made(fixture: &Fixture) -> Made {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("run");
    let run = fixture.write(&path).expect("written");
    Made {
        _folder: folder,
        path,
        run,
    }
}

/// A small one with everything in it.
pub(crate) fn small() -> Fixture {
    Fixture {
        models: ["iterative", "sped", "amped"].map(Into::into).to_vec(),
        rates: vec![1000.0, 4000.0],
        repeats: 2,
        staged: vec!["amped".into()],
        ..Fixture::default()
    }
}
