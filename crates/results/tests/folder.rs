//! A results folder is written, read back, and refused when it is not what it should be.

use std::fs;
use std::path::Path;

use results::fixture::Fixture;
use results::{Error, Figure, Folder, Validity, read};

fn small() -> Fixture {
    Fixture {
        models: ["sped", "amped"].map(Into::into).to_vec(),
        rates: vec![1000.0],
        connections: vec![16.0],
        repeats: 2,
        seconds: 1,
        ..Fixture::default()
    }
}

#[test]
fn what_was_written_is_read_back() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("results/run");
    let run = small().write(&path).unwrap();
    assert_eq!((run.trials.len(), run.planned()), (8, 8));
    assert!(run.is_complete());
    assert_eq!(run.cells().len(), 4);
    let swept: Vec<_> = run
        .swept()
        .iter()
        .map(|factor| factor.name.clone())
        .collect();
    assert_eq!(swept, ["model", "load", "rate", "connections"]);
    assert_eq!(run.trials[1].verdict, Validity::Failed);
    assert!(run.hlog(&run.trials[1]).unwrap().is_none());
    assert_eq!(run.cells()[1].values(Figure::Throughput).len(), 1);

    let first = &run.trials[0];
    let log = run.hlog(first).unwrap().unwrap();
    let p99 = log.merged(None).unwrap().value_at_quantile(0.99) as f64 / 1e3;
    let figure: Figure = "response:p(99)".parse().unwrap();
    assert!((figure.of(first).unwrap() / p99 - 1.0).abs() < 1e-9);
    assert!(log.merged(Some("service")).is_some() && log.merged(Some("x")).is_none());

    // A closed loop has no response time; its latency is the service time.
    let closed = run
        .trials
        .iter()
        .find(|trial| trial.level("load") == "closed")
        .unwrap();
    let of = |name: &str| name.parse::<Figure>().unwrap().of(closed);
    assert_eq!(of("response:p99"), None);
    assert_eq!(of("p99"), of("service:p99"));
    assert!(of("p(97.3)").is_none());
}

#[test]
fn the_table_is_rectangular_and_has_units_in_its_names() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("run");
    small().write(&path).unwrap();
    let table = fs::read_to_string(path.join("trials.csv")).unwrap();
    let head = table.lines().next().unwrap();
    for column in [
        "model",
        "rate_per_s",
        "throughput_requests_per_s",
        "latency_p99_us",
    ] {
        assert!(head.split(',').any(|name| name == column), "{head}");
    }
    let columns = head.split(',').count();
    let plain = table.lines().filter(|line| !line.contains('"'));
    assert!(plain.clone().all(|line| line.split(',').count() == columns));
    assert_eq!((table.lines().count(), plain.count() >= 7), (9, true));
}

#[test]
fn one_writer_at_a_time_and_nothing_is_overwritten() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("run");
    let run = small().write(&path).unwrap();
    assert!(matches!(
        Folder::create(&path, run.manifest),
        Err(Error::Exists { .. })
    ));
    let mut folder = Folder::resume(&path).unwrap();
    assert!(folder.has("c000-r1") && !folder.has("c000-r9"));
    let again = folder.run().trials[0].clone();
    assert!(matches!(
        folder.append(again, None),
        Err(Error::Exists { .. })
    ));
    let error = Folder::resume(&path).unwrap_err();
    assert!(
        error
            .to_string()
            .contains(&format!("process {}", std::process::id())),
        "{error}"
    );
    drop(folder);
    assert!(Folder::resume(&path).is_ok());
}

fn damaged(change: impl FnOnce(&Path)) -> Error {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("run");
    small().write(&path).expect("written");
    change(&path);
    read(&path).expect_err("it is damaged")
}

