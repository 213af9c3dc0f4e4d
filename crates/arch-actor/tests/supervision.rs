//! What a defect costs, and how many of them the supervisor bears.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

use std::path::Path;

use meter::Event;
use support::{Server, kind};

fn fill(root: &Path) {
    std::fs::create_dir(root.join("broken")).unwrap();
    std::fs::write(root.join("file.txt"), "file\n").unwrap();
}

#[test]
fn a_file_actor_is_started_again() {
    const DEFECTS: u64 = 20;
    let options = ["--file-actors", "2", "--panic", "/broken/"];
    let server = Server::start(&options, fill);
    let mut other = server.connect();
    let mut client = server.connect();
    for _ in 0..DEFECTS {
        assert_eq!(client.get("/broken/file.txt").unwrap().0, 500);
        assert_eq!(other.get("/file.txt").unwrap().0, 200);
    }
    let restarts = |counted: &_| kind(counted, "file").now.restarts;
    let counted = server.counted(|counted| restarts(counted) == DEFECTS);
    assert_eq!(restarts(&counted), DEFECTS);
    assert_eq!(counted.count(Event::Replaced), DEFECTS);
    assert_eq!(counted.count(Event::Broken), 0);
}

#[test]
fn beyond_the_intensity_all_ends() {
    let options = [
        "--panic",
        "/broken/",
        "--restart-intensity",
        "3",
        "--restart-period",
        "1h",
    ];
    let server = Server::start(&options, fill);
    let mut client = server.connect();
    for _ in 0..3 {
        assert_eq!(client.get("/broken/file.txt").unwrap().0, 500);
    }
    client.ask("GET", "/broken/file.txt");
    let error = server.end().unwrap_err().to_string();
    for words in [
        "the supervisor gives up",
        "file actor",
        "--panic",
        "3 restarts within 3600 s",
        "--restart-intensity",
    ] {
        assert!(error.contains(words), "'{words}' is missing: {error}");
    }
}

/// It is temporary, as OTP says: its connection ends with it, nobody is started again, and no number of them is too many.
#[test]
fn the_actor_of_a_connection_is_not_started_again() {
    let options = [
        "--file-actors",
        "0",
        "--panic",
        "/broken/",
        "--restart-intensity",
        "0",
    ];
    let server = Server::start(&options, fill);
    let mut other = server.connect();
    for _ in 0..10 {
        assert_eq!(server.connect().get("/broken/file.txt"), None);
        assert_eq!(other.get("/file.txt").unwrap().0, 200);
    }
    let counted = server.counted(|counted| counted.count(Event::Broken) == 10);
    assert_eq!(counted.count(Event::Broken), 10);
    assert!(counted.stages.iter().all(|stage| stage.now.restarts == 0));
}

#[test]
fn a_period_in_which_nothing_would_count_is_refused() {
    let command = <arch_actor::Actor as clap::Args>::augment_args(clap::Command::new("test"));
    let why = command
        .try_get_matches_from(["test", "--restart-period", "0"])
        .unwrap_err();
    assert!(why.to_string().contains("more than nothing"), "{why}");
}
