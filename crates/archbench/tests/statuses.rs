//! What the command line answers to what makes no sense, and to what cannot be had: one form of words, one rule of exit statuses.

use std::process::Command;

/// Exit status and standard error.
fn type_in(line: &str) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_archbench"))
        .args(line.split(' '))
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

#[test]
fn what_makes_no_sense_is_2_and_what_cannot_be_had_is_1() {
    for (line, status) in [
        ("load --warmup 2s -d 1s", 2),
        ("load --stages 5s@5 -d 3s", 2),
        ("load --poisson", 2),
        ("load --slo p99", 2),
        ("plot cdf a.hlog b.hlog --label one", 2),
        ("serve --model none", 2),
        ("serve --model sped --scan-pause 1ms", 2),
        ("serve --model uring --files splice --send-path copy", 2),
        ("search --model none --slo p99<1s", 2),
        ("search --slo p(98)<1s", 2),
        ("search --slo session:p99<1s", 2),
        ("load --slo session:p99<1s", 2),
        ("completions none", 2),
        ("man /proc/no/such", 1),
        ("load --slo-file /no/such", 1),
        ("load --urls-file /no/such", 1),
        ("slo /no/such", 1),
        ("search --slo-file /no/such", 1),
        ("run /no/such.toml", 1),
        ("compare /no/such /nor/this", 1),
        ("report /no/such", 1),
        ("plot cdf /no/such.hlog", 1),
        ("files single:1k /proc/no/such", 1),
        ("serve --root /no/such", 1),
        ("disk /no/such /nor/this", 1),
    ] {
        let (ended, said) = type_in(line);
        assert_eq!(ended, Some(status), "{line}: {said}");
        assert!(said.starts_with("error: "), "{line}: {said}");
    }
}

#[test]
fn a_negative_value_is_told_what_it_must_be() {
    for line in [
        "load --rate -5",
        "load -d -5s",
        "load -c -1",
        "search --slo p99<1s -c -4",
        "plot cdf x.hlog --width -300",
    ] {
        let (ended, said) = type_in(line);
        assert_eq!(ended, Some(2), "{line}");
        let (option, value) = line.rsplit_once(' ').expect("an option and its value");
        let (_, option) = option.rsplit_once(' ').expect("an option");
        let must = format!("invalid value '{value}' for '{option}': it must be positive");
        assert!(said.contains(&must), "{line}: {said}");
    }
    // What is no number is still an option that nobody has.
    let (_, said) = type_in("load -5x --nosuch");
    assert!(!said.contains("it must be positive"), "{said}");
}
