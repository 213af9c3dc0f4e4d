//! What may be typed, and what is refused.

use super::*;
use clap::Parser;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    load: Arguments,
}

pub(crate) fn parse(line: &str) -> Result<Arguments, clap::Error> {
    Cli::try_parse_from(std::iter::once("load").chain(line.split_whitespace())).map(|cli| cli.load)
}

#[test]
fn familiar_letters() {
    let line = "-c 10 -d 10s -t 2 -n 1k -R 100/s -H A:b http://h/ -o x";
    let arguments = parse(line).expect(line);
    assert_eq!((arguments.connections, arguments.threads), (10, 2));
    assert_eq!(arguments.duration, Some(Duration::from_secs(10)));
    assert_eq!(
        (arguments.requests, arguments.rate),
        (Some(1000), Some(100.0))
    );
    assert_eq!(arguments.headers.len(), 1);
    let arguments = parse("-z 1m --qps 5k").expect("aliases");
    assert_eq!(arguments.duration, Some(Duration::from_secs(60)));
    assert_eq!(arguments.rate, Some(5000.0));
}

#[test]
fn q_is_refused_with_a_hint() {
    for line in ["-q 100", "-q"] {
        let error = parse(line).expect_err(line).to_string();
        assert!(error.contains("--quiet") && error.contains("-R"), "{error}");
    }
}

#[test]
fn a_correction_is_refused_with_what_is_done_in_its_place() {
    let error = parse("-R 5 --latency-correction http://h/").expect_err("refused");
    let error = error.to_string();
    assert!(
        error.contains("-R") && error.contains("Leave it out"),
        "{error}"
    );
}

#[test]
fn nonsense_is_refused() {
    for line in [
        "-c 0",
        "-d 0s",
        "-d 10",
        "-n 0",
        "-R 0",
        "-t 0",
        "--pin x",
        "--pin 3-1",
        "--think x",
        "--stages 5",
        "--slo p99",
        "--arrival often",
        "--files x",
        "--pipeline 0",
        "--rate 5 --stages 5s@5",
        "--stages 5s@5 -d 3s",
        "--poisson --arrival poisson",
        "--replay-timing",
        "--output-format xml",
        "-H nothing",
        "--session-requests 0",
        "--expect 2xx",
        "--timeout 0",
        "--precision 5",
        "--precision 60%",
        "--precision 0",
        "--precision 5% --stages 5s@5",
        "--precision 5% --share 1/2",
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
    assert_eq!(cores("0,2-3"), Ok(Cores(vec![0, 2, 3])));
}

#[test]
fn the_command_is_sound() {
    use clap::CommandFactory;
    Cli::command().debug_assert();
}