#[test]
fn what_is_wrong_is_said() {
    let trial = "trials/c000-r1.json";
    let edit = |name: &'static str, edit: fn(String) -> String| {
        damaged(move |path| {
            let text = fs::read_to_string(path.join(name)).unwrap();
            fs::write(path.join(name), edit(text)).unwrap();
        })
    };
    let halved = edit(trial, |text| text[..text.len() / 2].into());
    assert!(matches!(halved, Error::CutShort { .. }), "{halved}");
    assert!(halved.to_string().contains("Delete it"), "{halved}");
    // Without this one there is nothing to resume.
    let halved = edit("manifest.json", |text| text[..text.len() / 2].into());
    assert!(matches!(halved, Error::CutShort { .. }), "{halved}");
    assert!(halved.to_string().ends_with("begin a new run"), "{halved}");
    let foreign = edit(trial, |_| r#"{"schema":"k6/1"}"#.into());
    assert!(foreign.to_string().contains("found k6/1"), "{foreign}");
    let nameless = edit("manifest.json", |_| "[1]".into());
    assert!(matches!(nameless, Error::Foreign { .. }), "{nameless}");
    let older = edit("manifest.json", |text| {
        text.replace("results/1", "results/0")
    });
    assert!(
        older
            .to_string()
            .contains("is of schema archbench.results/0"),
        "{older}"
    );
    let garbage = edit("manifest.json", |_| "<html>".into());
    assert!(matches!(garbage, Error::Damaged { .. }), "{garbage}");
    let mistyped = edit(trial, |text| {
        text.replace("\"repeat\": 1", "\"repeat\": \"one\"")
    });
    assert!(matches!(mistyped, Error::Damaged { .. }), "{mistyped}");

    let elsewhere = edit(trial, |text| {
        text.replace("c000-r1.hlog", "../../../etc/passwd")
    });
    assert!(
        elsewhere
            .to_string()
            .contains("histograms in '../../../etc/passwd'"),
        "{elsewhere}"
    );
    let renamed = edit(trial, |text| text.replace("\"c000-r1\"", "\"../c000-r1\""));
    assert!(
        renamed.to_string().contains("calls itself '../c000-r1'"),
        "{renamed}"
    );
    for endless in ["9000000000000000000", "5000000"] {
        let endless = damaged(|path| {
            let manifest = path.join("manifest.json");
            let text = fs::read_to_string(&manifest).unwrap();
            let text = text.replace("\"repeats\": 2", &format!("\"repeats\": {endless}"));
            fs::write(manifest, text).unwrap();
        });
        assert!(
            endless.to_string().contains("more than 100000 trials"),
            "{endless}"
        );
    }

    let headless = damaged(|path| fs::remove_file(path.join("manifest.json")).unwrap());
    assert!(
        headless.to_string().contains("no manifest.json"),
        "{headless}"
    );
    let empty = damaged(|path| fs::remove_dir_all(path.join("trials")).unwrap());
    assert!(matches!(empty, Error::Partial { .. }), "{empty}");

    let home = tempfile::tempdir().unwrap();
    assert!(matches!(read(home.path()), Err(Error::NotResults { .. })));
    assert!(matches!(
        read(&home.path().join("x")),
        Err(Error::Missing { .. })
    ));
    assert!(matches!(
        Folder::resume(home.path()),
        Err(Error::NotResults { .. })
    ));
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn no_file_of_a_run_has_a_secret_wherever_it_stood() {
    const SECRET: &str = "open-sesame";
    let home = tempfile::tempdir().unwrap();
    let plain = small().write(&home.path().join("plain")).unwrap();
    let mut manifest = plain.manifest.clone();
    let words = |words: &[&str]| {
        let words = words.iter();
        words
            .map(|word| word.replace('%', SECRET))
            .collect::<Vec<_>>()
    };
    let typed = [
        "archbench",
        "--filters",
        "timeout=2s,auth=me:%,limit=4",
        "-H",
        "Authorization: Bearer %",
        "--header=Cookie: a=%",
        "--password",
        "%",
        "--api-key=%",
        "http://me:%@h/?token=%",
    ];
    manifest.experiment.push_str(&format!(
        "\n[[load]]\nflags = [\"-H\", \"Authorization: Bearer {SECRET}\"]\noptions = '--filters auth=me:{SECRET},limit=4'\n\
         password = \"{SECRET}\"\nurl = 'https://me:{SECRET}@h/'\n"
    ));
    let config =
        format!("proxy_set_header \"X-Api-Key: {SECRET}\";\n{{\"token\": \"{SECRET}\"}}\n");
    manifest.configs = [("a.conf".to_owned(), config)].into();
    manifest.command = words(&typed);
    manifest.notices = words(&["cannot reach http://me:%@h/"]);
    let mut trial = plain.trials[0].clone();
    trial.factors.insert(
        "model".into(),
        results::Level::Text(format!("service auth=me:{SECRET}")),
    );
    trial.server_command = words(&typed);
    trial.generator_command = words(&typed);
    trial.reasons = words(&["http://me:%@h/ did not answer"]);
    trial.load.as_mut().unwrap().run.arguments = words(&typed);
    let path = home.path().join("masked");
    let mut folder = Folder::create(&path, manifest).unwrap();
    folder.append(trial, None).unwrap();
    let run = folder.conclude(plain.verdicts.clone().unwrap()).unwrap();
    assert!(!format!("{run:?}").contains(SECRET), "{run:?}");
    for folder in [path.clone(), path.join("trials")] {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            assert!(!text.contains(SECRET), "{}: {text}", entry.path().display());
        }
    }
    // What is no secret stays.
    let kept = &read(&path).unwrap().trials[0].server_command;
    assert_eq!(kept[2], "timeout=2s,auth=***,limit=4");
    assert_eq!(kept[6..8], ["--password", "***"]);
}
