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
        ("load --slo availability>=0.999", 2),
        ("load --slo memory_per_connection<64k", 2),
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

/// What is said to be wrong, on one line.
fn first_line(line: &str) -> String {
    error_in(&type_in(line).1, line)
}

/// The one line that says what is wrong.
fn error_in(said: &str, line: &str) -> String {
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

/// Takes root's rights away, and leaves the user as it is, who owns the files of the test.
const WITHOUT_RIGHTS: [&str; 3] = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];

#[test]
fn without_permission_one_line_says_what_to_do_next() {
    let home = tempfile::tempdir().expect("a directory");
    let path = |name: &str| home.path().join(name).display().to_string();
    let (locked, shut, secret) = (path("locked"), path("shut"), path("secret"));
    for directory in [&locked, &shut] {
        std::fs::create_dir(directory).expect("made");
    }
    let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    std::fs::write(path("certificate"), certificate).expect("written");
    std::fs::write(&secret, "secret").expect("written");
    for (name, mode) in [(&locked, 0), (&shut, 0o500), (&secret, 0)] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(name, mode).expect("its mode set");
    }
    // Root may do everything.
    let prefix: &[&str] = match std::fs::read(&secret) {
        Ok(_) => &WITHOUT_RIGHTS,
        Err(_) => &[],
    };
    let run = |program: &str, arguments: &[&str]| {
        let words = prefix.iter().copied().chain([program]);
        let words: Vec<&str> = words.chain(arguments.iter().copied()).collect();
        Command::new(words[0]).args(&words[1..]).output()
    };
    let probe = run("cat", &[&secret]).map(|output| output.stderr);
    if !probe.is_ok_and(|said| String::from_utf8_lossy(&said).contains("Permission denied")) {
        eprintln!("skipped: root's rights cannot be taken away here (setpriv)");
        return;
    }
    let workspace = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let of_ours = |name: &str| workspace.join(name).display().to_string();
    let (reference, quick) = (
        of_ours("results/reference"),
        of_ours("bench-configs/quick.toml"),
    );
    let denied = "Permission denied (os error 13)";
    let (unreadable, unwritable) = (
        format!("{denied}; this user may not read it: change its mode (chmod), or be one who may"),
        format!("{denied}; choose a place that this user may write to"),
    );
    let mut all = vec![
        (
            format!("serve --root {locked}"),
            format!(
                "cannot serve {locked}: {denied}; choose one that this user may enter with --root"
            ),
        ),
        (
            format!("serve --root {shut} --addr unix:{shut}/socket"),
            "; choose a path in a directory that this user may write to with --addr".into(),
        ),
        (
            format!(
                "serve --root {shut} --tls --cert {} --key {secret}",
                path("certificate")
            ),
            format!(
                "cannot read the key {secret}: {denied}; this user has to be allowed to read it"
            ),
        ),
        (
            format!("load --cacert {secret} https://127.0.0.1:1/"),
            format!(
                "cannot read the certificate {secret}: {denied}; this user has to be allowed to read it"
            ),
        ),
        (
            format!("load --slo-file {secret}"),
            format!("cannot read {secret}: {unreadable}"),
        ),
        (
            format!("load -o {shut}/a.json"),
            format!("cannot write {shut}/a.json: {unwritable}"),
        ),
        (
            format!("run {secret}"),
            format!("cannot read {secret}: {unreadable}"),
        ),
        (format!("run {quick} --results {shut}"), unwritable.clone()),
        (
            format!("report {locked}"),
            format!("cannot read {locked}/manifest.json: {unreadable}"),
        ),
        (
            format!("report {reference} -o {shut}/a.html"),
            format!("cannot write {shut}/a.html: {unwritable}"),
        ),
        (
            format!("plot cpu {reference} -o {shut}/a.svg"),
            format!("cannot write {shut}/a.svg: {unwritable}"),
        ),
        (
            format!("plot cdf {secret}"),
            format!("cannot read {secret}: {unreadable}"),
        ),
        (
            format!("merge {locked}"),
            format!("cannot read {locked}: {unreadable}"),
        ),
        (format!("files single:1k {shut}/set"), unwritable.clone()),
        (format!("man {shut}/man"), unwritable.clone()),
        (
            format!("flux check {secret}"),
            format!("cannot read {secret}: {unreadable}"),
        ),
    ];
    let free_ports = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    if free_ports.is_ok_and(|first| first.trim().parse().is_ok_and(|first: u16| first > 1)) {
        let said = "; ports below 1024 need privileges: choose a higher one with --addr".into();
        all.push((format!("serve --root {shut} --addr 127.0.0.1:1"), said));
    }
    for (line, said) in all {
        let words: Vec<&str> = line.split(' ').collect();
        let output = run(env!("CARGO_BIN_EXE_archbench"), &words).expect("it runs");
        let found = error_in(&String::from_utf8_lossy(&output.stderr), &line);
        assert!(found.contains(&said), "{line}: {found}");
        assert_eq!(output.status.code(), Some(1), "{line}");
    }
}
