//! Every input that a fuzzer found worth keeping, and every one that once was a finding, tried again.

use std::fs;
use std::path::Path;

use fuzz::TARGETS;

#[test]
fn what_was_found_before_is_not_found_again() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut folders = Vec::new();
    for (name, check) in TARGETS {
        let mut inputs: Vec<_> = fs::read_dir(corpus.join(name))
            .unwrap_or_else(|error| panic!("corpus/{name}: {error}"))
            .map(|entry| entry.expect("listed").path())
            .collect();
        inputs.sort();
        assert!(
            inputs.len() > 10,
            "corpus/{name} has {} inputs",
            inputs.len()
        );
        for input in inputs {
            let bytes = fs::read(&input).expect("readable");
            // What panics is named, for the message alone would not tell which it was.
            let outcome = std::panic::catch_unwind(|| check(&bytes));
            assert!(outcome.is_ok(), "{}", input.display());
        }
        folders.push(name.to_owned());
    }
    let mut there: Vec<_> = fs::read_dir(corpus)
        .expect("a corpus")
        .map(|entry| {
            entry
                .expect("listed")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .collect();
    there.sort();
    folders.sort();
    assert_eq!(
        there, folders,
        "each target has a corpus, and each corpus a target"
    );
}
