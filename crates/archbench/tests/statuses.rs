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

/// What is said, on one line, where `said` stands for a port that is taken or an own path.
fn first_line(line: &str) -> String {
    let (_, said) = type_in(line);
    // What went on until then is told before.
    let mut lines = said.lines().filter(|line| line.starts_with("error: "));
    let found = lines.next().unwrap_or_default().to_owned();
    assert_eq!(lines.next(), None, "{line}: {said}");
    found
}

#[test]
fn the_first_wrong_use_of_each_command_says_what_to_do_next() {
    let home = tempfile::tempdir().expect("a directory");
    let path = |name: &str| home.path().join(name).display().to_string();
    let (folder, file, newer) = (path("folder"), path("file"), path("newer"));
    std::fs::create_dir_all(&folder).expect("made");
    std::fs::create_dir_all(&newer).expect("made");
    std::fs::write(&file, "hello").expect("written");
    let schema = "{\"schema\": \"archbench.results/9\"}";
    std::fs::write(path("newer/manifest.json"), schema).expect("written");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().expect("its address");
    // A port at which nobody listens: of a socket that is gone.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let free_at = free.local_addr().expect("its address");
    drop(free);
    for (line, said) in [
        // No server, and a port that is taken.
        (
            format!("load -n 1 -d 1s http://{free_at}/"),
            format!("connecting to {free_at}: Connection refused (os error 111); is the server running, and does it listen there?"),
        ),
        (
            format!("serve --root {folder} --addr {taken}"),
            format!("cannot listen on {taken}: Address already in use (os error 98);"),
        ),
        // What is not there, or something else.
        (
            format!("serve --root {file}"),
            "Not a directory (os error 20); choose a directory with --root".into(),
        ),
        (
            format!("run {folder}/no.toml"),
            format!("cannot read {folder}/no.toml: No such file or directory (os error 2); bench-configs/ has some"),
        ),
        (
            format!("report {folder}"),
            format!("{folder} is no results folder: it has no manifest.json; name one that archbench run has written, like results/quick-"),
        ),
        (
            format!("notebook {folder}"),
            format!("{folder} is no results folder: it has no manifest.json; name one that archbench run has written, like results/quick-"),
        ),
        (
            format!("slo {folder}/none"),
            format!("there is no results folder {folder}/none; archbench run makes one"),
        ),
        // From elsewhere.
        (
            format!("compare {newer} {newer}"),
            "is of schema archbench.results/9, and this archbench reads archbench.results/1; use the archbench that wrote it".into(),
        ),
        (
            format!("models --tree --results {folder}"),
            format!("{folder} is no results folder: it has no manifest.json"),
        ),
        (
            format!("plot cdf {file}"),
            "expected a results folder, .hlog, .hgrm, CSV or JSON of `archbench load`".into(),
        ),
        (
            format!("merge {folder}"),
            "name the files that archbench load --out-dir wrote, or their directory".into(),
        ),
        // What makes no sense.
        (
            "models --tree --output-format json".into(),
            "--tree is drawn for people; json lists the predecessors of each without it".into(),
        ),
    ] {
        let found = first_line(&line);
        assert!(found.contains(&said), "{line}: {found}");
    }
}
