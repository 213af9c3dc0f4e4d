//! Parts that are started by hand.

use super::{
    ARCHBENCH, Server, load, merge, of_parts, report, start_part, unix_s, wait_for_first_second,
};
use contracts::Validity;
use contracts::load::{PartState, Rule};
use std::path::Path;
use std::process::{Child, Command};

/// Starts part `number` of four here.
fn start(server: &Server, home: &Path, number: u32, more: &[&str]) -> Child {
    start_part(&[], &server.url, home, number, more)
}

#[test]
fn four_parts_send_what_one_process_would_and_the_last_one_reports() {
    let server = Server::start(&[], "127.0.0.1:0");
    let home = tempfile::tempdir().expect("a directory");
    let asked = ["-R", "400", "--poisson", "-d", "2s"];
    let start_at = (unix_s().ceil() + 3.0).to_string();
    let more = [
        &asked[..],
        &["--start-at", &start_at, "--output-format", "json"],
    ]
    .concat();
    let parts: Vec<_> = (1..=4)
        .map(|number| start(&server, home.path(), number, &more))
        .collect();
    let outputs: Vec<_> = parts
        .into_iter()
        .map(|part| part.wait_with_output().expect("its end"))
        .collect();
    let reports: Vec<_> = outputs
        .iter()
        .filter(|output| !output.stdout.is_empty())
        .collect();
    assert_eq!(reports.len(), 1, "one of them reports");
    let merged = report(reports[0]);
    // Whatever a part thinks of its own figures, a launcher is to let the others end.
    assert!(
        outputs
            .iter()
            .all(|output| output.status.success() || !output.stdout.is_empty())
    );

    let words = load(
        &server.url,
        &[&asked[..], &["--output-format", "json"]].concat(),
    );
    let alone = report(
        &Command::new(&words[0])
            .args(&words[1..])
            .output()
            .expect("a run"),
    );
    assert_eq!(merged.requests.scheduled, alone.requests.scheduled);
    assert_eq!(merged.requests.completed, merged.requests.scheduled);
    assert_eq!(merged.run.seed, alone.run.seed);
    assert_eq!(merged.run.clients, Some(8));
    let times = merged.response_time_us.expect("times");
    assert_eq!(times.count, merged.requests.scheduled);
    let of_each: u64 = merged.parts.iter().filter_map(|part| part.completed).sum();
    assert_eq!(Some(of_each), merged.requests.completed);
    assert!(
        merged
            .parts
            .iter()
            .all(|part| part.state == PartState::Whole)
    );
    // On a machine that has time for nobody a part may be late; that is said, and nothing else of parts.
    let late = merged
        .findings
        .iter()
        .filter(|finding| finding.rule.is_of_parts());
    assert!(
        late.clone().all(|finding| finding.rule == Rule::PartLate),
        "{:?}",
        late.collect::<Vec<_>>()
    );

    // It is kept, and what was written can be put together again, with whatever is to be met.
    assert!(home.path().join("a.json").is_file());
    let strict = Command::new(ARCHBENCH)
        .args([
            "merge",
            "--slo",
            "mean<1ns",
            "--quiet",
            "--output-format",
            "json",
        ])
        .arg(home.path())
        .output()
        .expect("merged");
    assert!(report(&strict).slo.iter().any(|slo| !slo.met));
    // A part is begun once.
    let again = start(&server, home.path(), 2, &asked)
        .wait_with_output()
        .expect("its end");
    assert_eq!(again.status.code(), Some(1));
}

#[test]
fn a_part_that_is_killed_is_named_and_what_it_had_written_is_used() {
    let server = Server::start(&[], "127.0.0.1:0");
    let home = tempfile::tempdir().expect("a directory");
    let more = ["-R", "200", "-d", "4s", "--start-at", "next:1s"];
    let mut parts: Vec<_> = (1..=4)
        .map(|number| start(&server, home.path(), number, &more))
        .collect();
    wait_for_first_second(home.path(), 3);
    parts[2].kill().expect("it runs");
    for part in &mut parts {
        part.wait().expect("its end");
    }
    assert!(!home.path().join("a.json").exists(), "nobody saw four ends");
    let (merged, status) = merge(home.path());
    assert_eq!((merged.verdict, status), (Some(Validity::Invalid), Some(4)));
    let cut = of_parts(&merged)
        .into_iter()
        .find(|finding| finding.rule == Rule::PartCutShort);
    let text = &cut.expect("it is said").text;
    assert!(
        text.starts_with("part 3 of 4 (on ") && text.contains("was cut short"),
        "{text}"
    );
    let part = &merged.parts[2];
    assert_eq!(part.state, PartState::CutShort);
    assert!(part.completed.is_some_and(|completed| completed > 0));
    let of_each: u64 = merged.parts.iter().filter_map(|part| part.completed).sum();
    assert_eq!(Some(of_each), merged.requests.completed);
}
