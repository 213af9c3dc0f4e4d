//! The command as it is typed: what it writes, and what it refuses.

use crate::ok;
use crate::support::script::{Act, server};
use std::ffi::OsString;

/// The command as it is typed.
#[derive(clap::Parser)]
struct Typed {
    #[command(flatten)]
    load: load::Arguments,
}

/// Runs what was typed.
pub(crate) fn run<'a>(typed: impl Iterator<Item = &'a str>) -> Result<u8, load::Failure> {
    let typed: Vec<OsString> = typed.map(OsString::from).collect();
    load::run(
        &<Typed as clap::Parser>::parse_from(&typed).load,
        &typed[1..],
    )
}

#[test]
fn a_histogram_log_is_written_beside_the_report() {
    let help = <Typed as clap::CommandFactory>::command()
        .render_long_help()
        .to_string();
    assert!(help.contains("--hlog "), "{help}");
    let home = tempfile::tempdir().expect("a directory");
    let at = |name: &str| home.path().join(name).display().to_string();
    let type_in = |rest: &[&str]| {
        let url = format!("http://{}/", server(Act::Answer(ok("x"))));
        let always = ["load", &url, "-n", "100", "-c", "2", "--quiet"];
        let typed = always.iter().chain(rest).copied();
        run(typed)
    };
    let (report, log) = (at("report.json"), at("trial.hlog"));
    type_in(&["--output-format", "json", "-o", &report, "--hlog", &log]).expect("a run");
    let json = std::fs::read(&report).expect("a report");
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    let log = results::Hlog::read(log.as_ref()).expect("a histogram log");
    for tag in [None, Some("wait")] {
        let count = log.merged(tag).map(|times| times.len());
        assert_eq!(count, json["requests"]["completed"].as_u64(), "{tag:?}");
    }
    // The first of each client cannot be late.
    assert_eq!(log.merged(Some("lag")).map(|times| times.len()), Some(98));
    let verdict = log.verdict.expect("a verdict");
    assert_eq!(json["verdict"], verdict.name());
    assert_eq!(std::fs::read_dir(&home).expect("there").count(), 2);
    // One file cannot be both, which is known before the run.
    let both = at("both");
    let refused = type_in(&["-o", &both, "--hlog", &both]);
    assert!(is_usage(refused));
    assert!(!home.path().join("both").exists());
}

/// Of a server that answers as fast as it can, the median is known to a half after the first seconds.
#[test]
fn a_run_ends_when_enough_is_known_and_says_so_where_it_is_not() {
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("report.json").display().to_string();
    let report = |precision: &str, longest: &str| {
        let url = format!("http://{}/", server(Act::Answer(ok("x"))));
        let typed = [
            "load",
            &url,
            "-c",
            "1",
            "--quiet",
            "--output-format",
            "json",
        ];
        let asked = ["-o", &file, "--slo", "p(50)<1h", "-d", longest];
        let asked = asked.into_iter().chain(["--precision", precision]);
        run(typed.into_iter().chain(asked)).expect("a run");
        let json = std::fs::read(&file).expect("a report");
        serde_json::from_slice::<serde_json::Value>(&json).expect("JSON")
    };
    let said = |report: &serde_json::Value, words: &str| {
        let notes = report["notes"].as_array().expect("notes");
        let mut notes = notes.iter().filter_map(serde_json::Value::as_str);
        notes.any(|note| note.contains(words))
    };
    let enough = report("50%", "600s");
    assert!(said(&enough, "mean, p50 are known to ±50"), "{enough}");
    assert_eq!(enough["run"]["interrupted"], false);
    let known = &enough["precision"]["statistics"]["p50"];
    assert!(known["relative"].as_f64().expect("known") <= 0.5, "{known}");
    assert!(enough["run"]["elapsed_s"].as_f64().expect("there") < 600.0);
    let (low, high) = (&known["low_us"], &known["high_us"]);
    assert!(low.as_f64() <= enough["service_time_us"]["p50"].as_f64());
    assert!(high.as_f64() >= enough["service_time_us"]["p50"].as_f64());
    // Too short for anybody to look.
    let short = report("0.1%", "100ms");
    assert!(said(&short, "a longer run is needed"), "{short}");
    assert_eq!(short["run"]["interrupted"], false);
}

/// Whether what was typed is at fault, rather than what was met.
#[track_caller]
fn is_usage(outcome: Result<u8, load::Failure>) -> bool {
    outcome.expect_err("no figures").is::<clap::Error>()
}

#[test]
fn a_file_that_cannot_be_read_is_no_fault_of_what_was_typed() {
    let type_in = |rest: &[&str]| {
        let typed = ["load", "http://127.0.0.1:9/", "--quiet"];
        let typed = typed.iter().chain(rest).copied();
        run(typed)
    };
    for missing in ["--slo-file /no/such", "--replay /no/such", "-o /no/such"] {
        let rest: Vec<_> = missing.split(' ').collect();
        assert!(!is_usage(type_in(&rest)), "{missing}");
    }
    for nonsense in [
        "--warmup 2s -d 1s",
        "--max-connections 100",
        "--poisson",
        "http://127.0.0.2:9/",
    ] {
        let rest: Vec<_> = nonsense.split(' ').collect();
        assert!(is_usage(type_in(&rest)), "{nonsense}");
    }
}

#[test]
fn a_mix_of_ways_is_verified_by_status_and_body() {
    let home = tempfile::tempdir().expect("a directory");
    let report = home.path().join("report.json").display().to_string();
    let type_in = |act: Act, rest: &[&str]| {
        let url = format!("http://{}", server(act));
        let always = [
            "load",
            &url,
            "-n",
            "40",
            "-c",
            "1",
            "--quiet",
            "--verify",
            "--files",
            "single:1k",
            "--output-format",
            "json",
            "-o",
            &report,
        ];
        let typed = always.iter().chain(rest).copied();
        run(typed).expect("a run");
        let json = std::fs::read(&report).expect("a report");
        let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
        json["requests"].clone()
    };
    let unchanged = Act::Answer(b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec());
    let requests = type_in(unchanged.clone(), &["--mix", "unchanged=1"]);
    assert_eq!(
        (&requests["completed"], &requests["verified"]),
        (&40.into(), &40.into())
    );
    // The same answer is none to whoever wants a part of the file.
    let requests = type_in(unchanged, &["--mix", "range=1"]);
    assert_eq!(requests["errors"]["body_mismatch"], 40);
    let words = requests["error_examples"][0].to_string();
    assert!(words.contains("status 304, not 206"), "{requests}");
    // Nor is a part of the file that was not asked for.
    let part = [
        &b"HTTP/1.1 206 Partial Content\r\nContent-Length: 200\r\n\r\n"[..],
        &[0; 200],
    ];
    let requests = type_in(Act::Answer(part.concat()), &["--mix", "range=1"]);
    assert_eq!(requests["errors"]["body_mismatch"], 40);
}

#[test]
fn a_mix_needs_files_that_are_known() {
    let typed = [
        "load",
        "http://127.0.0.1:9/x",
        "--quiet",
        "--mix",
        "range=1",
    ];
    assert!(is_usage(run(typed.into_iter())));
}
