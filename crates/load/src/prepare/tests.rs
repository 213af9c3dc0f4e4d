use super::*;
use crate::cli::tests::parse;

/// Nothing is tried, or taken from the memory, that cannot be had.
#[test]
fn more_connections_than_descriptors_are_refused_at_once() {
    for (line, connections) in [
        ("-c 100m", 100_000_000),
        ("-c 10m -R 10", 10_000_000),
        ("-R 10 --max-connections 4g", 4_000_000_000_u64),
    ] {
        let why = prepare(&parse(line).expect(line))
            .expect_err(line)
            .to_string();
        let words = [
            format!("{connections} connections"),
            "ulimit -Hn".to_owned(),
        ];
        assert!(
            words.iter().all(|words| why.contains(words)),
            "{line}: {why}"
        );
    }
}

#[test]
fn a_warm_up_leaves_something_to_be_measured() {
    for (line, is_sound) in [
        ("-d 2s --warmup 1s", true),
        ("-d 1s --warmup 1s", false),
        ("-n 10 -R 10 --warmup 999ms", true),
        ("-n 10 -R 10 --warmup 1s", false),
        ("-n 10 --warmup 1s", true),
        ("-n 10 -R 10 --session-requests 5 --warmup 1s", true),
    ] {
        let prepared = prepare(&parse(line).expect(line));
        assert_eq!(prepared.is_ok(), is_sound, "{line}");
        if let Err(why) = prepared {
            let says_number = why.to_string().contains("10 requests (-n)");
            assert_eq!(says_number, line.contains("-n"), "{why}");
        }
    }
}

#[test]
fn a_run_that_ends_when_it_knows_enough_has_a_longest_time_and_its_percentiles() {
    for (line, longest_s, percentiles) in [
        ("--precision 5%", Some(120), &[99.0][..]),
        ("--precision 5% -d 20s --slo p(50)<1s", Some(20), &[50.0]),
        ("--precision 5% -n 1k --slo errors<1%", None, &[99.0]),
        (
            "--precision 5% -R 10 --slo p99.9<1s --slo mean<1s --slo p90<1s --slo service:p(10)<1s",
            Some(120),
            &[99.9, 90.0],
        ),
    ] {
        let run = prepare(&parse(line).expect(line)).expect(line).run;
        assert_eq!(run.duration, longest_s.map(Duration::from_secs), "{line}");
        let wanted = run.precision.expect("asked for");
        assert_eq!(wanted.relative, 0.05);
        assert_eq!(wanted.percentiles, percentiles, "{line}");
    }
}

#[test]
fn what_changes_by_plan_is_never_known_well_enough() {
    let home = tempfile::tempdir().expect("a directory");
    let times = home.path().join("times");
    std::fs::write(&times, "0.1\n0.2\n").expect("written");
    let line = format!("--precision 5% --arrival trace:{}", times.display());
    let why = prepare(&parse(&line).expect("typed")).expect_err("refused");
    assert!(why.to_string().contains("one rate"), "{why}");
}

#[test]
fn an_objective_on_sessions_needs_sessions() {
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("slo");
    std::fs::write(&file, "p99<1s\nsession:mean<1s\n").expect("written");
    let typed = "--slo session:p99<1s";
    let read = &format!("--slo-file {}", file.display());
    for slo in [typed, read] {
        for (line, is_refused) in [
            ("", true),
            ("-R 5", true),
            ("-R 5 --session-requests 2", false),
        ] {
            let line = format!("{line} {slo}");
            let prepared = prepare(&parse(&line).expect(&line));
            let refused = prepared
                .err()
                .map(|why| (why.is::<clap::Error>(), why.to_string()));
            assert_eq!(refused.is_some(), is_refused, "{line}");
            assert!(
                refused.is_none_or(|(usage, why)| usage && why.contains("sessions")),
                "{line}"
            );
        }
    }
}

#[test]
fn nobody_is_started_who_would_have_nothing_to_do() {
    for (line, clients, threads, remarks) in [
        ("-n 10 -t 2", 10, 2, 1),
        ("-n 1 -t 2", 1, 1, 2),
        ("-n 64", 64, 1, 0),
        // Whose connection a request will find free is not known beforehand.
        ("-n 10 -R 10", 64, 1, 0),
    ] {
        let prepared = prepare(&parse(line).expect(line)).expect(line);
        let run = &prepared.run;
        assert_eq!((run.clients, run.max_connections), (clients, clients));
        assert_eq!(run.threads, threads, "{line}");
        assert_eq!(prepared.remarks.len(), remarks, "{:?}", prepared.remarks);
    }
}
