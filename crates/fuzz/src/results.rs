//! The files of a results folder.

use std::cell::RefCell;
use std::fs;

use lab::spec::expression::Expression;
use results::fixture::Fixture;
use results::{Figure, Run};

/// A folder whose files are sound, apart from the one that is hostile.
struct Home {
    folder: tempfile::TempDir,
    /// A file's path and its sound content.
    files: Vec<(&'static str, Vec<u8>)>,
}

thread_local! {
    static HOME: RefCell<Home> = RefCell::new(Home::new());
}

/// The files that can be hostile.
const FILES: [&str; 3] = ["manifest.json", "trials/c000-r1.json", "verdicts.json"];

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("run");
        fixture().write(&path).expect("written");
        let files = FILES.map(|name| (name, fs::read(path.join(name)).expect("it was written")));
        Self {
            folder,
            files: files.to_vec(),
        }
    }
}

/// A small one: two models, one repeat.
pub fn fixture() -> Fixture {
    Fixture {
        models: ["one", "two"].map(Into::into).to_vec(),
        rates: vec![1000.0],
        connections: vec![16.0],
        repeats: 1,
        seconds: 1,
        mishaps: false,
        ..Fixture::default()
    }
}

/// Puts `bytes`, the first of which chooses a file, in the place of that file, and reads, judges and tabulates the run.
///
/// # Panics
/// When something cannot be read, judged or tabulated, and is not refused either.
pub fn check(bytes: &[u8]) {
    with_run(bytes, look);
}

/// Gives the run to `look` if it can be read although one of its files is `bytes`.
pub(crate) fn with_run(bytes: &[u8], look: impl FnOnce(&Run)) {
    let Some((choice, content)) = bytes.split_first() else {
        return;
    };
    HOME.with_borrow(|home| {
        let (name, sound) = &home.files[usize::from(*choice) % home.files.len()];
        let path = home.folder.path().join("run");
        fs::write(path.join(name), content).expect("there is room");
        match results::read(&path) {
            Ok(run) => look(&run),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
        fs::write(path.join(name), sound).expect("there is room");
    });
}

/// What commands ask of a run.
fn look(run: &Run) {
    let _ = (run.planned(), run.is_complete(), run.swept().len());
    for cell in run.cells() {
        for figure in Figure::all() {
            cell.values(figure)
                .iter()
                .for_each(|value| assert!(value.is_finite()));
        }
    }
    for trial in &run.trials {
        // Only a name in the folder itself, and its logs are for another target.
        assert!(trial.hlog.as_ref().is_none_or(|name| !name.contains('/')));
    }
    for text in [
        "p99(one@load=poisson) / p99(two@load=poisson) < 1",
        "one@load=closed / two@load=closed < 1",
    ] {
        let ratio: Expression = text.parse().expect("an expression");
        let expect = lab::spec::Expect {
            text: text.into(),
            ratio: lab::spec::Text(ratio),
        };
        assert_eq!(lab::analysis::judge::expectations(run, &[expect]).len(), 1);
    }
    let objective = "p(99)<10ms".parse().expect("an objective");
    assert_eq!(
        lab::analysis::objectives::matrix(run, &[objective]).len(),
        run.cells().len()
    );
    let _ = lab::analysis::summary::summary(run);
}
