use std::path::Path;

use super::*;

fn parse(text: &str) -> Result<Experiment, Error> {
    Experiment::parse(text, Path::new("x.toml"))
}

const SMALL: &str = "name = \"x\"\nquestion = \"?\"\nmodels = [\"sped\"]\nduration = \"1s\"\n";
const LOAD: &str = "[[load]]\nname = \"closed\"\nconnections = 8\n";

#[test]
fn a_small_experiment_has_defaults() {
    let experiment = parse(&format!("{SMALL}{LOAD}")).unwrap();
    assert_eq!((experiment.repeats, experiment.seed), (3, 1));
    assert_eq!(experiment.files.0[0].0.to_string(), "specweb99:4");
    assert_eq!(experiment.cache, Cache::Prefill);
}

#[test]
fn a_misspelled_key_is_refused_with_its_line_and_the_nearest_right_one() {
    for (text, line, expected) in [
        (
            format!("{SMALL}repeat = 3\n{LOAD}"),
            5,
            "did you mean 'repeats'?",
        ),
        (
            format!("{SMALL}{LOAD}conections = 3\n"),
            8,
            "did you mean 'connections'?",
        ),
        (
            format!("{SMALL}{LOAD}[sweep]\nfilesize = [1]\n"),
            9,
            "did you mean 'file_size'?",
        ),
        (
            format!("{SMALL}{LOAD}[[expect]]\ntext = \"a\"\nratoi = \"b\"\n"),
            10,
            "did you mean 'ratio'?",
        ),
    ] {
        let error = parse(&text).unwrap_err().to_string();
        assert!(error.contains(&format!("x.toml, line {line}")), "{error}");
        assert!(error.contains(expected), "{error}");
    }
    let error = parse(&SMALL.replace("[\"sped\"]", "[{ model = \"a\", option = \"b\" }]"));
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("did you mean 'options'?")
    );
}

#[test]
fn values_that_make_no_sense_are_refused_in_words() {
    for (text, expected) in [
        (SMALL.to_owned(), "load"),
        (
            format!("{SMALL}{LOAD}{LOAD}"),
            "two of load are called 'closed'",
        ),
        (format!("{SMALL}{LOAD}rate = \"fast\"\n"), "'fast'"),
        (
            format!("{SMALL}{LOAD}[sweep]\ndataset = [2.0]\n"),
            "memory_limit",
        ),
        (
            format!("{SMALL}slo = [\"p(99)\"]\n{LOAD}"),
            "'p(99)' is no objective",
        ),
        (
            format!("{SMALL}slo = [\"session:p(99)<1s\"]\n{LOAD}"),
            "no load has session_requests",
        ),
        (
            format!("{SMALL}slo = [\"response:p(99)<1s\"]\n{LOAD}"),
            "every load is closed",
        ),
        (
            format!("{SMALL}files = \"webfiles\"\n{LOAD}"),
            "expected single:SIZE",
        ),
        (format!("{SMALL}cache = \"warm\"\n{LOAD}"), "prefill"),
        (format!("{SMALL}{LOAD}arrival = \"poisson\"\n"), "rate"),
        (format!("{SMALL}warm_up = 5\n{LOAD}"), "unit"),
        (
            format!("{SMALL}{LOAD}[sweep]\nconnections = [8, 0]\n"),
            "connections must be at least 1",
        ),
        (
            format!("{SMALL}{LOAD}pipeline = 0\n"),
            "pipeline must be at least 1",
        ),
        (
            format!("{SMALL}{LOAD}http2 = true\nstreams = 0\n"),
            "streams must be at least 1",
        ),
        (
            format!("{SMALL}{LOAD}session_at_once = true\n"),
            "session_requests, which are not given",
        ),
        (format!("{SMALL}{LOAD}streams = 4\n"), "add http2 = true"),
        (
            format!("{SMALL}{LOAD}http2 = true\npipeline = 4\n"),
            "pipeline is of HTTP/1.1",
        ),
        (
            format!("{SMALL}{LOAD}[sweep]\nrate = [500.0]\n"),
            "no load goes by the rates",
        ),
        (
            format!("{SMALL}{LOAD}[sweep]\ndataset = [2.0]\nfile_size = [\"1k\"]\n"),
            "sweep one of them",
        ),
        (
            format!("{SMALL}{LOAD}think_exponential = true\n"),
            "think_exponential",
        ),
        ("name = ".to_owned(), "line 1"),
    ] {
        let error = parse(&text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
