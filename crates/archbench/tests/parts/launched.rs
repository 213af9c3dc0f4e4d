//! Parts that Open MPI's mpirun starts.

use super::{ARCHBENCH, Server, assert_whole, is_there, load, of_parts, report};
use contracts::load::Rule;
use std::process::{Command, Stdio};

/// mpirun as root, on however few cores.
pub(super) const MPIRUN: [&str; 5] = [
    "mpirun",
    "--allow-run-as-root",
    "--oversubscribe",
    "--bind-to",
    "none",
];

fn is_missing() -> bool {
    let missing = !is_there("mpirun");
    if missing {
        println!("skipped: no mpirun; openmpi-bin has it");
    }
    missing
}

#[test]
fn mpirun_starts_the_parts_and_the_last_one_reports() {
    if is_missing() {
        return;
    }
    let server = Server::start(&[], "127.0.0.1:0");
    let home = tempfile::tempdir().expect("a directory");
    let place = home.path().display().to_string();
    let own = ["--share", "auto", "--out-dir", &place];
    let asked = [
        "-R",
        "800",
        "--poisson",
        "-d",
        "2s",
        "--start-at",
        "next:2s",
    ];
    let words = [&own[..], &asked, &["--output-format", "json"]].concat();
    let launched = Command::new(MPIRUN[0])
        .args(&MPIRUN[1..])
        .args(["-n", "4"])
        .args(load(&server.url, &words))
        .output()
        .expect("mpirun");
    assert_whole(&report(&launched));
}

/// mpirun gathers by 4 KiB, and has to be quick for no piece of a line to be cut. Where it is not, that is said.
#[test]
fn mpirun_gathers_what_the_parts_print() {
    if is_missing() {
        return;
    }
    let server = Server::start(&[], "127.0.0.1:0");
    let own = ["--share", "auto", "--output-format", "lines"];
    let asked = [
        "-R",
        "100",
        "--poisson",
        "-d",
        "1s",
        "--start-at",
        "next:2s",
    ];
    // With and without what mpirun puts before each line.
    for tagged in [&[][..], &["--tag-output"]] {
        let mut launched = Command::new(MPIRUN[0])
            .args(&MPIRUN[1..])
            .args(tagged)
            .args(["-n", "4"])
            .args(load(&server.url, &[&own[..], &asked].concat()))
            .stdout(Stdio::piped())
            .spawn()
            .expect("mpirun");
        let gathered = launched.stdout.take().expect("its output");
        let merged = Command::new(ARCHBENCH)
            .args(["merge", "-", "--output-format", "json"])
            .stdin(gathered)
            .output()
            .expect("merged");
        assert!(launched.wait().expect("its end").success());
        let merged = report(&merged);
        let told = of_parts(&merged);
        match told.iter().find(|told| told.rule == Rule::PartCutShort) {
            Some(cut) => {
                assert!(cut.text.contains("lost, and its figures with"), "{cut:?}");
                println!("not shown, for mpirun had no time: {}", cut.text);
            }
            None => assert_whole(&merged),
        }
    }
}
